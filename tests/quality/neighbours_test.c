/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest neighbours and manifolds of points on a line, by hand. */
#include "quality/neighbours.h"

#include "quality/sets.h"

static void the_nearest_rows_are_found_in_order(void **state)
{
    (void)state;
    const double x[] = {0, 5}, y[] = {4, 1, 9, -2};
    struct samples a = set_of(2, 1, x), b = set_of(4, 1, y);
    struct work work = work_of(context);
    double distances[6];
    int64_t indices[6];
    CHECK_OK(context, neighbours_find(&work, &a, &b, false, 3, distances, indices));
    static const double squares[] = {1, 4, 16, 1, 16, 16};
    static const int64_t found[] = {1, 3, 0, 0, 1, 2};
    for (int i = 0; i < 6; i++) {
        assert_true(distances[i] == squares[i]);
        assert_int_equal(indices[i], found[i]);
    }
}

/* Radii for k = 1: reference 0, 1, 3 has 1, 1, 2; samples 0.5, 2.5, 9 have 2, 2, 6.5. */
static void precision_recall_density_and_coverage_count_balls(void **state)
{
    (void)state;
    const double reference[] = {0, 1, 3}, samples[] = {0.5, 2.5, 9};
    struct samples real = set_of(3, 1, reference), fake = set_of(3, 1, samples);
    struct work work = work_of(context);
    struct prdc prdc;
    CHECK_OK(context, neighbours_prdc(&work, &fake, &real, 1, &prdc));
    CHECK_CLOSE(prdc.precision, 2.0 / 3, 1e-15); /* 0.5 and 2.5 are inside, 9 is not */
    CHECK_CLOSE(prdc.recall, 1, 1e-15);
    CHECK_CLOSE(prdc.density, 3.0 / 3, 1e-15); /* 0.5 in two balls, 2.5 in one */
    CHECK_CLOSE(prdc.coverage, 1, 1e-15);
}

static void far_samples_are_neither_precise_nor_covering(void **state)
{
    (void)state;
    const double reference[] = {0, 1, 3}, samples[] = {100, 102, 101};
    struct samples real = set_of(3, 1, reference), fake = set_of(3, 1, samples);
    struct work work = work_of(context);
    struct prdc prdc;
    CHECK_OK(context, neighbours_prdc(&work, &fake, &real, 1, &prdc));
    assert_true(prdc.precision == 0 && prdc.recall == 0 && prdc.density == 0 && prdc.coverage == 0);
}

static void more_neighbours_than_samples_are_refused(void **state)
{
    (void)state;
    const int64_t shape[] = {5, 2};
    sumi_array set = normal_array(1, 2, shape);
    sumi_measure *measure = NULL;
    CHECK_OK(context, sumi_measure_create(context, "prdc", &measure));
    assert_int_equal(sumi_measure_run(measure, &set, &set, NULL, NULL), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "neighbour 5"));
    CHECK_OK(context, sumi_measure_set(measure, "k", "4"));
    CHECK_OK(context, sumi_measure_run(measure, &set, &set, NULL, NULL));
    assert_true(result_of(measure, "precision") == 1 && result_of(measure, "coverage") == 1);
    sumi_measure_free(measure);
    sumi_array_release(context, &set);
}

static void copies_of_the_training_data_are_memorised(void **state)
{
    (void)state;
    const int64_t shape[] = {30, 4};
    sumi_array train = normal_array(1, 2, shape), samples = normal_array(2, 2, shape);
    memcpy(samples.data, train.data + 7 * 4, 4 * sizeof(float));
    memcpy(samples.data + 4, train.data + 9 * 4, 4 * sizeof(float));
    samples.data[4] += 0.01f;
    sumi_measure *measure = NULL;
    sumi_measured list = {.size = sizeof list};
    CHECK_OK(context, sumi_measure_create(context, "nearest", &measure));
    CHECK_OK(context, sumi_measure_set(measure, "ratio", "0.02"));
    CHECK_OK(context, sumi_measure_run(measure, &samples, &train, NULL, NULL));
    CHECK_CLOSE(result_of(measure, "memorised"), 2.0 / 30, 1e-15);
    for (int i = 0; sumi_measure_get(measure, i, &list); i++)
        if (strcmp(list.name, "neighbours") == 0) break;
    assert_string_equal(list.name, "neighbours");
    assert_true(list.count == 30 && list.values[0] == 7 && list.values[1] == 9);
    sumi_measure_free(measure);
    sumi_array_release(context, &train);
    sumi_array_release(context, &samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(the_nearest_rows_are_found_in_order),
        CONTEXT_TEST(precision_recall_density_and_coverage_count_balls),
        CONTEXT_TEST(far_samples_are_neither_precise_nor_covering),
        CONTEXT_TEST(more_neighbours_than_samples_are_refused),
        CONTEXT_TEST(copies_of_the_training_data_are_memorised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
