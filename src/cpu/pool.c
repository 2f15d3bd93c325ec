/* SPDX-License-Identifier: Apache-2.0 */
/* Pools, all channels of a window at a time. */
#include <string.h>

#include "base/team.h"
#include "cpu/cpu.h"
#include "ops/pool.h"

static void add_place(int64_t channels, const float *x, float *y)
{
    for (int64_t c = 0; c < channels; c++) y[c] += x[c];
}

static void raise_to_place(int64_t channels, const float *x, float *y)
{
    for (int64_t c = 0; c < channels; c++) y[c] = x[c] > y[c] ? x[c] : y[c];
}

static void pool_window(const struct pool_sizes *sizes, const struct pool_window *window,
                        const float *x, float *y)
{
    int64_t channels = sizes->channels, places = 0;
    for (int64_t row = window->first[0]; row < window->end[0]; row++) {
        for (int64_t column = window->first[1]; column < window->end[1]; column++) {
            const float *place = x + (row * sizes->width + column) * channels;
            if (places++ == 0) memcpy(y, place, (size_t)channels * sizeof *y);
            else if (sizes->largest) raise_to_place(channels, place, y);
            else add_place(channels, place, y);
        }
    }
    if (sizes->largest) return;
    float share = 1 / (float)places;
    for (int64_t c = 0; c < channels; c++) y[c] *= share;
}

/* Shared among a team. */
static void pool_all(const struct call *call, const struct pool_sizes *sizes)
{
    int64_t count = shape_count(&call->problem->node->shape) / sizes->channels;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        struct pool_window window = pool_window_at(sizes, i);
        pool_window(sizes, &window, call->inputs[0] + window.item * sizes->item_size,
                    call->output + i * sizes->channels);
    }
}

static sumi_status run(const struct call *call)
{
    const struct node *node = call->problem->node;
    struct pool_sizes sizes = pool_sizes_of(node, call->problem->inputs[0]);
    int64_t work = shape_count(&node->shape) * sizes.window[0] * sizes.window[1];
    BY_TEAM(worthwhile_threads(call->problem->threads, work), pool_all(call, &sizes));
    return SUMI_OK;
}

const struct kernel kernel_pool = {.run = run};
