/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of CLIP's tokenizer against those of the transformers library: rows of "strings", which are
   cut but not padded, and of "padded_sd2", whose pad token is "!". The first argument is the file
   of rows, the second the folder of the vocabulary (vocab.json and merges.txt, or tokenizer.json);
   without it the one that `sumi fetch clip-vocabulary` made. See vectors/program.h for what is
   printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sumi.h"
#include "vectors/program.h"

enum { PATH_LENGTH = 4096, IDS_MOST = 77 };

static struct {
    sumi_context *context;
    sumi_tokenizer *plain, *padded; /* pads of SD 1 and of SD 2 */
} program;

/* The files of the vocabulary that a folder may have. */
static const char *const files[] = {"vocab.json", "merges.txt", "tokenizer.json"};
enum { FILES = sizeof files / sizeof *files };

/* A folder with the same vocabulary, whose pad token is "!". */
static bool open_padded(const char *folder)
{
    static const char text[] = "{\"pad_token\": \"!\"}\n";
    char made[] = "/tmp/sumi-tokenizer-XXXXXX", from[PATH_LENGTH], whole[PATH_LENGTH];
    char to[sizeof made + 64];
    if (!mkdtemp(made) || !realpath(folder, whole)) return false;
    for (int i = 0; i < FILES; i++) {
        int length = snprintf(from, sizeof from, "%s/%s", whole, files[i]);
        snprintf(to, sizeof to, "%s/%s", made, files[i]);
        if (length < PATH_LENGTH && access(from, R_OK) == 0 && symlink(from, to) != 0) return false;
    }
    snprintf(to, sizeof to, "%s/special_tokens_map.json", made);
    FILE *map = fopen(to, "w");
    if (!map) return false;
    fputs(text, map);
    fclose(map);
    bool opened = sumi_tokenizer_open(program.context, made, &program.padded) == SUMI_OK;
    remove(to);
    for (int i = 0; i < FILES; i++) {
        snprintf(to, sizeof to, "%s/%s", made, files[i]);
        remove(to);
    }
    rmdir(made);
    return opened;
}

static void compare_ids(struct vectors_row *row, const int32_t *ids, int64_t count)
{
    json_object *expected = vectors_get(row->record, "ids");
    int64_t wanted = (int64_t)json_object_array_length(expected);
    vectors_compare(row, (double)count, (double)wanted, 0, "the number of ids");
    for (int64_t i = 0; i < count && i < wanted; i++)
        vectors_compare(row, ids[i], vectors_number_at(expected, i), 0, "id %lld", (long long)i);
}

static enum vectors_result check(struct vectors_row *row)
{
    json_object *text = vectors_get(row->record, "text");
    bool padded = !vectors_get(row->record, "kind");
    int32_t ids[IDS_MOST];
    int64_t whole = 0;
    if (!json_object_is_type(text, json_type_string)
        || !json_object_is_type(vectors_get(row->record, "ids"), json_type_array)) {
        vectors_fail(row, "the record should have \"text\" and \"ids\"");
        return VECTORS_COMPARED;
    }
    if (sumi_tokenizer_encode(padded ? program.padded : program.plain, json_object_get_string(text),
                              (size_t)json_object_get_string_len(text), IDS_MOST, ids, &whole)
        != SUMI_OK) {
        vectors_fail(row, "%s", sumi_context_message(program.context));
        return VECTORS_COMPARED;
    }
    compare_ids(row, ids, padded || whole > IDS_MOST ? IDS_MOST : whole);
    if (vectors_get(row->record, "full_length"))
        vectors_compare(row, (double)whole, vectors_number(row->record, "full_length"), 0,
                        "full_length");
    return VECTORS_COMPARED;
}

/* The vocabulary's folder: the second argument, or where the command puts it. */
static void find_folder(int argc, char **argv, char folder[PATH_LENGTH])
{
    const char *home = getenv("HOME");
    snprintf(folder, PATH_LENGTH, "%s/.cache/sumi/clip-vocabulary", home ? home : "");
    if (argc > 2) snprintf(folder, PATH_LENGTH, "%s", argv[2]);
}

int main(int argc, char **argv)
{
    static const char *const lists[] = {"strings", "padded_sd2", NULL};
    char folder[PATH_LENGTH];
    int code = 1;
    find_folder(argc, argv, folder);
    if (argc < 3 && access(folder, R_OK) != 0) {
        printf("skipped: %s is not there; run `sumi fetch clip-vocabulary`, or name the folder as "
               "the second argument\n",
               folder);
        return 0;
    }
    if (sumi_context_create(NULL, &program.context) != SUMI_OK) return 1;
    if (sumi_tokenizer_open(program.context, folder, &program.plain) == SUMI_OK
        && open_padded(folder))
        code = vectors_main_lists(argc, argv, "tokenizer.json", lists, check);
    else fprintf(stderr, "%s: %s\n", folder, sumi_context_message(program.context));
    sumi_tokenizer_free(program.plain);
    sumi_tokenizer_free(program.padded);
    sumi_context_free(program.context);
    return code;
}
