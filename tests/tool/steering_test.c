/* SPDX-License-Identifier: Apache-2.0 */
/* --guide, `sumi guides` and `sumi edit`. */
#include <json-c/json.h>

#include "arrays.h"

enum { SIZE = 28 * 28 }; /* of a digit */

/* A model of digits with classes and a null class, hardly trained. */
#define NULLED                                                                                     \
    "sumi train digits --threads 1 -q --set train.steps=1 train.batch=4 data.count=16 "            \
    "sample.solver=ddim sample.steps=2 sample.count=1 model.channels=8,16 data.labels=yes "        \
    "model.class_conditional=yes train.label_dropout=0.5 --out digits\n"

/* The last run ended with this code and said this. */
static void check_said(const place *here, int code, const char *sentence)
{
    if (here->code != code || !strstr(here->err, sentence))
        fail_msg("ended with %d, not %d, and said: %s", here->code, code, here->err);
}

static void check_refused(place *here, const char *guide, int code, const char *sentence)
{
    char line[SIZE];
    snprintf(line, sizeof line, "sumi sample digits -n 2 --steps 2 -q -o x.npy --guide %s", guide);
    run(here, line);
    check_said(here, code, sentence);
}

static void guides_and_methods_are_listed(void **state)
{
    place *here = *state;
    run(here, "sumi guides");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "classifier-free  +1 ");
    CHECK_HOLDS(here->out, "a classifier of noised items");
    CHECK_HOLDS(here->out, "smc ");
    run(here, "sumi guides --json");
    CHECK_DONE(here);
    struct json_object *answer = json_tokener_parse(here->out), *guides = NULL;
    assert_true(json_object_object_get_ex(answer, "guides", &guides));
    assert_int_equal(json_object_array_length(guides), 7);
    json_object_put(answer);
}

static void an_interval_that_holds_nothing_leaves_the_samples_of_the_condition(void **state)
{
    place *here = *state;
    run(here, NULLED
        "sumi sample digits -n 2 --steps 3 -q -o plain.npy && "
        "sumi sample digits -n 2 --steps 3 -q -o guided.npy --guidance 3 && "
        "sumi sample digits -n 2 --steps 3 -q -o none.npy --guidance 3 --guide interval:500,600 && "
        "cmp plain.npy none.npy && ! cmp -s plain.npy guided.npy");
    CHECK_DONE(here);
}

static void every_guide_is_added_by_name(void **state)
{
    place *here = *state;
    run(here,
        NULLED "sumi train digits --threads 1 -q --set train.steps=1 train.batch=4 data.count=16 "
               "data.labels=yes model.channels=8,16 train.objective=classification --out judge && "
               "test -d judge && "
               "for guide in negative:3,2 rescale:0.5 cfg++:0.7 autoguidance:digits,1.5 "
               "classifier:judge,2; "
               "do sumi sample digits -n 2 --steps 3 -q --guidance 2 --guide $guide -o $guide.npy "
               "2>&1 || exit 1; done 2>/dev/null; ls");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "negative:3,2.npy");
    CHECK_HOLDS(here->out, "rescale:0.5.npy");
    CHECK_HOLDS(here->out, "cfg++:0.7.npy");
    run(here, "sumi sample digits -n 2 --steps 3 -q --guide autoguidance:digits,1.5 -o a.npy && "
              "sumi sample digits -n 2 --steps 3 -q -o plain.npy && "
              "sumi sample digits -n 2 --steps 3 -q --guide classifier:judge,2 -o c.npy && "
              "! cmp -s c.npy plain.npy");
    CHECK_DONE(here);
    sumi_array same = read_array(here, "a.npy"), plain = read_array(here, "plain.npy");
    for (int i = 0; i < 2 * SIZE; i++) /* a model is no better than itself */
        CHECK_CLOSE(same.data[i], plain.data[i], 1e-4);
    free(same.data);
    free(plain.data);
}

static void a_model_without_classes_is_guided_by_a_classifier(void **state)
{
    place *here = *state;
    run(here,
        "sumi train digits --threads 1 -q --set train.steps=1 train.batch=4 data.count=16 "
        "sample.solver=ddim sample.steps=2 sample.count=1 model.channels=8,16 --out plain && "
        "sumi train digits --threads 1 -q --set train.steps=1 train.batch=4 data.count=16 "
        "data.labels=yes model.channels=8,16 train.objective=classification --out judge && "
        "sumi sample plain -n 2 --steps 3 -q -o a.npy --guide classifier:judge,5 --label 3 && "
        "sumi sample plain -n 2 --steps 3 -q -o b.npy --guide classifier:judge,5 --label 4 && "
        "! cmp -s a.npy b.npy");
    CHECK_DONE(here);
    run(here, "sumi sample plain -n 2 --steps 3 -q -o a.npy --guide classifier:plain");
    check_said(here, 2, "a classifier has two or more output channels");
    run(here, "sumi sample plain -n 2 --steps 3 -q -o a.npy --guide classifier:judge --label 12");
    check_said(here, 2, "class 12; the classifier has classes from 0 to 9");
    run(here, "sumi sample judge -n 2 -q -o a.npy");
    check_said(here, 2, "the network has 1 input channels and 10 output channels");
}

static void guides_that_cannot_work_are_refused(void **state)
{
    place *here = *state;
    run(here, NULLED);
    CHECK_DONE(here);
    check_refused(here, "intervl:1,2", 2, "did you mean \"interval\"?");
    check_refused(here, "interval:3,2", 2, "is above sigma_high");
    check_refused(here, "rescale:2", 2, "must be a number from 0 to 1");
    check_refused(here, "negative", 2, "is written negative:CLASS,W");
    check_refused(here, "autoguidance", 2, "is written autoguidance:MODEL,W");
    check_refused(here, "autoguidance:/nowhere,2", 1, "/nowhere");
}

static void items_are_edited_to_another_class(void **state)
{
    place *here = *state;
    run(here,
        NULLED "sumi sample digits -n 2 --steps 3 --label 3 -q -o some.npy && "
               "sumi edit digits -i some.npy --from 3 --label 3 --steps 40 -q -o same.npy && "
               "sumi edit digits -i some.npy --from 3 --label 8 --steps 40 -q -o other.npy && "
               "sumi edit digits -i some.npy --from 3 --label 8 --steps 3 -o pairs.png");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "pairs.png: 2 items under other classes");
    sumi_array some = read_array(here, "some.npy"), same = read_array(here, "same.npy");
    sumi_array other = read_array(here, "other.npy");
    double back = distance_of(2 * SIZE, some.data, same.data);
    double away = distance_of(2 * SIZE, some.data, other.data);
    if (!(back < 0.5 * away)) fail_msg("back within %g, away by %g", back, away);
    free(some.data);
    free(same.data);
    free(other.data);
    run(here, "sumi edit digits -i some.npy --label 8 -o x.npy");
    check_said(here, 2, "needs the classes of the items, --from");
    run(here, "sumi edit digits -i some.npy --from 3 --label 8 --solver ddpm -o x.npy");
    check_said(here, 2, "ddpm adds noise");
    run(here, "sumi edit digits -i some.npy --from 30 --label 8 -o x.npy");
    check_said(here, 2, "\"class\" of item 0 is 30");
}

/* The first frame is the sample of the one class, the last that of the other. */
static void frames_go_from_one_class_to_another(void **state)
{
    place *here = *state;
    run(here, NULLED
        "sumi interpolate digits -n 2 --label 3 --to 8 --frames 3 --steps 4 -q -o way.npy && "
        "sumi sample digits -n 2 --label 3 --solver ddim --steps 4 -q -o three.npy && "
        "sumi sample digits -n 2 --label 8 --solver ddim --steps 4 -q -o eight.npy");
    CHECK_DONE(here);
    sumi_array way = read_array(here, "way.npy"), ends[2];
    ends[0] = read_array(here, "three.npy");
    ends[1] = read_array(here, "eight.npy");
    assert_int_equal(way.shape[0], 6);
    for (int row = 0; row < 2; row++)
        for (int end = 0; end < 2; end++)
            for (int i = 0; i < SIZE; i++)
                CHECK_CLOSE(way.data[(3 * row + 2 * end) * SIZE + i],
                            ends[end].data[SIZE * row + i], 1e-4);
    assert_true(distance_of(SIZE, way.data, way.data + SIZE) > 1e-4);
    free(way.data);
    free(ends[0].data);
    free(ends[1].data);
    run(here, "sumi interpolate digits --to 8 -o x.npy");
    check_said(here, 2, "--to needs the classes to begin with");
    run(here, "sumi interpolate digits -i way.npy --label 3 --to 8 -o x.npy");
    check_said(here, 2, "choose one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(guides_and_methods_are_listed),
        PLACE_TEST(an_interval_that_holds_nothing_leaves_the_samples_of_the_condition),
        PLACE_TEST(every_guide_is_added_by_name),
        PLACE_TEST(a_model_without_classes_is_guided_by_a_classifier),
        PLACE_TEST(guides_that_cannot_work_are_refused),
        PLACE_TEST(items_are_edited_to_another_class),
        PLACE_TEST(frames_go_from_one_class_to_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
