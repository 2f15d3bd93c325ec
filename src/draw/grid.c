/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_draw_grid, to a file or to memory: many items side by side, or points and numbers as plots
 * of all. */
#include <math.h>

#include "draw/rows.h"
#include "draw/sheet.h"

/* The sheet that a view of the items is. */
static struct sheet sheet_of(const struct rows_view *view, int columns)
{
    const sumi_array *items = &view->array;
    bool points = view->pairs || items->rank == 1 + item_type_of(SUMI_POINTS)->rank;
    int leading = points && !view->pairs ? 0 : 1;
    struct sheet sheet = {.count = leading ? items->shape[0] : 1, .data = items->data};
    item_form_read(items->rank - leading, items->shape + leading, points, &sheet.form);
    sheet.columns = columns ? columns : (int64_t)ceil(sqrt((double)sheet.count));
    if (view->pairs) {
        sheet.columns = sheet.count;
        sheet.column_titles = view->names;
    }
    if (sheet.columns > sheet.count) sheet.columns = sheet.count;
    sheet.rows = (sheet.count - 1) / sheet.columns + 1;
    sheet.row_step = sheet.columns;
    sheet.column_step = 1;
    return sheet;
}

sumi_status sumi_draw_grid_memory(sumi_context *context, const sumi_array *items, int columns,
                                  void **bytes, size_t *size)
{
    struct rows_view view;
    *bytes = NULL;
    *size = 0;
    TRY(item_check_array(context, "items", items));
    if (columns < 0) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a grid cannot have %d columns; 0 chooses a number", columns);
    }
    sumi_array numbers = *items; /* [n] is drawn as [n, 1] */
    if (items->rank == 1) numbers.shape[numbers.rank++] = 1;
    TRY(rows_view_open(context, &numbers, 0, &view));
    struct sheet sheet = sheet_of(&view, columns);
    sumi_status status = sheet_encode(context, &sheet, bytes, size);
    rows_view_close(context, &view);
    return status;
}

sumi_status sumi_draw_grid(sumi_context *context, const sumi_array *items, int columns,
                           const char *path)
{
    void *bytes = NULL;
    size_t size = 0;
    TRY(canvas_check_path(context, path));
    TRY(sumi_draw_grid_memory(context, items, columns, &bytes, &size));
    return canvas_write_bytes(context, path, bytes, size);
}
