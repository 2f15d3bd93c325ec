/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts: stretches of a text with weights, "a (red:1.3) circle", and the tokens of a whole prompt
   in chunks of the length that a text encoder takes. */
#ifndef SUMI_TEXT_PROMPT_H
#define SUMI_TEXT_PROMPT_H

#include "text/tokenizer.h"

/* ---- Weights (weights.c) ---- */

struct stretch {
    size_t first, end; /* of the text, in bytes */
    double weight;
};

struct stretches {
    char *text; /* without the marks of weights */
    struct stretch *items;
    int64_t count, capacity;
};

/* Cuts a prompt into its stretches. "(words:1.3)" are words of weight 1.3; within such a stretch
   weights multiply. Parentheses without a number are text, as "\(" and "\)" are everywhere. */
sumi_status stretches_read(sumi_context *context, const char *prompt, struct stretches *stretches);
void stretches_release(sumi_context *context, struct stretches *stretches);

/* ---- Chunks (prompt.c) ---- */

struct prompt_rules {
    int64_t length; /* tokens of a chunk, with those that begin and end it */
    bool weights;   /* read weights, which are text otherwise */
    bool chunks;    /* as many chunks as needed, instead of the first alone with a warning */
};

struct prompt {
    int64_t chunks;
    int32_t *ids;   /* [chunks, length] */
    float *weights; /* [chunks, length] */
    bool weighted;  /* whether a weight is not 1 */
};

/* The tokens of a prompt, at least one chunk. */
sumi_status prompt_read(sumi_context *context, const sumi_tokenizer *tokenizer,
                        const struct prompt_rules *rules, const char *text, struct prompt *prompt);
/* Adds chunks without text until there are `chunks`. */
sumi_status prompt_extend(sumi_context *context, const sumi_tokenizer *tokenizer, int64_t length,
                          int64_t chunks, struct prompt *prompt);
void prompt_release(sumi_context *context, struct prompt *prompt);

#endif
