/* SPDX-License-Identifier: Apache-2.0 */
/* Restorers of commands; see restoring.h. */
#include "restoring.h"

#include <string.h>

int restoring_create(sumi_context *context, const sumi_operator *linear,
                     const struct restoring_settings *settings, const char *method,
                     sumi_restorer **restorer)
{
    const char *const options[][2] = {
        {"noise", settings->noise},       {"variance", settings->variance},
        {"zeta", settings->zeta},         {"jump", settings->jump},
        {"resample", settings->resample}, {"particles", settings->particles}};
    sumi_status status = sumi_restorer_create(
        context, linear, settings->method ? settings->method : method, restorer);
    for (size_t i = 0; i < sizeof options / sizeof *options && status == SUMI_OK; i++)
        if (options[i][1]) status = sumi_restorer_set(*restorer, options[i][0], options[i][1]);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(context, status);
}

/* The sizes above 1 of a shape; returns their number. */
static int trim(int rank, const int64_t *shape, int64_t *trimmed)
{
    int kept = 0;
    for (int i = 0; i < rank; i++)
        if (shape[i] != 1) trimmed[kept++] = shape[i];
    return kept;
}

/* The number of measurements in an array, or 0 if it has another shape. Axes of size 1 do not
   count, so that [length] is [length, 1]. */
static int64_t count_items(const sumi_array *array, int rank, const int64_t *shape)
{
    int64_t have[SUMI_MAX_RANK], want[SUMI_MAX_RANK];
    int had = trim(array->rank, array->shape, have), wanted = trim(rank, shape, want);
    if (had != wanted && had != wanted + 1) return 0;
    for (int i = 0; i < wanted; i++)
        if (have[had - wanted + i] != want[i]) return 0;
    return had > wanted ? have[0] : 1;
}

/* Averages the channels of a picture in colour, for a measurement in grey. */
static void make_grey(sumi_array *array, int rank, const int64_t *shape)
{
    if (array->rank != 3 || rank != 3 || shape[2] != 1 || array->shape[2] != 3) return;
    int64_t count = array->shape[0] * array->shape[1];
    for (int64_t i = 0; i < count; i++) {
        const float *from = array->data + 3 * i;
        array->data[i] = (from[0] + from[1] + from[2]) / 3;
    }
    array->shape[2] = 1;
}

int restoring_read(sumi_context *context, const sumi_operator *linear, const char *path,
                   sumi_array *measured)
{
    int64_t shape[SUMI_MAX_RANK];
    char have[96], want[96];
    int rank = sumi_operator_measured(linear, shape);
    if (sumi_array_read(context, path, measured) != SUMI_OK) return fail_context(context);
    make_grey(measured, rank, shape);
    int64_t items = count_items(measured, rank, shape);
    if (items == 0) {
        format_shape(measured->rank, measured->shape, have, sizeof have);
        format_shape(rank, shape, want, sizeof want);
        return fail(EXIT_FAILED, "%s: is %s, but a measurement is %s, or an array of such", path,
                    have, want);
    }
    memmove(measured->shape + 1, shape, (size_t)rank * sizeof *shape);
    measured->shape[0] = items;
    measured->rank = 1 + rank;
    return EXIT_DONE;
}
