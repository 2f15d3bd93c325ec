/* SPDX-License-Identifier: Apache-2.0 */
/* What methods ask of a linear operator, for every kind; see operator.h. */
#include "inverse/operator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Singular values below this share of the greatest count as zero where they would be divided by. */
static const double LEAST_SHARE = 1e-4;

sumi_status operator_begin(sumi_context *context, const struct operator_type *type,
                           const char *name, int rank, const int64_t *shape,
                           sumi_operator **operator)
{
    int64_t size = 1;
    *operator= NULL;
    bool fits = shape && rank >= 1 && rank < SUMI_MAX_RANK;
    for (int i = 0; fits && i < rank; i++)
        fits = shape[i] >= 1 && !__builtin_mul_overflow(size, shape[i], &size) && size < 1 << 28;
    if (!fits) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "an operator is for items of 1 to %d dimensions, each at least 1",
                            SUMI_MAX_RANK - 1);
    }
    sumi_operator *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->type = type;
    made->rank = made->measured_rank = rank;
    made->item_size = made->measured_size = size;
    made->greatest = 1;
    memcpy(made->shape, shape, (size_t)rank * sizeof *shape);
    memcpy(made->measured_shape, shape, (size_t)rank * sizeof *shape);
    snprintf(made->name, sizeof made->name, "%s", name);
    *operator= made;
    return SUMI_OK;
}

void sumi_operator_free(sumi_operator *operator)
{
    if (!operator) return;
    if (operator->type->release) operator->type->release(operator);
    context_release(operator->context, operator);
}

int sumi_operator_measured(const sumi_operator *operator, int64_t shape[SUMI_MAX_RANK])
{
    memcpy(shape, operator->measured_shape, sizeof operator->measured_shape);
    return operator->measured_rank;
}

sumi_status sumi_operator_apply(const sumi_operator *operator, int64_t count, const float *x,
                                float *y)
{
    for (int64_t i = 0; i < count; i++)
        TRY(operator_apply(operator, i, x + i * operator->item_size,
                           y + i * operator->measured_size));
    return SUMI_OK;
}

sumi_status sumi_operator_adjoint(const sumi_operator *operator, int64_t count, const float *y,
                                  float *x)
{
    for (int64_t i = 0; i < count; i++)
        TRY(operator_adjoint(operator, i, y + i * operator->measured_size,
                             x + i * operator->item_size));
    return SUMI_OK;
}

sumi_status sumi_operator_inverse(const sumi_operator *operator, int64_t count, const float *y,
                                  float *x)
{
    if (!operator_has_inverse(operator)) {
        return context_fail(operator->context, SUMI_ERROR_UNSUPPORTED,
                            "the operator %s has no pseudo-inverse", operator->name);
    }
    for (int64_t i = 0; i < count; i++)
        TRY(operator_inverse(operator, i, INFINITY, y + i * operator->measured_size,
                             x + i * operator->item_size));
    return SUMI_OK;
}

/* ---- Gains ---- */

static double gain_adjoint(double value, double first, double second)
{
    (void)first, (void)second;
    return value;
}

/* min(1, share s) / s above the least value. */
static double gain_inverse(double value, double share, double least)
{
    if (!(value > least)) return 0;
    return fmin(1, share * value) / value;
}

static double gain_solve(double value, double spread, double noise)
{
    double variance = spread * value * value + noise;
    return variance > 0 ? value / variance : 0;
}

/* 1 / v where the noise of the component, error / v, is at most that of the state. */
static double gain_known(double value, double noise, double error)
{
    return value > 0 && noise * value >= error ? 1 / value : 0;
}

static double gain_fresh(double value, double noise, double error)
{
    if (gain_known(value, noise, error) == 0) return 0;
    return sqrt(fmax(noise * noise - error / value * (error / value), 0)) / value;
}

static double gain_precision(double value, double spread, double noise)
{
    return 1 / (spread * value * value + noise);
}

/* ---- Calls ---- */

sumi_status operator_apply(const sumi_operator *operator, int64_t row, const float *x, float *y)
{
    return operator->type->apply(operator, row, x, y);
}

/* Ends a call of the caller's function. */
static sumi_status check_own(const sumi_operator *operator, sumi_status status)
{
    if (status == SUMI_OK || operator->context->message[0]) return status;
    return context_fail(operator->context, status,
                        "the operator %s ended with \"%s\"", operator->name,
                        sumi_status_name(status));
}

sumi_status operator_adjoint(const sumi_operator *operator, int64_t row, const float *r, float *x)
{
    if (operator->type->back) return operator->type->back(operator, row, gain_adjoint, 0, 0, r, x);
    return check_own(operator, operator->adjoint(operator->user, r, x));
}

bool operator_has_inverse(const sumi_operator *operator)
{
    return operator->type->back || operator->inverse;
}

sumi_status operator_inverse(const sumi_operator *operator, int64_t row, double share,
                             const float *y, float *x)
{
    if (operator->type->back) {
        return operator->type->back(operator, row, gain_inverse, share,
                                    LEAST_SHARE *operator->greatest, y, x);
    }
    TRY(check_own(operator, operator->inverse(operator->user, y, x)));
    double kept = fmin(1, share); /* as if every singular value were 1 */
    for (int64_t i = 0; i < operator->item_size; i++) x[i] = (float)(kept * x[i]);
    return SUMI_OK;
}

sumi_status operator_replace(const sumi_operator *operator, int64_t row, double noise, double error,
                             const float *difference, const float *fresh, float *spare,
                             float *change)
{
    double least = fmax(error, noise * LEAST_SHARE * operator->greatest), weight = 1;
    if (operator->type->back) {
        TRY(operator->type->back(operator, row, gain_known, noise, least, difference, change));
        TRY(operator->type->back(operator, row, gain_fresh, noise, least, fresh, spare));
    } else { /* as if every singular value were 1 */
        TRY(check_own(operator, operator->inverse(operator->user, difference, change)));
        TRY(check_own(operator, operator->inverse(operator->user, fresh, spare)));
        weight = noise >= error ? 1 : 0;
        double rest = sqrt(fmax(noise * noise - error * error, 0));
        for (int64_t i = 0; i < operator->item_size; i++) spare[i] = (float)(rest * spare[i]);
    }
    for (int64_t i = 0; i < operator->item_size; i++)
        change[i] = (float)(weight * (change[i] + spare[i]));
    return SUMI_OK;
}

int64_t operator_measures(const sumi_operator *operator, int64_t row)
{
    if (!operator->mask) return operator->measured_size;
    const float *mask = operator->mask + row % operator->masks * operator->item_size;
    int64_t count = 0;
    for (int64_t i = 0; i < operator->item_size; i++) count += mask[i] > 0;
    return count;
}

/* ---- Linear systems ---- */

static double dot(int64_t count, const float *u, const float *v)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)u[i] * v[i];
    return sum;
}

/* output = (spread A A^T + noise I) u */
static sumi_status multiply(const sumi_operator *operator, double spread, double noise,
                            const float *u, float *output)
{
    float *item = operator->system[3];
    TRY(operator_adjoint(operator, 0, u, item));
    TRY(operator_apply(operator, 0, item, output));
    for (int64_t i = 0; i < operator->measured_size; i++)
        output[i] = (float)(spread * output[i] + noise * u[i]);
    return SUMI_OK;
}

/* Solves (spread A A^T + noise I) u = r by conjugate gradients; the result is system[0]. */
static sumi_status solve_own(const sumi_operator *operator, double spread, double noise,
                             const float *r)
{
    enum { STEPS_MOST = 200 };
    int64_t size = operator->measured_size;
    float *u = operator->system[0], *rest = operator->system[1], *along = operator->system[2];
    float *product = operator->system[3] + operator->item_size;
    memset(u, 0, (size_t)size * sizeof *u);
    memcpy(rest, r, (size_t)size * sizeof *r);
    memcpy(along, r, (size_t)size * sizeof *r);
    double norm = dot(size, rest, rest), first = norm;
    for (int k = 0; k < STEPS_MOST && norm > 1e-12 * first && norm > 0; k++) {
        TRY(multiply(operator, spread, noise, along, product));
        double curvature = dot(size, along, product), before = norm;
        if (!(curvature > 0)) break;
        for (int64_t i = 0; i < size; i++) {
            u[i] += (float)(norm / curvature * along[i]);
            rest[i] -= (float)(norm / curvature * product[i]);
        }
        norm = dot(size, rest, rest);
        for (int64_t i = 0; i < size; i++) along[i] = (float)(rest[i] + norm / before * along[i]);
    }
    return SUMI_OK;
}

sumi_status operator_solve(const sumi_operator *operator, int64_t row, double spread, double noise,
                           const float *r, float *x)
{
    if (operator->type->back) {
        if (noise > 0 || spread == 0)
            return operator->type->back(operator, row, gain_solve, spread, noise, r, x);
        TRY(operator_inverse(operator, row, INFINITY, r, x));
        for (int64_t i = 0; i < operator->item_size; i++) x[i] = (float)(x[i] / spread);
        return SUMI_OK;
    }
    TRY(solve_own(operator, spread, noise, r));
    return operator_adjoint(operator, row, operator->system[0], x);
}

sumi_status operator_distance(const sumi_operator *operator, int64_t row, double spread,
                              double noise, const float *r, double *distance)
{
    double within = 0, beyond = 0;
    if (operator->type->weigh) {
        operator->type->weigh(operator, row, gain_precision, spread, noise, r, &within, &beyond);
        *distance = within + beyond / noise;
        return SUMI_OK;
    }
    TRY(solve_own(operator, spread, noise, r));
    *distance = dot(operator->measured_size, operator->system[0], r);
    return SUMI_OK;
}
