/* SPDX-License-Identifier: Apache-2.0 */
/* Reading vocabularies: vocab.json and merges.txt, or the model of a tokenizer.json. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "text/vocabulary.h"

enum { MERGES_FILE_LIMIT = 256 << 20, PLACE_SIZE = PATH_SIZE + 32 };

/* CLIP's list of merges was cut to this many, and files may have those that follow too. */
enum { CLIP_MERGES = 49152 - 256 - 2 };

/* ---- merges.txt ---- */

static int64_t count_lines(const char *text)
{
    int64_t lines = 1;
    for (; *text; text++) lines += *text == '\n';
    return lines < CLIP_MERGES ? lines : CLIP_MERGES;
}

/* One line, "left right". */
static sumi_status read_line(struct vocabulary *vocabulary, char *line, const char *path,
                             int64_t number)
{
    char where[PLACE_SIZE];
    char *blank = strchr(line, ' ');
    snprintf(where, sizeof where, "%s: line %lld", path, (long long)number);
    if (!blank || blank == line || !blank[1] || strchr(blank + 1, ' ')) {
        return context_fail(vocabulary->context, SUMI_ERROR_FORMAT,
                            "%s: should be two tokens with a blank between them", where);
    }
    *blank = 0;
    return vocabulary_add(vocabulary, line, blank + 1, where);
}

static sumi_status read_lines(struct vocabulary *vocabulary, char *text, const char *path)
{
    int64_t number = 0;
    for (char *line = text, *next; line && vocabulary->merge_count < CLIP_MERGES; line = next) {
        size_t length = strcspn(line, "\n");
        next = line[length] ? line + length + 1 : NULL;
        line[length] = 0;
        while (length && strchr(" \t\r", line[length - 1])) line[--length] = 0;
        bool header = number++ == 0 && strstr(line, "#version");
        if (length && !header) TRY(read_line(vocabulary, line, path, number));
    }
    return SUMI_OK;
}

static sumi_status read_pair(sumi_context *context, const char *tokens_path,
                             const char *merges_path, struct vocabulary **vocabulary)
{
    json_object *tokens = NULL;
    char *text = NULL;
    size_t size = 0;
    TRY(file_read(context, merges_path, MERGES_FILE_LIMIT, (void **)&text, &size));
    sumi_status status = json_read_file(context, tokens_path, &tokens);
    if (status == SUMI_OK && memchr(text, 0, size)) {
        status = context_fail(context, SUMI_ERROR_FORMAT,
                              "%s: contains a zero byte, so it is not a text", merges_path);
    }
    if (status == SUMI_OK)
        status = vocabulary_create(context, tokens, tokens_path, count_lines(text), vocabulary);
    if (status == SUMI_OK) status = read_lines(*vocabulary, text, merges_path);
    json_object_put(tokens);
    context_release(context, text);
    return status;
}

/* ---- tokenizer.json ---- */

/* A merge is a list of two tokens, in older files a text "left right". */
static sumi_status read_merge(struct vocabulary *vocabulary, json_object *merge, const char *where)
{
    char *copy = NULL;
    if (json_object_is_type(merge, json_type_array) && json_object_array_length(merge) == 2
        && json_object_is_type(json_object_array_get_idx(merge, 0), json_type_string)
        && json_object_is_type(json_object_array_get_idx(merge, 1), json_type_string)) {
        return vocabulary_add(vocabulary,
                              json_object_get_string(json_object_array_get_idx(merge, 0)),
                              json_object_get_string(json_object_array_get_idx(merge, 1)), where);
    }
    const char *text =
        json_object_is_type(merge, json_type_string) ? json_object_get_string(merge) : "";
    const char *blank = strchr(text, ' ');
    if (!blank || blank == text || !blank[1]) {
        return context_fail(vocabulary->context, SUMI_ERROR_FORMAT,
                            "%s: should be a list of two tokens", where);
    }
    copy = context_copy_text(vocabulary->context, text);
    if (!copy) return SUMI_ERROR_MEMORY;
    copy[blank - text] = 0;
    sumi_status status = vocabulary_add(vocabulary, copy, copy + (blank - text) + 1, where);
    context_release(vocabulary->context, copy);
    return status;
}

/* Refuses models that are not byte pairs with marked ends of words. */
static sumi_status check_model(sumi_context *context, json_object *model, const char *path)
{
    const char *type = "", *end = "";
    if (json_object_is_type(model, json_type_object)) {
        TRY(json_get_text(context, model, path, "type", &type));
        TRY(json_get_text(context, model, path, "end_of_word_suffix", &end));
    }
    if (strcmp(type, "BPE") == 0 && strcmp(end, WORD_END) == 0
        && json_object_is_type(json_object_object_get(model, "merges"), json_type_array))
        return SUMI_OK;
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s: its model should be one of byte pairs, of the type \"BPE\" with the "
                        "\"end_of_word_suffix\" \"%s\" and a list \"merges\"",
                        path, WORD_END);
}

static sumi_status read_model(sumi_context *context, json_object *file, const char *path,
                              struct vocabulary **vocabulary)
{
    char where[PLACE_SIZE];
    json_object *model =
        json_object_is_type(file, json_type_object) ? json_object_object_get(file, "model") : NULL;
    TRY(check_model(context, model, path));
    json_object *merges = json_object_object_get(model, "merges");
    size_t count = json_object_array_length(merges);
    TRY(vocabulary_create(context, json_object_object_get(model, "vocab"), path, (int64_t)count,
                          vocabulary));
    for (size_t i = 0; i < count; i++) {
        snprintf(where, sizeof where, "%s: merge %zu", path, i);
        TRY(read_merge(*vocabulary, json_object_array_get_idx(merges, i), where));
    }
    return SUMI_OK;
}

/* ---- Folders ---- */

static sumi_status read_whole(sumi_context *context, const char *path,
                              struct vocabulary **vocabulary)
{
    json_object *file = NULL;
    TRY(json_read_file(context, path, &file));
    sumi_status status = read_model(context, file, path, vocabulary);
    json_object_put(file);
    return status;
}

sumi_status vocabulary_open(sumi_context *context, const char *folder,
                            struct vocabulary **vocabulary)
{
    char tokens[PATH_SIZE], merges[PATH_SIZE], whole[PATH_SIZE];
    *vocabulary = NULL;
    TRY(path_join(context, folder, "vocab.json", tokens));
    TRY(path_join(context, folder, "merges.txt", merges));
    TRY(path_join(context, folder, "tokenizer.json", whole));
    sumi_status status;
    if (path_exists(tokens) || !path_exists(whole)) {
        status = read_pair(context, tokens, merges, vocabulary);
    } else {
        status = read_whole(context, whole, vocabulary);
    }
    if (status == SUMI_OK) return SUMI_OK;
    vocabulary_free(*vocabulary);
    *vocabulary = NULL;
    return status;
}
