/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts: the contents of their messages, messages of threads, and memory that runs out. */
#include <pthread.h>

#include "base/context.h"
#include "scratch.h"

static void a_message_cannot_steer_a_terminal(void **state)
{
    scratch *room = *state;
    sumi_status status =
        context_fail(room->context, SUMI_ERROR_FILE, "%s", "a\033[2J\n\x7f\xc3\xa9");
    assert_int_equal(status, SUMI_ERROR_FILE);
    assert_string_equal(sumi_context_message(room->context), "a?[2J??\xc3\xa9");
}

/* The boundary cases are those of RFC 3629, section 4, and Unicode's controls of 8 bits. */
static void a_message_is_utf_8_whatever_it_quotes(void **state)
{
    scratch *room = *state;
    static const char *const texts[][2] = {
        {"\xc2\x9b", "??"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xc1\xbf", "??"},
        {"\xdf\xbf", "\xdf\xbf"},
        {"\xe0\x9f\xbf", "???"},
        {"\xe0\xa0\x80", "\xe0\xa0\x80"},
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},
        {"\xed\xa0\x80", "???"},
        {"\xf0\x8f\xbf\xbf", "????"},
        {"\xf0\x90\x80\x80", "\xf0\x90\x80\x80"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xf4\x90\x80\x80", "????"},
        {"\x80", "?"},
        {"\xff", "?"},
        {"\xe2\x82", "??"},
        {"\xe2\x82z", "??z"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        context_fail(room->context, SUMI_ERROR_FILE, "%s", texts[i][0]);
        assert_string_equal(sumi_context_message(room->context), texts[i][1]);
    }
}

static void a_message_may_quote_the_one_before(void **state)
{
    scratch *room = *state;
    context_fail(room->context, SUMI_ERROR_FILE, "first");
    context_fail(room->context, SUMI_ERROR_FILE, "second: %s", sumi_context_message(room->context));
    assert_string_equal(sumi_context_message(room->context), "second: first");
}

static void a_message_beyond_its_room_is_cut(void **state)
{
    scratch *room = *state;
    context_fail(room->context, SUMI_ERROR_FILE, "%*d", 3 * MESSAGE_SIZE, 7);
    assert_int_equal(strlen(sumi_context_message(room->context)), MESSAGE_SIZE - 1);
}

/* Appends sentences to a text, each in brackets. */
static void keep_warning(void *user, const char *sentence)
{
    char *text = user;
    size_t length = strlen(text);
    snprintf(text + length, MESSAGE_SIZE - length, "[%.200s]", sentence);
}

static void a_warning_is_given_once_to_the_callers_function(void **state)
{
    scratch *room = *state;
    char warnings[MESSAGE_SIZE] = "";
    context_warn(room->context, "nobody listens");
    sumi_context_set_warning(room->context, keep_warning, warnings);
    for (int i = 0; i < 3; i++) context_warn(room->context, "\033 number %d of %s", i / 2, "two");
    assert_string_equal(warnings, "[? number 0 of two][? number 1 of two]");
    sumi_context_set_warning(room->context, NULL, NULL);
    context_warn(room->context, "again nobody");
    assert_string_equal(warnings, "[? number 0 of two][? number 1 of two]");
    assert_string_equal(sumi_context_message(room->context), ""); /* nothing has failed */
}

static void more_warnings_than_are_remembered_are_given_again(void **state)
{
    scratch *room = *state;
    char warnings[MESSAGE_SIZE] = "";
    sumi_context_set_warning(room->context, keep_warning, warnings);
    for (int i = 0; i < 2 * WARNINGS_KEPT; i++) context_warn(room->context, "%d", i);
    assert_non_null(strstr(warnings, "[127]"));
}

static void *fail_beside(void *given)
{
    sumi_context *context = given;
    struct thread_message own;
    context_join(context, &own);
    context_fail(context, SUMI_ERROR_FORMAT, "of the thread");
    bool kept = strcmp(own.text, "of the thread") == 0;
    context_leave(context, &own);
    return kept ? context : NULL;
}

static void a_thread_of_the_library_has_a_message_of_its_own(void **state)
{
    scratch *room = *state;
    pthread_t thread;
    void *kept = NULL;
    context_fail(room->context, SUMI_ERROR_FILE, "of the caller");
    assert_int_equal(pthread_create(&thread, NULL, fail_beside, room->context), 0);
    assert_int_equal(pthread_join(thread, &kept), 0);
    assert_ptr_equal(kept, room->context);
    assert_string_equal(sumi_context_message(room->context), "of the caller");
}

static void memory_is_aligned_for_vectors_even_of_no_bytes(void **state)
{
    scratch *room = *state;
    for (size_t size = 0; size < 200; size += 67) {
        void *memory = context_allocate(room->context, size, 1);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 64, 0);
        context_release(room->context, memory);
    }
    context_release(room->context, NULL);
}

/* The system would promise some of it, and end the process when it is used. */
static void more_than_the_machine_has_is_refused_with_its_size(void **state)
{
    scratch *room = *state;
    assert_null(context_allocate_zeroed(room->context, (size_t)1 << 46, 1));
    assert_string_equal(sumi_context_message(room->context),
                        "out of memory: cannot allocate 65536.0 GiB; use a smaller batch, fewer "
                        "items at a time or a smaller network");
    sumi_array array;
    const int64_t shape[] = {1 << 20, 1 << 20, 3};
    assert_int_equal(sumi_array_create(room->context, 3, shape, &array), SUMI_ERROR_MEMORY);
    assert_null(array.data);
}

static void sizes_beyond_all_numbers_are_refused(void **state)
{
    scratch *room = *state;
    assert_null(context_allocate(room->context, SIZE_MAX / 2, 3));
    assert_null(context_allocate(room->context, SIZE_MAX, 1));
    assert_non_null(strstr(sumi_context_message(room->context), "out of memory"));
    sumi_array array;
    const int64_t shape[] = {INT64_MAX / 2, 3};
    assert_int_equal(sumi_array_create(room->context, 2, shape, &array), SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(room->context), "dimension 1 of an array cannot be 3");
}

static void threads_are_from_one_to_1024(void **state)
{
    scratch *room = *state;
    CHECK_OK(room->context, sumi_context_set_threads(room->context, 1024));
    assert_int_equal(sumi_context_set_threads(room->context, 0), SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_context_set_threads(room->context, 1025), SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_context_threads(room->context), 1024);
}

static void the_version_is_that_of_the_header(void **state)
{
    (void)state;
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", SUMI_VERSION_MAJOR, SUMI_VERSION_MINOR,
             SUMI_VERSION_PATCH);
    assert_string_equal(sumi_version(), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_message_cannot_steer_a_terminal),
        SCRATCH_TEST(a_message_is_utf_8_whatever_it_quotes),
        SCRATCH_TEST(a_message_may_quote_the_one_before),
        SCRATCH_TEST(a_message_beyond_its_room_is_cut),
        SCRATCH_TEST(a_warning_is_given_once_to_the_callers_function),
        SCRATCH_TEST(more_warnings_than_are_remembered_are_given_again),
        SCRATCH_TEST(a_thread_of_the_library_has_a_message_of_its_own),
        SCRATCH_TEST(memory_is_aligned_for_vectors_even_of_no_bytes),
        SCRATCH_TEST(more_than_the_machine_has_is_refused_with_its_size),
        SCRATCH_TEST(sizes_beyond_all_numbers_are_refused),
        SCRATCH_TEST(threads_are_from_one_to_1024),
        cmocka_unit_test(the_version_is_that_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
