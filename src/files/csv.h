/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of numbers as text: separated by comma, semicolon, tab or blanks; an optional header line
   of names; comments from '#'; numbers may be quoted; lines may end in CR LF. */
#ifndef SUMI_FILES_CSV_H
#define SUMI_FILES_CSV_H

#include "base/file.h"

/* Reads a table into a new array [rows, columns]. Errors name line and column. */
sumi_status csv_parse(sumi_context *context, const char *text, size_t size, const char *name,
                      sumi_array *array);
sumi_status csv_read(sumi_context *context, const char *path, sumi_array *array);

/* Writes an array of rank 1 (one column) or 2, with commas, so that it reads back the same. */
sumi_status csv_put(sumi_context *context, file_writer *writer, const sumi_array *array);

#endif
