/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds of items; see item_kind.h. */
#include "base/item_kind.h"

#include <string.h>

/* The usual kind of each rank comes first. */
static const struct item_type types[] = {
    {SUMI_POINTS, "point", "points [numbers]", 1, "points", "mlp", {NULL}},
    {SUMI_SIGNAL, "signal", "signals [length, channels]", 2, "signals", "unet1d", {NULL}},
    {SUMI_PICTURE,
     "picture",
     "pictures [height, width, channels]",
     3,
     "images",
     "unet2d",
     {"dit", "mmdit", "autoencoder"}},
    {SUMI_VIDEO, "video", "videos [frames, height, width, channels]", 4, NULL, NULL, {NULL}},
    {SUMI_SEQUENCE, "sequence", "sequences [length, channels]", 2, NULL, NULL, {NULL}},
    {SUMI_SET, "set", "sets [members, numbers]", 2, NULL, NULL, {NULL}},
    {SUMI_FIELD, "field", "fields [height, width, channels]", 3, NULL, NULL, {NULL}},
};
enum { TYPES = sizeof types / sizeof *types };

const struct item_type *item_type_of(enum sumi_item_kind kind)
{
    for (int i = 0; i < TYPES; i++) {
        if (types[i].kind == kind) return &types[i];
    }
    return NULL;
}

const struct item_type *item_type_of_rows(const char *rows)
{
    for (int i = 0; i < TYPES; i++) {
        if (types[i].rows && strcmp(types[i].rows, rows) == 0) return &types[i];
    }
    return NULL;
}

const struct item_type *item_type_of_network(const char *network)
{
    for (int i = 0; i < TYPES; i++) {
        if (types[i].network && strcmp(types[i].network, network) == 0) return &types[i];
        for (int k = 0; types[i].others[k]; k++)
            if (strcmp(types[i].others[k], network) == 0) return &types[i];
    }
    return NULL;
}

const struct item_type *item_type_of_rank(int rank)
{
    for (int i = 0; i < TYPES; i++) {
        if (types[i].rank == rank) return &types[i];
    }
    return NULL;
}

const char *sumi_item_kind_name(sumi_item_kind kind)
{
    const struct item_type *type = item_type_of(kind);
    return type ? type->name : "item";
}
