/* SPDX-License-Identifier: Apache-2.0 */
/* The emoji of Noto Color Emoji with their names in Unicode's common locale data, as a folder of
   captioned pictures: 0001.png ... and metadata.jsonl. */
#include <stdio.h>
#include <string.h>

#include "base/members.h"
#include "files/annotations.h"
#include "files/color_font.h"
#include "files/fetch.h"

enum { FILE_LIMIT = 1 << 26 };

struct emoji {
    sumi_context *context;
    const char *folder;
    struct color_font font;
    file_writer list; /* metadata.jsonl */
    int64_t count;
};

/* Adds a line {"file_name": ..., "text": ...}. */
static sumi_status add_line(struct emoji *emoji, const char *file, const char *name)
{
    json_object *line = json_object_new_object();
    bool complete = line && member_text(line, "file_name", file) && member_text(line, "text", name);
    sumi_status status = members_check(emoji->context, complete, emoji->list.path);
    if (status == SUMI_OK) {
        const char *text = json_object_to_json_string_ext(line, JSON_C_TO_STRING_NOSLASHESCAPE);
        status = file_writer_put(emoji->context, &emoji->list, text, strlen(text));
    }
    if (status == SUMI_OK) status = file_writer_put(emoji->context, &emoji->list, "\n", 1);
    json_object_put(line);
    return status;
}

/* Writes the picture of an annotation, if the font has one. */
static sumi_status add_picture(struct emoji *emoji, const struct annotation *annotation)
{
    char path[PATH_SIZE], file[32];
    const uint8_t *png = NULL;
    size_t size = 0;
    TRY(color_font_find(&emoji->font, annotation->characters, annotation->count, &png, &size));
    if (!png) return SUMI_OK;
    snprintf(file, sizeof file, "%04lld.png", (long long)++emoji->count);
    TRY(path_join(emoji->context, emoji->folder, file, path));
    TRY(file_write(emoji->context, path, png, size));
    return add_line(emoji, file, annotation->name);
}

static sumi_status add_pictures(struct emoji *emoji, const char *names)
{
    char path[PATH_SIZE];
    struct annotation annotation;
    void *text = NULL;
    size_t size = 0;
    TRY(path_join(emoji->context, emoji->folder, names, path));
    TRY(file_read(emoji->context, path, FILE_LIMIT, &text, &size));
    const char *place = text;
    sumi_status status = SUMI_OK;
    while (status == SUMI_OK && annotation_next(&place, &annotation))
        status = add_picture(emoji, &annotation);
    context_release(emoji->context, text);
    return status;
}

static sumi_status make(struct emoji *emoji, const char *list)
{
    TRY(file_writer_open(emoji->context, &emoji->list, list));
    sumi_status status = add_pictures(emoji, "annotations.xml");
    if (status == SUMI_OK) status = add_pictures(emoji, "annotations_derived.xml");
    if (status == SUMI_OK) return file_writer_commit(emoji->context, &emoji->list);
    file_writer_abandon(&emoji->list);
    return status;
}

sumi_status emoji_make(sumi_context *context, const char *folder)
{
    char font[PATH_SIZE], list[PATH_SIZE];
    struct emoji emoji = {.context = context, .folder = folder};
    void *bytes = NULL;
    size_t size = 0;
    TRY(path_join(context, folder, "metadata.jsonl", list)); /* written last */
    if (path_exists(list)) return SUMI_OK;
    TRY(path_join(context, folder, "NotoColorEmoji.ttf", font));
    TRY(file_read(context, font, FILE_LIMIT, &bytes, &size));
    sumi_status status = color_font_parse(context, bytes, size, font, &emoji.font);
    if (status == SUMI_OK) status = make(&emoji, list);
    context_release(context, bytes);
    return status;
}
