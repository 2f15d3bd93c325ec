/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizers: from a text to the numbers of its tokens, and back. CLIPTokenizer of the transformers
   library, whose fast form is the reference: texts are cleaned (unicode.h), added tokens are cut
   out (special.h), the rest is split into words (split.c), and the bytes of each are merged
   (byte_pairs.h). */
#ifndef SUMI_TEXT_TOKENIZER_H
#define SUMI_TEXT_TOKENIZER_H

#include "text/special.h"

struct sumi_tokenizer {
    sumi_context *context;
    struct vocabulary *vocabulary;
    struct special special;
};

/* Ids of tokens, owned by the list. */
struct token_list {
    int32_t *ids; /* [count] */
    int64_t count;
};

/* All tokens of a text without those that begin and end one. `what` names the text in messages. */
sumi_status tokenizer_split(sumi_context *context, const sumi_tokenizer *tokenizer,
                            const char *what, const char *text, size_t size,
                            struct token_list *tokens);
void token_list_release(sumi_context *context, struct token_list *tokens);

/* sumi_tokenizer_decode with the context of the caller. */
sumi_status tokenizer_words(sumi_context *context, const sumi_tokenizer *tokenizer, int64_t count,
                            const int32_t *ids, char **text);

/* The number of rows of an embedding that has all tokens. */
int64_t tokenizer_rows(const sumi_tokenizer *tokenizer);

/* ---- Words (split.c) ---- */

/* The end of the word that begins at points[at], which is not white space, among those before
   `limit`: a contraction after an apostrophe, letters, one number, or a run of anything else. */
int64_t split_word(const struct points *points, int64_t at, int64_t limit);

#endif
