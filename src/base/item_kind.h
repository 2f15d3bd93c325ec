/* SPDX-License-Identifier: Apache-2.0 */
/* What items are: the one place that says which kinds there are, what they are called, and which
   kind an array of numbers is taken for where nothing but its rank is known. */
#ifndef SUMI_BASE_ITEM_KIND_H
#define SUMI_BASE_ITEM_KIND_H

#include "sumi.h"

struct item_type {
    enum sumi_item_kind kind;
    const char *name;    /* "picture" */
    const char *words;   /* "pictures [height, width, channels]" */
    int rank;            /* of an item */
    const char *rows;    /* as data.items calls them; NULL where files have none */
    const char *network; /* the usual model.kind for them; NULL where there is none */
    const char *other;   /* another; NULL where there is none */
};

/* Never NULL for a member of the enumeration. */
const struct item_type *item_type_of(enum sumi_item_kind kind);

/* Finds by the name that data.items or model.kind has; NULL where there is none. */
const struct item_type *item_type_of_rows(const char *rows);
const struct item_type *item_type_of_network(const char *network);

/* Items of so many dimensions, where only their rank is known: points, signals, pictures or
   videos; NULL for any other rank. */
const struct item_type *item_type_of_rank(int rank);

#endif
