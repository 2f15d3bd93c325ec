/* SPDX-License-Identifier: Apache-2.0 */
/* Converting rows of numbers to what can be drawn; see rows.h. */
#include "draw/rows.h"

enum { MOST_COORDINATES = 4 };

static const struct {
    int from, to; /* counted from 0 */
    const char *name;
} pairs[MOST_PAIRS] = {{0, 1, "1, 2"}, {0, 2, "1, 3"}, {1, 2, "2, 3"},
                       {0, 3, "1, 4"}, {1, 3, "2, 4"}, {2, 3, "3, 4"}};

/* Copies the pairs of coordinates of a set rows[n, d] to points[pairs, n, 2]. */
static void take_pairs(const float *rows, int64_t n, int64_t d, int count, float *points)
{
    for (int pair = 0; pair < count; pair++) {
        for (int64_t i = 0; i < n; i++) {
            *points++ = rows[i * d + pairs[pair].from];
            *points++ = rows[i * d + pairs[pair].to];
        }
    }
}

static sumi_status open_pairs(sumi_context *context, const sumi_array *array, int sets,
                              struct rows_view *view)
{
    int64_t n = array->shape[sets], d = array->shape[sets + 1], count = 1;
    view->pairs = (int)(d * (d - 1) / 2);
    for (int i = 0; i < sets; i++) count *= array->shape[i];
    view->array.rank = sets + 3;
    view->array.shape[sets] = view->pairs;
    view->array.shape[sets + 1] = n;
    view->array.shape[sets + 2] = 2;
    size_t size = 2 * (size_t)view->pairs * (size_t)n;
    view->memory = context_allocate(context, (size_t)count * size, sizeof *view->memory);
    if (!view->memory) return SUMI_ERROR_MEMORY;
    view->array.data = view->memory;
    for (int64_t i = 0; i < count; i++) {
        take_pairs(array->data + i * n * d, n, d, view->pairs, view->memory + (size_t)i * size);
    }
    for (int i = 0; i < view->pairs; i++) view->names[i] = pairs[i].name;
    return SUMI_OK;
}

sumi_status rows_view_open(sumi_context *context, const sumi_array *array, int sets,
                           struct rows_view *view)
{
    *view = (struct rows_view){.array = *array};
    if (array->rank != sets + 2 || array->shape[sets + 1] <= 2) return SUMI_OK;
    if (array->shape[sets + 1] <= MOST_COORDINATES) return open_pairs(context, array, sets, view);
    view->array.rank = sets + 4;
    view->array.shape[sets] = 1;
    view->array.shape[sets + 1] = array->shape[sets];
    view->array.shape[sets + 2] = array->shape[sets + 1];
    view->array.shape[sets + 3] = 1;
    return SUMI_OK;
}

void rows_view_close(sumi_context *context, struct rows_view *view)
{
    context_release(context, view->memory);
    *view = (struct rows_view){.pairs = 0};
}
