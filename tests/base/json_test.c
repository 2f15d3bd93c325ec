/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is accepted, what is refused and why, and what is written. */
#include "check.h"

#include "base/file.h"
#include "base/json.h"
#include "scratch.h"

static json_object *parse(scratch *room, const char *text)
{
    json_object *value = NULL;
    CHECK_OK(room->context, json_parse(room->context, text, strlen(text), "test", &value));
    return value;
}

static void texts_are_read_by_key_with_a_default(void **state)
{
    scratch *room = *state;
    const char *text = "seven";
    json_object *object = parse(room, "{\"t\": \"a\\u00e9\", \"n\": null}");
    CHECK_OK(room->context, json_get_text(room->context, object, "test", "missing", &text));
    CHECK_OK(room->context, json_get_text(room->context, object, "test", "n", &text));
    assert_string_equal(text, "seven");
    CHECK_OK(room->context, json_get_text(room->context, object, "test", "t", &text));
    assert_string_equal(text, "a\xc3\xa9");
    json_object_put(object);
}

static void a_value_of_another_type_names_the_key(void **state)
{
    scratch *room = *state;
    const char *text = "seven";
    json_object *object = parse(room, "{\"i\": 1}");
    assert_int_equal(json_get_text(room->context, object, "test", "i", &text), SUMI_ERROR_FORMAT);
    assert_string_equal(sumi_context_message(room->context),
                        "test: \"i\" should be a text, not int");
    assert_string_equal(text, "seven");
    json_object_put(object);
}

static void lone_values_and_pythons_numbers_are_read(void **state)
{
    scratch *room = *state;
    json_object *value = parse(room, "12");
    assert_int_equal(json_object_get_int(value), 12);
    json_object_put(value);
    value = parse(room, " [NaN, Infinity, -Infinity, 1e-3] \n");
    assert_true(isnan(json_object_get_double(json_object_array_get_idx(value, 0))));
    assert_true(json_object_get_double(json_object_array_get_idx(value, 1)) == INFINITY);
    assert_true(json_object_get_double(json_object_array_get_idx(value, 2)) == -INFINITY);
    assert_true(json_object_get_double(json_object_array_get_idx(value, 3)) == 1e-3);
    json_object_put(value);
    assert_null(parse(room, "null"));
}

static void refuse(scratch *room, const char *text, size_t size)
{
    json_object *value = NULL;
    if (json_parse(room->context, text, size, "test", &value) != SUMI_ERROR_FORMAT) {
        fail_msg("accepted: %.*s", (int)size, text);
    }
    assert_null(value);
    assert_ptr_equal(strstr(sumi_context_message(room->context), "test: "),
                     sumi_context_message(room->context));
}

static void text_that_is_not_strict_json_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        " ",
        "{",
        "[1",
        "\"a",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "{'a':1}",
        "{a:1}",
        "/* c */ {}",
        "{} {}",
        "{}x",
        "1 2",
        "01",
        "nul",
        "True",
        "[1 2]",
        "{\"a\":1,\"a\":2}",
        "{\"a\":[{\"b\":{},\"b\":{}}]}",
        "\"\xff\xfe\"",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        refuse(*state, wrong[i], strlen(wrong[i]));
    }
    refuse(*state, "{}\0", 3);
    refuse(*state, "{}\0{}", 5);
}

static void colons_inside_texts_are_no_keys(void **state)
{
    scratch *room = *state;
    json_object_put(parse(room, "{\"a:\\\":\": \"::\\\\\", \"b\": [\":\"]}"));
}

static void nesting_without_end_is_refused(void **state)
{
    char text[4096];
    memset(text, '[', sizeof text);
    refuse(*state, text, sizeof text);
}

static void what_is_written_has_sorted_keys_and_two_spaces(void **state)
{
    scratch *room = *state;
    json_object *value = parse(room, "{\"b\":[1,2],\"a\":{\"d\":\"x/y\",\"c\":0.5}}");
    char *text = NULL;
    CHECK_OK(room->context, json_to_text(room->context, value, &text));
    assert_string_equal(text, "{\n  \"a\": {\n    \"c\": 0.5,\n    \"d\": \"x/y\"\n  },\n"
                              "  \"b\": [\n    1,\n    2\n  ]\n}\n");
    const char *path = scratch_path(room, "a.json");
    json_object *back = NULL;
    CHECK_OK(room->context, file_write(room->context, path, text, strlen(text)));
    CHECK_OK(room->context, json_read_file(room->context, path, &back));
    assert_true(json_object_equal(value, back));
    context_release(room->context, text);
    json_object_put(back);
    json_object_put(value);
    CHECK_OK(room->context, json_to_text(room->context, NULL, &text));
    assert_string_equal(text, "null\n");
    context_release(room->context, text);
}

static void a_missing_file_is_named(void **state)
{
    scratch *room = *state;
    json_object *value = NULL;
    assert_int_equal(json_read_file(room->context, "/nowhere/a.json", &value), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "/nowhere/a.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(texts_are_read_by_key_with_a_default),
        SCRATCH_TEST(a_value_of_another_type_names_the_key),
        SCRATCH_TEST(lone_values_and_pythons_numbers_are_read),
        SCRATCH_TEST(text_that_is_not_strict_json_is_refused),
        SCRATCH_TEST(colons_inside_texts_are_no_keys),
        SCRATCH_TEST(nesting_without_end_is_refused),
        SCRATCH_TEST(what_is_written_has_sorted_keys_and_two_spaces),
        SCRATCH_TEST(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
