/* SPDX-License-Identifier: Apache-2.0 */
/* Operators by name: "blur:2", "down:4", "grey", "mask:FILE" and so on. Pictures [h,w,c] and
   signals [length,c] are blurred and made smaller along all axes but the last, points [d] along
   their only one. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "inverse/operator.h"

/* Rows or columns of a matrix of the caller: decomposing it takes time with their third power. */
enum { MATRIX_MOST = 2048 };

struct operator_kind {
    const char *name;
    const char *takes; /* what follows the colon, NULL for nothing */
    sumi_status (*fill)(sumi_operator *operator, const char * value);
    const struct operator_type *type;
};

/* ---- Matrices along axes ---- */

static int spatial_axes(const sumi_operator *operator)
{
    return operator->rank> 1 ? operator->rank - 1 : 1;
}

/* Makes all axes the identity. */
static void begin_axes(sumi_operator *operator)
{
    operator->axes = operator->rank;
    for (int k = 0; k < operator->rank; k++)
        operator->axis[k] =(struct operator_axis){.in = operator->shape[k],
                                                  .out = operator->shape[k] };
}

/* Gives an axis a matrix [out, in], whose memory is released. */
static sumi_status take_matrix(sumi_operator *operator, int axis, int64_t out, double *matrix)
{
    struct operator_axis *own = &operator->axis[axis];
    if (!matrix) return SUMI_ERROR_MEMORY;
    sumi_status status = factor_create(operator->context, out, own->in, matrix, &own->factor);
    context_release(operator->context, matrix);
    own->out = operator->measured_shape[axis] = out;
    return status;
}

/* The value after the colon, a number from `least` on. */
static sumi_status read_number(const sumi_operator *operator, const char * value, double least,
                               double *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtod(value, &end);
    if (end != value && !*end && errno == 0 && isfinite(*number) && *number >= least)
        return SUMI_OK;
    return context_fail(
        operator->context, SUMI_ERROR_ARGUMENT,
        "the operator %s needs a number of at least %g after the colon, not \"%.40s\"",
        operator->name, least, value);
}

/* A matrix [out, in] whose row o is a kernel around the middle of its share of the inputs. The
   kernel's value at a distance is kernel(distance / width); rows sum to 1, so that at the borders
   the kernel is cut and scaled. */
static double *kernel_matrix(sumi_context *context, int64_t in, int64_t out, double width,
                             double (*kernel)(double distance))
{
    double *matrix = context_allocate_zeroed(context, (size_t)(in * out), sizeof *matrix);
    for (int64_t o = 0; matrix && o < out; o++) {
        double *row = matrix + o * in, sum = 0;
        double middle = ((double)o + 0.5) * (double)in / (double)out - 0.5;
        for (int64_t i = 0; i < in; i++) sum += row[i] = kernel(((double)i - middle) / width);
        for (int64_t i = 0; i < in; i++) row[i] /= sum;
    }
    return matrix;
}

/* Beyond four deviations a Gaussian is below 4e-4 of its middle, and is cut. */
static double gaussian(double distance)
{
    return fabs(distance) > 4 ? 0 : exp(-distance * distance / 2);
}

static double box(double distance)
{
    return fabs(distance) < 0.5 ? 1 : 0;
}

/* The cubic convolution of Keys 1981 with a = -1/2. */
static double cubic(double distance)
{
    double d = fabs(distance);
    if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
    return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

static sumi_status fill_blur(sumi_operator *operator, const char * value)
{
    double width = 0;
    TRY(read_number(operator, value, 0.01, &width));
    begin_axes(operator);
    for (int k = 0; k < spatial_axes(operator); k++) {
        int64_t size = operator->shape[k];
        TRY(take_matrix(operator, k, size,
                        kernel_matrix(operator->context, size, size, width, gaussian)));
    }
    return operator_finish_separable(operator);
}

static sumi_status make_smaller(sumi_operator *operator, const char * value,
                                double (*kernel)(double distance))
{
    double factor = 0;
    TRY(read_number(operator, value, 2, &factor));
    begin_axes(operator);
    for (int k = 0; k < spatial_axes(operator); k++) {
        int64_t size = operator->shape[k], whole = (int64_t)factor;
        if ((double)whole != factor || size % whole) {
            return context_fail(operator->context, SUMI_ERROR_ARGUMENT,
                                "the operator %s needs a whole factor of the item's sizes, but "
                                "dimension %d is %lld",
                                operator->name, k, (long long)size);
        }
        TRY(take_matrix(operator, k, size / whole,
                        kernel_matrix(operator->context, size, size / whole, factor, kernel)));
    }
    return operator_finish_separable(operator);
}

static sumi_status fill_down(sumi_operator *operator, const char * value)
{
    return make_smaller(operator, value, box);
}

static sumi_status fill_bicubic(sumi_operator *operator, const char * value)
{
    return make_smaller(operator, value, cubic);
}

static double even(double distance)
{
    (void)distance;
    return 1;
}

static sumi_status fill_grey(sumi_operator *operator, const char * value)
{
    int last = operator->rank - 1;
    (void)value;
    if (operator->rank<2 || operator->shape[last]<2) {
        return context_fail(operator->context, SUMI_ERROR_ARGUMENT,
                            "the operator grey is for items of two or more channels");
    }
    begin_axes(operator);
    TRY(take_matrix(operator, last, 1,
                    kernel_matrix(operator->context, operator->shape[last], 1, 1, even)));
    return operator_finish_separable(operator);
}

static sumi_status fill_identity(sumi_operator *operator, const char * value)
{
    (void)value;
    begin_axes(operator);
    return operator_finish_separable(operator);
}

/* ---- Files ---- */

/* One axis, the whole item, with a matrix [measured, item]. */
static sumi_status take_whole(sumi_operator *operator, const char * path, const sumi_array *array)
{
    int64_t rows = array->shape[0], columns = array->shape[1];
    if (array->rank != 2 || columns != operator->item_size || rows<1) {
        return context_fail(operator->context, SUMI_ERROR_ARGUMENT,
                            "%s: the matrix of an operator on items of %lld numbers has the shape "
                            "[measured, %lld], not [%lld, %lld]",
                            path, (long long)operator->item_size, (long long)operator->item_size,
                            (long long)rows, array->rank > 1 ? (long long)columns : 0);
    }
    if ((rows < columns ? rows : columns) > MATRIX_MOST) {
        return context_fail(operator->context, SUMI_ERROR_ARGUMENT,
                            "%s: the lesser side of an operator's matrix is at most %d", path,
                            MATRIX_MOST);
    }
    operator->axes = operator->measured_rank = 1;
    operator->axis[0] =(struct operator_axis){.in = columns, .out = rows};
    double *matrix = context_allocate(operator->context, (size_t)(rows * columns), sizeof *matrix);
    for (int64_t i = 0; matrix && i < rows * columns; i++) matrix[i] = array->data[i];
    TRY(take_matrix(operator, 0, rows, matrix));
    return operator_finish_separable(operator);
}

static sumi_status take_mask(sumi_operator *operator, const char * path, const sumi_array *array)
{
    int64_t count = sumi_array_count(array), size = operator->item_size;
    bool one = array->rank == operator->rank, many = array->rank == operator->rank + 1;
    const int64_t *shape = array->shape + (many ? 1 : 0);
    bool fits = count > 0 && (one || many);
    for (int k = 0; fits && k < operator->rank; k++) fits = shape[k] == operator->shape[k];
    if (!fits) {
        return context_fail(operator->context, SUMI_ERROR_ARGUMENT,
                            "%s: has %lld numbers; a mask has the shape of an item, with %lld, or "
                            "is an array of such masks",
                            path, (long long)count, (long long)size);
    }
    return operator_copy_mask(operator, count / size, array->data);
}

static sumi_status check_finite(const sumi_operator *operator, const char * path,
                                const sumi_array *array)
{
    for (int64_t i = 0; i < sumi_array_count(array); i++) {
        if (isfinite(array->data[i])) continue;
        return context_fail(operator->context, SUMI_ERROR_NUMBER,
                            "%s: number %lld is not finite (%g)", path, (long long)i,
                            (double)array->data[i]);
    }
    return SUMI_OK;
}

static sumi_status fill_from_file(sumi_operator *operator, const char * path,
                                  sumi_status (*take)(sumi_operator *operator, const char * path,
                                                      const sumi_array *array))
{
    sumi_array array = {0};
    TRY(sumi_array_read(operator->context, path, &array));
    sumi_status status = check_finite(operator, path, &array);
    if (status == SUMI_OK) status = take(operator, path, &array);
    sumi_array_release(operator->context, &array);
    return status;
}

static sumi_status fill_matrix(sumi_operator *operator, const char * value)
{
    return fill_from_file(operator, value, take_whole);
}

static sumi_status fill_mask(sumi_operator *operator, const char * value)
{
    return fill_from_file(operator, value, take_mask);
}

/* ---- The table ---- */

static const struct operator_kind kinds[] = {
    {"blur", "DEVIATION", fill_blur, &operator_separable},
    {"down", "FACTOR", fill_down, &operator_separable},
    {"bicubic", "FACTOR", fill_bicubic, &operator_separable},
    {"grey", NULL, fill_grey, &operator_separable},
    {"mask", "FILE", fill_mask, &operator_mask},
    {"matrix", "FILE", fill_matrix, &operator_separable},
    {"identity", NULL, fill_identity, &operator_separable},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static sumi_status find_kind(sumi_context *context, const char *text,
                             const struct operator_kind **kind)
{
    const char *names[KINDS + 1] = {NULL};
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), text);
    for (int i = 0; i < KINDS; i++) {
        names[i] = kinds[i].name;
        if (strcmp(name, names[i]) != 0) continue;
        *kind = &kinds[i];
        if (!colon == !kinds[i].takes && !(colon && !colon[1])) return SUMI_OK;
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            kinds[i].takes ? "the operator %s is written %s:%s"
                                           : "the operator %s takes nothing after it",
                            name, name, kinds[i].takes);
    }
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "there is no operator \"%s\"; did you mean \"%s\"?", name,
                        text_nearest(name, names));
}

sumi_status sumi_operator_create(sumi_context *context, const char *text, int rank,
                                 const int64_t *shape, sumi_operator **operator)
{
    const struct operator_kind *kind = NULL;
    *operator= NULL;
    if (!text)
        return context_fail(context, SUMI_ERROR_ARGUMENT, "an operator needs a name, not NULL");
    TRY(find_kind(context, text, &kind));
    TRY(operator_begin(context, kind->type, text, rank, shape, operator));
    const char *colon = strchr(text, ':');
    sumi_status status = kind->fill(*operator, colon ? colon + 1 : NULL);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_operator_free(*operator);
    *operator= NULL;
    return status;
}
