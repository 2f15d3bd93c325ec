/* SPDX-License-Identifier: Apache-2.0 */
/* The number of the nearest row of a table for each row of x: threads share the rows. Distances are
   in double and in the order of the reference kernel, so that equal distances stay equal. */
#include "cpu/cpu.h"

/* x[count, width] and table[rows, width]. */
struct search {
    int64_t count, rows, width;
    const float *x, *table;
    float *output; /* [count] */
};

static double squared_distance(int64_t width, const float *a, const float *b)
{
    double sum = 0;
    for (int64_t i = 0; i < width; i++) {
        double difference = (double)a[i] - b[i];
        sum += difference * difference;
    }
    return sum;
}

static int64_t find(const struct search *search, const float *x)
{
    double least = squared_distance(search->width, x, search->table);
    int64_t nearest = 0;
    for (int64_t row = 1; row < search->rows; row++) {
        double distance = squared_distance(search->width, x, search->table + row * search->width);
        if (distance >= least) continue;
        least = distance;
        nearest = row;
    }
    return nearest;
}

/* Shared among a team. */
static void find_all(const struct search *search)
{
#pragma omp for schedule(static)
    for (int64_t i = 0; i < search->count; i++)
        search->output[i] = (float)find(search, search->x + i * search->width);
}

static sumi_status run(const struct call *call)
{
    const struct problem *problem = call->problem;
    const struct search search = {.count = problem->inputs[0]->size[0],
                                  .rows = problem->inputs[1]->size[0],
                                  .width = problem->inputs[1]->size[1],
                                  .x = call->inputs[0],
                                  .table = call->inputs[1],
                                  .output = call->output};
    int threads = worthwhile_threads(problem->threads, search.count * search.rows * search.width);
    BY_TEAM(threads, find_all(&search));
    return SUMI_OK;
}

const struct kernel kernel_nearest_row = {.run = run};
