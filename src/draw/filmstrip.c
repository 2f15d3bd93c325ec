/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_draw_filmstrip: one column a step, from noise at the left to a sample at the right, one row
   an item, or a pair of coordinates of all points. */
#include "draw/rows.h"
#include "draw/sheet.h"

static sumi_status draw_view(sumi_context *context, const struct rows_view *view,
                             const char *const *labels, const char *path)
{
    const sumi_array *frames = &view->array;
    bool points = view->pairs || frames->rank == 2 + item_type_of(SUMI_POINTS)->rank;
    int leading = points && !view->pairs ? 1 : 2; /* all points of a step are one picture */
    struct sheet sheet = {.rows = leading == 2 ? frames->shape[1] : 1,
                          .columns = frames->shape[0],
                          .data = frames->data,
                          .column_titles = labels,
                          .row_titles = view->pairs ? view->names : NULL};
    item_form_read(frames->rank - leading, frames->shape + leading, points, &sheet.form);
    sheet.count = sheet.rows * sheet.columns;
    sheet.row_step = 1;
    sheet.column_step = sheet.rows;
    return sheet_write(context, &sheet, path);
}

sumi_status sumi_draw_filmstrip(sumi_context *context, const sumi_array *frames,
                                const char *const *labels, const char *path)
{
    struct rows_view view;
    TRY(item_check_array(context, "frames", frames));
    if (frames->rank < 3) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "frames of rank %d cannot be drawn: expected images [steps,n,h,w,c], "
                            "signals [steps,n,length,c] or points [steps,n,d]",
                            frames->rank);
    }
    TRY(rows_view_open(context, frames, 1, &view));
    sumi_status status = draw_view(context, &view, labels, path);
    rows_view_close(context, &view);
    return status;
}
