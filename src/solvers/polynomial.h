/* SPDX-License-Identifier: Apache-2.0 */
/* Polynomials through points, for solvers that integrate what the network said at earlier places.
 */
#ifndef SUMI_SOLVERS_POLYNOMIAL_H
#define SUMI_SOLVERS_POLYNOMIAL_H

enum { MOST_NODES = 4 };

/* Coefficients [count], constant first, of Lagrange's polynomial that is 1 at nodes[which] and 0 at
   the other nodes[count]. */
void polynomial_basis(int count, const double *nodes, int which, double *coefficients);

/* Its integral between two places. */
double polynomial_integral(int count, const double *coefficients, double from, double to);

#endif
