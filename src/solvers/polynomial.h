/* SPDX-License-Identifier: Apache-2.0 */
/* Polynomials through points, for solvers that integrate earlier predictions of the network. */
#ifndef SUMI_SOLVERS_POLYNOMIAL_H
#define SUMI_SOLVERS_POLYNOMIAL_H

enum { MOST_NODES = 4 };

/* Fills coefficients[count], constant first, of the Lagrange polynomial that is 1 at nodes[which]
   and 0 at the other nodes. */
void polynomial_basis(int count, const double *nodes, int which, double *coefficients);

/* Its integral between two places. */
double polynomial_integral(int count, const double *coefficients, double from, double to);

#endif
