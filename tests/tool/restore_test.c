/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring by the command: pictures, arrays, tables and streams, and what is refused. */
#include <json-c/json.h>

#include "arrays.h"

/* The last run ended with this code and said this. */
static void check_said(const place *here, int code, const char *sentence)
{
    if (here->code != code || !strstr(here->err, sentence))
        fail_msg("ended with %d, not %d, and said: %s", here->code, code, here->err);
}

/* A line with a wrong argument, and what is said. */
static void check_refused(place *here, const char *arguments, int code, const char *sentence)
{
    char line[512];
    snprintf(line, sizeof line, "sumi restore %s", arguments);
    run(here, line);
    check_said(here, code, sentence);
}

static void exact_measurements_are_kept_by_methods_that_replace(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 3 -q -o some.npy");
    CHECK_DONE(here);
    sumi_array some = read_array(here, "some.npy");
    static const char *const methods[] = {"ddnm", "repaint", "product"};
    for (int m = 0; m < 3; m++) {
        char line[256];
        snprintf(line, sizeof line,
                 "sumi restore points -i some.npy --with identity --method %s -n 2 --steps 5 -o "
                 "six.npy --mean mean.npy --deviation deviation.npy",
                 methods[m]);
        run(here, line);
        CHECK_DONE(here);
        CHECK_HOLDS(here->out, "six.npy: 2 samples for each of 3 items");
        sumi_array six = read_array(here, "six.npy"), mean = read_array(here, "mean.npy");
        sumi_array deviation = read_array(here, "deviation.npy");
        for (int i = 0; i < 12; i++) CHECK_CLOSE(six.data[i], some.data[i % 6], 1e-5);
        for (int i = 0; i < 6; i++) {
            CHECK_CLOSE(mean.data[i], some.data[i], 1e-5);
            CHECK_CLOSE(deviation.data[i], 0, 1e-5);
        }
        free(six.data);
        free(mean.data);
        free(deviation.data);
    }
    free(some.data);
}

static void a_picture_is_restored_from_a_smaller_one_and_drawn_as_a_table(void **state)
{
    place *here = *state;
    run(here, CLASSES
        "sumi restore digits --simulate --count 2 --with down:2 --noise 0.05 --method smc -n 3 "
        "--particles 4 --steps 4 --label 1 -o table.png --mean mean.png --json && test -s "
        "table.png "
        "&& test -s mean.png");
    CHECK_DONE(here);
    struct json_object *answer = json_tokener_parse(here->out), *evidence = NULL, *inside = NULL;
    assert_true(json_object_object_get_ex(answer, "evidence", &evidence));
    assert_int_equal(json_object_array_length(evidence), 2);
    assert_true(json_object_object_get_ex(answer, "inside", &inside));
    assert_true(json_object_get_double(inside) >= 0 && json_object_get_double(inside) <= 1);
    json_object_put(answer);
    run(here, "sumi restore digits --simulate --count 2 --with down:2 --noise 0.05 --method smc "
              "-n 3 --particles 4 --steps 4 --label 1 -o table.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "item 1: log p(y) ");
    CHECK_HOLDS(here->out, "effective particles ");
    CHECK_HOLDS(here->out, "PSNR of the mean ");
    CHECK_HOLDS(here->out, "of the true numbers are inside the draws' 50.0 % interval");
}

static void blocks_of_a_stream_are_restored_one_after_the_other(void **state)
{
    place *here = *state;
    run(here, POINTS "printf '0.5 -0.5\\n1,1\\n' | sumi restore points -i - --with identity "
                     "--method ddnm -n 2 --steps 4 -o -");
    CHECK_DONE(here);
    double x[4];
    assert_int_equal(sscanf(here->out, "%lf %lf %lf %lf", x, x + 1, x + 2, x + 3), 4);
    const double seen[4] = {0.5, -0.5, 1, 1};
    for (int i = 0; i < 4; i++) CHECK_CLOSE(x[i], seen[i], 1e-5);
    run(here, "printf '0.5 -0.5 1' | sumi restore points -i - --with identity --method ddnm -n 1 "
              "--steps 4 -o -");
    check_said(here, 1, "standard input ends after 1 of the 2 numbers of a block");
    CHECK_HOLDS(here->out, "0.5");
    run(here, "echo 1 nan | sumi restore points -i - --with identity --method ddnm -o -");
    check_said(here, 1, "standard input: \"nan\" is not a finite number");
}

static void what_cannot_be_restored_is_refused(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 3 -q -o some.npy && printf '1,2,3\\n' >three.csv");
    CHECK_DONE(here);
    check_refused(here, "points -o x.npy", 2, "restore needs -i FILE, --with OPERATOR and -o FILE");
    check_refused(here, "points -i some.npy --with blury:2 -o x.npy", 2, "did you mean \"blur\"?");
    check_refused(here, "points -i some.npy --with grey -o x.npy", 2, "two or more channels");
    check_refused(here, "points -i some.npy --with mask:some.npy --method magic -o x.npy", 2,
                  "--method must be one of");
    check_refused(here, "points -i three.csv --with identity -o x.npy", 1,
                  "three.csv: is 1x3, but a measurement is 2");
    check_refused(here, "points -i some.npy --with identity --method smc -o x.npy", 2,
                  "needs a noise above 0");
    check_refused(here, "points -i some.npy --with identity --zeta 2 -o x.npy", 2,
                  "reads \"zeta\" only with method = dps");
    check_refused(here, "points -i some.npy --with identity -n 1 --deviation d.npy -o x.npy", 2,
                  "one sample has no standard deviation");
    check_refused(here, "points -i - --with identity -o x.npy", 2, "-i - and -o - belong together");
    check_refused(here, "points -i - --simulate --with identity -o -", 2, "a stream has no");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(exact_measurements_are_kept_by_methods_that_replace),
        PLACE_TEST(a_picture_is_restored_from_a_smaller_one_and_drawn_as_a_table),
        PLACE_TEST(blocks_of_a_stream_are_restored_one_after_the_other),
        PLACE_TEST(what_cannot_be_restored_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
