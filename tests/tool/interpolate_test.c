/* SPDX-License-Identifier: Apache-2.0 */
/* Going from sample to sample by the command. */
#include <json-c/json.h>

#include "arrays.h"

/* Row `row` of points[n, 2] against another's. */
static void check_same(const sumi_array *points, int row, const sumi_array *others, int other)
{
    for (int i = 0; i < 2; i++)
        CHECK_CLOSE(points->data[2 * row + i], others->data[2 * other + i], 1e-5);
}

/* The noise at the ends is that which the same seed gives `sumi sample`. */
static void the_ends_of_an_interpolation_are_samples(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 4 --seed 3 --solver ddim --steps 4 -q -o ends.npy\n"
                     "sumi interpolate points -n 2 --frames 5 --seed 3 --steps 4 -o way.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "way.npy: 2 interpolations of 5 frames");
    sumi_array ends = read_array(here, "ends.npy"), way = read_array(here, "way.npy");
    assert_int_equal(way.shape[0], 10);
    for (int end = 0; end < 4; end++) check_same(&way, end / 2 * 5 + end % 2 * 4, &ends, end);
    for (int frame = 0; frame < 4; frame++) /* no frame is its neighbour once more */
        assert_true(distance_of(2, way.data + 2 * frame, way.data + 2 * frame + 2) > 1e-4);
    free(ends.data);
    free(way.data);
}

static void the_ends_between_items_are_those_that_their_noise_leads_to(void **state)
{
    place *here = *state;
    run(here,
        POINTS "sumi sample points -n 4 -q -o some.npy\n"
               "sumi invert points -i some.npy --steps 4 -q -o noise.npy\n"
               "sumi sample points --latents noise.npy --solver ddim --steps 4 -q -o ends.npy\n"
               "sumi interpolate points -n 2 --frames 3 -i some.npy --steps 4 -o way.npy --json");
    CHECK_DONE(here);
    struct json_object *answer = json_tokener_parse(here->out);
    assert_string_equal(json_object_to_json_string_ext(answer, 0),
                        "{\"file\":\"way.npy\",\"shape\":[6,2],\"ways\":2,\"frames\":3}");
    json_object_put(answer);
    sumi_array ends = read_array(here, "ends.npy"), way = read_array(here, "way.npy");
    for (int end = 0; end < 4; end++) check_same(&way, end / 2 * 3 + end % 2 * 2, &ends, end);
    free(ends.data);
    free(way.data);
}

static void items_of_a_class_are_led_back_as_that_class(void **state)
{
    place *here = *state;
    run(here, CLASSES "sumi sample digits -n 2 --label 3 -q -o two.npy\n"
                      "sumi invert digits -i two.npy --label 3 --steps 3 -q -o noise.npy\n"
                      "sumi sample digits --latents noise.npy --label 3 --solver ddim --steps 3 -q "
                      "-o ends.npy\n"
                      "sumi interpolate digits -i two.npy --label 3 --frames 2 --steps 3 -q "
                      "-o way.npy");
    CHECK_DONE(here);
    sumi_array ends = read_array(here, "ends.npy"), way = read_array(here, "way.npy");
    assert_int_equal(way.shape[0], 2);
    for (int i = 0; i < 2 * 28 * 28; i++) CHECK_CLOSE(way.data[i], ends.data[i], 1e-4);
    free(ends.data);
    free(way.data);
}

static void ways_that_cannot_be_gone_are_refused(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 4 -q -o some.npy && sumi interpolate points -n 2 "
                     "--frames 3 -i some.npy --steps 4 -q -o way.png && ls way.png");
    CHECK_DONE(here);
    run(here, "sumi interpolate points -n 3 -i some.npy -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: some.npy: each interpolation needs two items, but there are only 4 in all");
    run(here, "sumi interpolate points -q --solver euler -i some.npy -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: interpolate: the initial scale of euler differs from that of the noise "
                 "that ddim finds for --input; choose ddim or dpmpp-2m");
    run(here, "sumi interpolate points --frames 1 -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: interpolate: --frames counts both ends and so is at least 2, not 1");
    run(here, "sumi interpolate points --solver ddpm -o x.png");
    CHECK_FAILED(here, 2,
                 "sumi: interpolate: ddpm adds noise, so that a state does not determine its "
                 "sample; choose a deterministic solver, such as ddim");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(the_ends_of_an_interpolation_are_samples),
        PLACE_TEST(the_ends_between_items_are_those_that_their_noise_leads_to),
        PLACE_TEST(items_of_a_class_are_led_back_as_that_class),
        PLACE_TEST(ways_that_cannot_be_gone_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
