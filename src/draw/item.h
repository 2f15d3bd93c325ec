/* SPDX-License-Identifier: Apache-2.0 */
/* One item of an array (an image, a signal, a set of points), told from its shape, and drawn into a
   rectangle of a canvas. */
#ifndef SUMI_DRAW_ITEM_H
#define SUMI_DRAW_ITEM_H

#include "draw/plot.h"

typedef struct item_form {
    enum sumi_item_kind kind; /* a picture, a signal or points */
    int64_t height, width; /* pixels of an image; 1 and the length of a signal; 1 and the number of
                              points of a set */
    int64_t channels;      /* of an image 1 or 3; of points 2 */
    int64_t size;          /* height * width * channels: numbers in one item */
    struct range x, y;     /* shared by all items; unused for images */
} item_form;

typedef struct rectangle {
    double x, y, width, height; /* pixels from the upper left */
} rectangle;

/* The form of what is drawn together, by its kind: a picture [h, w, c], a signal [length, c], or
   points, all of them [n, 2]. `what` names the array in messages. */
sumi_status item_form_read(sumi_context *context, const char *what, enum sumi_item_kind kind,
                           const int64_t *shape, item_form *form);

/* The kind of an array's items of so many dimensions, for which a drawing has a form. */
enum sumi_item_kind item_kind_of_rank(int rank);

/* Checks that `array` has a shape of positive lengths, whose product fits, and data. */
sumi_status item_check_array(sumi_context *context, const char *what, const sumi_array *array);

/* Where a set of rows of numbers is no set of points, for it has more than 3 numbers a row (the
   last length), it is one picture with a row of pixels for each: gives `array` the shape
   [..., 1, n, d, 1] in *picture. Else *picture is the array as it is. `sets` lengths come before
   the n rows. */
void item_rows_as_picture(const sumi_array *array, int sets, sumi_array *picture);

/* Finds the ranges that `items` items share. */
void item_form_measure(item_form *form, const float *data, int64_t items);

/* Draws one item into a rectangle of whole pixels: an image magnified by the whole factor
   rectangle.width / form.width, a value that is not a number in seal red. */
sumi_status item_draw(struct canvas *canvas, const item_form *form, const float *data,
                      rectangle where);

/* The axes of a signal's or point set's rectangle. */
void item_axes(const item_form *form, rectangle where, struct axis *x, struct axis *y);

#endif
