/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of sets as objects: they give the distance of the measure, also from files and from
   the cache, and files that have none are refused. */
#include "base/file.h"
#include "files/npz.h"
#include "scratch.h"

enum { ROWS = 30, SIZE = 4 };

static void fill(float *values, double shift)
{
    for (int i = 0; i < ROWS * SIZE; i++) values[i] = (float)(sin(i * i * 0.7 + shift) + shift);
}

static sumi_statistics *measure(sumi_context *context, const sumi_array *items, bool cache)
{
    sumi_statistics *statistics = NULL;
    CHECK_OK(context, sumi_statistics_measure(context, items, cache, NULL, NULL, &statistics));
    assert_int_equal(sumi_statistics_features(statistics), SIZE);
    assert_int_equal(sumi_statistics_samples(statistics), ROWS);
    return statistics;
}

static double distance(sumi_context *context, const sumi_statistics *a, const sumi_statistics *b)
{
    double value = NAN;
    CHECK_OK(context, sumi_statistics_distance(a, b, &value, NULL));
    return value;
}

static void distances_of_statistics_are_those_of_the_measure_also_from_files_and_cache(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    float x[ROWS * SIZE], y[ROWS * SIZE];
    sumi_array a = {2, {ROWS, SIZE}, x}, b = {2, {ROWS, SIZE}, y};
    sumi_measure *frechet = NULL;
    sumi_measured expected = {.size = sizeof expected};
    fill(x, 0);
    fill(y, 0.4);
    assert_int_equal(setenv("XDG_CACHE_HOME", room->folder, 1), 0);
    CHECK_OK(context, sumi_measure_create(context, "frechet", &frechet));
    CHECK_OK(context, sumi_measure_run(frechet, &a, &b, NULL, NULL));
    assert_true(sumi_measure_get(frechet, 0, &expected));
    sumi_statistics *of_a = measure(context, &a, false), *of_b = measure(context, &b, true);
    sumi_statistics *again = measure(context, &b, true), *read = NULL;
    CHECK_CLOSE(distance(context, of_a, of_b), expected.values[0], 1e-9);
    assert_true(distance(context, of_a, again) == distance(context, of_a, of_b));
    const char *path = scratch_path(room, "b.npz");
    CHECK_OK(context, sumi_statistics_write(of_b, path));
    CHECK_OK(context, sumi_statistics_read(context, path, &read));
    assert_int_equal(sumi_statistics_samples(read), 0);
    assert_true(distance(context, of_a, read) == distance(context, of_a, of_b));
    sumi_statistics_free(of_a);
    sumi_statistics_free(of_b);
    sumi_statistics_free(again);
    sumi_statistics_free(read);
    sumi_measure_free(frechet);
}

/* The cache's only file is replaced by other statistics, which are then those that are read; and a
   damaged one is measured again. */
static void the_cache_is_read_and_a_damaged_file_in_it_is_replaced(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    float x[ROWS * SIZE], y[ROWS * SIZE];
    sumi_array a = {2, {ROWS, SIZE}, x}, b = {2, {ROWS, SIZE}, y};
    char line[SCRATCH_PATH];
    fill(x, 0);
    fill(y, 0.4);
    assert_int_equal(setenv("XDG_CACHE_HOME", room->folder, 1), 0);
    sumi_statistics *of_a = measure(context, &a, true), *of_b = measure(context, &b, false);
    snprintf(line, sizeof line, "%s", scratch_path(room, "b.npz"));
    CHECK_OK(context, sumi_statistics_write(of_b, line));
    snprintf(line, sizeof line, "cd %s && cp b.npz sumi/statistics/*.npz", room->folder);
    assert_int_equal(system(line), 0);
    sumi_statistics *cached = measure(context, &a, true);
    CHECK_CLOSE(distance(context, cached, of_b), 0, 1e-6);
    snprintf(line, sizeof line, "cd %s && echo no >$(ls sumi/statistics/*.npz)", room->folder);
    assert_int_equal(system(line), 0);
    sumi_statistics *measured = measure(context, &a, true);
    CHECK_CLOSE(distance(context, measured, of_a), 0, 1e-6);
    sumi_statistics_free(of_a);
    sumi_statistics_free(of_b);
    sumi_statistics_free(cached);
    sumi_statistics_free(measured);
}

static void refuse(scratch *room, int64_t means, int64_t rows, const double *mu,
                   const double *sigma, const char *words)
{
    const struct npz_array arrays[] = {
        {.name = "mu", .rank = 1, .shape = {means}, .values = (double *)mu},
        {.name = "sigma", .rank = 2, .shape = {rows, rows}, .values = (double *)sigma}};
    const char *path = scratch_path(room, "a.npz");
    sumi_statistics *statistics = NULL;
    CHECK_OK(room->context, npz_write(room->context, path, 2, arrays));
    assert_int_equal(sumi_statistics_read(room->context, path, &statistics), SUMI_ERROR_FORMAT);
    assert_null(statistics);
    if (!strstr(sumi_context_message(room->context), words))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(room->context), words);
}

static void files_without_a_covariance_are_refused(void **state)
{
    scratch *room = *state;
    refuse(room, 2, 2, (double[]){0, NAN}, (double[]){1, 0, 0, 1}, "not finite");
    refuse(room, 2, 2, (double[]){0, 0}, (double[]){1, 0, 0, -1}, "below 0");
    refuse(room, 2, 2, (double[]){0, 0}, (double[]){1, 0.5, 0, 1}, "symmetric");
    refuse(room, 2, 2, (double[]){0, 0}, (double[]){1, 2, 2, 1}, "larger than variances");
    refuse(room, 2, 2, (double[]){0, 0}, (double[]){1, NAN, NAN, 1}, "not a covariance");
    refuse(room, 3, 1, (double[]){0, 0, 0}, (double[]){1}, "for each of \"mu\"");
    refuse(room, 1, 2, (double[]){0}, (double[]){1, 0, 0, 1}, "\"sigma\" has 4 numbers");
}

static void statistics_of_different_features_are_not_compared(void **state)
{
    scratch *room = *state;
    float x[ROWS * SIZE];
    sumi_array a = {2, {ROWS, SIZE}, x}, b = {2, {ROWS * 2, SIZE / 2}, x};
    sumi_statistics *of_a, *of_b = NULL;
    double value;
    fill(x, 0);
    of_a = measure(room->context, &a, false);
    CHECK_OK(room->context, sumi_statistics_measure(room->context, &b, false, NULL, NULL, &of_b));
    assert_int_equal(sumi_statistics_distance(of_a, of_b, &value, NULL), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "4 and of 2"));
    sumi_statistics_free(of_a);
    sumi_statistics_free(of_b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(distances_of_statistics_are_those_of_the_measure_also_from_files_and_cache),
        SCRATCH_TEST(the_cache_is_read_and_a_damaged_file_in_it_is_replaced),
        SCRATCH_TEST(files_without_a_covariance_are_refused),
        SCRATCH_TEST(statistics_of_different_features_are_not_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
