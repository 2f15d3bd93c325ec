/* SPDX-License-Identifier: Apache-2.0 */
/* T5Tokenizer: from a text to the numbers of its pieces, which end with </s>, and back. The folder
   has a spiece.model, or a tokenizer.json as the transformers library writes it. */
#ifndef SUMI_TEXT_T5_TOKENIZER_H
#define SUMI_TEXT_T5_TOKENIZER_H

#include "text/pieces.h"

struct t5_special;

struct t5_tokenizer {
    sumi_context *context;
    struct pieces *pieces;
    struct t5_special *special; /* [special_count], that stand for themselves in texts */
    int64_t special_count;
    int32_t end, pad;
};

sumi_status t5_tokenizer_open(sumi_context *context, const char *folder,
                              struct t5_tokenizer **tokenizer);
void t5_tokenizer_free(struct t5_tokenizer *tokenizer); /* accepts NULL */

/* The number of rows of an embedding that has all tokens. */
int64_t t5_tokenizer_rows(const struct t5_tokenizer *tokenizer);

/* All tokens of a text without the end, in new memory. `what` names the text in messages. */
sumi_status t5_tokenizer_split(sumi_context *context, const struct t5_tokenizer *tokenizer,
                               const char *what, const char *text, size_t size, int32_t **ids,
                               int64_t *count);

/* Writes ids[length]: the tokens, as many as fit with the end behind them, then padding;
   mask[length] is 1 for all but the padding, or NULL. *cut receives how many did not fit, or is
   NULL. */
sumi_status t5_tokenizer_encode(sumi_context *context, const struct t5_tokenizer *tokenizer,
                                const char *text, size_t size, int64_t length, int32_t *ids,
                                float *mask, int64_t *cut);

/* The text of tokens without special ones, as a new one with a zero byte behind it. */
sumi_status t5_tokenizer_decode(sumi_context *context, const struct t5_tokenizer *tokenizer,
                                int64_t count, const int32_t *ids, char **text);

#endif
