/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures for CLIP's encoder: preprocessor_config.json in its forms, and what is cut out. The
   numbers that transformers gives are compared by nets/blocks_test.c. */
#include "nets/clip_picture.h"

#include "../check.h"

static void parse(const char *json, struct clip_picture *picture)
{
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, clip_picture_parse(context, json, "config", picture));
    sumi_context_free(context);
}

/* Old files have numbers where new ones have objects. */
static void sizes_are_numbers_or_objects(void **state)
{
    (void)state;
    struct clip_picture old, fresh, usual;
    parse("{\"size\": 20, \"crop_size\": 16}", &old);
    parse("{\"size\": {\"shortest_edge\": 20}, \"crop_size\": {\"height\": 16, \"width\": 16}}",
          &fresh);
    parse("{}", &usual);
    assert_int_equal(old.shorter, 20);
    assert_int_equal(old.height, 16);
    assert_memory_equal(&old, &fresh, sizeof old);
    const struct clip_picture known = clip_picture_of(224);
    assert_int_equal(usual.shorter, known.shorter);
    CHECK_CLOSE(usual.factor, known.factor, 1e-12);
    for (int i = 0; i < 3; i++) CHECK_CLOSE(usual.mean[i], known.mean[i], 0);
}

/* Without resizing, cutting and normalising, the values of the bytes are left. */
static void steps_can_be_left_out(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    struct clip_picture picture;
    const int64_t size[2] = {2, 3};
    uint8_t bytes[2 * 3 * 3];
    float values[2 * 3 * 3];
    int64_t result[2];
    parse("{\"do_resize\": false, \"do_center_crop\": false, \"do_normalize\": false, "
          "\"do_rescale\": false}",
          &picture);
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    for (int i = 0; i < 18; i++) bytes[i] = (uint8_t)(13 * i);
    clip_picture_size(&picture, size, result);
    assert_int_equal(result[0], 2);
    assert_int_equal(result[1], 3);
    CHECK_OK(context, clip_picture_prepare(context, &picture, size, bytes, values));
    for (int i = 0; i < 18; i++) assert_true(values[i] == bytes[i]);
    sumi_context_free(context);
}

/* A picture that is smaller than what is cut out of it gets a black border. */
static void small_pictures_get_a_border(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    struct clip_picture picture;
    const int64_t size[2] = {1, 2};
    const uint8_t bytes[6] = {200, 200, 200, 100, 100, 100};
    float values[3 * 4 * 3];
    parse("{\"do_resize\": false, \"crop_size\": {\"height\": 3, \"width\": 4}, "
          "\"do_normalize\": false, \"do_rescale\": false}",
          &picture);
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, clip_picture_prepare(context, &picture, size, bytes, values));
    for (int i = 0; i < 36; i++) {
        int x = i / 3 % 4, y = i / 12;
        assert_true(values[i] == (y != 1 || x < 1 || x > 2 ? 0 : x == 1 ? 200 : 100));
    }
    sumi_context_free(context);
}

static void refuse(const char *json, const char *part)
{
    sumi_context *context = NULL;
    struct clip_picture picture;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    assert_true(clip_picture_parse(context, json, "config", &picture) != SUMI_OK);
    if (!strstr(sumi_context_message(context), part))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), part);
    sumi_context_free(context);
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    refuse("[]", "{...}");
    refuse("{\"size\": -3}", "\"size\" should be");
    refuse("{\"crop_size\": {\"height\": 3}}", "\"crop_size\" should be");
    refuse("{\"resample\": 2}", "\"resample\" should be 3");
    refuse("{\"image_std\": [1, 0, 1]}", "image_std");
    refuse("{\"image_mean\": [1, 1]}", "should have 3 numbers, not 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_numbers_or_objects),
        cmocka_unit_test(steps_can_be_left_out),
        cmocka_unit_test(small_pictures_get_a_border),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
