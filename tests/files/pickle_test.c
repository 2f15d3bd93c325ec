/* SPDX-License-Identifier: Apache-2.0 */
/* Pickles, instruction by instruction, as Python's pickletools lists them. */
#include "files/pickle.h"

#include "one_context.h"

/* Parses the bytes of a text that may have zeros. */
#define PARSE(BYTES) parse(BYTES, sizeof(BYTES) - 1)

static pickle *parse(const char *bytes, size_t size)
{
    pickle *parsed = NULL;
    CHECK_OK(context, pickle_parse(context, bytes, size, "a.pkl", &parsed));
    return parsed;
}

static void check_text(const struct pickle_value *value, const char *text)
{
    if (!pickle_is_text(value, text)) fail_msg("is not \"%s\"", text);
}

/* pickle.dumps({"a": [1, 2.5, None, True], "b": (-1, 70000)}, 2) */
static void values_of_protocol_2_are_read(void **state)
{
    (void)state;
    pickle *p = PARSE("\x80\x02}q\0(X\1\0\0\0aq\1]q\2(K\1G@\4\0\0\0\0\0\0N\x88"
                      "eX\1\0\0\0bq\3J\xff\xff\xff\xffJp\x11\1\0\x86q\4u.");
    const struct pickle_value *root = pickle_root(p), *list = pickle_member(p, root, "a");
    assert_int_equal(root->type, PICKLE_DICT);
    assert_int_equal(list->count, 4);
    assert_int_equal(pickle_item(p, list, 0)->whole, 1);
    CHECK_CLOSE(pickle_item(p, list, 1)->number, 2.5, 0);
    assert_int_equal(pickle_item(p, list, 2)->type, PICKLE_NONE);
    assert_int_equal(pickle_item(p, list, 3)->type, PICKLE_FLAG);
    const struct pickle_value *pair = pickle_member(p, root, "b");
    assert_int_equal(pickle_item(p, pair, 0)->whole, -1);
    assert_int_equal(pickle_item(p, pair, 1)->whole, 70000);
    assert_null(pickle_item(p, pair, 2));
    assert_null(pickle_member(p, root, "c"));
    pickle_free(p);
}

/* pickle.dumps({"a": ["x", "x"]}, 4) */
static void values_of_protocol_4_are_read(void **state)
{
    (void)state;
    pickle *p = PARSE("\x80\x04\x95\x11\0\0\0\0\0\0\0}\x94\x8c\1a\x94]\x94(\x8c\1x\x94h\3es.");
    const struct pickle_value *list = pickle_member(p, pickle_root(p), "a");
    assert_int_equal(list->count, 2);
    check_text(pickle_item(p, list, 0), "x");
    check_text(pickle_item(p, list, 1), "x");
    pickle_free(p);
}

/* The pickle of an object whose __reduce__ is (os.system, ("touch /tmp/x",)). */
static void a_call_stays_a_name_with_arguments(void **state)
{
    (void)state;
    pickle *p = PARSE("\x80\x02"
                      "cposix\nsystem\nX\5\0\0\0touch\x85R.");
    const struct pickle_value *root = pickle_root(p);
    assert_int_equal(root->type, PICKLE_CALL);
    assert_true(pickle_is_name(p, pickle_item(p, root, 0), "posix", "system"));
    assert_false(pickle_is_name(p, pickle_item(p, root, 0), "posix", "systems"));
    assert_false(pickle_is_name(p, pickle_item(p, root, 0), "os", "system"));
    check_text(pickle_item(p, pickle_item(p, root, 1), 0), "touch");
    pickle_free(p);
    p = PARSE("\x80\x04\x8c\5posix\x8c\6system\x93)R.");
    assert_true(pickle_is_name(p, pickle_item(p, pickle_root(p), 0), "posix", "system"));
    pickle_free(p);
}

/* collections.OrderedDict([("k", 3)]), whose pairs follow the call. */
static void an_ordered_dict_has_its_members(void **state)
{
    (void)state;
    pickle *p = PARSE("\x80\x02"
                      "ccollections\nOrderedDict\n)R(X\1\0\0\0kK\3u}b.");
    assert_int_equal(pickle_member(p, pickle_root(p), "k")->whole, 3);
    pickle_free(p);
}

static void check_refused(const char *bytes, size_t size, const char *reason)
{
    pickle *parsed = NULL;
    assert_int_equal(pickle_parse(context, bytes, size, "a.pkl", &parsed), SUMI_ERROR_FORMAT);
    assert_null(parsed);
    assert_string_equal(sumi_context_message(context), reason);
}

#define CHECK_REFUSED(BYTES, REASON)                                                               \
    check_refused(BYTES, sizeof(BYTES) - 1, "a.pkl: damaged pickle: " REASON)

static void damaged_pickles_are_refused_with_the_place(void **state)
{
    (void)state;
    CHECK_REFUSED("", "cut short at byte 0");
    CHECK_REFUSED("\x80", "cut short at byte 1");
    CHECK_REFUSED("\x80\x02}", "cut short at byte 3");
    CHECK_REFUSED(".", "the stack has not one value at the end at byte 1");
    CHECK_REFUSED("NN.", "the stack has not one value at the end at byte 3");
    CHECK_REFUSED("(N.", "the stack has not one value at the end at byte 3");
    CHECK_REFUSED("X\xff\xff\xff\x7f"
                  "a.",
                  "cut short at byte 5");
    CHECK_REFUSED("t.", "there is no mark at byte 1");
    CHECK_REFUSED("(R.", "the stack is empty at byte 2");
    CHECK_REFUSED("N(K\1R.", "the stack is empty at byte 5");
    CHECK_REFUSED("h\1.", "the memo has no such value at byte 2");
    CHECK_REFUSED("Nr\xff\xff\xff\xff.", "a place of the memo is too large at byte 6");
    CHECK_REFUSED("}(Nu.", "a key without a value at byte 4");
    CHECK_REFUSED("N(NNu.", "items are added to what is no container at byte 5");
    CHECK_REFUSED("(u.", "the stack is empty at byte 2");
    CHECK_REFUSED("cposix", "a line without an end at byte 1");
    CHECK_REFUSED("NN\x93.", "a name is not a text at byte 3");
    CHECK_REFUSED("Ixyz\n.", "a number is not one at byte 5");
    CHECK_REFUSED("\xf0.", "the unknown instruction 0xf0 at byte 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(values_of_protocol_2_are_read),
        CONTEXT_TEST(values_of_protocol_4_are_read),
        CONTEXT_TEST(a_call_stays_a_name_with_arguments),
        CONTEXT_TEST(an_ordered_dict_has_its_members),
        CONTEXT_TEST(damaged_pickles_are_refused_with_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
