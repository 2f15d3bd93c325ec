/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes: INI files that say what to train, on which data and how. The keys are given by the
   caller as tables of rows, each with its type, range, default and meaning; a value is checked when
   it is set, so that the typed getters below cannot fail. */
#ifndef SUMI_FILES_RECIPE_H
#define SUMI_FILES_RECIPE_H

#include "base/options.h"

enum {
    RECIPE_LIST_LIMIT = OPTION_LIST_LIMIT,
    RECIPE_WORD_SIZE = OPTION_WORD_SIZE,
    RECIPE_SECTIONS = 8
};

/* The name of a key in other programs. */
struct other_name {
    const char *name, *key;
};

/* Every key, "section.name": for each section a list of tables, ended by NULL, of which each stands
   beside the code that reads it (recipes/keys.c joins them). A row's condition names the
   values of other keys with which it is read. */
struct recipe_keys {
    const struct option *const *sections[RECIPE_SECTIONS]; /* NULL behind the last */
    const struct other_name *other_names;                  /* ended by a NULL name; or NULL */
};

/* The row by number from 0, in the order of the tables; NULL past the last. */
const struct option *recipe_row(const struct recipe_keys *keys, int number);
int recipe_key_count(const struct recipe_keys *keys);

/* The row of a key and its number; NULL where there is no such key. */
const struct option *recipe_find(const struct recipe_keys *keys, const char *key, int *number);

/* The most likely keys for one that does not exist: "train.steps or sample.steps". */
void recipe_suggest(const struct recipe_keys *keys, const char *key, char *text, size_t size);

/* Whether `value` is allowed for a key; `source` ("my.ini, line 3") begins the message. */
sumi_status recipe_check_value(sumi_context *context, const char *source, const struct option *row,
                               const char *value);

/* Reads a recipe's text. `source` names it in messages. The keys must outlive the recipe. */
sumi_status recipe_parse(sumi_context *context, const struct recipe_keys *keys, const char *source,
                         const char *text, size_t size, sumi_recipe **recipe);

/* The keys that it was read with. */
const struct recipe_keys *recipe_keys_of(const sumi_recipe *recipe);

/* Treats all values as not set by the caller: those of a built-in recipe. */
void recipe_forget_lines(sumi_recipe *recipe);

/* Whether a key is read with the values of the others. */
bool recipe_reads(const sumi_recipe *recipe, const struct option *row);

/* Refuses keys of these sections ("data", "noise" ...; ended by NULL) that were set, but that other
   keys leave without effect, unless they have their defaults. Call it before the sections are
   used. */
sumi_status recipe_check_read(sumi_context *context, const sumi_recipe *recipe,
                              const char *const *sections);

/* Refuses keys of these tables that were set to other values than their defaults, for a reader that
   does not read them: "READER does not read it". */
sumi_status recipe_refuse_keys(sumi_context *context, const sumi_recipe *recipe,
                               const struct option *const *tables, const char *reader);

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
