/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of positions of building_blocks.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nets/positions.h"
#include "vectors/blocks.h"

enum { MOST = 1 << 16 };

/* Compares a table[rows, channels] with the record's figures, and its row number `row` with the
   list under `key`. */
static void compare_table(struct vectors_row *row, const float *table, int64_t rows,
                          int64_t channels, const char *key, int64_t number)
{
    json_object *list = vectors_get(row->record, key);
    const struct figures_layout layout = {2, {rows, channels}, -1};
    figures_compare(row, "table", vectors_get(row->record, "table"), &layout, table,
                    BLOCKS_TOLERANCE);
    for (int64_t i = 0; i < channels; i++) {
        vectors_compare(row, table[number * channels + i], vectors_number_at(list, i),
                        BLOCKS_TOLERANCE, "%s[%d]", key, (int)i);
    }
}

void blocks_check_grid(struct vectors_row *row)
{
    json_object *sides = vectors_get(row->record, "grid");
    int64_t channels = (int64_t)vectors_number(row->record, "embed_dim");
    const struct position_grid grid = {(int64_t)vectors_number_at(sides, 0),
                                       (int64_t)vectors_number_at(sides, 1),
                                       (int64_t)vectors_number(row->record, "base_size"),
                                       vectors_number(row->record, "interpolation_scale")};
    int64_t rows = grid.rows * grid.columns;
    float *table =
        rows > 1 && channels > 0 ? calloc((size_t)(rows * channels), sizeof *table) : NULL;
    if (!table) {
        vectors_fail(row, "there is no grid of patches");
        return;
    }
    positions_of_grid(&grid, channels, table);
    compare_table(row, table, rows, channels, "row_of_patch_1", 1);
    free(table);
}

void blocks_check_frames(struct vectors_row *row)
{
    int64_t channels = (int64_t)vectors_number(row->record, "embed_dim");
    int64_t frames = (int64_t)vectors_number(row->record, "frames");
    float *table =
        frames > 1 && channels > 0 ? calloc((size_t)(frames * channels), sizeof *table) : NULL;
    if (!table) {
        vectors_fail(row, "there are no frames");
        return;
    }
    for (int64_t i = 0; i < frames; i++) positions_of((double)i, channels, table + i * channels);
    compare_table(row, table, frames, channels, "row_1", 1);
    free(table);
}

/* A list of two whole numbers. */
static void read_pair(struct vectors_row *row, const char *key, int64_t pair[2])
{
    for (int i = 0; i < 2; i++)
        pair[i] = (int64_t)vectors_number_at(vectors_get(row->record, key), i);
}

/* The row's "token_5" and its like: the number of the token under the key PREFIXtoken_NUMBER. */
static bool find_token(struct vectors_row *row, const char *prefix, char key[64], int64_t *number)
{
    json_object_object_foreach(row->record, name, value)
    {
        size_t length = strlen(prefix);
        long long token;
        (void)value;
        if (strncmp(name, prefix, length) != 0 || sscanf(name + length, "token_%lld", &token) != 1)
            continue;
        snprintf(key, 64, "%s", name);
        *number = token;
        return true;
    }
    return vectors_fail(row, "the record has no token");
}

void blocks_check_video(struct vectors_row *row)
{
    static float table[MOST];
    int64_t channels = (int64_t)vectors_number(row->record, "embed_dim"), sides[2], token;
    char key[64];
    read_pair(row, "width_height", sides);
    const struct position_video video = {
        (int64_t)vectors_number(row->record, "frames"), sides[1], sides[0],
        vectors_number(row->record, "temporal_interpolation_scale"),
        vectors_number(row->record, "spatial_interpolation_scale")};
    const struct figures_layout layout = {3, {video.frames, sides[0] * sides[1], channels}, -1};
    int64_t count = figures_count(&layout);
    if (count < 1 || count > MOST || !find_token(row, "", key, &token)) return;
    positions_of_video(&video, channels, table);
    figures_compare(row, "table", vectors_get(row->record, "table"), &layout, table,
                    BLOCKS_TOLERANCE);
    for (int64_t i = 0; i < channels; i++)
        vectors_compare(row, table[token * channels + i],
                        vectors_number_at(vectors_get(row->record, key), i), BLOCKS_TOLERANCE,
                        "%s[%d]", key, (int)i);
}

/* A table of Sumi's has one number for two neighbouring ones of the record's. */
static void compare_rotary(struct vectors_row *row, const char *name, const float *values,
                           int64_t tokens, int64_t width)
{
    static float doubled[MOST];
    char prefix[16], key[64];
    int64_t token;
    const struct figures_layout layout = {2, {tokens, width}, -1};
    for (int64_t i = 0; i < tokens * width; i++) doubled[i] = values[i / 2];
    figures_compare(row, name, vectors_get(row->record, name), &layout, doubled, BLOCKS_TOLERANCE);
    snprintf(prefix, sizeof prefix, "%s_", name);
    if (!find_token(row, prefix, key, &token)) return;
    for (int64_t i = 0; i < width; i++)
        vectors_compare(row, doubled[token * width + i],
                        vectors_number_at(vectors_get(row->record, key), i), BLOCKS_TOLERANCE,
                        "%s[%d]", key, (int)i);
}

void blocks_check_rotary(struct vectors_row *row)
{
    static float cosine[MOST], sine[MOST];
    int64_t width = (int64_t)vectors_number(row->record, "embed_dim"), sides[2];
    read_pair(row, "grid", sides);
    const struct position_video video = {(int64_t)vectors_number(row->record, "frames"), sides[0],
                                         sides[1], 1, 1};
    int64_t tokens = video.frames * sides[0] * sides[1];
    if (tokens < 1 || width < 1 || tokens * width > MOST) {
        vectors_fail(row, "there are no patches");
        return;
    }
    const struct position_window window = positions_window(sides[0], sides[1], sides[0], sides[1]);
    positions_rotary(&video, &window, width / 2, cosine, sine);
    compare_rotary(row, "cos", cosine, tokens, width);
    compare_rotary(row, "sin", sine, tokens, width);
}
