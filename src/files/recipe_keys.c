/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a recipe: finding one, guessing which was meant, and the check of a value against
   its row. */
#include "files/recipe.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The row of the name `key`, or, where that is NULL, of the number `wanted`; its number to *number.
 */
static const struct option *walk(const struct recipe_keys *keys, const char *key, int wanted,
                                 int *number)
{
    *number = 0;
    for (int i = 0; i < RECIPE_SECTIONS && keys->sections[i]; i++) {
        for (const struct option *const *table = keys->sections[i]; *table; table++) {
            for (const struct option *row = *table; row->name; row++, ++*number)
                if (key ? strcmp(row->name, key) == 0 : *number == wanted) return row;
        }
    }
    return NULL;
}

const struct option *recipe_row(const struct recipe_keys *keys, int number)
{
    int found = 0;
    return walk(keys, NULL, number, &found);
}

int recipe_key_count(const struct recipe_keys *keys)
{
    int count = 0;
    walk(keys, NULL, -1, &count);
    return count;
}

const struct option *recipe_find(const struct recipe_keys *keys, const char *key, int *number)
{
    return walk(keys, key, -1, number);
}

/* ---- Suggestions ---- */

static const char *name_of(const char *key)
{
    const char *dot = strchr(key, '.');
    return dot ? dot + 1 : key;
}

/* The key for a name that other programs use; NULL where there is none. */
static const char *usual_key(const struct recipe_keys *keys, const char *name)
{
    for (const struct other_name *other = keys->other_names; other && other->name; other++)
        if (strcmp(other->name, name) == 0) return other->key;
    return NULL;
}

/* Lists the keys of this name in all sections: "train.steps, noise.steps or sample.steps"; returns
   their number. */
static int keys_of_name(const struct recipe_keys *keys, const char *name, char *text, size_t size)
{
    int all = 0, count = 0;
    size_t used = 0;
    const struct option *row;
    for (int i = 0; (row = recipe_row(keys, i)) != NULL; i++)
        all += strcmp(name_of(row->name), name) == 0;
    for (int i = 0; (row = recipe_row(keys, i)) != NULL && used < size; i++) {
        if (strcmp(name_of(row->name), name) != 0) continue;
        const char *between = !count ? "" : count + 1 == all ? " or " : ", ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", between, row->name);
        count++;
    }
    return count;
}

/* The nearest key. An error in the name counts more than one in the section, so that a right name
   in the wrong section is the nearest. */
static const char *nearest_key(const struct recipe_keys *keys, const char *key)
{
    const char *nearest = "";
    int shortest = 1 << 20;
    const struct option *row;
    for (int i = 0; (row = recipe_row(keys, i)) != NULL; i++) {
        int name = text_distance(name_of(key), name_of(row->name));
        int distance = 4 * name + text_distance(key, row->name);
        if (distance >= shortest) continue;
        shortest = distance;
        nearest = row->name;
    }
    return nearest;
}

/* Whether the section is nearly right, which decides among keys of one name. */
static bool section_is_near(const struct recipe_keys *keys, const char *key)
{
    const char *near = nearest_key(keys, key), *dot = strchr(key, '.');
    char section[OPTION_WORD_SIZE], known[OPTION_WORD_SIZE];
    if (!dot) return false;
    snprintf(section, sizeof section, "%.*s", (int)(dot - key), key);
    snprintf(known, sizeof known, "%.*s", (int)strcspn(near, "."), near);
    return text_distance(section, known) <= 2;
}

void recipe_suggest(const struct recipe_keys *keys, const char *key, char *text, size_t size)
{
    const char *usual = usual_key(keys, name_of(key));
    if (!usual && !section_is_near(keys, key) && keys_of_name(keys, name_of(key), text, size))
        return;
    snprintf(text, size, "%s", usual ? usual : nearest_key(keys, key));
}

/* ---- Values ---- */

sumi_status recipe_check_value(sumi_context *context, const char *source, const struct option *row,
                               const char *value)
{
    char subject[512];
    for (const char *letter = value; *letter; letter++) {
        bool comment = *letter == ';' && (letter == value || letter[-1] == ' ');
        if ((unsigned char)*letter >= ' ' && !comment) continue;
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: the value of %s contains %s, which a recipe file cannot store",
                            source, row->name, comment ? "a comment (';')" : "a control character");
    }
    snprintf(subject, sizeof subject, "%s: %s", source, row->name);
    return option_from_plain(context, subject, row, value, NULL);
}
