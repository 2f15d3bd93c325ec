/* SPDX-License-Identifier: Apache-2.0 */
/* Inversion by the command, and sampling from its result or part-way. */
#include <json-c/json.h>

#include "arrays.h"

/* How far items are from those that come back of them, as a share of the items' own size. */
static double round_trip(place *here, int steps)
{
    char line[256];
    snprintf(line, sizeof line,
             "sumi invert points -i some.npy --steps %d -q -o noise.npy && sumi sample points "
             "--latents noise.npy --solver ddim --steps %d -q -o back.npy",
             steps, steps);
    run(here, line);
    CHECK_DONE(here);
    sumi_array some = read_array(here, "some.npy"), back = read_array(here, "back.npy");
    assert_int_equal(back.shape[0], 5);
    const float origin[10] = {0};
    double distance = distance_of(10, some.data, back.data) / distance_of(10, some.data, origin);
    free(some.data);
    free(back.data);
    return distance;
}

/* Ddim is of first order in both directions, so with four times the steps a fourth of the error is
   left, nearly. */
static void inverted_items_come_back(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 5 -q -o some.npy");
    CHECK_DONE(here);
    double coarse = round_trip(here, 25), fine = round_trip(here, 100);
    if (!(fine < 0.3 * coarse && fine < 0.05))
        fail_msg("25 steps lead back within %g, 100 within %g", coarse, fine);
    run(here, "sumi invert points -i some.npy --steps 10 -o noise.npy");
    CHECK_HOLDS(here->out, "noise.npy: the noise that generates 5 items, by 10 evaluations");
    run(here, "sumi invert points -i some.npy --steps 10 -q -o noise.npy --json");
    CHECK_DONE(here);
    struct json_object *answer = json_tokener_parse(here->out);
    assert_string_equal(json_object_to_json_string_ext(answer, 0),
                        "{\"file\":\"noise.npy\",\"shape\":[5,2],\"evaluations\":10}");
    json_object_put(answer);
}

static double distance_from(place *here, const char *strength)
{
    char line[256];
    snprintf(line, sizeof line,
             "sumi sample points --from some.npy --strength %s --steps 50 -q -o near.npy",
             strength);
    run(here, line);
    CHECK_DONE(here);
    sumi_array some = read_array(here, "some.npy"), near = read_array(here, "near.npy");
    double distance = distance_of(10, some.data, near.data);
    free(some.data);
    free(near.data);
    return distance;
}

/* The less noise is added to items, the nearer are the denoised ones. */
static void samples_begin_part_way_and_the_nearer_the_less_they_are_noised(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 5 -q -o some.npy");
    CHECK_DONE(here);
    double little = distance_from(here, "0.05"), half = distance_from(here, "0.5"),
           all = distance_from(here, "1");
    if (!(little > 0 && 2 * little < half && half < all))
        fail_msg("0.05 leads %g away, 0.5 %g, 1 %g", little, half, all);
    run(here, "sumi sample points --from some.npy --strength 0.5 -q -o near.npy\n"
              "sumi sample points --from some.npy --strength 0.5 -q -o again.npy\n"
              "cmp near.npy again.npy");
    CHECK_DONE(here);
}

static void beginnings_that_do_not_fit_are_refused(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 5 -q -o some.npy && "
                     "sumi invert points -i some.npy --steps 4 -q -o noise.npy");
    CHECK_DONE(here);
    run(here, "sumi sample points --from some.npy --strength 2 -o x.npy");
    CHECK_FAILED(here, 2, "sumi: sample: --strength must be a number from 0 to 1, not '2'");
    run(here, "sumi sample points --from some.npy --strength 0 -o x.npy");
    CHECK_FAILED(here, 2, "sumi: sample: --strength is above 0 and at most 1, not 0");
    run(here, "sumi sample points -n 6 --latents noise.npy -o x.npy");
    CHECK_FAILED(here, 2, "sumi: noise.npy: has 5 items, fewer than the 6 of --count");
    run(here, "sumi sample points --from none.npy -o x.npy");
    CHECK_FAILED(here, 1, "sumi: ./none.npy: cannot open: No such file or directory");
    run(here, "sumi sample points --from some.npy --latents noise.npy -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: sample begins with the items of --from or with --latents, not both");
    run(here, "printf '1,2,3\\n' > wide.csv; sumi sample points --from wide.csv -o x.npy");
    CHECK_FAILED(here, 1, "sumi: wide.csv: its items are 3, but the model takes 2");
    run(here, "sumi sample points --strength 0.5 -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: sample: --strength needs items to add noise to; name them with --from");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(inverted_items_come_back),
        PLACE_TEST(samples_begin_part_way_and_the_nearer_the_less_they_are_noised),
        PLACE_TEST(beginnings_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
