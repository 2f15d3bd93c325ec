/* SPDX-License-Identifier: Apache-2.0 */
/* Merging the bytes of a word to tokens. */
#ifndef SUMI_TEXT_BYTE_PAIRS_H
#define SUMI_TEXT_BYTE_PAIRS_H

#include "text/vocabulary.h"

/* Memory for words of up to `capacity` bytes. */
struct byte_pairs {
    sumi_context *context;
    int64_t capacity, waiting_count;
    int32_t *ids, *previous, *next; /* [capacity]: the tokens, linked; -1 at the ends */
    struct waiting {
        int32_t rank, place, joined;
    } * waiting; /* [3 * capacity], a heap of merges, the next one first */
};

sumi_status byte_pairs_open(sumi_context *context, int64_t capacity, struct byte_pairs *pairs);
void byte_pairs_close(struct byte_pairs *pairs);

/* Replaces the first `count` of pairs->ids by what they merge to; returns how many. Merges are made
   by rank, those of one rank from the left. */
int64_t byte_pairs_merge(struct byte_pairs *pairs, const struct vocabulary *vocabulary,
                         int64_t count);

#endif
