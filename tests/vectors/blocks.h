/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of records of building_blocks.json, for nets/blocks_test.c: each function compares a row of
   its kind. */
#ifndef TESTS_VECTORS_BLOCKS_H
#define TESTS_VECTORS_BLOCKS_H

#include "vectors/figures.h"

/* T of the second set's README. */
#define BLOCKS_TOLERANCE 2e-5

/* Pictures (block_pictures.c). */
void blocks_check_resize(struct vectors_row *row);
void blocks_check_clip_picture(struct vectors_row *row);

/* Tables of positions (block_positions.c). */
void blocks_check_grid(struct vectors_row *row);
void blocks_check_frames(struct vectors_row *row);
void blocks_check_video(struct vectors_row *row);
void blocks_check_rotary(struct vectors_row *row);

/* The scheduler of unCLIP (block_scheduler.c). */
void blocks_check_unclip(struct vectors_row *row);

#endif
