/* SPDX-License-Identifier: Apache-2.0 */
/* T5's tokenizer on a vocabulary that is written byte by byte: the best cut, blanks, replacements,
   special tokens, both kinds of files, and files that are damaged. */
#include "text/t5_tokenizer.h"

#include "../check.h"
#include "../scratch.h"

enum { MODEL_SIZE = 4096, UNITS = 66, FLOAT = 4 };

/* Pieces of the vocabulary by id; the scores make "▁ab" + "c" worse than "▁a" + "bc". */
static const struct {
    const char *text;
    float score;
    int kind;
} vocabulary[] = {{"<pad>", 0, PIECE_CONTROL},
                  {"</s>", 0, PIECE_CONTROL},
                  {"<unk>", 0, PIECE_UNKNOWN},
                  {"\xE2\x96\x81", -4, PIECE_NORMAL},
                  {"\xE2\x96\x81"
                   "a",
                   -2, PIECE_NORMAL},
                  {"\xE2\x96\x81"
                   "ab",
                   -2.5f, PIECE_NORMAL},
                  {"bc", -1, PIECE_NORMAL},
                  {"c", -3, PIECE_NORMAL},
                  {"b", -3, PIECE_NORMAL},
                  {"a", -3.5f, PIECE_NORMAL}};
enum { PIECES = sizeof vocabulary / sizeof *vocabulary };
enum { PAD, END, UNKNOWN, BLANK, BLANK_A, BLANK_AB, BC, C, B, A };

/* ---- A model in bytes ---- */

struct bytes {
    uint8_t at[MODEL_SIZE];
    size_t size;
};

static void put_word(struct bytes *bytes, uint32_t word)
{
    for (int i = 0; i < 4; i++) bytes->at[bytes->size++] = (uint8_t)(word >> (8 * i));
}

static void put_whole(struct bytes *bytes, uint64_t whole)
{
    for (; whole >= 0x80; whole >>= 7) bytes->at[bytes->size++] = (uint8_t)(whole | 0x80);
    bytes->at[bytes->size++] = (uint8_t)whole;
}

/* Field `number` with a part of some bytes. */
static void put_part(struct bytes *bytes, int number, const void *part, size_t size)
{
    put_whole(bytes, (uint64_t)number << 3 | 2);
    put_whole(bytes, size);
    memcpy(bytes->at + bytes->size, part, size);
    bytes->size += size;
}

static void put_piece(struct bytes *model, int id)
{
    struct bytes piece = {.size = 0};
    uint32_t bits;
    memcpy(&bits, &vocabulary[id].score, sizeof bits);
    put_part(&piece, 1, vocabulary[id].text, strlen(vocabulary[id].text));
    put_whole(&piece, 2 << 3 | 5);
    put_word(&piece, bits);
    put_whole(&piece, 3 << 3);
    put_whole(&piece, (uint64_t)vocabulary[id].kind);
    put_part(model, 1, piece.at, piece.size);
}

/* Replacements of "A" by "a": the root's children lie at place 1, so that of 'A' at 1 ^ 0x41 = 64,
   and its value, the place of the text "a", at 64 ^ 1. */
static void put_map(struct bytes *map)
{
    put_word(map, UNITS * 4);
    for (int i = 0; i < UNITS; i++)
        put_word(map, i == 0 ? 1 << 10 : i == 64 ? 1 << 10 | 1 << 8 | 'A' : i == 65 ? 1u << 31 : 0);
    memcpy(map->at + map->size, "a", 2);
    map->size += 2;
}

static void make_model(struct bytes *model)
{
    struct bytes map = {.size = 0}, normalizer = {.size = 0};
    *model = (struct bytes){.size = 0};
    for (int i = 0; i < PIECES; i++) put_piece(model, i);
    put_map(&map);
    put_part(&normalizer, 1, "own", 3);
    put_part(&normalizer, 2, map.at, map.size);
    put_part(model, 3, normalizer.at, normalizer.size);
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* ---- Tests ---- */

struct opened {
    sumi_context *context;
    struct t5_tokenizer *tokenizer;
    const char *folder;
};

static void open_model(struct opened *opened, void **state)
{
    const scratch *room = *state;
    struct bytes model;
    make_model(&model);
    *opened = (struct opened){.context = room->context, .folder = room->folder};
    write_file(opened->folder, "spiece.model", model.at, model.size);
    CHECK_OK(opened->context,
             t5_tokenizer_open(opened->context, opened->folder, &opened->tokenizer));
}

static void expect(const struct opened *opened, const char *text, int count, const int32_t *ids)
{
    int32_t *given = NULL;
    int64_t found = 0;
    CHECK_OK(opened->context, t5_tokenizer_split(opened->context, opened->tokenizer, "the text",
                                                 text, strlen(text), &given, &found));
    if (found != count) fail_msg("\"%s\" has %lld tokens", text, (long long)found);
    for (int i = 0; i < count; i++)
        if (given[i] != ids[i]) fail_msg("\"%s\": token %d is %d", text, i, given[i]);
    context_release(opened->context, given);
}
#define EXPECT(text, ...)                                                                          \
    expect(&opened, text, sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t),                      \
           (int32_t[]){__VA_ARGS__})

static void the_cut_with_the_largest_sum_is_taken(void **state)
{
    struct opened opened;
    open_model(&opened, state);
    EXPECT("abc", BLANK_A, BC); /* -3, and with BLANK_AB, C -5.5 */
    EXPECT("ab", BLANK_AB);
    EXPECT("b", BLANK, B);
    t5_tokenizer_free(opened.tokenizer);
}

static void blanks_are_collected_and_put_before_texts(void **state)
{
    struct opened opened;
    open_model(&opened, state);
    EXPECT("  ab   abc ", BLANK_AB, BLANK_A, BC);
    expect(&opened, "   ", 0, NULL);
    expect(&opened, "", 0, NULL);
    t5_tokenizer_free(opened.tokenizer);
}

static void replacements_come_before_the_cut(void **state)
{
    struct opened opened;
    open_model(&opened, state);
    EXPECT("Abc", BLANK_A, BC);
    t5_tokenizer_free(opened.tokenizer);
}

/* Also bytes that are not UTF-8. */
static void neighbours_that_are_unknown_are_one_token(void **state)
{
    struct opened opened;
    open_model(&opened, state);
    EXPECT("xyzc", BLANK, UNKNOWN, C);
    EXPECT("\xC3\xA9\xE4\xBD\xA0"
           "c",
           BLANK, UNKNOWN, C);
    EXPECT("\xFF\xC3"
           "c\x80",
           BLANK, UNKNOWN, C, UNKNOWN);
    t5_tokenizer_free(opened.tokenizer);
}

static void special_tokens_stand_for_themselves(void **state)
{
    struct opened opened;
    open_model(&opened, state);
    assert_int_equal(t5_tokenizer_rows(opened.tokenizer), PIECES + 100);
    EXPECT("ab</s>ab", BLANK_AB, END, BLANK_AB);
    EXPECT("<extra_id_0><extra_id_99>", PIECES + 99, PIECES);
    t5_tokenizer_free(opened.tokenizer);
}

static void texts_are_cut_before_their_end_and_padded_behind_it(void **state)
{
    enum { LENGTH = 4 };
    struct opened opened;
    int32_t ids[LENGTH];
    float mask[LENGTH];
    int64_t cut;
    char *text = NULL;
    open_model(&opened, state);
    CHECK_OK(opened.context, t5_tokenizer_encode(opened.context, opened.tokenizer, "ab", 2, LENGTH,
                                                 ids, mask, &cut));
    assert_memory_equal(ids, ((int32_t[]){BLANK_AB, END, PAD, PAD}), sizeof ids);
    assert_memory_equal(mask, ((float[]){1, 1, 0, 0}), sizeof mask);
    assert_int_equal(cut, 0);
    CHECK_OK(opened.context, t5_tokenizer_encode(opened.context, opened.tokenizer, "abc abc", 7,
                                                 LENGTH, ids, mask, &cut));
    assert_memory_equal(ids, ((int32_t[]){BLANK_A, BC, BLANK_A, END}), sizeof ids);
    assert_int_equal(cut, 1);
    CHECK_OK(opened.context,
             t5_tokenizer_decode(opened.context, opened.tokenizer, LENGTH, ids, &text));
    assert_string_equal(text, "abc a");
    context_release(opened.context, text);
    t5_tokenizer_free(opened.tokenizer);
}

/* The same vocabulary as the transformers library writes it. */
static void both_kinds_of_files_give_the_same_tokens(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct opened opened;
    struct bytes map = {.size = 0};
    char json[MODEL_SIZE], path[512];
    size_t size;
    open_model(&opened, state);
    t5_tokenizer_free(opened.tokenizer);
    snprintf(path, sizeof path, "%s/spiece.model", opened.folder);
    remove(path);
    put_map(&map);
    size = (size_t)snprintf(json, sizeof json,
                            "{\"added_tokens\": [{\"id\": 12, \"content\": \"<extra>\"}], "
                            "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": "
                            "\"Precompiled\", \"precompiled_charsmap\": \"");
    for (size_t i = 0; i < map.size; i += 3) {
        uint32_t three = 0;
        for (size_t k = 0; k < 3; k++) three = three << 8 | (i + k < map.size ? map.at[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            json[size++] = i * 8 + 6 * k < map.size * 8 ? digits[three >> (18 - 6 * k) & 63] : '=';
    }
    size +=
        (size_t)snprintf(json + size, sizeof json - size,
                         "\"}]}, \"model\": {\"type\": \"Unigram\", \"unk_id\": 2, \"vocab\": [");
    for (int i = 0; i < PIECES; i++)
        size += (size_t)snprintf(json + size, sizeof json - size, "%s[\"%s\", %g]", i ? ", " : "",
                                 vocabulary[i].text, (double)vocabulary[i].score);
    size += (size_t)snprintf(json + size, sizeof json - size, "]}}");
    write_file(opened.folder, "tokenizer.json", json, size);
    CHECK_OK(opened.context, t5_tokenizer_open(opened.context, opened.folder, &opened.tokenizer));
    EXPECT("Abc  ab", BLANK_A, BC, BLANK_AB);
    EXPECT("ab<extra>xy", BLANK_AB, 12, BLANK, UNKNOWN);
    t5_tokenizer_free(opened.tokenizer);
}

static void refuse(const struct opened *opened, const char *part)
{
    struct t5_tokenizer *tokenizer = NULL;
    assert_true(t5_tokenizer_open(opened->context, opened->folder, &tokenizer) != SUMI_OK);
    assert_null(tokenizer);
    if (!strstr(sumi_context_message(opened->context), part))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(opened->context), part);
}

/* Every beginning of the file is refused, or, where only the normaliser is missing, read. */
static void damaged_files_are_refused(void **state)
{
    struct opened opened;
    struct bytes model;
    open_model(&opened, state);
    make_model(&model);
    for (size_t size = 0; size < model.size; size++) {
        struct t5_tokenizer *tokenizer = NULL;
        write_file(opened.folder, "spiece.model", model.at, size);
        if (t5_tokenizer_open(opened.context, opened.folder, &tokenizer) == SUMI_OK)
            assert_int_equal(tokenizer->pieces->charsmap.count, 0);
        t5_tokenizer_free(tokenizer);
    }
    struct bytes other = {.size = 0};
    for (int i = 0; i < PIECES; i++)
        if (i != UNKNOWN) put_piece(&other, i);
    write_file(opened.folder, "spiece.model", other.at, other.size);
    refuse(&opened, "has no piece for what is unknown");
    put_piece(&other, UNKNOWN);
    put_piece(&other, C);
    write_file(opened.folder, "spiece.model", other.at, other.size);
    refuse(&opened, "is there twice");
    put_part(&model, 2, "\x18\x02", 2); /* model_type BPE */
    write_file(opened.folder, "spiece.model", model.at, model.size);
    refuse(&opened, "another kind than unigram");
    t5_tokenizer_free(opened.tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_cut_with_the_largest_sum_is_taken),
        SCRATCH_TEST(blanks_are_collected_and_put_before_texts),
        SCRATCH_TEST(replacements_come_before_the_cut),
        SCRATCH_TEST(neighbours_that_are_unknown_are_one_token),
        SCRATCH_TEST(special_tokens_stand_for_themselves),
        SCRATCH_TEST(texts_are_cut_before_their_end_and_padded_behind_it),
        SCRATCH_TEST(both_kinds_of_files_give_the_same_tokens),
        SCRATCH_TEST(damaged_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
