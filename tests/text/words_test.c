/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizers of a small vocabulary whose ids can be found by hand. */
#include "words.h"

#include <json-c/json.h>

#include "failing_allocator.h"
#include "text/vocabulary.h"

enum { LENGTH = 12 };

static sumi_tokenizer *open_words(scratch *room)
{
    sumi_tokenizer *tokenizer = NULL;
    CHECK_OK(room->context, sumi_tokenizer_open(room->context, room->folder, &tokenizer));
    return tokenizer;
}

/* The id of a byte; those of letters follow their codes from '!' on. */
static int32_t id_of(char byte, bool last)
{
    return byte - '!' + (last ? 256 : 0);
}

static void check_ids(scratch *room, const char *text, int64_t count, const int32_t *expected)
{
    sumi_tokenizer *tokenizer = open_words(room);
    int32_t ids[LENGTH];
    int64_t whole = 0;
    CHECK_OK(room->context,
             sumi_tokenizer_encode(tokenizer, text, strlen(text), LENGTH, ids, &whole));
    assert_int_equal(whole, count + 2);
    assert_int_equal(ids[0], WORDS_BEGIN);
    for (int64_t i = 0; i < count; i++) assert_int_equal(ids[1 + i], expected[i]);
    for (int64_t i = 1 + count; i < LENGTH; i++) assert_int_equal(ids[i], WORDS_END);
    sumi_tokenizer_free(tokenizer);
}

static void words_are_merged_by_rank(void **state)
{
    words_write(*state);
    check_ids(*state, "cat", 1, (const int32_t[]){WORDS_CAT});
    check_ids(*state, "CAT\tCat", 2, (const int32_t[]){WORDS_CAT, WORDS_CAT});
    check_ids(*state, "cats", 3, (const int32_t[]){WORDS_CA, id_of('t', false), id_of('s', true)});
    /* "to" is merged before "ee", and then "toe" before "ee". */
    check_ids(*state, "toeex", 3,
              (const int32_t[]){WORDS_TOE, id_of('e', false), id_of('x', true)});
    /* Of equal pairs the left one comes first. */
    check_ids(*state, "eeee", 3, (const int32_t[]){WORDS_EE, id_of('e', false), id_of('e', true)});
}

static void texts_are_split_into_words(void **state)
{
    words_write(*state);
    check_ids(*state, "1a2", 3,
              (const int32_t[]){id_of('1', true), id_of('a', true), id_of('2', true)});
    check_ids(*state, "12", 2, (const int32_t[]){id_of('1', true), id_of('2', true)});
    check_ids(*state, "a's", 3,
              (const int32_t[]){id_of('a', true), id_of('\'', false), id_of('s', true)});
    check_ids(*state, "a-'s", 4,
              (const int32_t[]){id_of('a', true), id_of('-', false), id_of('\'', true),
                                id_of('s', true)});
}

static void a_long_text_keeps_its_end_token(void **state)
{
    scratch *room = *state;
    int32_t ids[4];
    int64_t whole = 0;
    words_write(room);
    sumi_tokenizer *tokenizer = open_words(room);
    CHECK_OK(room->context, sumi_tokenizer_encode(tokenizer, "a b c d", 7, 4, ids, &whole));
    assert_int_equal(whole, 6);
    assert_int_equal(ids[0], WORDS_BEGIN);
    assert_int_equal(ids[2], id_of('b', true));
    assert_int_equal(ids[3], WORDS_END);
    assert_int_equal(sumi_tokenizer_encode(tokenizer, "a", 1, 1, ids, NULL), SUMI_ERROR_ARGUMENT);
    sumi_tokenizer_free(tokenizer);
}

static void special_tokens_are_found_anywhere_in_a_text(void **state)
{
    scratch *room = *state;
    words_write(room);
    words_write_file(room, "added_tokens.json", "{\"<Toy>\": 600, \"<toy>!\": 601}");
    check_ids(room, "a<toy>b", 3, (const int32_t[]){id_of('a', true), 600, id_of('b', true)});
    check_ids(room, "<TOY>!", 1, (const int32_t[]){601});
    check_ids(room, "--<|endoftext|>", 3,
              (const int32_t[]){id_of('-', false), id_of('-', true), WORDS_END});
    sumi_tokenizer_info info = {.size = sizeof info};
    sumi_tokenizer *tokenizer = open_words(room);
    assert_true(sumi_tokenizer_describe(tokenizer, &info));
    assert_int_equal(info.tokens, 602);
    assert_int_equal(info.length, 77);
    sumi_tokenizer_free(tokenizer);
}

static int32_t pad_of(scratch *room, const char *config, const char *map)
{
    sumi_tokenizer_info info = {.size = sizeof info};
    words_write_file(room, "tokenizer_config.json", config);
    words_write_file(room, "special_tokens_map.json", map);
    sumi_tokenizer *tokenizer = open_words(room);
    assert_true(sumi_tokenizer_describe(tokenizer, &info));
    sumi_tokenizer_free(tokenizer);
    return info.pad;
}

static void the_pad_token_is_that_of_the_folder(void **state)
{
    words_write(*state);
    assert_int_equal(pad_of(*state, "{}", "{}"), WORDS_END);
    assert_int_equal(pad_of(*state, "{\"pad_token\": \"!\"}", "{}"), 0);
    assert_int_equal(pad_of(*state, "{\"pad_token\": {\"content\": \"!\"}}", "{}"), 0);
    assert_int_equal(pad_of(*state, "{\"pad_token\": \"#\"}", "{\"pad_token\": \"!\"}"), 0);
    assert_int_equal(pad_of(*state, "{\"pad_token\": \"!\", \"added_tokens_decoder\": {}}",
                            "{\"pad_token\": \"#\"}"),
                     0);
    assert_int_equal(pad_of(*state, "{\"pad_token\": null}", "{}"), WORDS_END);
}

/* The vocabulary of the two files as a tokenizer.json, with merges as lists or as texts. */
static void write_whole(scratch *room, bool lists)
{
    json_object *file = json_object_new_object(), *model = json_object_new_object();
    json_object *merges = json_object_new_array();
    for (int i = 0; i < WORDS_MERGES; i++) {
        char text[64];
        json_object *pair = json_object_new_array();
        snprintf(text, sizeof text, "%s %s", words_merges[i].left, words_merges[i].right);
        json_object_array_add(pair, json_object_new_string(words_merges[i].left));
        json_object_array_add(pair, json_object_new_string(words_merges[i].right));
        json_object_array_add(merges, lists ? json_object_get(pair) : json_object_new_string(text));
        json_object_put(pair);
    }
    json_object_object_add(file, "model", model);
    json_object_object_add(model, "type", json_object_new_string("BPE"));
    json_object_object_add(model, "end_of_word_suffix", json_object_new_string("</w>"));
    json_object_object_add(model, "vocab", json_object_from_file(scratch_path(room, "vocab.json")));
    json_object_object_add(model, "merges", merges);
    json_object_object_add(
        file, "added_tokens",
        json_tokener_parse("[{\"id\": 700, \"content\": \"<toy>\", \"special\": false}]"));
    assert_int_equal(json_object_to_file(scratch_path(room, "tokenizer.json"), file), 0);
    json_object_put(file);
    remove(scratch_path(room, "vocab.json"));
    remove(scratch_path(room, "merges.txt"));
}

static void a_single_file_gives_the_same_ids(void **state)
{
    for (int lists = 0; lists < 2; lists++) {
        words_write(*state);
        write_whole(*state, lists);
        check_ids(*state, "cat toe<toy>", 4,
                  (const int32_t[]){WORDS_CAT, WORDS_TO, id_of('e', true), 700});
    }
}

static void ids_become_words_again(void **state)
{
    scratch *room = *state;
    const int32_t ids[] = {WORDS_CAT, WORDS_TO, id_of('x', true), 1000};
    char *text = NULL;
    words_write(room);
    sumi_tokenizer *tokenizer = open_words(room);
    CHECK_OK(room->context, sumi_tokenizer_decode(tokenizer, 3, ids, &text));
    assert_string_equal(text, "cat tox");
    sumi_text_release(room->context, text);
    assert_int_equal(sumi_tokenizer_decode(tokenizer, 4, ids, &text), SUMI_ERROR_ARGUMENT);
    assert_null(text);
    sumi_tokenizer_free(tokenizer);
}

static void wrong_files_are_refused_with_the_place(void **state)
{
    static const struct {
        const char *file, *text, *reason;
    } wrong[] = {
        {"merges.txt", "#version: 0.2\nc a\nca\n", "line 3: should be two tokens"},
        {"merges.txt", "c a\nq u\n", "line 2: the token \"qu\" is not in the vocabulary"},
        {"merges.txt", "c a b\n", "line 1: should be two tokens"},
        {"vocab.json", "[]", "should be an object"},
        {"vocab.json", "{}", "should be an object"},
        {"vocab.json", "{\"a\": 1}", "should have an id of its own from 0 to 0, not 1"},
        {"vocab.json", "{\"a\": 0, \"b\": 0}", "should have an id of its own"},
        {"vocab.json", "{\"a\": 0.5}", "should have an id of its own"},
        {"vocab.json", "{\"a\": 0", "not JSON"},
        {"tokenizer_config.json", "{\"tokenizer_class\": \"T5Tokenizer\"}", "T5Tokenizer"},
        {"tokenizer_config.json", "{\"pad_token\": \"[PAD]\"}", "\"pad_token\", is not in"},
        {"added_tokens.json", "{\"<toy>\": -4}", "should have an id from 0"},
    };
    scratch *room = *state;
    sumi_tokenizer *tokenizer = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        words_write(room);
        words_write_file(room, wrong[i].file, wrong[i].text);
        assert_int_not_equal(sumi_tokenizer_open(room->context, room->folder, &tokenizer), SUMI_OK);
        assert_null(tokenizer);
        if (!strstr(sumi_context_message(room->context), wrong[i].reason))
            fail_msg("%s: not in: %s", wrong[i].reason, sumi_context_message(room->context));
        remove(scratch_path(room, wrong[i].file));
    }
}

static sumi_status use(sumi_context *context, void *user)
{
    sumi_tokenizer *tokenizer = NULL;
    int32_t ids[LENGTH];
    char *text = NULL;
    sumi_status status = sumi_tokenizer_open(context, user, &tokenizer);
    STEP(sumi_tokenizer_encode(tokenizer, "a cat <toy>", 11, LENGTH, ids, NULL));
    STEP(sumi_tokenizer_decode(tokenizer, LENGTH, ids, &text));
    sumi_text_release(context, text);
    sumi_tokenizer_free(tokenizer);
    return status;
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    scratch *room = *state;
    /* json-c has its own allocator; a small file keeps the number of allocations small. */
    words_write_file(room, "vocab.json",
                     "{\"a\": 0, \"<|startoftext|>\": 1, \"<|endoftext|>\": 2, \"a</w>\": 3,"
                     " \"aa</w>\": 4}");
    words_write_file(room, "merges.txt", "a a</w>\n");
    words_write_file(room, "added_tokens.json", "{\"<toy>\": 5}");
    for_each_failure(use, room->folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(words_are_merged_by_rank),
        SCRATCH_TEST(texts_are_split_into_words),
        SCRATCH_TEST(a_long_text_keeps_its_end_token),
        SCRATCH_TEST(special_tokens_are_found_anywhere_in_a_text),
        SCRATCH_TEST(the_pad_token_is_that_of_the_folder),
        SCRATCH_TEST(a_single_file_gives_the_same_ids),
        SCRATCH_TEST(ids_become_words_again),
        SCRATCH_TEST(wrong_files_are_refused_with_the_place),
        SCRATCH_TEST(failing_allocations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
