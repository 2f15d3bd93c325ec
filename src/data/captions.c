/* SPDX-License-Identifier: Apache-2.0 */
/* Captions of items: the texts that stand beside pictures, and the batches of them for training. */
#include <string.h>

#include "base/philox.h"
#include "base/text.h"
#include "data/buckets.h"
#include "data/pictures.h"

#define CAPTIONED "data.kind=folder|webdataset"

const struct option data_caption_keys[] = {
    {FLAG_OPTION("data.captions", "no",
                 "read a caption for each picture: from a list (metadata.jsonl, metadata.csv, or "
                 "data.path itself), else from the .txt file beside it"),
     .when = CAPTIONED},
    {TEXT_OPTION("data.caption_key", "auto",
                 "the column or key of a list that has the caption; auto: text, caption or prompt"),
     .when = CAPTIONED ", data.captions=yes"},
    {NUMBER_OPTION("data.caption_dropout", "0", 0, 1,
                   "share of the captions that training replaces by an empty one"),
     .when = CAPTIONED ", data.captions=yes"},
    {.name = NULL},
};

sumi_status caption_add(sumi_data *data, int64_t index, const char *text, const char *source)
{
    static const char blanks[] = " \t\r\n";
    size_t length = strlen(text);
    if (!text_is_utf8(text, length)) {
        return context_fail(data->context, SUMI_ERROR_FORMAT,
                            "%s: the caption is not UTF-8; convert it, for example with iconv",
                            source);
    }
    text += strspn(text, blanks);
    char *copy = context_copy_text(data->context, text);
    if (!copy) return SUMI_ERROR_MEMORY;
    for (length = strlen(copy); length && strchr(blanks, copy[length - 1]);) copy[--length] = 0;
    for (char *c = copy; *c; c++)
        if (strchr(blanks, *c)) *c = ' ';
    sumi_status status = names_set(data->context, &data->captions, index, copy);
    context_release(data->context, copy);
    return status;
}

/* ---- Texts beside pictures ---- */

static sumi_status read_beside(sumi_data *data, const char *picture, int64_t index, bool *found)
{
    enum { CAPTION_LIMIT = 1 << 20 };
    char path[PATH_SIZE];
    const char *dot = strrchr(picture, '.');
    void *bytes = NULL;
    size_t size = 0;
    int length = snprintf(path, sizeof path, "%.*s.txt", (int)(dot - picture), picture);
    *found = length < PATH_SIZE && path_exists(path);
    if (!*found) return SUMI_OK;
    TRY(file_read(data->context, path, CAPTION_LIMIT, &bytes, &size));
    sumi_status status = caption_add(data, index, bytes, path);
    context_release(data->context, bytes);
    return status;
}

sumi_status captions_read_beside(sumi_data *data, const struct pictures *pictures)
{
    int64_t missing = 0, first = -1;
    for (int64_t i = 0; i < pictures->count; i++) {
        bool found = false;
        TRY(read_beside(data, pictures->items[i].path, i, &found));
        if (found) continue;
        if (first < 0) first = i;
        missing++;
    }
    if (missing == pictures->count) {
        return context_fail(data->context, SUMI_ERROR_FORMAT,
                            "%s: data.captions = yes, but there are no captions: no metadata.jsonl "
                            "or metadata.csv, and no .txt file beside a picture",
                            data->name);
    }
    if (missing) {
        context_warn(data->context,
                     "%lld of %lld pictures, the first %s, have no caption; they are trained with "
                     "an empty one",
                     (long long)missing, (long long)pictures->count, pictures->items[first].path);
    }
    return SUMI_OK;
}

/* ---- Reading ---- */

const char *sumi_data_caption(const sumi_data *data, int64_t index)
{
    if (index < 0 || index >= data->count) return NULL;
    if (data->whole) return sumi_data_caption(data->whole, data->numbers[index]); /* of a bucket */
    if (!data->captions.count) return NULL;
    const char *caption = names_get(&data->captions, index);
    return caption ? caption : "";
}

sumi_status sumi_data_set_captions(sumi_data *data, const char *const *captions)
{
    sumi_status status = SUMI_OK;
    names_release(data->context, &data->captions);
    for (int64_t i = 0; i < data->count && status == SUMI_OK; i++) {
        char source[64];
        snprintf(source, sizeof source, "caption %lld", (long long)i);
        status = caption_add(data, i, captions[i] ? captions[i] : "", source);
    }
    if (status != SUMI_OK) names_release(data->context, &data->captions);
    return status;
}

/* Whether training takes an empty caption at a place. */
static bool is_dropped(const sumi_data *data, uint64_t seed, int64_t position)
{
    double share = (data->whole ? data->whole : data)->caption_dropout;
    if (share == 0) return false;
    const philox_stream stream = {seed, PURPOSE_CAPTION_DROPOUT, 0};
    return philox_uniform(&stream, (uint64_t)position) < share;
}

void data_batch_captions(sumi_data *data, uint64_t seed, int64_t step, int64_t batch,
                         const char **captions)
{
    int64_t first = buckets_place(data, step) * batch;
    for (int64_t i = 0; i < batch; i++) {
        int64_t position = first + i;
        bool dropped = is_dropped(data, seed, position);
        captions[i] = dropped ? "" : sumi_data_caption(data, data_place(data, seed, position));
    }
}
