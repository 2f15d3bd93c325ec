/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_draw_table: items under column titles, such as "original", "noised" and "denoised". */
#include "draw/sheet.h"

sumi_status sumi_draw_table(sumi_context *context, const sumi_array *cells,
                            const char *const *column_titles, const char *const *row_titles,
                            const char *path)
{
    TRY(item_check_array(context, "cells", cells));
    if (cells->rank < 3) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "cells of rank %d cannot be drawn: expected images "
                            "[rows,columns,h,w,c], signals [rows,columns,length,c] or points "
                            "[rows,columns,d]",
                            cells->rank);
    }
    struct sheet sheet = {.rows = cells->shape[0],
                          .columns = cells->shape[1],
                          .data = cells->data,
                          .column_titles = column_titles,
                          .row_titles = row_titles};
    item_form_read(cells->rank - 2, cells->shape + 2, false, &sheet.form);
    sheet.count = sheet.rows * sheet.columns;
    sheet.row_step = sheet.columns;
    sheet.column_step = 1;
    return sheet_write(context, &sheet, path);
}
