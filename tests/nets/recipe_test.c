/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of networks of recipes: each has a name in model.kind, and refuses by that name the
   keys that it does not read. What configs they make is tested by models/from_recipe_test.c. */
#include "nets/recipe.h"

#include "one_context.h"
#include "recipes/keys.h"

enum { LINE = 160, KINDS = 8 };

/* The choices of model.kind; returns their number. */
static int kinds_of_recipes(char kinds[KINDS][OPTION_WORD_SIZE])
{
    int number = 0, count = 0;
    const struct option *row = recipe_find(&recipe_keys, "model.kind", &number);
    for (const char *rest = row->choices; rest && count < KINDS;) {
        size_t length = strcspn(rest, "|");
        snprintf(kinds[count++], OPTION_WORD_SIZE, "%.*s", (int)length, rest);
        rest = rest[length] ? rest + length + 1 : NULL;
    }
    return count;
}

static void every_choice_is_a_kind_with_items(void **state)
{
    (void)state;
    char kinds[KINDS][OPTION_WORD_SIZE];
    int count = kinds_of_recipes(kinds);
    assert_true(count >= 4);
    for (int i = 0; i < count; i++) {
        const struct net_kind *kind = net_kind_find(kinds[i]);
        assert_non_null(kind);
        assert_string_equal(kind->name, kinds[i]);
        assert_non_null(item_type_of_network(kinds[i]));
    }
    assert_null(net_kind_find("unet3d"));
}

/* A value that is allowed and is not the default. */
static const char *other_value(const struct option *row)
{
    switch (row->type) {
    case OPTION_FLAG: return strcmp(row->default_value, "no") == 0 ? "yes" : "no";
    case OPTION_CHOICE: return strchr(row->choices, '|') + 1; /* the second of two, or a list */
    case OPTION_FLAGS: return "yes, no";
    case OPTION_WORDS: return "DownBlock2D";
    case OPTION_WHOLES: return "8, 8";
    case OPTION_NUMBER: return "0.25";
    default: return "7";
    }
}

/* Sets a key in a recipe of a kind; `expected` is what the refusal says, NULL if it is read. */
static void check_key(const char *kind, const struct option *row, const char *expected)
{
    static const char *const model[] = {"model", NULL};
    char value[OPTION_WORD_SIZE], assignment[LINE];
    sumi_recipe *recipe = NULL;
    snprintf(value, sizeof value, "%s", other_value(row));
    if (row->type == OPTION_CHOICE) value[strcspn(value, "|")] = '\0';
    snprintf(assignment, sizeof assignment, "[model]\nkind = %s\n", kind);
    CHECK_OK(context, sumi_recipe_parse(context, assignment, "recipe", &recipe));
    CHECK_OK(context, sumi_recipe_set_text(recipe, row->name, value));
    sumi_status status = recipe_check_read(context, recipe, model);
    if (!expected) CHECK_OK(context, status);
    else {
        assert_int_equal(status, SUMI_ERROR_ARGUMENT);
        if (!strstr(sumi_context_message(context), expected))
            fail_msg("\"%s\" does not say: %s", sumi_context_message(context), expected);
    }
    sumi_recipe_free(recipe);
}

/* Whether a row's condition names the kind, or is not about kinds. */
static bool names_kind(const struct option *row, const char *kind)
{
    static const char about[] = "model.kind=";
    const char *list = row->when ? strstr(row->when, about) : NULL;
    size_t length = strlen(kind);
    if (!list) return true;
    list += strlen(about);
    for (const char *end = list + strcspn(list, ", "); list < end; list++) {
        if (strncmp(list, kind, length) == 0 && strchr("|, ", list[length])) return true;
        list += strcspn(list, "|, ");
    }
    return false;
}

static void a_key_that_a_kind_does_not_read_is_refused_by_its_name(void **state)
{
    (void)state;
    char kinds[KINDS][OPTION_WORD_SIZE], expected[LINE];
    int count = kinds_of_recipes(kinds), refused = 0;
    for (int i = 0; i < count; i++) {
        snprintf(expected, sizeof expected, "model.kind = %.60s does not read it", kinds[i]);
        for (const struct option *const *table = model_tables; *table; table++) {
            for (const struct option *row = *table; row->name; row++) {
                if (strcmp(row->name, "model.kind") == 0) continue;
                bool read = names_kind(row, kinds[i]);
                check_key(kinds[i], row, read ? NULL : expected);
                refused += !read;
            }
        }
    }
    assert_true(refused > 20);
}

/* A condition with two keys: the message names the one that is not met. */
static void a_config_of_one_s_own_is_named_where_it_replaces_keys(void **state)
{
    (void)state;
    static const char *const model[] = {"model", NULL};
    sumi_recipe *recipe = NULL;
    CHECK_OK(context,
             sumi_recipe_parse(context, "[model]\nkind = mlp\nconfig = own.json\nwidth = 8\n",
                               "recipe", &recipe));
    assert_int_equal(recipe_check_read(context, recipe, model), SUMI_ERROR_ARGUMENT);
    assert_non_null(
        strstr(sumi_context_message(context), "model.config = own.json does not read it"));
    sumi_recipe_free(recipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_choice_is_a_kind_with_items),
        cmocka_unit_test(a_key_that_a_kind_does_not_read_is_refused_by_its_name),
        cmocka_unit_test(a_config_of_one_s_own_is_named_where_it_replaces_keys),
    };
    return cmocka_run_group_tests(tests, make_context, leave_context);
}
