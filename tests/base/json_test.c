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

static void values_are_read_by_key_with_defaults(void **state)
{
    scratch *room = *state;
    int64_t whole = 7;
    double number = 7;
    bool flag = true;
    const char *text = "seven";
    json_object *object = parse(room, "{\"i\": -3, \"d\": 0.5, \"b\": false, \"t\": \"a\\u00e9\", "
                                "\"n\": null}");
    CHECK_OK(room->context, json_get_int(room->context, object, "test", "i", &whole));
    CHECK_OK(room->context, json_get_double(room->context, object, "test", "d", &number));
    CHECK_OK(room->context, json_get_bool(room->context, object, "test", "b", &flag));
    CHECK_OK(room->context, json_get_text(room->context, object, "test", "t", &text));
    assert_int_equal(whole, -3);
    assert_true(number == 0.5 && !flag);
    assert_string_equal(text, "a\xc3\xa9");
    CHECK_OK(room->context, json_get_double(room->context, object, "test", "i", &number));
    assert_true(number == -3);
    CHECK_OK(room->context, json_get_int(room->context, object, "test", "missing", &whole));
    CHECK_OK(room->context, json_get_int(room->context, object, "test", "n", &whole));
    assert_int_equal(whole, -3);
    json_object_put(object);
}

static void a_value_of_another_type_names_the_key(void **state)
{
    scratch *room = *state;
    int64_t whole = 7;
    double number = 7;
    bool flag = true;
    const char *text = "seven";
    json_object *object = parse(room, "{\"i\": 1, \"d\": 0.5, \"t\": \"a\"}");
    assert_int_equal(json_get_int(room->context, object, "test", "d", &whole), SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(room->context), "test: \"d\""));
    assert_int_equal(json_get_int(room->context, object, "test", "t", &whole), SUMI_ERROR_FORMAT);
    assert_int_equal(json_get_double(room->context, object, "test", "t", &number),
                     SUMI_ERROR_FORMAT);
    assert_int_equal(json_get_bool(room->context, object, "test", "i", &flag), SUMI_ERROR_FORMAT);
    assert_int_equal(json_get_text(room->context, object, "test", "i", &text), SUMI_ERROR_FORMAT);
    assert_true(whole == 7 && number == 7 && flag);
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
        "", " ", "{", "[1", "\"a", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "{'a':1}",
        "{a:1}", "/* c */ {}", "{} {}", "{}x", "1 2", "01", "nul", "True", "[1 2]",
        "{\"a\":1,\"a\":2}", "{\"a\":[{\"b\":{},\"b\":{}}]}", "\"\xff\xfe\"",
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
    context_release(room->context, text);
    const char *path = scratch_path(room, "a.json");
    json_object *back = NULL;
    CHECK_OK(room->context, json_write_file(room->context, value, path));
    CHECK_OK(room->context, json_read_file(room->context, path, &back));
    assert_true(json_object_equal(value, back));
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
        SCRATCH_TEST(values_are_read_by_key_with_defaults),
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
