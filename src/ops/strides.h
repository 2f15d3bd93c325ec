/* SPDX-License-Identifier: Apache-2.0 */
/* Strides of row-major arrays of any rank, as they are and as they are broadcast. */
#ifndef SUMI_OPS_STRIDES_H
#define SUMI_OPS_STRIDES_H

#include "graph/graph.h"

/* The strides, in elements, of a row-major array. */
static inline void row_major_strides(const struct shape *shape, int64_t stride[SUMI_MAX_RANK])
{
    int64_t step = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= shape->size[i];
    }
}

/* Strides that read `from` as if it had the shape `to`: 0 along axes that repeat. */
static inline void broadcast_strides(const struct shape *from, const struct shape *to,
                                     int64_t stride[SUMI_MAX_RANK])
{
    int64_t own[SUMI_MAX_RANK];
    row_major_strides(from, own);
    int added = to->rank - from->rank;
    for (int i = 0; i < to->rank; i++) {
        bool repeats = i < added || from->size[i - added] == 1;
        stride[i] = repeats ? 0 : own[i - added];
    }
}

/* The offset, with other strides, of element number `index` of a row-major array of `shape`. */
static inline int64_t strided_offset(const struct shape *shape, const int64_t *stride,
                                     int64_t index)
{
    int64_t offset = 0;
    for (int i = shape->rank - 1; i >= 0; i--) {
        offset += index % shape->size[i] * stride[i];
        index /= shape->size[i];
    }
    return offset;
}

#endif
