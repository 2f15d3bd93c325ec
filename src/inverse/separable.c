/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that multiply an item by a matrix along each axis: blur and down along height and width
   or length, grey along the channels, a matrix of the caller along the whole item. The singular
   values are the products of those of the axes. */
#include "inverse/operator.h"

#include <math.h>
#include <string.h>

/* output[before, out, after] = matrix[out, in] along the middle axis of input[before, in, after];
   with `across`, by the transposed of matrix[in, out]. */
static void along(int64_t before, int64_t in, int64_t out, int64_t after, const double *matrix,
                  bool across, const double *input, double *output)
{
    memset(output, 0, (size_t)(before * out * after) * sizeof *output);
    for (int64_t b = 0; b < before; b++) {
        for (int64_t o = 0; o < out; o++) {
            double *row = output + (b * out + o) * after;
            for (int64_t i = 0; i < in; i++) {
                double weight = across ? matrix[i * out + o] : matrix[o * in + i];
                const double *from = input + (b * in + i) * after;
                for (int64_t a = 0; weight != 0 && a < after; a++) row[a] += weight * from[a];
            }
        }
    }
}

/* Which matrix of each axis. */
enum step { BY_LEFT, BY_LEFT_ACROSS, BY_RIGHT, BY_RIGHT_ACROSS };

/* The size of an axis in the coordinates that a step begins or ends with. */
static int64_t size_before(const struct operator_axis *axis, enum step step)
{
    if (!axis->factor.values) return axis->in;
    return step == BY_LEFT ? axis->out : step == BY_RIGHT ? axis->in : axis->factor.rank;
}

static int64_t size_after(const struct operator_axis *axis, enum step step)
{
    if (!axis->factor.values) return axis->in;
    return step == BY_LEFT_ACROSS    ? axis->out
           : step == BY_RIGHT_ACROSS ? axis->in
                                     : axis->factor.rank;
}

/* Multiplies operator->before along every axis; the result is operator->before again. */
static void along_all(const sumi_operator *operator, enum step step)
{
    sumi_operator *own = (sumi_operator *)operator; /* its work space */
    for (int k = 0; k < operator->axes; k++) {
        const struct operator_axis *axis = &operator->axis[k];
        int64_t before = 1, after = 1;
        if (!axis->factor.values) continue;
        for (int i = 0; i < k; i++) before *= size_after(&operator->axis[i], step);
        for (int i = k + 1; i < operator->axes; i++) after *= size_before(&operator->axis[i], step);
        bool left = step == BY_LEFT || step == BY_LEFT_ACROSS;
        along(before, size_before(axis, step), size_after(axis, step), after,
              left ? axis->factor.left : axis->factor.right,
              step == BY_LEFT_ACROSS || step == BY_RIGHT_ACROSS, own->before, own->after);
        double *ready = own->after;
        own->after = own->before;
        own->before = ready;
    }
}

static int64_t components(const sumi_operator *operator)
{
    int64_t count = 1;
    for (int k = 0; k < operator->axes; k++) count *= size_after(&operator->axis[k], BY_LEFT);
    return count;
}

/* The singular value of component `index`. */
static double value_of(const sumi_operator *operator, int64_t index)
{
    double value = 1;
    for (int k = operator->axes - 1; k >= 0; k--) {
        const struct operator_axis *axis = &operator->axis[k];
        int64_t size = size_after(axis, BY_LEFT);
        if (axis->factor.values) value *= axis->factor.values[index % size];
        index /= size;
    }
    return value;
}

static void put(const sumi_operator *operator, int64_t count, const float *values)
{
    for (int64_t i = 0; i < count; i++) operator->before[i] = values[i];
}

static void take(const sumi_operator *operator, int64_t count, float *values)
{
    for (int64_t i = 0; i < count; i++) values[i] = (float)operator->before[i];
}

static sumi_status apply(const sumi_operator *operator, int64_t row, const float *x, float *y)
{
    (void)row;
    put(operator, operator->item_size, x);
    along_all(operator, BY_RIGHT);
    for (int64_t i = 0; i < components(operator); i++) operator->before[i] *= value_of(operator, i);
    along_all(operator, BY_LEFT_ACROSS);
    take(operator, operator->measured_size, y);
    return SUMI_OK;
}

static sumi_status back(const sumi_operator *operator, int64_t row, operator_gain gain,
                        double first, double second, const float *r, float *x)
{
    (void)row;
    put(operator, operator->measured_size, r);
    along_all(operator, BY_LEFT);
    for (int64_t i = 0; i < components(operator); i++)
        operator->before[i] *= gain(value_of(operator, i), first, second);
    along_all(operator, BY_RIGHT_ACROSS);
    take(operator, operator->item_size, x);
    return SUMI_OK;
}

static void weigh(const sumi_operator *operator, int64_t row, operator_gain gain, double first,
                  double second, const float *r, double *within, double *beyond)
{
    double whole = 0, reached = 0;
    (void)row;
    *within = 0;
    for (int64_t i = 0; i < operator->measured_size; i++) whole += (double)r[i] * r[i];
    put(operator, operator->measured_size, r);
    along_all(operator, BY_LEFT);
    for (int64_t i = 0; i < components(operator); i++) {
        double square = operator->before[i] * operator->before[i];
        *within += gain(value_of(operator, i), first, second) * square;
        reached += square;
    }
    *beyond = fmax(whole - reached, 0);
}

static void release(sumi_operator *operator)
{
    for (int k = 0; k < operator->axes; k++)
        factor_release(operator->context, &operator->axis[k].factor);
    context_release(operator->context, operator->before);
    context_release(operator->context, operator->after);
}

const struct operator_type operator_separable = {
    .apply = apply, .back = back, .weigh = weigh, .release = release};

sumi_status operator_finish_separable(sumi_operator *operator)
{
    int64_t most = 1;
    operator->greatest = 1;
    operator->measured_size = 1;
    for (int k = 0; k < operator->axes; k++) {
        const struct operator_axis *axis = &operator->axis[k];
        double greatest = axis->factor.values ? 0 : 1;
        for (int64_t i = 0; i < axis->factor.rank; i++)
            greatest = fmax(greatest, axis->factor.values[i]);
        operator->greatest *= greatest;
        operator->measured_size *= axis->out;
        most *= axis->in > axis->out ? axis->in : axis->out;
    }
    operator->before = context_allocate(operator->context, (size_t)most, sizeof(double));
    operator->after = context_allocate(operator->context, (size_t)most, sizeof(double));
    if (!operator->before || !operator->after) return SUMI_ERROR_MEMORY;
    if (operator->greatest> 0) return SUMI_OK;
    return context_fail(operator->context, SUMI_ERROR_ARGUMENT,
                        "the operator %s is zero everywhere, so nothing is measured",
                        operator->name);
}
