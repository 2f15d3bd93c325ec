/* SPDX-License-Identifier: Apache-2.0 */
/* The capabilities of a stream: whether it is a terminal, its size, its colours and its kind of
   graphics. */
#ifndef TOOL_TERMINAL_H
#define TOOL_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* Kinds of graphics in a terminal, from none to the finest. */
enum terminal_graphics {
    GRAPHICS_NONE,   /* not a terminal, or one that cannot move its cursor */
    GRAPHICS_SHADES, /* without colour (NO_COLOR): block characters of five shades */
    GRAPHICS_BLOCKS, /* half blocks in 24-bit colour */
    GRAPHICS_SIXEL,  /* pixels by DEC's sixel sequences */
    GRAPHICS_KITTY   /* pixels by Kitty's graphics protocol */
};

typedef struct terminal_size {
    int columns, lines;          /* in characters */
    int cell_width, cell_height; /* of a character, in pixels */
} terminal_size;

/* Whether lines on the stream can be redrawn: it is a terminal, and TERM is neither "dumb" nor
   unset. */
bool terminal_can_redraw(FILE *stream);

/* The size of the terminal; 80 x 24 characters of 10 x 20 pixels if unknown. */
terminal_size terminal_measure(FILE *stream);

/* Chooses by the environment: SUMI_PREVIEW (kitty, sixel, blocks or none), then NO_COLOR, then the
   terminal's name. Otherwise asks the terminal whether it supports sixels, which takes at most half
   a second. */
enum terminal_graphics terminal_choose_graphics(FILE *stream);

/* Whether the answer to a device attributes request (ESC [ ? 62 ; 4 ; ... c) includes sixel
   graphics, number 4. */
bool terminal_answer_has_sixel(const char *answer);

#endif
