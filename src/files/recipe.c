/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, changing and writing recipes. inih reads the INI format; its lines come from a reader of
   our own, so that messages have line numbers and long lines are not split. */
#include "files/recipe.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

enum { SOURCE_SIZE = 320, KEY_SIZE = 128, WRITTEN_LENGTH = 90, SET_LATER = -1 };

struct sumi_recipe {
    sumi_context *context;
    const struct recipe_keys *keys;
    int count;     /* of keys */
    char **values; /* [count], NULL where the default applies */
    int *lines;    /* the line that sets each, SET_LATER for calls, 0 for none */
};

static sumi_status recipe_create(sumi_context *context, const struct recipe_keys *keys,
                                 sumi_recipe **recipe)
{
    *recipe = context_allocate_zeroed(context, 1, sizeof **recipe);
    if (!*recipe) return SUMI_ERROR_MEMORY;
    (*recipe)->context = context;
    (*recipe)->keys = keys;
    (*recipe)->count = recipe_key_count(keys);
    size_t count = (size_t)(*recipe)->count;
    (*recipe)->values = context_allocate_zeroed(context, count, sizeof *(*recipe)->values);
    (*recipe)->lines = context_allocate_zeroed(context, count, sizeof *(*recipe)->lines);
    if ((*recipe)->values && (*recipe)->lines) return SUMI_OK;
    sumi_recipe_free(*recipe);
    *recipe = NULL;
    return SUMI_ERROR_MEMORY;
}

void sumi_recipe_free(sumi_recipe *recipe)
{
    if (!recipe) return;
    sumi_context *context = recipe->context;
    for (int i = 0; recipe->values && i < recipe->count; i++) {
        context_release(context, recipe->values[i]);
    }
    context_release(context, recipe->values);
    context_release(context, recipe->lines);
    context_release(context, recipe);
}

/* ---- Reading ------------------------------------------------------------------------------ */

struct parser {
    sumi_context *context;
    sumi_recipe *recipe;
    const char *source, *rest, *end;
    int line;
    bool indented;
    int last; /* key of the previous value, which an indented line continues; -1 for none */
    sumi_status status;
};

/* Copies the next line for inih, which calls this like fgets. */
static char *next_line(char *text, int size, void *user)
{
    struct parser *parser = user;
    if (parser->rest == parser->end || parser->status != SUMI_OK) return NULL;
    const char *newline = memchr(parser->rest, '\n', (size_t)(parser->end - parser->rest));
    size_t length = (size_t)((newline ? newline : parser->end) - parser->rest);
    parser->line++;
    if (length + 2 > (size_t)size) {
        parser->status = context_fail(
            parser->context, SUMI_ERROR_FORMAT,
            "%s, line %d: longer than %d characters; continue a long value on the next line, "
            "indented",
            parser->source, parser->line, size - 2);
        return NULL;
    }
    memcpy(text, parser->rest, length);
    text[length] = '\n';
    text[length + 1] = 0;
    parser->indented = text[0] == ' ' || text[0] == '\t';
    if (text[0] == '[') parser->last = -1;
    parser->rest = newline ? newline + 1 : parser->end;
    return text;
}

const struct recipe_keys *recipe_keys_of(const sumi_recipe *recipe)
{
    return recipe->keys;
}

static sumi_status unknown_key(const sumi_recipe *recipe, const char *source, const char *key)
{
    char meant[KEY_SIZE];
    recipe_suggest(recipe->keys, key, meant, sizeof meant);
    return context_fail(recipe->context, SUMI_ERROR_ARGUMENT,
                        "%s: there is no key %s; did you mean %s?", source, key, meant);
}

/* Copies a value; flags are normalised to yes or no. */
static char *copy_value(sumi_context *context, const struct option *row, const char *value)
{
    if (row->type == OPTION_FLAG) {
        if (strcmp(value, "true") == 0) value = "yes";
        else if (strcmp(value, "false") == 0) value = "no";
    }
    return context_copy_text(context, value);
}

static sumi_status append_value(struct parser *parser, const char *value)
{
    char **kept = &parser->recipe->values[parser->last];
    size_t length = strlen(*kept), added = strlen(value);
    char *joined = context_allocate(parser->context, length + added + 1, 1);
    if (!joined) return SUMI_ERROR_MEMORY;
    memcpy(joined, *kept, length);
    memcpy(joined + length, value, added + 1);
    context_release(parser->context, *kept);
    *kept = joined;
    return SUMI_OK;
}

static sumi_status take_value(struct parser *parser, const char *section, const char *name,
                              const char *value)
{
    if (parser->indented && parser->last >= 0) return append_value(parser, value);
    char key[KEY_SIZE], source[SOURCE_SIZE];
    snprintf(key, sizeof key, "%s.%s", section, name);
    snprintf(source, sizeof source, "%.256s, line %d", parser->source, parser->line);
    int number = 0;
    const struct option *row = recipe_find(parser->recipe->keys, key, &number);
    if (!row) return unknown_key(parser->recipe, source, section[0] ? key : name);
    int *line = &parser->recipe->lines[number];
    if (*line) {
        return context_fail(parser->context, SUMI_ERROR_FORMAT, "%s: %s is already set in line %d",
                            source, key, *line);
    }
    parser->recipe->values[number] = copy_value(parser->context, row, value);
    if (!parser->recipe->values[number]) return SUMI_ERROR_MEMORY;
    *line = parser->line;
    parser->last = number;
    return SUMI_OK;
}

/* Called by inih for each value; returns 0 for an error. */
static int handle_value(void *user, const char *section, const char *name, const char *value)
{
    struct parser *parser = user;
    if (parser->status == SUMI_OK) parser->status = take_value(parser, section, name, value);
    return parser->status == SUMI_OK;
}

static sumi_status parse_lines(struct parser *parser)
{
    int wrong = ini_parse_stream(next_line, parser, handle_value, parser);
    if (wrong == -2) return context_fail(parser->context, SUMI_ERROR_MEMORY, "out of memory");
    bool ours = parser->status != SUMI_OK && (wrong == 0 || wrong >= parser->line);
    if (wrong > 0 && !ours) {
        return context_fail(parser->context, SUMI_ERROR_FORMAT,
                            "%s, line %d: neither [section] nor key = value", parser->source,
                            wrong);
    }
    return parser->status;
}

/* Checks all values at the end, because later lines may continue them. */
static sumi_status check_values(struct parser *parser)
{
    const struct option *row;
    for (int i = 0; (row = recipe_row(parser->recipe->keys, i)) != NULL; i++) {
        if (!parser->recipe->values[i]) continue;
        char source[SOURCE_SIZE];
        snprintf(source, sizeof source, "%.256s, line %d", parser->source,
                 parser->recipe->lines[i]);
        TRY(recipe_check_value(parser->context, source, row, parser->recipe->values[i]));
    }
    return SUMI_OK;
}

sumi_status recipe_parse(sumi_context *context, const struct recipe_keys *keys, const char *source,
                         const char *text, size_t size, sumi_recipe **recipe)
{
    *recipe = NULL;
    if (size && memchr(text, 0, size)) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: contains a zero byte; is it a text file?", source);
    }
    sumi_recipe *made = NULL;
    TRY(recipe_create(context, keys, &made));
    struct parser parser = {context, made, source, text, text + size, 0, false, -1, SUMI_OK};
    sumi_status status = parse_lines(&parser);
    if (status == SUMI_OK) status = check_values(&parser);
    if (status == SUMI_OK) *recipe = made;
    else sumi_recipe_free(made);
    return status;
}

void recipe_forget_lines(sumi_recipe *recipe)
{
    memset(recipe->lines, 0, (size_t)recipe->count * sizeof *recipe->lines);
}

/* ---- Changing ----------------------------------------------------------------------------- */

static sumi_status set_value(sumi_recipe *recipe, const char *source, const char *key,
                             const char *value)
{
    sumi_context *context = recipe->context;
    int number = 0;
    const struct option *row = recipe_find(recipe->keys, key, &number);
    if (!row) return unknown_key(recipe, source, key);
    TRY(recipe_check_value(context, source, row, value));
    char *copy = copy_value(context, row, value);
    if (!copy) return SUMI_ERROR_MEMORY;
    context_release(context, recipe->values[number]);
    recipe->values[number] = copy;
    recipe->lines[number] = SET_LATER;
    return SUMI_OK;
}

sumi_status sumi_recipe_set(sumi_recipe *recipe, const char *assignment)
{
    sumi_context *context = recipe->context;
    char key[KEY_SIZE], value[PATH_SIZE], source[SOURCE_SIZE];
    snprintf(source, sizeof source, "setting '%.256s'", assignment);
    const char *equals = strchr(assignment, '=');
    if (!equals) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: expected section.key=value, such as train.steps=2000", source);
    }
    if (!text_copy_trimmed(assignment, equals, key, sizeof key)
        || !text_copy_trimmed(equals + 1, assignment + strlen(assignment), value, sizeof value)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "%s: too long", source);
    }
    return set_value(recipe, source, key, value);
}

sumi_status sumi_recipe_set_text(sumi_recipe *recipe, const char *key, const char *value)
{
    char source[SOURCE_SIZE];
    if (!key || !value) {
        return context_fail(recipe->context, SUMI_ERROR_ARGUMENT,
                            "a recipe's key needs a name and a value, not NULL");
    }
    snprintf(source, sizeof source, "setting '%.128s'", key);
    return set_value(recipe, source, key, value);
}

sumi_status sumi_recipe_set_number(sumi_recipe *recipe, const char *key, double value)
{
    char text[OPTION_WORD_SIZE];
    option_number_text(value, text);
    return sumi_recipe_set_text(recipe, key, text);
}

const char *sumi_recipe_get(const sumi_recipe *recipe, const char *key)
{
    int number = 0;
    const struct option *row = recipe_find(recipe->keys, key, &number);
    if (!row) return NULL;
    const char *value = recipe->values[number];
    return value ? value : row->default_value;
}

/* ---- Which keys are read -------------------------------------------------------------------- */

static bool present(const void *user, const char *name, char text[OPTION_WORD_SIZE])
{
    const char *value = sumi_recipe_get(user, name);
    if (value) snprintf(text, OPTION_WORD_SIZE, "%.63s", value);
    return value;
}

bool recipe_reads(const sumi_recipe *recipe, const struct option *row)
{
    return !row->when || option_holds(row->when, present, recipe);
}

/* Whether the caller has set a value that is neither that of a built-in recipe nor the default. */
static bool is_given(const sumi_recipe *recipe, int number, const struct option *row)
{
    const char *value = recipe->values[number];
    return recipe->lines[number] && value && strcmp(value, row->default_value) != 0;
}

/* Refuses a key, and names the key because of which it is not read, and that key's value. */
static sumi_status not_read(sumi_context *context, const sumi_recipe *recipe, int line,
                            const struct option *row)
{
    char condition[OPTION_EXPECTED_SIZE], kind[OPTION_WORD_SIZE], place[SOURCE_SIZE] = "";
    option_condition(row->when, condition, sizeof condition);
    option_first_failing(row->when, present, recipe, kind);
    if (line > 0) snprintf(place, sizeof place, "line %d: ", line);
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "%s%s = %.60s: %s = %.60s does not read it, but %s does; leave it out",
                        place, row->name, recipe_text(recipe, row->name), kind,
                        recipe_text(recipe, kind), condition);
}

sumi_status recipe_check_read(sumi_context *context, const sumi_recipe *recipe,
                              const char *const *sections)
{
    for (; *sections; sections++) {
        size_t length = strlen(*sections);
        const struct option *row;
        for (int i = 0; (row = recipe_row(recipe->keys, i)) != NULL; i++) {
            if (strncmp(row->name, *sections, length) != 0 || row->name[length] != '.') continue;
            if (is_given(recipe, i, row) && !recipe_reads(recipe, row))
                return not_read(context, recipe, recipe->lines[i], row);
        }
    }
    return SUMI_OK;
}

sumi_status recipe_refuse_keys(sumi_context *context, const sumi_recipe *recipe,
                               const struct option *const *tables, const char *reader)
{
    for (; *tables; tables++) {
        for (const struct option *row = *tables; row->name; row++) {
            int number = 0;
            recipe_find(recipe->keys, row->name, &number);
            if (!is_given(recipe, number, row)) continue;
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "%s = %.60s: %s does not read it; leave it out", row->name,
                                recipe_text(recipe, row->name), reader);
        }
    }
    return SUMI_OK;
}

/* ---- Writing ------------------------------------------------------------------------------ */

static sumi_status put_text(sumi_context *context, file_writer *writer, const char *text)
{
    return file_writer_put(context, writer, text, strlen(text));
}

/* Whether a line may be broken before `letter` so that inih joins the two again. */
static bool may_break(const char *letter)
{
    return !strchr(" ;#", letter[0]) && letter[-1] != ' ';
}

/* Continues a long value in indented lines; searches for breaks from the right. */
static sumi_status put_value(sumi_context *context, file_writer *writer, const char *value)
{
    while (strlen(value) > WRITTEN_LENGTH) {
        size_t length = WRITTEN_LENGTH;
        while (length > 1 && !may_break(value + length)) length--;
        TRY(file_writer_put(context, writer, value, length));
        TRY(put_text(context, writer, "\n    "));
        value += length;
    }
    TRY(put_text(context, writer, value));
    return put_text(context, writer, "\n");
}

/* Leaves out keys that are not read, unless the caller has set them. */
static bool is_written(const sumi_recipe *recipe, int number, const struct option *row)
{
    return recipe_reads(recipe, row) || is_given(recipe, number, row);
}

static sumi_status put_section(const sumi_recipe *recipe, const char *key, const char **section,
                               file_writer *writer)
{
    char line[256];
    size_t length = (size_t)(strchr(key, '.') - key) + 1;
    if (*section && strncmp(key, *section, length) == 0) return SUMI_OK;
    snprintf(line, sizeof line, "%s[%.*s]\n", *section ? "\n" : "", (int)length - 1, key);
    *section = key;
    return put_text(recipe->context, writer, line);
}

static sumi_status put_recipe(const sumi_recipe *recipe, file_writer *writer)
{
    char line[384];
    const char *section = NULL; /* a key of the current section */
    const struct option *row;
    for (int i = 0; (row = recipe_row(recipe->keys, i)) != NULL; i++) {
        const char *key = row->name;
        if (!is_written(recipe, i, row)) continue;
        TRY(put_section(recipe, key, &section, writer));
        snprintf(line, sizeof line, "; %s\n%s = ", row->meaning, strchr(key, '.') + 1);
        TRY(put_text(recipe->context, writer, line));
        TRY(put_value(recipe->context, writer, recipe_text(recipe, key)));
    }
    return SUMI_OK;
}

sumi_status sumi_recipe_text(const sumi_recipe *recipe, char **text)
{
    file_writer writer;
    void *bytes = NULL;
    size_t size = 0;
    *text = NULL;
    TRY(file_writer_open_memory(recipe->context, &writer, "recipe"));
    sumi_status status = put_recipe(recipe, &writer);
    if (status == SUMI_OK) status = file_writer_put(recipe->context, &writer, "", 1);
    if (status == SUMI_OK) file_writer_take(&writer, &bytes, &size);
    else file_writer_abandon(&writer);
    *text = bytes;
    return status;
}

sumi_status sumi_recipe_write(const sumi_recipe *recipe, const char *path)
{
    file_writer writer;
    TRY(file_writer_open(recipe->context, &writer, path));
    sumi_status status = put_recipe(recipe, &writer);
    if (status == SUMI_OK) return file_writer_commit(recipe->context, &writer);
    file_writer_abandon(&writer);
    return status;
}
