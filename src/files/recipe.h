/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes: INI files that say what to train, on which data and how. One table (recipe_schema.c) has
   every key with its type, range, default and meaning. A value is checked when it is set, so that
   the typed getters below cannot fail. */
#ifndef SUMI_FILES_RECIPE_H
#define SUMI_FILES_RECIPE_H

#include "base/options.h"

/* The texts of recipes/, which cmake/embed_recipes.cmake embeds into the library. */
struct built_in_recipe {
    const char *name, *summary, *text;
};

/* Sorted by name, ended by a NULL name. */
extern const struct built_in_recipe built_in_recipes[];

enum { RECIPE_LIST_LIMIT = OPTION_LIST_LIMIT, RECIPE_WORD_SIZE = OPTION_WORD_SIZE };

/* Every key, "section.name", ended by a row without a name. A row's condition names the values of
   other keys with which it is read. */
extern const struct option recipe_schema[];
extern const int recipe_schema_count;

/* The index of a key in the schema, or -1. */
int recipe_key_number(const char *key);

/* The most likely keys for one that does not exist: "train.steps or sample.steps". */
void recipe_suggest(const char *key, char *text, size_t size);

/* Whether `value` is allowed for key `number`; `source` ("my.ini, line 3") begins the message. */
sumi_status recipe_check_value(sumi_context *context, const char *source, int number,
                               const char *value);

/* Reads a recipe's text. `source` names it in messages. */
sumi_status recipe_parse(sumi_context *context, const char *source, const char *text, size_t size,
                         sumi_recipe **recipe);

/* Refuses keys of these sections ("data", "noise" ...; ended by NULL) that were set, but that other
   keys leave without effect, unless they have their defaults. Call it before the sections are
   used. */
sumi_status recipe_check_read(sumi_context *context, const sumi_recipe *recipe,
                              const char *const *sections);

/* Typed values, including defaults. An unknown key or another type gives 0, false or "". */
int64_t recipe_int(const sumi_recipe *recipe, const char *key);
uint64_t recipe_seed(const sumi_recipe *recipe, const char *key);
double recipe_number(const sumi_recipe *recipe, const char *key);
bool recipe_flag(const sumi_recipe *recipe, const char *key);
const char *recipe_text(const sumi_recipe *recipe, const char *key);
bool recipe_is(const sumi_recipe *recipe, const char *key, const char *text);

/* Reads a list (WHOLES, or FLAGS as 1 and 0); returns its length, 0 for "auto". */
int recipe_list(const sumi_recipe *recipe, const char *key, int64_t values[RECIPE_LIST_LIMIT]);
int recipe_words(const sumi_recipe *recipe, const char *key,
                 char words[RECIPE_LIST_LIMIT][RECIPE_WORD_SIZE]);

#endif
