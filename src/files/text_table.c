/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of texts; see text_table.h. The bytes are copied, and each field is ended by a zero where
   it is; quotes inside a quoted field are halved in place. */
#include "files/text_table.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define FILE_LIMIT ((size_t)1 << 32)

struct parser {
    sumi_context *context;
    const char *name;
    struct text_table *table;
    char *place, *end; /* the next byte, and the zero after the last */
    char separator;
    int64_t line, count, capacity; /* fields so far */
};

static sumi_status fail_line(const struct parser *parser, const char *what)
{
    return context_fail(parser->context, SUMI_ERROR_FORMAT, "%s: line %lld: %s", parser->name,
                        (long long)parser->line, what);
}

static sumi_status add_field(struct parser *parser, char *field)
{
    struct text_table *table = parser->table;
    if (parser->count == parser->capacity) {
        int64_t capacity = parser->capacity ? 2 * parser->capacity : 256;
        char **larger = context_allocate(parser->context, (size_t)capacity, sizeof *larger);
        if (!larger) return SUMI_ERROR_MEMORY;
        if (parser->count) memcpy(larger, table->fields, (size_t)parser->count * sizeof *larger);
        context_release(parser->context, table->fields);
        table->fields = larger;
        parser->capacity = capacity;
    }
    table->fields[parser->count++] = field;
    return SUMI_OK;
}

/* Reads a field in quotes, in which "" is a quote; *stop receives the byte behind it. */
static sumi_status read_quoted(struct parser *parser, char **stop)
{
    char *from = parser->place + 1, *to = parser->place + 1;
    TRY(add_field(parser, to));
    for (; from < parser->end; from++) {
        if (*from == '\n') parser->line++;
        if (*from == '"' && *++from != '"') {
            *stop = from;
            *to = 0;
            return SUMI_OK;
        }
        *to++ = *from;
    }
    return fail_line(parser, "a quote is not closed");
}

static sumi_status read_plain(struct parser *parser, char **stop)
{
    const char ends[] = {parser->separator, '\r', '\n', 0};
    TRY(add_field(parser, parser->place));
    *stop = parser->place + strcspn(parser->place, ends);
    return SUMI_OK;
}

/* Reads a field and what ends it; *last receives whether it ends the row. */
static sumi_status read_field(struct parser *parser, bool *last)
{
    char *stop = NULL;
    TRY(*parser->place == '"' ? read_quoted(parser, &stop) : read_plain(parser, &stop));
    char end = *stop;
    bool blank = end == '\r' && (stop[1] == '\n' || stop + 1 == parser->end);
    *last = stop == parser->end || end == '\n' || blank;
    if (!*last && end != parser->separator) {
        return fail_line(parser, end == '\r' ? "ends with a carriage return alone"
                                             : "a quoted field is followed by other letters");
    }
    if (stop < parser->end) *stop++ = 0;
    if (blank && stop < parser->end) stop++;
    parser->place = stop;
    return SUMI_OK;
}

static bool is_empty_line(const struct parser *parser)
{
    return parser->place[strspn(parser->place, "\r")] == '\n'
           || parser->place + strspn(parser->place, "\r") == parser->end;
}

static sumi_status read_row(struct parser *parser)
{
    int64_t first = parser->count;
    struct text_table *table = parser->table;
    bool last = false;
    while (!last) TRY(read_field(parser, &last));
    if (first == 0) table->columns = parser->count;
    if (parser->count - first != table->columns) {
        char what[96];
        snprintf(what, sizeof what, "has %lld fields, where the first line has %lld",
                 (long long)(parser->count - first), (long long)table->columns);
        return fail_line(parser, what);
    }
    parser->line++;
    return SUMI_OK;
}

/* The separator that occurs in the first line outside quotes. */
static char find_separator(const char *text)
{
    bool quoted = false;
    for (; *text && (quoted || *text != '\n'); text++) {
        if (*text == '"') quoted = !quoted;
        if (*text == '\t' && !quoted) return '\t';
    }
    return ',';
}

static sumi_status read_rows(struct parser *parser)
{
    struct text_table *table = parser->table;
    while (parser->place < parser->end) {
        if (is_empty_line(parser)) {
            parser->place += strspn(parser->place, "\r");
            if (parser->place < parser->end) parser->place++;
            parser->line++;
        } else {
            TRY(read_row(parser));
        }
    }
    if (parser->count == 0) {
        return context_fail(parser->context, SUMI_ERROR_FORMAT,
                            "%s: is empty; a table begins with the names of its columns",
                            parser->name);
    }
    table->rows = parser->count / table->columns - 1;
    return SUMI_OK;
}

sumi_status text_table_parse(sumi_context *context, const void *bytes, size_t size,
                             const char *name, struct text_table *table)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that some programs put before UTF-8 */
    *table = (struct text_table){0};
    if (!text_is_utf8(bytes, size)) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: is not a text in UTF-8", name);
    }
    table->bytes = context_allocate(context, size + 1, 1);
    if (!table->bytes) return SUMI_ERROR_MEMORY;
    if (size) memcpy(table->bytes, bytes, size);
    table->bytes[size] = 0;
    struct parser parser = {.context = context,
                            .name = name,
                            .table = table,
                            .place = table->bytes,
                            .end = table->bytes + size,
                            .line = 1};
    if (strncmp(parser.place, mark, 3) == 0) parser.place += 3;
    parser.separator = find_separator(parser.place);
    sumi_status status = read_rows(&parser);
    if (status != SUMI_OK) text_table_release(context, table);
    return status;
}

sumi_status text_table_read(sumi_context *context, const char *path, struct text_table *table)
{
    void *bytes = NULL;
    size_t size = 0;
    *table = (struct text_table){0};
    TRY(file_read(context, path, FILE_LIMIT, &bytes, &size));
    sumi_status status = text_table_parse(context, bytes, size, path, table);
    context_release(context, bytes);
    return status;
}

void text_table_release(sumi_context *context, struct text_table *table)
{
    context_release(context, table->fields);
    context_release(context, table->bytes);
    *table = (struct text_table){0};
}

int64_t text_table_column(const struct text_table *table, const char *name)
{
    for (int64_t i = 0; i < table->columns; i++)
        if (strcmp(table->fields[i], name) == 0) return i;
    return -1;
}

const char *text_table_get(const struct text_table *table, int64_t row, int64_t column)
{
    return table->fields[(1 + row) * table->columns + column];
}
