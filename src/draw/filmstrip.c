/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_draw_filmstrip: one column a step, from noise at the left to a sample at the right, one row
   an item. */
#include "draw/sheet.h"

sumi_status sumi_draw_filmstrip(sumi_context *context, const sumi_array *frames,
                                const char *const *labels, const char *path)
{
    sumi_array picture;
    TRY(item_check_array(context, "frames", frames));
    item_rows_as_picture(frames, 1, &picture);
    frames = &picture;
    const enum sumi_item_kind kind = item_kind_of_rank(frames->rank - 2);
    bool points = kind == SUMI_POINTS; /* all points of a step make one picture */
    if (frames->rank < 3 || frames->rank > 5) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "frames of rank %d cannot be drawn: expected images [steps,n,h,w,c], "
                            "signals [steps,n,length,c] or points [steps,n,2]",
                            frames->rank);
    }
    struct sheet sheet = {.rows = points ? 1 : frames->shape[1],
                          .columns = frames->shape[0],
                          .data = frames->data,
                          .column_titles = labels};
    int leading = points ? 1 : 2;
    TRY(item_form_read(context, "frames", kind, frames->shape + leading, &sheet.form));
    sheet.count = sheet.rows * sheet.columns;
    sheet.row_step = 1;
    sheet.column_step = sheet.rows;
    return sheet_write(context, &sheet, path);
}
