/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of texts: comma-separated values as RFC 4180 describes them, with the names of the columns
   in the first row. Tables of numbers are read by csv.h. */
#ifndef SUMI_FILES_TEXT_TABLE_H
#define SUMI_FILES_TEXT_TABLE_H

#include "base/context.h"

struct text_table {
    int64_t rows, columns; /* rows: without that of the names */
    char **fields;         /* [1 + rows, columns]; the names of the columns first */
    char *bytes;           /* of all fields */
};

/* Reads a table from bytes, which must be UTF-8. Every row has as many fields as the first; empty
   lines are skipped. The separator is a tab where the first line has one outside quotes, else a
   comma. `name` is for messages. */
sumi_status text_table_parse(sumi_context *context, const void *bytes, size_t size,
                             const char *name, struct text_table *table);
sumi_status text_table_read(sumi_context *context, const char *path, struct text_table *table);
void text_table_release(sumi_context *context, struct text_table *table);

/* The number of the column of that name, or -1. */
int64_t text_table_column(const struct text_table *table, const char *name);
/* A field of a row from 0. */
const char *text_table_get(const struct text_table *table, int64_t row, int64_t column);

#endif
