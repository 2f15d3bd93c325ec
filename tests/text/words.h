/* SPDX-License-Identifier: Apache-2.0 */
/* A small vocabulary of bytes and a few merges, in a folder of its own. */
#ifndef TESTS_TEXT_WORDS_H
#define TESTS_TEXT_WORDS_H

#include "scratch.h"
#include "text/vocabulary_write.h"

/* Ids from 512 on: "ca", "cat</w>", "to", "toe" of rank 0 to 3 ...; see words_merges. */
static const struct merge_text words_merges[] = {
    {"c", "a"}, {"ca", "t</w>"}, {"t", "o"}, {"to", "e"}, {"e", "e"},
};
enum {
    WORDS_MERGES = sizeof words_merges / sizeof *words_merges,
    WORDS_CA = 512,
    WORDS_CAT,
    WORDS_TO,
    WORDS_TOE,
    WORDS_EE,
    WORDS_BEGIN,
    WORDS_END
};

static inline void words_write_file(scratch *room, const char *name, const char *text)
{
    FILE *file = fopen(scratch_path(room, name), "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Writes the vocabulary to the scratch folder. */
static inline void words_write(scratch *room)
{
    CHECK_OK(room->context,
             vocabulary_write(room->context, room->folder, words_merges, WORDS_MERGES));
}

#endif
