/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary of CLIP (Radford et al. 2021) from the text that its authors published, a list of
   merges of which CLIP uses the first 48,894. */
#include <string.h>

#include "base/file.h"
#include "files/fetch.h"
#include "files/gunzip.h"
#include "text/vocabulary_write.h"

static const char SOURCE[] = "bpe_simple_vocab_16e6.txt.gz";
enum { MERGES = 49152 - 256 - 2, TEXT_SIZE = 524645 }; /* bytes of the header and these lines */

static sumi_status inflate_text(const byte_source *source, char *text)
{
    gunzip *file = context_allocate(source->context, 1, sizeof *file);
    if (!file) return SUMI_ERROR_MEMORY;
    sumi_status status = gunzip_open(file, source);
    if (status == SUMI_OK) {
        status = gunzip_read(file, text, TEXT_SIZE);
        gunzip_close(file);
    }
    context_release(source->context, file);
    return status;
}

/* Cuts the text after the header into lines "left right" and these into two; returns how many lines
   there are before one that is none. */
static int64_t cut(char *text, struct merge_text *merges)
{
    char *line = strchr(text, '\n');
    int64_t count = 0;
    while (line && *++line && count < MERGES) {
        char *blank = strchr(line, ' '), *end = strchr(line, '\n');
        if (!blank || !end || blank > end) break;
        *blank = *end = 0;
        merges[count++] = (struct merge_text){line, blank + 1};
        line = end;
    }
    return count;
}

static sumi_status convert(const byte_source *source, const char *folder, char *text,
                           struct merge_text *merges)
{
    sumi_context *context = source->context;
    TRY(inflate_text(source, text));
    text[TEXT_SIZE] = 0;
    if (cut(text, merges) == MERGES) return vocabulary_write(context, folder, merges, MERGES);
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: should have %d lines of two tokens",
                        source->name, MERGES);
}

static sumi_status make(sumi_context *context, const char *folder, const char *path)
{
    byte_source source;
    char *text = context_allocate(context, TEXT_SIZE + 1, 1);
    struct merge_text *merges = context_allocate(context, MERGES, sizeof *merges);
    sumi_status status = text && merges ? source_open(context, path, &source) : SUMI_ERROR_MEMORY;
    if (text && merges) {
        if (status == SUMI_OK) status = convert(&source, folder, text, merges);
        source_close(&source);
    }
    context_release(context, text);
    context_release(context, merges);
    return status;
}

sumi_status clip_vocabulary_make(sumi_context *context, const char *folder)
{
    char path[PATH_SIZE], tokens[PATH_SIZE];
    TRY(path_join(context, folder, SOURCE, path));
    TRY(path_join(context, folder, "vocab.json", tokens)); /* written last */
    return path_exists(tokens) ? SUMI_OK : make(context, folder, path);
}
