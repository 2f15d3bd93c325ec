/* SPDX-License-Identifier: Apache-2.0 */
/* A unigram vocabulary of SentencePiece (Kudo 2018): pieces of texts with the logarithms of their
   probabilities, and the rules by which texts are normalised before they are cut into pieces. It
   is read from a spiece.model (pieces_file.c) or a tokenizer.json (pieces_json.c). */
#ifndef SUMI_TEXT_PIECES_H
#define SUMI_TEXT_PIECES_H

#include "base/context.h"

/* What a piece is, by the numbers of spiece.model. Only normal and user-defined ones are found in
   texts. */
enum piece_kind {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN,
    PIECE_CONTROL,
    PIECE_USER,
    PIECE_UNUSED,
    PIECE_BYTE
};

struct piece {
    const char *text; /* [size] */
    int32_t size;
    enum piece_kind kind;
    double score;
};

/* Replacements of the beginnings of texts, as SentencePiece stores them: a double array trie of
   bytes (Aoe 1989), whose values are places in a list of texts. */
struct charsmap {
    uint32_t *units; /* [count] */
    int64_t count;
    char *texts; /* [size], each ends with a zero byte */
    size_t size;
};

struct pieces {
    sumi_context *context;
    struct piece *at; /* [count], by id */
    int64_t count, capacity;
    char *memory; /* [used] of the pieces' texts */
    size_t used, size;
    int32_t *slots; /* [slot_count], a hash table of ids; -1: free */
    int64_t slot_count;
    int32_t unknown, longest; /* id of what is not in the vocabulary; bytes of the longest piece */
    double least, most;       /* scores of normal pieces */
    struct charsmap charsmap;
    bool prefix, collapse; /* a blank before texts; runs of blanks as one, none at the ends */
};

/* U+2581, which stands for a blank. */
extern const char PIECE_BLANK[];
enum { PIECE_BLANK_SIZE = 3, PIECES_LIMIT = 1 << 22 };

/* Reads a spiece.model. */
sumi_status pieces_open_model(sumi_context *context, const char *path, struct pieces **pieces);
/* Reads the model of a tokenizer.json, whose object is given; `source` names it in messages. */
struct json_object;
sumi_status pieces_read_json(sumi_context *context, struct json_object *object, const char *source,
                             struct pieces **pieces);
void pieces_free(struct pieces *pieces); /* accepts NULL */

/* The id of a piece, or -1. */
int32_t pieces_find(const struct pieces *pieces, const char *text, size_t size);

/* ---- Making one (pieces.c) ---- */

/* Creates an empty one for `count` pieces whose texts have `size` bytes together. */
sumi_status pieces_create(sumi_context *context, const char *source, int64_t count, size_t size,
                          struct pieces **pieces);
/* Adds the next piece; refuses one that is there already. */
sumi_status pieces_add(struct pieces *pieces, const char *source, const struct piece *piece);
/* After the last piece: checks that there is an unknown one. */
sumi_status pieces_finish(struct pieces *pieces, const char *source);

/* Reads the replacements from the bytes of a precompiled_charsmap; none for no bytes. */
sumi_status charsmap_read(sumi_context *context, const char *source, const uint8_t *bytes,
                          size_t size, struct charsmap *charsmap);
void charsmap_release(sumi_context *context, struct charsmap *charsmap);

/* The replacement of the longest beginning of text[size] that has one; *used receives the bytes of
   that beginning. NULL where there is none. */
const char *charsmap_find(const struct charsmap *charsmap, const char *text, size_t size,
                          size_t *used);

/* ---- Texts (unigram.c) ---- */

/* Ids of the pieces of a text with the largest sum of scores, in new memory; neighbouring pieces
   that are unknown are one. `what` names the text in messages. */
sumi_status pieces_split(sumi_context *context, const struct pieces *pieces, const char *what,
                         const char *text, size_t size, int32_t **ids, int64_t *count);

#endif
