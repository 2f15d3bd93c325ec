/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of numbers; see csv.h. The text is parsed twice: first to check every field and count rows
   and columns, then to store the numbers. */
#include "files/csv.h"

#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 64 }; /* no number needs more characters */

#define FILE_LIMIT ((size_t)1 << 32)

typedef struct csv_table {
    sumi_context *context;
    const char *name;
    char separator; /* 0 until the first line with contents; ' ' means any number of blanks */
    int64_t line, rows, columns; /* columns is 0 until the first row */
    float *output;               /* NULL in the first pass */
} csv_table;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Removes blanks from both ends of [*start, *end), then a pair of quotes and the blanks inside
   it. */
static void trim(const char **start, const char **end)
{
    while (*start < *end && is_blank(**start)) ++*start;
    while (*start < *end && is_blank((*end)[-1])) --*end;
}

static bool parse_number(const char *start, const char *end, float *number)
{
    char text[NUMBER_SIZE];
    trim(&start, &end);
    if (end - start >= 2 && *start == '"' && end[-1] == '"') {
        start++;
        end--;
        trim(&start, &end);
    }
    size_t length = (size_t)(end - start);
    if (length == 0 || length >= sizeof text) return false;
    memcpy(text, start, length);
    text[length] = 0;
    char *stop = NULL;
    *number = strtof(text, &stop);
    return stop == text + length;
}

/* Returns the end of the field that begins at `start`; *next receives the start of the next one
   (NULL after the last). Ignores separators inside quotes. */
static const char *field_end(const csv_table *table, const char *start, const char *line_end,
                             const char **next)
{
    bool quoted = false, blanks = table->separator == ' ';
    const char *end = start;
    while (end < line_end && (quoted || !(blanks ? is_blank(*end) : *end == table->separator))) {
        if (*end == '"') quoted = !quoted;
        end++;
    }
    *next = NULL;
    if (end < line_end) {
        *next = end + 1;
        while (blanks && *next < line_end && is_blank(**next)) ++*next;
    }
    return end;
}

static void choose_separator(csv_table *table, const char *start, const char *end)
{
    static const char candidates[] = {';', '\t', ','};
    table->separator = ' ';
    for (size_t i = 0; i < sizeof candidates; i++) {
        if (memchr(start, candidates[i], (size_t)(end - start))) {
            table->separator = candidates[i];
            return;
        }
    }
}

/* Whether no field of a line is a number, so that it is a header. */
static bool is_header(const csv_table *table, const char *start, const char *end)
{
    float number;
    for (const char *next = start; start; start = next) {
        const char *stop = field_end(table, start, end, &next);
        if (parse_number(start, stop, &number)) return false;
    }
    return true;
}

static sumi_status parse_fields(csv_table *table, const char *start, const char *end)
{
    int64_t column = 0;
    for (const char *next = start; start; start = next) {
        float number;
        const char *stop = field_end(table, start, end, &next);
        column++;
        if (!parse_number(start, stop, &number)) {
            int shown = stop - start > 40 ? 40 : (int)(stop - start);
            return context_fail(table->context, SUMI_ERROR_FORMAT,
                                "%s: line %" PRId64 ", column %" PRId64
                                ": \"%.*s\" is not a number",
                                table->name, table->line, column, shown, start);
        }
        if (table->output) *table->output++ = number;
    }
    if (table->columns == 0) table->columns = column;
    if (column != table->columns) {
        return context_fail(table->context, SUMI_ERROR_FORMAT,
                            "%s: line %" PRId64 ", column %" PRId64 ": the line has %" PRId64
                            " numbers, the lines before it have %" PRId64,
                            table->name, table->line, column, column, table->columns);
    }
    table->rows++;
    return SUMI_OK;
}

static sumi_status parse_line(csv_table *table, const char *start, const char *end)
{
    const char *comment = memchr(start, '#', (size_t)(end - start));
    if (comment) end = comment;
    trim(&start, &end);
    if (start == end) return SUMI_OK;
    bool first = table->separator == 0;
    if (first) choose_separator(table, start, end);
    if (first && is_header(table, start, end)) return SUMI_OK;
    return parse_fields(table, start, end);
}

/* Parses and counts all lines; stores the numbers in table->output unless it is NULL. */
static sumi_status parse_lines(csv_table *table, const char *text, size_t size)
{
    const char *end = text + size;
    table->line = table->rows = 0;
    table->separator = 0;
    while (text < end) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (!line_end) line_end = end;
        table->line++;
        TRY(parse_line(table, text, line_end));
        text = line_end < end ? line_end + 1 : end;
    }
    if (table->rows == 0) {
        return context_fail(table->context, SUMI_ERROR_FORMAT, "%s: has no numbers", table->name);
    }
    return SUMI_OK;
}

static sumi_status parse_table(csv_table *table, const char *text, size_t size, sumi_array *array)
{
    TRY(parse_lines(table, text, size));
    TRY(sumi_array_create(table->context, 2, (int64_t[]){table->rows, table->columns}, array));
    table->output = array->data;
    return parse_lines(table, text, size);
}

/* Switches this thread to the C locale, whose decimal point is a dot, and saves its previous locale
   in `before`. */
static sumi_status plain_locale_enter(sumi_context *context, const char *name, locale_t *plain,
                                      locale_t *before)
{
    *plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!*plain) return context_fail(context, SUMI_ERROR_MEMORY, "%s: out of memory", name);
    *before = uselocale(*plain);
    return SUMI_OK;
}

static void plain_locale_leave(locale_t plain, locale_t before)
{
    uselocale(before);
    freelocale(plain);
}

sumi_status csv_parse(sumi_context *context, const char *text, size_t size, const char *name,
                      sumi_array *array)
{
    locale_t plain = (locale_t)0, before = (locale_t)0;
    memset(array, 0, sizeof *array);
    TRY(plain_locale_enter(context, name, &plain, &before));
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* the byte order mark that some
                                                                editors write */
        text += 3;
        size -= 3;
    }
    csv_table table = {.context = context, .name = name};
    sumi_status status = parse_table(&table, text, size, array);
    plain_locale_leave(plain, before);
    if (status != SUMI_OK) sumi_array_release(context, array);
    return status;
}

sumi_status csv_read(sumi_context *context, const char *path, sumi_array *array)
{
    void *text = NULL;
    size_t size = 0;
    memset(array, 0, sizeof *array);
    TRY(file_read(context, path, FILE_LIMIT, &text, &size));
    sumi_status status = csv_parse(context, text, size, path, array);
    context_release(context, text);
    return status;
}

/* ---- Writing ---- */

static sumi_status put_rows(sumi_context *context, file_writer *writer, const sumi_array *array)
{
    int64_t columns = array->rank == 2 ? array->shape[1] : 1;
    for (int64_t row = 0; row < array->shape[0]; row++) {
        for (int64_t column = 0; column < columns; column++) {
            char text[NUMBER_SIZE];
            int length = snprintf(text, sizeof text, "%.9g%c", array->data[row * columns + column],
                                  column + 1 < columns ? ',' : '\n');
            TRY(file_writer_put(context, writer, text, (size_t)length));
        }
    }
    return SUMI_OK;
}

sumi_status csv_put(sumi_context *context, file_writer *writer, const sumi_array *array)
{
    if (array->rank != 1 && array->rank != 2) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: a table has 1 or 2 dimensions, not %d", writer->path, array->rank);
    }
    locale_t plain = (locale_t)0, before = (locale_t)0;
    TRY(plain_locale_enter(context, writer->path, &plain, &before));
    sumi_status status = put_rows(context, writer, array);
    plain_locale_leave(plain, before);
    return status;
}
