/* SPDX-License-Identifier: Apache-2.0 */
/* What the command may draw on a stream: whether it is a terminal, how large, in which colours,
   and with which kind of graphics. */
#ifndef TOOL_TERMINAL_H
#define TOOL_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* Kinds of pictures in a terminal, from none to the finest. */
enum terminal_graphics {
    GRAPHICS_NONE,   /* not a terminal, or one that cannot move its cursor */
    GRAPHICS_SHADES, /* no colour wanted (NO_COLOR): block characters of five shades */
    GRAPHICS_BLOCKS, /* half blocks in 24-bit colour */
    GRAPHICS_SIXEL,  /* pixels by DEC's sixel sequences */
    GRAPHICS_KITTY   /* pixels by Kitty's graphics protocol */
};

typedef struct terminal_size {
    int columns, lines;          /* in characters */
    int cell_width, cell_height; /* of a character, in pixels */
} terminal_size;

/* Whether lines on the stream can be redrawn: a terminal, and TERM is neither "dumb" nor unset. */
bool terminal_can_redraw(FILE *stream);

/* 80 x 24 characters of 10 x 20 pixels where the terminal does not say. */
terminal_size terminal_measure(FILE *stream);

/* The environment decides: SUMI_PREVIEW (kitty, sixel, blocks or none) before NO_COLOR before the
   terminal's own name; failing all these the terminal is asked whether it has sixels, which takes
   half a second at most. */
enum terminal_graphics terminal_choose_graphics(FILE *stream);

/* Whether the answer to "what are you" (ESC [ ? 62 ; 4 ; ... c) names sixel graphics, number 4. */
bool terminal_answer_has_sixel(const char *answer);

#endif
