/* SPDX-License-Identifier: Apache-2.0 */
/* A vocabulary of byte pairs (Sennrich et al. 2016; on bytes as in GPT-2): tokens by id, and the
   merges of two tokens into one, by rank. In its files, vocab.json and merges.txt or
   tokenizer.json, each byte is written as one printable character, and "</w>" follows the last one
   of a word. */
#ifndef SUMI_TEXT_VOCABULARY_H
#define SUMI_TEXT_VOCABULARY_H

#include "base/json.h"

enum { VOCABULARY_LIMIT = 1 << 22 }; /* tokens */

/* Tokens `left` and `right`, next to each other, become `joined`; the lowest rank comes first. */
struct merge {
    int32_t left, right, joined, rank;
};

struct vocabulary {
    sumi_context *context;
    char **tokens; /* [count], as in the file */
    int64_t count;
    int32_t *slots;       /* [slot_count], a hash table of ids; -1: free */
    struct merge *merges; /* [merge_slots], a hash table by both parts; rank -1: free */
    int64_t slot_count, merge_slots, merge_count;
    int32_t bytes[2][256]; /* ids of single bytes, [1] at the end of a word; -1: none */
};

/* Reads vocab.json and merges.txt of a folder, or tokenizer.json if these are not there. */
sumi_status vocabulary_open(sumi_context *context, const char *folder,
                            struct vocabulary **vocabulary);
void vocabulary_free(struct vocabulary *vocabulary); /* accepts NULL */

/* The id of a token, -1 if there is none. */
int32_t vocabulary_find(const struct vocabulary *vocabulary, const char *token);

/* The merge of two tokens, or NULL. */
const struct merge *vocabulary_merge(const struct vocabulary *vocabulary, int32_t left,
                                     int32_t right);

/* ---- Making one (vocabulary.c) ---- */

/* Creates one from an object {token: id} with the ids 0 to count - 1 and space for `merges`. */
sumi_status vocabulary_create(sumi_context *context, json_object *tokens, const char *source,
                              int64_t merges, struct vocabulary **vocabulary);
/* Adds the merge of the next rank; all three tokens must be there. `where` names it in messages. */
sumi_status vocabulary_add(struct vocabulary *vocabulary, const char *left, const char *right,
                           const char *where);

/* ---- Bytes as characters (bytes.c) ---- */

extern const char WORD_END[]; /* "</w>" */
enum { BYTE_TEXT = 16 };

/* The character of a byte as UTF-8, with WORD_END if `last`. */
void byte_to_text(int byte, bool last, char text[BYTE_TEXT]);
/* The byte of a character, -1 for a character that stands for none. */
int byte_of_point(int32_t point);

#endif
