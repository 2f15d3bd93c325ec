/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes: INI files that say what to train, on which data and how. Every key with its type, range,
   default and meaning stands in one table (recipe_schema.c); a value is checked when it is set, so
   that the typed getters below cannot fail. */
#ifndef SUMI_FILES_RECIPE_H
#define SUMI_FILES_RECIPE_H

#include "base/context.h"

/* The texts of recipes/, put into the library by cmake/embed_recipes.cmake. */
struct built_in_recipe {
    const char *name, *summary, *text;
};

/* Sorted by name, ended by a NULL name. */
extern const struct built_in_recipe built_in_recipes[];

enum recipe_type {
    RECIPE_TEXT,   /* anything; may be empty */
    RECIPE_WHOLE,  /* a whole number from low to high */
    RECIPE_NUMBER, /* a decimal number from low to high */
    RECIPE_FLAG,   /* yes or no */
    RECIPE_CHOICE, /* one of `choices` */
    RECIPE_WHOLES, /* "auto", or whole numbers from low to high with commas between */
    RECIPE_FLAGS,  /* "auto", or yes and no with commas between */
    RECIPE_WORDS   /* "auto", or words with commas between */
};

enum { RECIPE_LIST_LIMIT = 16, RECIPE_WORD_SIZE = 64 };

struct recipe_entry {
    const char *key, *default_value, *meaning; /* key is "section.name" */
    enum recipe_type type;
    double low, high;
    const char *choices; /* "one|two|three" */
};

extern const struct recipe_entry recipe_schema[];
extern const int recipe_schema_count;

/* Number of a key in the schema, or -1. */
int recipe_key_number(const char *key);

/* The known key that was most likely meant. */
const char *recipe_nearest_key(const char *key);

/* Whether `value` is allowed for key `number`; `source` ("my.ini, line 3") begins the message. */
sumi_status recipe_check_value(sumi_context *context, const char *source, int number,
                               const char *value);

/* Reads a recipe's text. `source` names it in messages. */
sumi_status recipe_parse(sumi_context *context, const char *source, const char *text, size_t size,
                         sumi_recipe **recipe);

/* Typed values, defaults filled in. A key that the schema does not have, or a value of another
   type, gives 0, false or "". */
int64_t recipe_int(const sumi_recipe *recipe, const char *key);
double recipe_number(const sumi_recipe *recipe, const char *key);
bool recipe_flag(const sumi_recipe *recipe, const char *key);
const char *recipe_text(const sumi_recipe *recipe, const char *key);
bool recipe_is(const sumi_recipe *recipe, const char *key, const char *text);

/* Items of a list (WHOLES, FLAGS as 1 and 0); returns how many, 0 for "auto". */
int recipe_list(const sumi_recipe *recipe, const char *key, int64_t values[RECIPE_LIST_LIMIT]);
int recipe_words(const sumi_recipe *recipe, const char *key,
                 char words[RECIPE_LIST_LIMIT][RECIPE_WORD_SIZE]);

#endif
