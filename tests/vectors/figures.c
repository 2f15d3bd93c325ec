/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of arrays; see figures.h. */
#include "vectors/figures.h"

#include <math.h>
#include <string.h>

int64_t figures_count(const struct figures_layout *layout)
{
    int64_t count = 1;
    for (int i = 0; i < layout->rank; i++) count *= layout->size[i];
    return count;
}

void figures_own_shape(const struct figures_layout *layout, int64_t size[8])
{
    int axis = 0;
    for (int i = 0; i < layout->rank; i++)
        if (i != layout->channel_axis) size[axis++] = layout->size[i];
    if (layout->channel_axis >= 0) size[axis] = layout->size[layout->channel_axis];
}

int64_t figures_place(const struct figures_layout *layout, int64_t j)
{
    int64_t index[8] = {0}, place = 0;
    for (int i = layout->rank - 1; i >= 0; i--) {
        index[i] = j % layout->size[i];
        j /= layout->size[i];
    }
    for (int i = 0; i < layout->rank; i++)
        if (i != layout->channel_axis) place = place * layout->size[i] + index[i];
    int last = layout->channel_axis;
    return last < 0 ? place : place * layout->size[last] + index[last];
}

/* Elements from number `first` on in a list of the record. */
static bool compare_some(struct vectors_row *row, const char *what, json_object *list,
                         const struct figures_layout *layout, const float *values, bool last,
                         double tolerance)
{
    if (!json_object_is_type(list, json_type_array)) return true;
    int64_t length = (int64_t)json_object_array_length(list), count = figures_count(layout);
    if (length > count) return vectors_fail(row, "%s: the record has too many elements", what);
    int64_t first = last ? count - length : 0;
    bool same = true;
    for (int64_t j = 0; j < length; j++) {
        same &= vectors_compare(row, values[figures_place(layout, first + j)],
                                vectors_number_at(list, j), tolerance, "%s, element %lld,", what,
                                (long long)(first + j));
    }
    return same;
}

bool figures_compare(struct vectors_row *row, const char *what, json_object *expected,
                     const struct figures_layout *layout, const float *values, double tolerance)
{
    int64_t count = figures_count(layout);
    double sum = 0, magnitudes = 0, squares = 0;
    for (int64_t j = 0; j < count; j++) {
        sum += values[j];
        magnitudes += fabs(values[j]);
        squares += (double)values[j] * values[j];
    }
    double rms = vectors_number(expected, "rms"), mean = vectors_number(expected, "mean_abs");
    double share = tolerance > 0 ? tolerance : 1e-8; /* figures are written with nine digits */
    bool same = vectors_compare(row, sum, vectors_number(expected, "sum"),
                                share * mean * (double)count, "%s: sum", what);
    same &=
        vectors_compare(row, magnitudes / (double)count, mean, share * mean, "%s: mean_abs", what);
    same &= vectors_compare(row, sqrt(squares / (double)count), rms, share * rms, "%s: rms", what);
    same &= compare_some(row, what, vectors_get(expected, "first8"), layout, values, false,
                         tolerance * rms);
    same &= compare_some(row, what, vectors_get(expected, "last2"), layout, values, true,
                         tolerance * rms);
    return same;
}
