/* SPDX-License-Identifier: Apache-2.0 */
/* Singular values by rotations; see factor.h. The vectors on the shorter side of the matrix are
   rotated in pairs until all are orthogonal; their lengths are the singular values. */
#include "inverse/factor.h"

#include <math.h>
#include <string.h>

enum { SWEEPS_MOST = 60 };

/* Rotates two vectors by an angle: u' = c u - s v, v' = s u + c v. */
static void rotate(int64_t count, double cosine, double sine, double *u, double *v)
{
    for (int64_t i = 0; i < count; i++) {
        double first = u[i], second = v[i];
        u[i] = cosine * first - sine * second;
        v[i] = sine * first + cosine * second;
    }
}

static double product(int64_t count, const double *u, const double *v)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += u[i] * v[i];
    return sum;
}

/* Makes vectors[count, size] orthogonal, and applies the same rotations to turn[count, count].
   Returns whether it had to rotate any. */
static bool sweep(int64_t count, int64_t size, double *vectors, double *turn)
{
    bool any = false;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = i + 1; j < count; j++) {
            double *u = vectors + i * size, *v = vectors + j * size;
            double uu = product(size, u, u), vv = product(size, v, v), uv = product(size, u, v);
            if (!(fabs(uv) > 1e-15 * sqrt(uu * vv)) || uu == 0 || vv == 0) continue;
            double zeta = (vv - uu) / (2 * uv);
            double tangent = (zeta < 0 ? -1 : 1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
            double cosine = 1 / sqrt(1 + tangent * tangent), sine = cosine * tangent;
            rotate(size, cosine, sine, u, v);
            rotate(count, cosine, sine, turn + i * count, turn + j * count);
            any = true;
        }
    }
    return any;
}

/* Values and unit vectors from orthogonal vectors[count, size]. */
static void measure(int64_t count, int64_t size, double *vectors, double *values)
{
    for (int64_t i = 0; i < count; i++) {
        double *u = vectors + i * size;
        values[i] = sqrt(product(size, u, u));
        for (int64_t j = 0; j < size; j++) u[j] = values[i] > 0 ? u[j] / values[i] : 0;
    }
}

sumi_status factor_create(sumi_context *context, int64_t rows, int64_t columns,
                          const double *matrix, struct factor *factor)
{
    bool wide = rows <= columns;
    int64_t count = wide ? rows : columns, size = wide ? columns : rows;
    double *vectors = context_allocate(context, (size_t)(count * size), sizeof *vectors);
    double *turn = context_allocate_zeroed(context, (size_t)(count * count), sizeof *turn);
    double *values = context_allocate_zeroed(context, (size_t)count, sizeof *values);
    *factor = (struct factor){.rows = rows,
                              .columns = columns,
                              .rank = count,
                              .left = wide ? turn : vectors,
                              .values = values,
                              .right = wide ? vectors : turn};
    if (!vectors || !turn || !values) {
        factor_release(context, factor);
        return SUMI_ERROR_MEMORY;
    }
    for (int64_t i = 0; i < count; i++) {
        turn[i * count + i] = 1;
        for (int64_t j = 0; j < size; j++)
            vectors[i * size + j] = wide ? matrix[i * columns + j] : matrix[j * columns + i];
    }
    for (int i = 0; i < SWEEPS_MOST && sweep(count, size, vectors, turn); i++) continue;
    measure(count, size, vectors, values);
    return SUMI_OK;
}

void factor_release(sumi_context *context, struct factor *factor)
{
    context_release(context, factor->left);
    context_release(context, factor->values);
    context_release(context, factor->right);
    memset(factor, 0, sizeof *factor);
}
