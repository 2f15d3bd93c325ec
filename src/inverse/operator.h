/* SPDX-License-Identifier: Apache-2.0 */
/* Linear operators A of measurements y = A x0 + n. One is given by its singular values and vectors,
   A = sum of s u v^T, so that everything that methods need is a gain of s:

       back(g) r = sum of g(s) v (u^T r)

   with g = s the adjoint A^T r, with g = 1/s the pseudo-inverse A^+ r, and with
   g = s / (d s^2 + n) the product A^T (d A A^T + n I)^-1 r. The kinds are

       separable   a matrix along each axis of an item: blur, down, grey, a matrix of the caller's
       mask        some of the numbers of an item; s is 1 or 0
       own         the caller's functions, with no singular values: linear systems are solved by
                   conjugate gradients */
#ifndef SUMI_INVERSE_OPERATOR_H
#define SUMI_INVERSE_OPERATOR_H

#include "inverse/factor.h"

/* The gain of a singular value, with two numbers of its own. */
typedef double (*operator_gain)(double value, double first, double second);

struct sumi_operator;

struct operator_type {
    /* y = A x of item `row` of a batch. */
    sumi_status (*apply)(const sumi_operator *operator, int64_t row, const float *x, float *y);
    /* back(g) r, as above; NULL where there are no singular values. */
    sumi_status (*back)(const sumi_operator *operator, int64_t row, operator_gain gain,
                        double first, double second, const float *r, float *x);
    /* sum of g(s) (u^T r)^2, and |r|^2 less the sum of (u^T r)^2. */
    void (*weigh)(const sumi_operator *operator, int64_t row, operator_gain gain, double first,
                  double second, const float *r, double *within, double *beyond);
    void (*release)(sumi_operator *operator);
};

/* A matrix along an axis of the item; an axis without one is unchanged. */
struct operator_axis {
    int64_t in, out;      /* sizes before and after */
    struct factor factor; /* of the matrix [out, in]; empty: the identity */
};

struct sumi_operator {
    sumi_context *context;
    const struct operator_type *type;
    char name[64]; /* "blur:2", for messages */
    int rank, measured_rank;
    int64_t shape[SUMI_MAX_RANK],
        measured_shape[SUMI_MAX_RANK]; /* of an item, of its measurement */
    int64_t item_size, measured_size;
    double greatest; /* singular value */

    int axes; /* separable */
    struct operator_axis axis[SUMI_MAX_RANK];
    double *before, *after; /* work space of a product along an axis */

    float *mask;   /* mask [masks, item]: 1 where a number is measured, else 0 */
    int64_t masks; /* they repeat cyclically over items */

    void *user; /* own */
    sumi_linear forward, adjoint, inverse;
    float *system[4]; /* work space of conjugate gradients [measured], and one of an item */
};

/* Makes an operator of a type for items of a shape, with nothing else filled in. */
sumi_status operator_begin(sumi_context *context, const struct operator_type *type,
                           const char *name, int rank, const int64_t *shape,
                           sumi_operator **operator);

/* Allocates the work space of the axes, which are filled in, and refuses a zero operator. */
sumi_status operator_finish_separable(sumi_operator *operator);

/* Copies masks[items, item] as 1, where above 0, and 0; refuses one that keeps nothing. */
sumi_status operator_copy_mask(sumi_operator *operator, int64_t items, const float *mask);

/* ---- For methods (operator.c) ---- */

sumi_status operator_apply(const sumi_operator *operator, int64_t row, const float *x, float *y);

/* A^T r. */
sumi_status operator_adjoint(const sumi_operator *operator, int64_t row, const float *r, float *x);

/* A^T (spread A A^T + noise I)^-1 r; with both zero nothing, with noise zero A^+ r / spread. */
sumi_status operator_solve(const sumi_operator *operator, int64_t row, double spread, double noise,
                           const float *r, float *x);

/* r^T (spread A A^T + noise I)^-1 r, for noise above 0. */
sumi_status operator_distance(const sumi_operator *operator, int64_t row, double spread,
                              double noise, const float *r, double *distance);

/* Whether there is a pseudo-inverse, and A^+ y. `share` of each component is kept: min(1, share s).
 */
bool operator_has_inverse(const sumi_operator *operator);
sumi_status operator_inverse(const sumi_operator *operator, int64_t row, double share,
                             const float *y, float *x);

/* change = what the measured components of a state a x0 + s e have to change by to be drawn from
   q(state | y), given difference = a y - A state and fresh = A e of fresh noise: for a singular
   value v the component u^T y / v has the noise `error` / v (error is a times that of y), so that

       change = sum of v-vectors (u^T difference + (s^2 - (error / v)^2)^1/2 u^T fresh) / v

   over those whose noise is at most s. `spare` [item] is overwritten. */
sumi_status operator_replace(const sumi_operator *operator, int64_t row, double noise, double error,
                             const float *difference, const float *fresh, float *spare,
                             float *change);

/* Numbers that are measured of item `row`, which is less than measured_size under a mask. */
int64_t operator_measures(const sumi_operator *operator, int64_t row);

extern const struct operator_type operator_separable, operator_mask, operator_own;

#endif
