/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of scenes: a small classifier of the largest object's kind and colour, trained on
   generated scenes, is right of scenes that it has not seen, whatever else they show. */
#include "check.h"
#include "classifier.h"

enum { HELD_OUT = 2000, SIZE = 32 * 32 * 3, STEPS = 1200 };

static void open_scenes(sumi_context *context, const char *seed, const char *count,
                        sumi_data **data)
{
    const char *const settings[] = {"data.kind=shapes", seed, count, NULL};
    CHECK_OK(context, open_labelled(context, "digits", settings, data));
}

static void the_reader_is_right_of_99_percent_of_scenes_it_has_not_seen(void **state)
{
    (void)state;
    static float images[HELD_OUT * SIZE];
    static int32_t labels[HELD_OUT];
    static int64_t indices[HELD_OUT];
    sumi_context *context = NULL;
    sumi_data *seen = NULL, *unseen = NULL;
    const struct classifier_plan plan = {.steps = STEPS, .anywhere = true};
    struct classifier *reader = NULL;
    int64_t right = 0;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    open_scenes(context, "data.seed=1", "data.count=20000", &seen);
    open_scenes(context, "data.seed=2", "data.count=2000", &unseen);
    CHECK_OK(context, classifier_train(context, seen, &plan, &reader));
    for (int64_t i = 0; i < HELD_OUT; i++) indices[i] = i;
    CHECK_OK(context, sumi_data_read(unseen, indices, HELD_OUT, images, labels));
    CHECK_OK(context, classifier_count_right(reader, HELD_OUT, images, labels, &right));
    fprintf(stderr, "%.2f %% of the scenes are read rightly\n", 100.0 * (double)right / HELD_OUT);
    assert_true(right >= HELD_OUT * 99 / 100);
    classifier_free(reader);
    sumi_data_free(seen);
    sumi_data_free(unseen);
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_is_right_of_99_percent_of_scenes_it_has_not_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
