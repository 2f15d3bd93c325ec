/* SPDX-License-Identifier: Apache-2.0 */
/* The assignment of rows to columns, against all permutations of small problems and, where these
   are too many, against the prices that prove an assignment to be the best. */
#include "learn/assignment.h"

#include "base/philox.h"
#include "scratch.h"

static double cost_of(int64_t count, const float *costs, const int64_t *column_of)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += costs[i * count + column_of[i]];
    return sum;
}

/* The least cost over all ways to give the rows from `row` on the columns that are not used. */
static double least_cost(int64_t count, const float *costs, int64_t row, unsigned used)
{
    if (row == count) return 0;
    double least = INFINITY;
    for (int64_t j = 0; j < count; j++) {
        if (used & 1u << j) continue;
        double rest = least_cost(count, costs, row + 1, used | 1u << j);
        least = fmin(least, costs[row * count + j] + rest);
    }
    return least;
}

static void check_permutation(int64_t count, const int64_t *column_of)
{
    bool seen[512] = {false};
    for (int64_t i = 0; i < count; i++) {
        assert_true(column_of[i] >= 0 && column_of[i] < count && !seen[column_of[i]]);
        seen[column_of[i]] = true;
    }
}

static void small_problems_are_solved_as_by_trying_everything(void **state)
{
    scratch *room = *state;
    enum { MOST = 7, TRIALS = 60 };
    struct assignment assignment;
    float costs[MOST * MOST];
    int64_t column_of[MOST];
    CHECK_OK(room->context, assignment_open(room->context, MOST, &assignment));
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        int64_t count = 1 + (int64_t)(trial % MOST);
        const philox_stream stream = {trial, PURPOSE_DATA, 0};
        philox_normal(&stream, 0, count * count, costs);
        /* some problems of few values, where many assignments are as good */
        for (int64_t i = 0; i < count * count && trial % 3 == 0; i++) costs[i] = roundf(costs[i]);
        assignment_solve(&assignment, count, costs, column_of);
        check_permutation(count, column_of);
        CHECK_CLOSE(cost_of(count, costs, column_of), least_cost(count, costs, 0, 0), 1e-6);
    }
    assignment_release(room->context, &assignment);
}

/* Linear programming duality: prices that leave no reduced cost below zero and that add up to the
   cost of an assignment prove that none is better. */
static void the_prices_prove_that_a_large_assignment_is_the_best(void **state)
{
    scratch *room = *state;
    enum { COUNT = 200 };
    struct assignment a;
    static float costs[COUNT * COUNT];
    int64_t column_of[COUNT];
    double prices = 0;
    const philox_stream stream = {5, PURPOSE_DATA, 0};
    philox_normal(&stream, 0, COUNT * COUNT, costs);
    CHECK_OK(room->context, assignment_open(room->context, COUNT, &a));
    assignment_solve(&a, COUNT, costs, column_of);
    check_permutation(COUNT, column_of);
    for (int i = 0; i < COUNT; i++) {
        prices += a.row_price[i] + a.column_price[i];
        for (int j = 0; j < COUNT; j++) {
            assert_true(costs[i * COUNT + j] - a.row_price[i] - a.column_price[j] > -1e-9);
        }
    }
    CHECK_CLOSE(cost_of(COUNT, costs, column_of), prices, 1e-6);
    assignment_release(room->context, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(small_problems_are_solved_as_by_trying_everything),
        SCRATCH_TEST(the_prices_prove_that_a_large_assignment_is_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
