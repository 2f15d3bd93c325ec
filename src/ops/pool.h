/* SPDX-License-Identifier: Apache-2.0 */
/* The sizes and windows of a pool, for its kernels. */
#ifndef SUMI_OPS_POOL_H
#define SUMI_OPS_POOL_H

#include "ops/ops.h"

struct pool_sizes {
    bool largest;                               /* else the mean */
    int64_t height, width, channels, item_size; /* of the input */
    int64_t out_height, out_width;
    int64_t window[2];
    sumi_convolution geometry;
};

static inline struct pool_sizes pool_sizes_of(const struct node *node, const struct shape *x)
{
    return (struct pool_sizes){
        .largest = node->attributes.pool.largest,
        .height = x->size[1],
        .width = x->size[2],
        .channels = x->size[3],
        .item_size = x->size[1] * x->size[2] * x->size[3],
        .out_height = node->shape.size[1],
        .out_width = node->shape.size[2],
        .window = {node->attributes.pool.window[0], node->attributes.pool.window[1]},
        .geometry = node->attributes.pool.geometry};
}

/* The places of a window that are inside of an item: rows and columns from `first` up to before
   `end`. */
struct pool_window {
    int64_t item, first[2], end[2];
};

/* That of pixel `number` of the result, counted over all items. */
static inline struct pool_window pool_window_at(const struct pool_sizes *s, int64_t number)
{
    int64_t place[2] = {number / s->out_width % s->out_height, number % s->out_width};
    struct pool_window w = {.item = number / s->out_width / s->out_height};
    for (int i = 0; i < 2; i++) {
        int64_t size = i == 0 ? s->height : s->width;
        int64_t start = place[i] * s->geometry.stride[i] - s->geometry.before[i];
        int64_t end = start + s->window[i];
        w.first[i] = start < 0 ? 0 : start;
        w.end[i] = end > size ? size : end;
    }
    return w;
}

#endif
