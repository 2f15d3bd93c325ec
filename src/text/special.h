/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of a tokenizer that stand for themselves wherever they are in a text: those that
   begin, end and pad it, and tokens added later. */
#ifndef SUMI_TEXT_SPECIAL_H
#define SUMI_TEXT_SPECIAL_H

#include "text/unicode.h"
#include "text/vocabulary.h"

struct added_token {
    char *text;
    struct points points; /* as unicode_clean gives it */
    int32_t id;
};

struct special {
    int32_t begin, end, pad, unknown;
    int64_t length; /* tokens of a text, with begin and end */
    struct added_token *added;
    int64_t count, capacity;
    json_object *config, *map; /* tokenizer_config.json and special_tokens_map.json, or NULL */
};

/* Reads tokenizer_config.json, special_tokens_map.json, added_tokens.json and the added tokens of
   tokenizer.json, which may all be missing: then they are those of CLIP. */
sumi_status special_read(const struct vocabulary *vocabulary, const char *folder,
                         struct special *special);
void special_release(sumi_context *context, struct special *special);

/* The longest added token that begins at points[at], or NULL. */
const struct added_token *special_at(const struct special *special, const struct points *points,
                                     int64_t at);

/* The added token of that id, or NULL. */
const struct added_token *special_of(const struct special *special, int32_t id);

#endif
