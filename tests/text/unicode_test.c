/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning texts, by examples of the Unicode standard. */
#include "text/unicode.h"

#include "scratch.h"

/* The clean form of a text as UTF-8. */
static const char *clean(scratch *room, const char *text, size_t size)
{
    static char result[256];
    struct points points;
    size_t length = 0;
    CHECK_OK(room->context, unicode_clean(room->context, "a text", text, size, &points));
    for (int64_t i = 0; i < points.count; i++)
        length += (size_t)unicode_put(points.at[i], result + length);
    result[length] = 0;
    points_release(room->context, &points);
    return result;
}

#define CHECK_CLEAN(room, text, expected)                                                          \
    assert_string_equal(clean(room, text, sizeof text - 1), expected)

static void texts_become_normal_form_c(void **state)
{
    CHECK_CLEAN(*state, "e\xCC\x81", "\xC3\xA9");    /* e, combining acute */
    CHECK_CLEAN(*state, "\xE2\x84\xAB", "\xC3\xA5"); /* Angstrom sign, in lower case */
    CHECK_CLEAN(*state, "q\xCC\x87\xCC\xA3", "q\xCC\xA3\xCC\x87"); /* marks in their order */
    CHECK_CLEAN(*state, "\xEF\xAC\x81", "\xEF\xAC\x81");           /* a ligature stays */
}

static void lower_case_is_by_character(void **state)
{
    CHECK_CLEAN(*state, "\xCE\x9F\xCE\xA3", "\xCE\xBF\xCF\x83"); /* sigma, not the final one */
    CHECK_CLEAN(*state, "\xC4\xB0", "i\xCC\x87");                /* dotted capital I */
    CHECK_CLEAN(*state, "STRASSE \xE1\xBA\x9E", "strasse \xC3\x9F");
    CHECK_CLEAN(*state, "\xC7\x85", "\xC7\x86"); /* title case */
}

static void white_space_becomes_single_blanks(void **state)
{
    CHECK_CLEAN(*state,
                " \t\r\n a\xC2\xA0\xE3\x80\x80"
                "b\xC2\x85",
                " a b ");
    CHECK_CLEAN(*state,
                "a\xE2\x80\x8B"
                "b",
                "a\xE2\x80\x8B"
                "b"); /* zero width space is none */
    CHECK_CLEAN(*state,
                "a\x1C"
                "b",
                "a\x1C"
                "b");
    CHECK_CLEAN(*state, "", "");
}

static void bytes_that_are_not_utf8_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *text, *reason;
    } wrong[] = {
        {"ab\xFF", "byte 2, 0xFF"},       {"\x80", "byte 0, 0x80"},
        {"a\xC3", "byte 1, 0xC3"},        {"\xC0\xAF", "byte 0, 0xC0"},
        {"\xED\xA0\x80", "byte 0, 0xED"}, {"\xF4\x90\x80\x80", "byte 0, 0xF4"},
        {"\xE2\x82 ", "byte 0, 0xE2"},
    };
    scratch *room = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct points points;
        assert_int_equal(unicode_clean(room->context, "the prompt", wrong[i].text,
                                       strlen(wrong[i].text), &points),
                         SUMI_ERROR_ARGUMENT);
        if (!strstr(sumi_context_message(room->context), wrong[i].reason))
            fail_msg("%s: not in: %s", wrong[i].reason, sumi_context_message(room->context));
        assert_null(points.at);
    }
}

static void a_text_that_is_too_long_is_refused(void **state)
{
    scratch *room = *state;
    struct points points;
    size_t size = UNICODE_TEXT_LIMIT + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'a', size);
    assert_int_equal(unicode_clean(room->context, "a text", text, size, &points),
                     SUMI_ERROR_ARGUMENT);
    CHECK_OK(room->context, unicode_clean(room->context, "a text", text, size - 1, &points));
    assert_int_equal(points.count, size - 1);
    points_release(room->context, &points);
    free(text);
}

static void code_points_have_their_class(void **state)
{
    static const int32_t letters[] = {'a', 'Z', 0xE9, 0x3B1, 0x5D0, 0x4E2D, 0xAC00, 0x2B0, 0x1D400};
    static const int32_t numbers[] = {'0', 0xB2, 0xBD, 0x663, 0x2167, 0x3007, 0x1D7CE};
    static const int32_t others[] = {'!', '_', 0x301, 0x93F, 0x200B, 0x1F600, 0xE000, 0xFFFD, 0x1C};
    (void)state;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        assert_int_equal(unicode_class_of(letters[i]), UNICODE_LETTER);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(unicode_class_of(numbers[i]), UNICODE_NUMBER);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(unicode_class_of(others[i]), UNICODE_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(texts_become_normal_form_c),
        SCRATCH_TEST(lower_case_is_by_character),
        SCRATCH_TEST(white_space_becomes_single_blanks),
        SCRATCH_TEST(bytes_that_are_not_utf8_are_refused_with_their_place),
        SCRATCH_TEST(a_text_that_is_too_long_is_refused),
        SCRATCH_TEST(code_points_have_their_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
