/* SPDX-License-Identifier: Apache-2.0 */
/* See polynomial.h. */
#include "solvers/polynomial.h"

void polynomial_basis(int count, const double *nodes, int which, double *coefficients)
{
    coefficients[0] = 1;
    for (int i = 1; i < count; i++) coefficients[i] = 0;
    int degree = 0;
    for (int j = 0; j < count; j++) { /* times (x - node) / (nodes[which] - node) */
        if (j == which) continue;
        double gap = nodes[which] - nodes[j];
        for (int i = ++degree; i >= 0; i--) {
            double lower = i > 0 ? coefficients[i - 1] : 0;
            double same = i < degree ? coefficients[i] : 0;
            coefficients[i] = (lower - nodes[j] * same) / gap;
        }
    }
}

double polynomial_integral(int count, const double *coefficients, double from, double to)
{
    double sum = 0, power_from = from, power_to = to;
    for (int i = 0; i < count; i++) {
        sum += coefficients[i] * (power_to - power_from) / (i + 1);
        power_from *= from;
        power_to *= to;
    }
    return sum;
}
