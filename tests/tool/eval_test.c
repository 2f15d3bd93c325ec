/* SPDX-License-Identifier: Apache-2.0 */
/* sumi eval: between arrays, folders of pictures, recipes and a model, and what it refuses. */
#include <json-c/json.h>

#include "tool/running.h"

/* Writes rows of numbers of which the second file has three more in each. */
static const char TABLES[] = "for i in $(seq 40); do echo \"$i,$((i * i % 17))\"; done > a.csv; "
                             "awk -F, '{print $1 + 3 \",\" $2}' a.csv > b.csv";

static double number(const place *here, const char *measure, const char *name)
{
    struct json_object *answer = json_tokener_parse(here->out), *all, *one, *value;
    assert_non_null(answer);
    assert_true(json_object_object_get_ex(answer, "measures", &all));
    assert_true(json_object_object_get_ex(all, measure, &one));
    assert_true(json_object_object_get_ex(one, name, &value));
    double result = json_object_get_double(value);
    json_object_put(answer);
    return result;
}

/* The number of items of a set of the report. */
static int64_t items_of(const place *here, const char *set)
{
    struct json_object *answer = json_tokener_parse(here->out), *about, *shape;
    assert_true(json_object_object_get_ex(answer, set, &about));
    assert_true(json_object_object_get_ex(about, "shape", &shape));
    int64_t count = json_object_get_int64(json_object_array_get_idx(shape, 0));
    json_object_put(answer);
    return count;
}

static void assert_refused(const place *here, int code, const char *words)
{
    if (here->code != code || !strstr(here->err, words))
        fail_msg("code %d, \"%s\" instead of %d, \"%s\"", here->code, here->err, code, words);
}

static void tables_are_compared_and_printed_as_a_table_or_json(void **state)
{
    place *here = *state;
    run(here, TABLES);
    run(here, "sumi eval a.csv b.csv --metrics marginal,energy --json");
    assert_int_equal(here->code, 0);
    CHECK_CLOSE(number(here, "marginal", "wasserstein1"), 1.5, 1e-9); /* 3 and 0 */
    assert_true(number(here, "energy", "squared") > 0);
    run(here, "sumi eval a.csv a.csv --metrics energy,prdc");
    assert_int_equal(here->code, 0);
    assert_non_null(strstr(here->out, "samples    40 of 2, a.csv"));
    assert_non_null(strstr(here->out, "precision"));
    assert_non_null(strstr(here->out, "energy               squared                0\n"));
}

static void options_of_measures_are_set_by_name(void **state)
{
    place *here = *state;
    run(here, TABLES);
    run(here, "sumi eval a.csv b.csv --metrics psnr --set psnr.range=3 --json");
    assert_int_equal(here->code, 0);
    CHECK_CLOSE(number(here, "psnr", "psnr"), 10 * log10(2), 1e-6);
    run(here, "sumi eval a.csv b.csv --metrics psnr --set psnr.rang=3");
    assert_refused(here, 2, "range");
    run(here, "sumi eval a.csv b.csv --metrics psnr --set kid.subset=30");
    assert_refused(here, 2, "kid is not among --metrics");
}

static void what_cannot_be_measured_is_refused(void **state)
{
    place *here = *state;
    run(here, TABLES);
    run(here, "head -1 a.csv > one.csv; head -5 a.csv > few.csv");
    run(here, "sumi eval a.csv b.csv --metrics kidd");
    assert_refused(here, 2, "\"kid\"");
    run(here, "sumi eval a.csv");
    assert_refused(here, 2, "second set");
    run(here, "sumi eval");
    assert_refused(here, 2, "SAMPLES");
    run(here, "sumi eval a.csv few.csv --metrics psnr");
    assert_refused(here, 2, "as many items");
    run(here, "sumi eval one.csv a.csv --metrics kid");
    assert_refused(here, 2, "at least 2 samples");
    run(here, "sumi eval a.csv few.csv --metrics prdc");
    assert_refused(here, 2, "neighbour 5");
    run(here, "sumi eval a.csv nowhere.npy --metrics energy");
    assert_refused(here, 1, "nowhere.npy");
    run(here, "sumi eval a.csv b.csv --metrics energy -o figure.png");
    assert_refused(here, 2, "figure");
    run(here, "sumi eval a.csv b.csv --metrics energy -o figure.txt");
    assert_refused(here, 2, ".png");
}

static void what_was_measured_before_a_failure_is_printed(void **state)
{
    place *here = *state;
    run(here, TABLES);
    run(here, "sumi eval a.csv b.csv --metrics energy,ssim,pdf");
    assert_refused(here, 2, "ssim");
    assert_non_null(strstr(here->out, "energy"));
    assert_null(strstr(here->out, "pdf"));
}

static void a_model_is_compared_with_the_data_of_its_recipe(void **state)
{
    place *here = *state;
    run(here, "sumi train points --quiet --set train.steps=5 --out run");
    assert_int_equal(here->code, 0);
    run(here, "sumi eval run -n 60 --references 80 --metrics nearest,pdf --steps 3 -q --json "
              "-o figure.png");
    assert_int_equal(here->code, 0);
    assert_int_equal(items_of(here, "samples"), 60);
    assert_int_equal(items_of(here, "reference"), 80);
    assert_true(number(here, "nearest", "mean_distance") > 0);
    run(here, "test -s figure.png");
    assert_int_equal(here->code, 0);
}

static void pictures_of_a_folder_get_the_size_of_the_other_set(void **state)
{
    place *here = *state;
    run(here,
        "sumi train digits --quiet --set train.steps=1 --out run && mkdir pictures && "
        "for i in 1 2 3 4; do sumi sample run -q -n 1 --steps 2 --seed $i -o pictures/$i.png; "
        "done");
    assert_int_equal(here->code, 0);
    run(here, "sumi eval pictures digits --references 30 --metrics energy,power-spectrum --json "
              "-o spectra.png");
    assert_int_equal(here->code, 0);
    assert_int_equal(items_of(here, "samples"), 4);
    assert_true(number(here, "power-spectrum", "log10_difference") > 0);
    run(here, "test -s spectra.png && sumi eval --list");
    assert_int_equal(here->code, 0);
    assert_non_null(strstr(here->out, "power-spectrum"));
}

static void statistics_are_written_read_and_cached_for_the_frechet_distance(void **state)
{
    place *here = *state;
    run(here, TABLES);
    run(here, "sumi eval b.csv --statistics b.npz && sumi eval a.csv b.npz --json");
    if (here->code != 0) fail_msg("%s", here->err);
    run(here, "sumi eval a.csv b.npz --json");
    CHECK_CLOSE(number(here, "frechet", "distance"), 9, 1e-9); /* a shift by 3 */
    run(here, "export XDG_CACHE_HOME=$PWD/cache; sumi eval b.npz a.csv --cache --json; "
              "ls cache/sumi/statistics >&2");
    CHECK_CLOSE(number(here, "frechet", "mean_term"), 9, 1e-12);
    assert_non_null(strstr(here->err, ".npz"));
    run(here, "sumi eval a.csv b.npz --metrics frechet,kid");
    assert_refused(here, 2, "kid, only for frechet");
    run(here, "sumi eval a.csv --statistics b.csv");
    assert_refused(here, 2, ".npz");
    run(here, "head -1 a.csv > one.csv; sumi eval one.csv b.npz");
    assert_refused(here, 2, "at least 2 samples");
}

/* The rows of a sweep in the report. */
static int64_t rows_of(const place *here)
{
    struct json_object *answer = json_tokener_parse(here->out), *rows;
    assert_non_null(answer);
    assert_true(json_object_object_get_ex(answer, "rows", &rows));
    int64_t count = (int64_t)json_object_array_length(rows);
    json_object_put(answer);
    return count;
}

static void a_sweep_has_a_row_for_each_combination_and_goes_on_from_its_file(void **state)
{
    place *here = *state;
    run(here, "sumi train points --quiet --set train.steps=5 --out run");
    assert_int_equal(here->code, 0);
    run(here, "sumi eval run -n 40 --references 50 --metrics energy -q --json "
              "--sweep solver=ddim,euler steps=2,3 --results sweep.json -o sweep.png");
    if (here->code != 0) fail_msg("%s", here->err);
    assert_int_equal(rows_of(here), 4);
    run(here, "test -s sweep.png && test -s sweep.json && "
              "sumi eval run -n 40 --references 50 --metrics energy,pdf -q "
              "--sweep solver=ddim,euler steps=2,3 --results sweep.json --resume");
    assert_int_equal(here->code, 0);
    assert_non_null(strstr(here->out, "euler steps=3"));
    run(here, "sumi eval run -n 41 --references 50 --metrics energy -q "
              "--sweep solver=ddim,euler steps=2,3 --results sweep.json --resume");
    assert_refused(here, 2, "another \"items\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(tables_are_compared_and_printed_as_a_table_or_json),
        PLACE_TEST(options_of_measures_are_set_by_name),
        PLACE_TEST(what_cannot_be_measured_is_refused),
        PLACE_TEST(statistics_are_written_read_and_cached_for_the_frechet_distance),
        PLACE_TEST(a_sweep_has_a_row_for_each_combination_and_goes_on_from_its_file),
        PLACE_TEST(what_was_measured_before_a_failure_is_printed),
        PLACE_TEST(a_model_is_compared_with_the_data_of_its_recipe),
        PLACE_TEST(pictures_of_a_folder_get_the_size_of_the_other_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
