/* SPDX-License-Identifier: Apache-2.0 */
/* Assignment by shortest augmenting paths (Jonker & Volgenant 1987, without their initialisation).
   Rows are added one by one. Prices u of rows and v of columns keep every reduced cost c[i][j] -
   u[i] - v[j] non-negative, and zero where row i is assigned to column j, so that the assignment is
   always optimal for the rows so far. A new row finds the cheapest chain of exchanges that ends at
   a free column by Dijkstra's algorithm on reduced costs, and the prices move by
   the distances. */
#include "learn/assignment.h"

#include <math.h>

sumi_status assignment_open(sumi_context *context, int64_t size, struct assignment *assignment)
{
    size_t count = (size_t)size;
    *assignment = (struct assignment){
        .size = size,
        .row_price = context_allocate(context, count, sizeof(double)),
        .column_price = context_allocate(context, count, sizeof(double)),
        .distance = context_allocate(context, count, sizeof(double)),
        .row_of = context_allocate(context, count, sizeof(int64_t)),
        .before = context_allocate(context, count, sizeof(int64_t)),
        .settled = context_allocate(context, count, sizeof(bool)),
    };
    if (assignment->row_price && assignment->column_price && assignment->distance
        && assignment->row_of && assignment->before && assignment->settled) {
        return SUMI_OK;
    }
    assignment_release(context, assignment);
    return SUMI_ERROR_MEMORY;
}

void assignment_release(sumi_context *context, struct assignment *assignment)
{
    context_release(context, assignment->row_price);
    context_release(context, assignment->column_price);
    context_release(context, assignment->distance);
    context_release(context, assignment->row_of);
    context_release(context, assignment->before);
    context_release(context, assignment->settled);
    *assignment = (struct assignment){.size = 0};
}

/* Shortens the paths to columns through `row`, whose distance from the new row is `reached`. */
static void relax(struct assignment *a, int64_t count, const float *costs, int64_t row,
                  double reached)
{
    for (int64_t j = 0; j < count; j++) {
        double reduced = costs[row * count + j] - a->row_price[row] - a->column_price[j];
        if (a->settled[j] || reached + reduced >= a->distance[j]) continue;
        a->distance[j] = reached + reduced;
        a->before[j] = row;
    }
}

static int64_t nearest_unsettled(const struct assignment *a, int64_t count)
{
    int64_t nearest = -1;
    for (int64_t j = 0; j < count; j++) {
        if (!a->settled[j] && (nearest < 0 || a->distance[j] < a->distance[nearest])) nearest = j;
    }
    return nearest;
}

/* Settles columns from the new row outwards; returns the first free one. */
static int64_t find_free_column(struct assignment *a, int64_t count, const float *costs,
                                int64_t row)
{
    for (int64_t j = 0; j < count; j++) {
        a->distance[j] = INFINITY;
        a->settled[j] = false;
    }
    relax(a, count, costs, row, 0);
    for (;;) {
        int64_t column = nearest_unsettled(a, count);
        if (a->row_of[column] < 0) return column;
        a->settled[column] = true;
        relax(a, count, costs, a->row_of[column], a->distance[column]);
    }
}

/* Keeps reduced costs non-negative, and makes them zero along the path to the free column. */
static void move_prices(struct assignment *a, int64_t count, int64_t row, double length)
{
    a->row_price[row] += length;
    for (int64_t j = 0; j < count; j++) {
        if (!a->settled[j]) continue;
        a->row_price[a->row_of[j]] += length - a->distance[j];
        a->column_price[j] -= length - a->distance[j];
    }
}

/* Assigns each column on the path to the row that it was reached from. */
static void exchange(struct assignment *a, int64_t row, int64_t column, int64_t *column_of)
{
    for (;;) {
        int64_t giver = a->before[column], given = column_of[giver];
        a->row_of[column] = giver;
        column_of[giver] = column;
        if (giver == row) return;
        column = given;
    }
}

void assignment_solve(struct assignment *assignment, int64_t count, const float *costs,
                      int64_t *column_of)
{
    for (int64_t i = 0; i < count; i++) {
        assignment->row_price[i] = assignment->column_price[i] = 0;
        assignment->row_of[i] = column_of[i] = -1;
    }
    for (int64_t row = 0; row < count; row++) {
        int64_t column = find_free_column(assignment, count, costs, row);
        move_prices(assignment, count, row, assignment->distance[column]);
        exchange(assignment, row, column, column_of);
    }
}
