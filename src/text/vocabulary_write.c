/* SPDX-License-Identifier: Apache-2.0 */
/* Writing vocabularies; see vocabulary_write.h. */
#include "text/vocabulary_write.h"

#include <string.h>

#include "base/file.h"
#include "base/members.h"
#include "text/vocabulary.h"

static const char HEADER[] = "#version: 0.2\n";
static const char *const ENDS[] = {"<|startoftext|>", "<|endoftext|>"};

/* ---- vocab.json ---- */

/* Adds the bytes in the order of their characters: the printed ones come first. */
static bool add_bytes(json_object *tokens, bool last, int64_t *id)
{
    for (int printed = 1; printed >= 0; printed--) {
        for (int byte = 0; byte < 256; byte++) {
            char text[BYTE_TEXT];
            if ((byte_of_point(byte) == byte) != (printed == 1)) continue;
            byte_to_text(byte, last, text);
            if (!member_whole(tokens, text, (*id)++)) return false;
        }
    }
    return true;
}

/* Two merges may give the same token, which has one id. */
static sumi_status add_merge(sumi_context *context, json_object *tokens,
                             const struct merge_text *merge, int64_t *id)
{
    size_t left = strlen(merge->left), right = strlen(merge->right);
    char *joined = context_allocate(context, left + right + 1, 1);
    if (!joined) return SUMI_ERROR_MEMORY;
    memcpy(joined, merge->left, left);
    memcpy(joined + left, merge->right, right + 1);
    bool added =
        json_object_object_get_ex(tokens, joined, NULL) || member_whole(tokens, joined, (*id)++);
    context_release(context, joined);
    return members_check(context, added, "vocab.json");
}

static sumi_status add_tokens(sumi_context *context, json_object *tokens,
                              const struct merge_text *merges, int64_t count)
{
    int64_t id = 0;
    bool added = tokens && add_bytes(tokens, false, &id) && add_bytes(tokens, true, &id);
    TRY(members_check(context, added, "vocab.json"));
    for (int64_t i = 0; i < count; i++) TRY(add_merge(context, tokens, &merges[i], &id));
    added = member_whole(tokens, ENDS[0], id) && member_whole(tokens, ENDS[1], id + 1);
    return members_check(context, added, "vocab.json");
}

static sumi_status write_tokens(sumi_context *context, const char *folder,
                                const struct merge_text *merges, int64_t count)
{
    char path[PATH_SIZE], *text = NULL;
    json_object *tokens = json_object_new_object();
    TRY(path_join(context, folder, "vocab.json", path));
    sumi_status status = add_tokens(context, tokens, merges, count);
    if (status == SUMI_OK) status = json_to_text(context, tokens, &text);
    if (status == SUMI_OK) status = file_write(context, path, text, strlen(text));
    json_object_put(tokens);
    context_release(context, text);
    return status;
}

/* ---- merges.txt ---- */

static sumi_status put_text(sumi_context *context, file_writer *writer, const char *text)
{
    return file_writer_put(context, writer, text, strlen(text));
}

static sumi_status put_merges(sumi_context *context, file_writer *writer,
                              const struct merge_text *merges, int64_t count)
{
    TRY(put_text(context, writer, HEADER));
    for (int64_t i = 0; i < count; i++) {
        TRY(put_text(context, writer, merges[i].left));
        TRY(put_text(context, writer, " "));
        TRY(put_text(context, writer, merges[i].right));
        TRY(put_text(context, writer, "\n"));
    }
    return SUMI_OK;
}

sumi_status vocabulary_write_merges(sumi_context *context, const char *folder,
                                    const struct merge_text *merges, int64_t count)
{
    char path[PATH_SIZE];
    file_writer writer;
    TRY(path_join(context, folder, "merges.txt", path));
    TRY(file_writer_open(context, &writer, path));
    sumi_status status = put_merges(context, &writer, merges, count);
    if (status == SUMI_OK) status = file_writer_commit(context, &writer);
    file_writer_abandon(&writer);
    return status;
}

sumi_status vocabulary_write(sumi_context *context, const char *folder,
                             const struct merge_text *merges, int64_t count)
{
    TRY(folder_make(context, folder));
    TRY(vocabulary_write_merges(context, folder, merges, count));
    return write_tokens(context, folder, merges, count);
}
