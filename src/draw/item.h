/* SPDX-License-Identifier: Apache-2.0 */
/* One item of an array (an image, a signal, a set of points or of numbers): its form, from the
   shape of the array, and drawing it into a rectangle of a canvas. */
#ifndef SUMI_DRAW_ITEM_H
#define SUMI_DRAW_ITEM_H

#include "base/item_kind.h"
#include "draw/plot.h"

typedef struct item_form {
    enum sumi_item_kind kind; /* SUMI_PICTURE, SUMI_SIGNAL or SUMI_POINTS */
    int64_t height, width;    /* pixels of a drawn image; 1 and the length of a signal; 1 and the
                                 number of points or numbers */
    int64_t channels;         /* any number for an image; 2 for points, 1 for numbers */
    int64_t size;             /* numbers in one item */
    /* For an image whose channels are not colours: the pixels of one channel, and how many channels
       are drawn side by side, a pixel apart; else `across` is 0. */
    int64_t channel_height, channel_width, across;
    struct range x, y; /* shared by all items; unused for images */
} item_form;

typedef struct rectangle {
    double x, y, width, height; /* in pixels, from the upper left */
} rectangle;

/* The form of `shape`, the last `rank` lengths of an array, none of them 0: [h, w, c], or [..., h,
   w, c] whose slices are drawn one below the other; [length, c], or [length] of one channel; and
   where `sets`, points [n, 2] or numbers [n, 1]. One channel is grey, three are a colour, others
   are drawn side by side. A signal with too many channels for curves is drawn as an image with a
   row for each time. */
void item_form_read(int rank, const int64_t *shape, bool sets, item_form *form);

/* Checks that `array` has a shape of positive lengths, whose product fits, and data. */
sumi_status item_check_array(sumi_context *context, const char *what, const sumi_array *array);

/* Finds the ranges that `items` items share. */
void item_form_measure(item_form *form, const float *data, int64_t items);

/* Draws one item into a rectangle of whole pixels: an image magnified by the whole factor
   rectangle.width / form.width, a value that is not a number in seal red. */
sumi_status item_draw(struct canvas *canvas, const item_form *form, const float *data,
                      rectangle where);

/* The axes of a signal's or point set's rectangle. */
void item_axes(const item_form *form, rectangle where, struct axis *x, struct axis *y);

#endif
