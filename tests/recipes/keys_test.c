/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of recipes as they come together from the folders that read them, and a reader of
   recipes that has other keys. */
#include "recipes/keys.h"

#include "one_context.h"

static void every_key_is_declared_once(void **state)
{
    (void)state;
    const struct option *row;
    int count = 0, number = 0;
    for (; (row = recipe_row(&recipe_keys, count)) != NULL; count++) {
        assert_ptr_equal(recipe_find(&recipe_keys, row->name, &number), row);
        assert_int_equal(number, count);
    }
    assert_int_equal(count, recipe_key_count(&recipe_keys));
    assert_true(count > 90);
}

/* Sections are written one after the other. */
static void the_keys_of_a_section_follow_each_other(void **state)
{
    (void)state;
    static const char *const sections[] = {"recipe.", "data.",  "latents.", "model.",
                                           "noise.",  "train.", "sample."};
    const size_t count = sizeof sections / sizeof *sections;
    const struct option *row;
    size_t section = 0;
    for (int i = 0; (row = recipe_row(&recipe_keys, i)) != NULL; i++) {
        while (section < count
               && strncmp(row->name, sections[section], strlen(sections[section])) != 0)
            section++;
        assert_true(section < count);
    }
}

/* "kind=a|b, other!=c": each term names a key that there is. */
static void a_condition_names_keys_that_there_are(void **state)
{
    (void)state;
    const struct option *row;
    for (int i = 0; (row = recipe_row(&recipe_keys, i)) != NULL; i++) {
        for (const char *term = row->when; term; term = strstr(term, ", ")) {
            char key[OPTION_WORD_SIZE];
            int number = 0;
            if (*term == ',') term += 2;
            snprintf(key, sizeof key, "%.*s", (int)strcspn(term, "!="), term);
            if (!recipe_find(&recipe_keys, key, &number))
                fail_msg("%s is read with %s, which is no key", row->name, key);
        }
    }
}

static void what_other_programs_call_a_key_leads_to_one_that_there_is(void **state)
{
    (void)state;
    for (const struct other_name *other = recipe_keys.other_names; other->name; other++) {
        char key[OPTION_WORD_SIZE];
        int number = 0;
        snprintf(key, sizeof key, "%.*s", (int)strcspn(other->key, " "), other->key);
        assert_non_null(recipe_find(&recipe_keys, key, &number));
    }
}

static const struct option lamp_keys[] = {
    {CHOICE_OPTION("lamp.kind", "bulb", "bulb|candle", "what gives the light")},
    {WHOLE_OPTION("lamp.watts", "60", 1, 100, "of a bulb"), .when = "lamp.kind=bulb"},
    {.name = NULL},
};
static const struct option wick_keys[] = {
    {NUMBER_OPTION("lamp.wick", "2", 0, 9, "length of the wick"), .when = "lamp.kind=candle"},
    {.name = NULL},
};
static const struct option *const lamp_tables[] = {lamp_keys, wick_keys, NULL};
static const struct recipe_keys lamps = {.sections = {lamp_tables}};

static sumi_status read_lamp(const char *text, sumi_recipe **recipe)
{
    return recipe_parse(context, &lamps, "lamp.ini", text, strlen(text), recipe);
}

static void the_reader_takes_the_keys_that_its_caller_passes(void **state)
{
    (void)state;
    static const char *const sections[] = {"lamp", NULL};
    sumi_recipe *recipe = NULL;
    CHECK_OK(context, read_lamp("[lamp]\nkind = candle\nwick = 3\n", &recipe));
    assert_true(recipe_number(recipe, "lamp.wick") == 3 && recipe_int(recipe, "lamp.watts") == 60);
    CHECK_OK(context, recipe_check_read(context, recipe, sections));
    CHECK_OK(context, sumi_recipe_set(recipe, "lamp.watts=40"));
    assert_int_equal(recipe_check_read(context, recipe, sections), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "lamp.kind = candle does not read it"));
    assert_int_equal(sumi_recipe_set(recipe, "train.steps=1"), SUMI_ERROR_ARGUMENT);
    sumi_recipe_free(recipe);
    assert_int_equal(read_lamp("[lamp]\nwat = 3\n", &recipe), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "did you mean lamp.watts?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_declared_once),
        cmocka_unit_test(the_keys_of_a_section_follow_each_other),
        cmocka_unit_test(a_condition_names_keys_that_there_are),
        cmocka_unit_test(what_other_programs_call_a_key_leads_to_one_that_there_is),
        cmocka_unit_test(the_reader_takes_the_keys_that_its_caller_passes),
    };
    return cmocka_run_group_tests(tests, make_context, leave_context);
}
