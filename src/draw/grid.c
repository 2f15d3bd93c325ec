/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_draw_grid: many items side by side, or one scatter plot. */
#include <math.h>

#include "draw/sheet.h"

sumi_status sumi_draw_grid(sumi_context *context, const sumi_array *items, int columns,
                           const char *path)
{
    sumi_array picture;
    TRY(item_check_array(context, "items", items));
    item_rows_as_picture(items, 0, &picture);
    items = &picture;
    const enum sumi_item_kind kind = item_kind_of_rank(items->rank - 1);
    bool points = kind == SUMI_POINTS;
    if (items->rank < 2 || items->rank > 4) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "items of rank %d cannot be drawn: expected images [n,h,w,c], signals "
                            "[n,length,c] or points [n,2]",
                            items->rank);
    }
    if (columns < 0) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a grid cannot have %d columns; 0 lets it choose", columns);
    }
    struct sheet sheet = {.count = points ? 1 : items->shape[0], .data = items->data};
    const int64_t *item_shape = points ? items->shape : items->shape + 1;
    TRY(item_form_read(context, "items", kind, item_shape, &sheet.form));
    sheet.columns = columns ? columns : (int64_t)ceil(sqrt((double)sheet.count));
    if (sheet.columns > sheet.count) sheet.columns = sheet.count;
    sheet.rows = (sheet.count - 1) / sheet.columns + 1;
    sheet.row_step = sheet.columns;
    sheet.column_step = 1;
    return sheet_write(context, &sheet, path);
}
