/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes: counting elements, comparing, and formatting for messages. */
#include <stdio.h>

#include "graph/graph.h"

int64_t shape_span(const struct shape *shape, int first, int end)
{
    int64_t count = 1;
    for (int i = first; i < end; i++) count *= shape->size[i];
    return count;
}

int64_t shape_count(const struct shape *shape)
{
    return shape_span(shape, 0, shape->rank);
}

bool shape_equal(const struct shape *left, const struct shape *right)
{
    if (left->rank != right->rank) return false;
    for (int i = 0; i < left->rank; i++) {
        if (left->size[i] != right->size[i]) return false;
    }
    return true;
}

const char *shape_text(const struct shape *shape, char text[SHAPE_TEXT])
{
    int length = snprintf(text, SHAPE_TEXT, "[");
    for (int i = 0; i < shape->rank; i++) {
        length += snprintf(text + length, (size_t)(SHAPE_TEXT - length), i ? ", %lld" : "%lld",
                           (long long)shape->size[i]);
    }
    snprintf(text + length, (size_t)(SHAPE_TEXT - length), "]");
    return text;
}
