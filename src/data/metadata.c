/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of pictures with captions, as the Hub's ImageFolder has them: metadata.jsonl, a JSON object
   in each line, or metadata.csv, a table. Both name pictures relative to their folder. */
#include <string.h>

#include "base/json.h"
#include "data/pictures.h"
#include "files/text_table.h"

#define PICTURE_KEY "file_name"

static const char *const usual_keys[] = {"text", "caption", "prompt", NULL};

bool is_list_name(const char *name)
{
    return path_has_ending(name, ".jsonl") || path_has_ending(name, ".csv")
           || path_has_ending(name, ".tsv");
}

sumi_status pictures_find_list(sumi_context *context, const char *folder, char path[PATH_SIZE],
                               bool *found)
{
    static const char *const names[] = {"metadata.jsonl", "metadata.csv"};
    for (int i = 0; i < 2; i++) {
        TRY(path_join(context, folder, names[i], path));
        *found = path_exists(path);
        if (*found) return SUMI_OK;
    }
    return SUMI_OK;
}

/* What the rows of a list are read to. */
struct list {
    sumi_data *data;
    const char *path, *key; /* key: of captions, "auto" or NULL for none */
    char folder[PATH_SIZE];
    struct pictures *pictures;
};

/* Whether a relative path stays in its folder. */
static bool stays_inside(const char *path)
{
    if (path[0] == '/' || !path[0]) return false;
    for (const char *part = path; part; part = strchr(part, '/')) {
        if (*part == '/') part++;
        if (strncmp(part, "..", 2) == 0 && (!part[2] || part[2] == '/')) return false;
    }
    return true;
}

static sumi_status add_row(const struct list *list, int64_t line, const char *name,
                           const char *caption)
{
    sumi_context *context = list->data->context;
    char path[PATH_SIZE], source[PATH_SIZE + 32];
    if (!stays_inside(name) || !is_picture_name(name)) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: line %lld: \"" PICTURE_KEY "\" should be a picture (.png, .jpg or "
                            ".jpeg) in the folder of the list, not \"%.200s\"",
                            list->path, (long long)line, name);
    }
    TRY(path_join(context, list->folder, name, path));
    if (!path_exists(path)) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: line %lld: there is no picture %s",
                            list->path, (long long)line, path);
    }
    int64_t index = list->pictures->count;
    TRY(pictures_add(context, list->pictures, path, -1));
    if (!list->key) return SUMI_OK;
    snprintf(source, sizeof source, "%s: line %lld", list->path, (long long)line);
    return caption_add(list->data, index, caption ? caption : "", source);
}

static sumi_status fail_key(const struct list *list, int64_t line)
{
    bool usual = strcmp(list->key, "auto") == 0;
    return context_fail(list->data->context, SUMI_ERROR_FORMAT,
                        "%s: line %lld: has no caption %s%.80s%s; name its key or column with "
                        "data.caption_key",
                        list->path, (long long)line, usual ? "" : "\"",
                        usual ? "(text, caption or prompt)" : list->key, usual ? "" : "\"");
}

/* ---- Tables ---- */

static int64_t find_column(const struct text_table *table, const char *key)
{
    if (strcmp(key, "auto") != 0) return text_table_column(table, key);
    for (int i = 0; usual_keys[i]; i++) {
        int64_t column = text_table_column(table, usual_keys[i]);
        if (column >= 0) return column;
    }
    return -1;
}

static sumi_status read_rows(const struct list *list, const struct text_table *table)
{
    int64_t picture = text_table_column(table, PICTURE_KEY), caption = -1;
    if (picture < 0) {
        return context_fail(list->data->context, SUMI_ERROR_FORMAT,
                            "%s: line 1: there is no column \"" PICTURE_KEY "\"", list->path);
    }
    if (list->key) caption = find_column(table, list->key);
    if (list->key && caption < 0) return fail_key(list, 1);
    for (int64_t i = 0; i < table->rows; i++) {
        TRY(add_row(list, i + 2, text_table_get(table, i, picture),
                    caption < 0 ? NULL : text_table_get(table, i, caption)));
    }
    return SUMI_OK;
}

static sumi_status read_table(const struct list *list)
{
    struct text_table table;
    TRY(text_table_read(list->data->context, list->path, &table));
    sumi_status status = read_rows(list, &table);
    text_table_release(list->data->context, &table);
    return status;
}

/* ---- Lines of JSON ---- */

static sumi_status read_caption(const struct list *list, json_object *object, const char *source,
                                int64_t line, const char **caption)
{
    bool usual = list->key && strcmp(list->key, "auto") == 0;
    if (!list->key) return SUMI_OK;
    if (!usual) TRY(json_get_text(list->data->context, object, source, list->key, caption));
    for (int i = 0; usual && usual_keys[i] && !*caption; i++)
        TRY(json_get_text(list->data->context, object, source, usual_keys[i], caption));
    return *caption ? SUMI_OK : fail_key(list, line);
}

static sumi_status read_object(const struct list *list, json_object *object, const char *source,
                               int64_t line)
{
    const char *name = NULL, *caption = NULL;
    if (!json_object_is_type(object, json_type_object)) {
        return context_fail(list->data->context, SUMI_ERROR_FORMAT,
                            "%s: should be a JSON object, {...}", source);
    }
    TRY(json_get_text(list->data->context, object, source, PICTURE_KEY, &name));
    if (!name) {
        return context_fail(list->data->context, SUMI_ERROR_FORMAT,
                            "%s: there is no \"" PICTURE_KEY "\"", source);
    }
    TRY(read_caption(list, object, source, line, &caption));
    return add_row(list, line, name, caption);
}

static sumi_status read_line(const struct list *list, const char *text, size_t size, int64_t line)
{
    char source[PATH_SIZE + 32];
    json_object *object = NULL;
    size_t blanks = strspn(text, " \t\r");
    if (blanks >= size) return SUMI_OK;
    snprintf(source, sizeof source, "%s: line %lld", list->path, (long long)line);
    TRY(json_parse(list->data->context, text, size, source, &object));
    sumi_status status = read_object(list, object, source, line);
    json_object_put(object);
    return status;
}

static sumi_status read_lines(const struct list *list)
{
    static const size_t FILE_LIMIT = (size_t)1 << 32;
    void *bytes = NULL;
    size_t size = 0;
    TRY(file_read(list->data->context, list->path, FILE_LIMIT, &bytes, &size));
    const char *text = bytes, *end = text + size;
    sumi_status status = SUMI_OK;
    for (int64_t line = 1; text < end && status == SUMI_OK; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop) stop = end;
        status = read_line(list, text, (size_t)(stop - text), line);
        text = stop + 1;
    }
    context_release(list->data->context, bytes);
    return status;
}

sumi_status pictures_read_list(sumi_data *data, const char *path, const char *key,
                               struct pictures *pictures)
{
    struct list list = {.data = data, .path = path, .key = key, .pictures = pictures};
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) : 1;
    snprintf(list.folder, sizeof list.folder, "%.*s", length, slash ? path : ".");
    return path_has_ending(path, ".jsonl") ? read_lines(&list) : read_table(&list);
}
