/* SPDX-License-Identifier: Apache-2.0 */
/* Items in rows and columns with titles: the common layout of grids, filmstrips and tables. */
#ifndef SUMI_DRAW_SHEET_H
#define SUMI_DRAW_SHEET_H

#include "draw/item.h"

struct sheet {
    int64_t rows, columns;
    int64_t count; /* number of cells, in reading order */
    item_form form;
    const float *data;
    int64_t row_step, column_step;    /* distance in items from one row or column to the next */
    const char *const *column_titles; /* [columns], NULL for none */
    const char *const *row_titles;    /* [rows], NULL for none */
};

/* Measures the items' common range and lays the sheet out; its PNG in new memory, for
   context_release, or in a file. */
sumi_status sheet_encode(sumi_context *context, struct sheet *sheet, void **bytes, size_t *size);
sumi_status sheet_write(sumi_context *context, struct sheet *sheet, const char *path);

#endif
