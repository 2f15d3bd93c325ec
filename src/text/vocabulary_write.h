/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a vocabulary of byte pairs as the files that CLIP's tokenizer reads. */
#ifndef SUMI_TEXT_VOCABULARY_WRITE_H
#define SUMI_TEXT_VOCABULARY_WRITE_H

#include "base/context.h"

/* The two tokens of a merge, as in files. */
struct merge_text {
    const char *left, *right;
};

/* Writes vocab.json and merges.txt to a folder, which is made. The ids are those of CLIP: the 256
   bytes in the order of their characters, the same at the end of a word, the merges in the order of
   `merges`, and the tokens that begin and end a text. */
sumi_status vocabulary_write(sumi_context *context, const char *folder,
                             const struct merge_text *merges, int64_t count);

/* Writes merges.txt alone. */
sumi_status vocabulary_write_merges(sumi_context *context, const char *folder,
                                    const struct merge_text *merges, int64_t count);

#endif
