/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the kinds of items: their names, and the default kind for arrays of which only the
   rank is known. */
#ifndef SUMI_BASE_ITEM_KIND_H
#define SUMI_BASE_ITEM_KIND_H

#include "sumi.h"

struct item_type {
    enum sumi_item_kind kind;
    const char *name;      /* "picture" */
    const char *words;     /* "pictures [height, width, channels]" */
    int rank;              /* of an item */
    const char *rows;      /* name in data.items; NULL where files have none */
    const char *network;   /* the usual model.kind for them; NULL where there is none */
    const char *others[4]; /* others, up to a NULL */
};

/* Never NULL for a member of the enumeration. */
const struct item_type *item_type_of(enum sumi_item_kind kind);

/* Finds a kind by its name in data.items or by a model.kind; NULL where there is none. */
const struct item_type *item_type_of_rows(const char *rows);
const struct item_type *item_type_of_network(const char *network);

/* The default kind for a rank: points, signals, pictures or videos; NULL for any other rank. */
const struct item_type *item_type_of_rank(int rank);

#endif
