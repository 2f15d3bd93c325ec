/* SPDX-License-Identifier: Apache-2.0 */
/* Structures begin with their size. A program that was built against an older header has smaller
   ones: they are filled as far as they go, and nothing behind them is written. One that was built
   against a newer header has larger ones, of which the library reads what it knows. */
#include <unistd.h>

#include "check.h"
#include "sumi_graph.h"

enum { CAPACITY = 512, UNTOUCHED = 0xA5, MOST_MEMBERS = 9 };

static const char POINTS[] =
    "{\"_class_name\": \"SumiMLPModel\", \"in_channels\": 2, \"width\": 8, "
    "\"depth\": 1}";

static sumi_context *context;
static sumi_model *model;
static sumi_session *session;
static sumi_solver *solver;
static sumi_likelihood *likelihood;
static sumi_condition *condition;

/* One of each: a model, its description, and its profile. */
static int open_all(void **state)
{
    (void)state;
    const int64_t one = 1, shape[] = {2, 2};
    const float number = 3, points[] = {0, 1, 1, 0};
    if (sumi_context_create(NULL, &context) != SUMI_OK) return -1;
    CHECK_OK(context, sumi_model_create(context, POINTS, 1, &model));
    CHECK_OK(context, sumi_session_create(context, model, &session));
    CHECK_OK(context, sumi_session_solver(session, "euler", &solver));
    CHECK_OK(context, sumi_likelihood_create(context, solver, &likelihood));
    CHECK_OK(context, sumi_condition_create(context, &condition));
    CHECK_OK(context, sumi_condition_set(condition, "own", 1, &one, &number));
    CHECK_OK(context, sumi_profile_start(context));
    CHECK_OK(context,
             sumi_session_density(session, likelihood, 2, shape, points, NULL, NULL, NULL));
    sumi_profile_stop(context);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    sumi_condition_free(condition);
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    sumi_session_free(session);
    sumi_model_free(model);
    sumi_context_free(context);
    return 0;
}

/* ---- What the library fills ---- */

static bool fill_solver_info(void *structure)
{
    return sumi_solver_describe(2, structure);
}

static bool fill_recipe_key(void *structure)
{
    return sumi_recipe_describe(3, structure);
}

static bool fill_recipe_option(void *structure)
{
    return sumi_recipe_option(NULL, 3, structure);
}

static bool fill_solver_option(void *structure)
{
    return sumi_solver_option(solver, 0, structure);
}

static bool fill_likelihood_option(void *structure)
{
    return sumi_likelihood_option(likelihood, 2, structure);
}

static bool fill_likelihood_term(void *structure)
{
    return sumi_likelihood_get(likelihood, 0, structure);
}

static bool fill_profile_row(void *structure)
{
    return sumi_profile_get(context, 0, structure);
}

static bool fill_weight(void *structure)
{
    return sumi_model_weight(model, 1, structure);
}

static bool fill_input(void *structure)
{
    return sumi_model_input(model, 1, structure);
}

static bool fill_network_part(void *structure)
{
    return sumi_model_part(model, 0, structure);
}

static bool fill_scheduler_part(void *structure)
{
    return sumi_model_part(model, 1, structure);
}

static bool fill_condition_entry(void *structure)
{
    return sumi_condition_get(condition, 0, structure);
}

static bool fill_session_option(void *structure)
{
    return sumi_session_option(session, 1, structure);
}

static bool fill_plan_info(void *structure)
{
    return sumi_session_plan(session, 0, structure);
}

static bool fill_guide_info(void *structure)
{
    return sumi_guide_describe(0, structure);
}

#define MEMBER(type, member)                                                                       \
    {                                                                                              \
        offsetof(type, member), sizeof((type *)0)->member                                          \
    }

/* A structure as the library fills it, and its members in their order. */
struct filled {
    const char *name;
    bool (*fill)(void *structure);
    size_t size;
    struct {
        size_t offset, size;
    } members[MOST_MEMBERS]; /* ended by one without a size */
};

#define OPTION_MEMBERS                                                                             \
    sizeof(sumi_option),                                                                           \
    {                                                                                              \
        MEMBER(sumi_option, name), MEMBER(sumi_option, type), MEMBER(sumi_option, choices),        \
            MEMBER(sumi_option, low), MEMBER(sumi_option, high), MEMBER(sumi_option, when),        \
            MEMBER(sumi_option, read)                                                              \
    }
#define PART_MEMBERS                                                                               \
    sizeof(sumi_part),                                                                             \
    {                                                                                              \
        MEMBER(sumi_part, name), MEMBER(sumi_part, class_name), MEMBER(sumi_part, kind)            \
    }

static const struct filled filled[] = {
    {"sumi_solver_info",
     fill_solver_info,
     sizeof(sumi_solver_info),
     {MEMBER(sumi_solver_info, name), MEMBER(sumi_solver_info, paper),
      MEMBER(sumi_solver_info, order), MEMBER(sumi_solver_info, evaluations),
      MEMBER(sumi_solver_info, stochastic)}},
    {"sumi_recipe_key",
     fill_recipe_key,
     sizeof(sumi_recipe_key),
     {MEMBER(sumi_recipe_key, key), MEMBER(sumi_recipe_key, default_value),
      MEMBER(sumi_recipe_key, meaning)}},
    {"sumi_option of a recipe", fill_recipe_option, OPTION_MEMBERS},
    {"sumi_option of a solver", fill_solver_option, OPTION_MEMBERS},
    {"sumi_option of a likelihood", fill_likelihood_option, OPTION_MEMBERS},
    {"sumi_option of a session", fill_session_option, OPTION_MEMBERS},
    {"sumi_plan_info",
     fill_plan_info,
     sizeof(sumi_plan_info),
     {MEMBER(sumi_plan_info, items), MEMBER(sumi_plan_info, bf16), MEMBER(sumi_plan_info, bytes),
      MEMBER(sumi_plan_info, kept)}},
    {"sumi_guide_info",
     fill_guide_info,
     sizeof(sumi_guide_info),
     {MEMBER(sumi_guide_info, name), MEMBER(sumi_guide_info, paper)}},
    {"sumi_likelihood_term",
     fill_likelihood_term,
     sizeof(sumi_likelihood_term),
     {MEMBER(sumi_likelihood_term, name), MEMBER(sumi_likelihood_term, time),
      MEMBER(sumi_likelihood_term, bits), MEMBER(sumi_likelihood_term, error),
      MEMBER(sumi_likelihood_term, draws)}},
    {"sumi_profile_row",
     fill_profile_row,
     sizeof(sumi_profile_row),
     {MEMBER(sumi_profile_row, name), MEMBER(sumi_profile_row, shapes),
      MEMBER(sumi_profile_row, calls), MEMBER(sumi_profile_row, seconds),
      MEMBER(sumi_profile_row, operations), MEMBER(sumi_profile_row, bytes)}},
    {"sumi_weight",
     fill_weight,
     sizeof(sumi_weight),
     {MEMBER(sumi_weight, name), MEMBER(sumi_weight, rank), MEMBER(sumi_weight, shape),
      MEMBER(sumi_weight, data), MEMBER(sumi_weight, trainable)}},
    {"sumi_input",
     fill_input,
     sizeof(sumi_input),
     {MEMBER(sumi_input, name), MEMBER(sumi_input, element), MEMBER(sumi_input, optional),
      MEMBER(sumi_input, rank), MEMBER(sumi_input, shape), MEMBER(sumi_input, limit)}},
    {"sumi_part of a network", fill_network_part, PART_MEMBERS},
    {"sumi_part of a scheduler", fill_scheduler_part, PART_MEMBERS},
    {"sumi_condition_entry",
     fill_condition_entry,
     sizeof(sumi_condition_entry),
     {MEMBER(sumi_condition_entry, name), MEMBER(sumi_condition_entry, rank),
      MEMBER(sumi_condition_entry, shape), MEMBER(sumi_condition_entry, numbers),
      MEMBER(sumi_condition_entry, integers)}},
};
enum { FILLED = sizeof filled / sizeof *filled };

/* A structure of `size` bytes, and what lies behind it. */
static bool fill(const struct filled *f, size_t size, unsigned char bytes[CAPACITY])
{
    memset(bytes, UNTOUCHED, CAPACITY);
    memcpy(bytes, &size, sizeof size);
    return f->fill(bytes);
}

static void a_smaller_structure_is_filled_as_far_as_it_goes(void **state)
{
    (void)state;
    for (int i = 0; i < FILLED; i++) {
        const struct filled *f = &filled[i];
        unsigned char whole[CAPACITY], part[CAPACITY];
        assert_true(f->size <= CAPACITY);
        if (!fill(f, f->size, whole)) fail_msg("%s is not filled", f->name);
        size_t size = sizeof(size_t);
        for (int last = 0; last < MOST_MEMBERS && f->members[last].size; last++) {
            size = f->members[last].offset + f->members[last].size;
            assert_true(fill(f, size, part));
            for (int k = 0; k <= last; k++) {
                size_t offset = f->members[k].offset;
                assert_memory_equal(part + offset, whole + offset, f->members[k].size);
            }
            for (size_t k = size; k < CAPACITY; k++) assert_int_equal(part[k], UNTOUCHED);
            assert_memory_equal(part, &size, sizeof size);
        }
        assert_true(size <= f->size);
    }
}

static void a_larger_structure_is_filled_and_no_more_than_the_library_knows_is_written(void **state)
{
    (void)state;
    for (int i = 0; i < FILLED; i++) {
        const struct filled *f = &filled[i];
        unsigned char bytes[CAPACITY];
        assert_true(fill(f, CAPACITY, bytes));
        for (size_t k = f->size; k < CAPACITY; k++) assert_int_equal(bytes[k], UNTOUCHED);
    }
}

static void a_structure_without_a_size_is_not_filled(void **state)
{
    (void)state;
    for (int i = 0; i < FILLED; i++) {
        unsigned char bytes[CAPACITY];
        assert_false(fill(&filled[i], 0, bytes));
        for (size_t k = sizeof(size_t); k < CAPACITY; k++) assert_int_equal(bytes[k], UNTOUCHED);
    }
}

static void what_a_machine_can_do_is_filled_as_far_as_it_goes(void **state)
{
    (void)state;
    struct {
        sumi_machine machine;
        double behind;
    } older = {.behind = 7};
    older.machine = (sumi_machine){.size = offsetof(sumi_machine, bytes_one), .bytes_one = 5};
    CHECK_OK(context, sumi_machine_measure(context, &older.machine));
    assert_true(older.machine.f32_one > 0 && older.machine.threads > 0);
    assert_true(older.machine.bytes_one == 5 && older.behind == 7);
    sumi_machine none = {.size = 0};
    assert_int_equal(sumi_machine_measure(context, &none), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "set .size = sizeof(sumi_machine)"));
}

static bool look_at_size(void *user, const sumi_progress *progress)
{
    *(size_t *)user = progress->size;
    return true;
}

static void progress_says_how_much_of_it_the_library_knows(void **state)
{
    (void)state;
    const int64_t shape[] = {1, 2};
    const float point[] = {0, 0};
    size_t size = 0;
    CHECK_OK(context,
             sumi_session_density(session, likelihood, 2, shape, point, NULL, look_at_size, &size));
    assert_int_equal(size, sizeof(sumi_progress));
}

/* ---- What the caller fills ---- */

static void members_that_an_older_program_does_not_have_count_as_zero(void **state)
{
    (void)state;
    const float value = 2;
    float clean = 1;
    sumi_known known = {.size = offsetof(sumi_known, deviation),
                        .items = 1,
                        .values = &value,
                        .deviation = 1e9}; /* whatever lies behind it */
    CHECK_OK(context, sumi_keep_known(&known, 1, 1, 0.5, 0.5, &clean));
    assert_true(clean == 2); /* known exactly */
    known.size = sizeof known;
    CHECK_OK(context, sumi_keep_known(&known, 1, 1, 0.5, 0.5, &clean));
    assert_true(clean == 2);
    clean = 1;
    CHECK_OK(context, sumi_keep_known(&known, 1, 1, 0.5, 0.5, &clean));
    assert_true(clean < 1.001F);
}

static long read_file(const char *path, char bytes[1 << 18])
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    long size = (long)fread(bytes, 1, 1 << 18, file);
    fclose(file);
    unlink(path);
    return size;
}

static void lines_of_a_newer_program_are_drawn_as_those_of_this_one(void **state)
{
    (void)state;
    static char one[1 << 18], other[1 << 18];
    const double x[] = {1, 10, 100}, y[] = {1, 3, 2}, z[] = {3, 2, 1};
    const sumi_line lines[] = {{sizeof *lines, "y", 3, x, y}, {sizeof *lines, "z", 3, x, z}};
    struct {
        sumi_line line;
        double later;
    } newer[2] = {{lines[0], 5}, {lines[1], 6}};
    char path[64];
    if (!sumi_has("draw")) skip();
    snprintf(path, sizeof path, "/tmp/sumi-structures-%ld.png", (long)getpid());
    for (int i = 0; i < 2; i++) newer[i].line.size = sizeof newer[i];
    CHECK_OK(context, sumi_draw_lines(context, lines, 2, "t", "x", "y", path));
    long size = read_file(path, one);
    CHECK_OK(context, sumi_draw_lines(context, &newer[0].line, 2, "t", "x", "y", path));
    assert_int_equal(read_file(path, other), size);
    assert_memory_equal(one, other, (size_t)size);
}

static sumi_node build(void *user, sumi_graph *graph, const sumi_node *inputs)
{
    (void)user;
    const int64_t shape[] = {1, 2};
    return sumi_op_multiply(graph, inputs[0],
                            sumi_graph_weight(graph, "w", 2, shape, SUMI_START_ONE, 0));
}

static void a_network_of_a_newer_program_declares_the_same_inputs(void **state)
{
    (void)state;
    struct {
        sumi_input input;
        double later;
    } inputs[] = {{{.name = "a", .rank = 1, .optional = true}, 1},
                  {{.name = "b", .rank = 1, .element = SUMI_INT32, .optional = true}, 2}};
    for (int i = 0; i < 2; i++) inputs[i].input.size = sizeof inputs[i];
    const sumi_network network = {.size = sizeof network,
                                  .rank = 1,
                                  .shape = {2},
                                  .input_count = 2,
                                  .inputs = &inputs[0].input,
                                  .build = build};
    sumi_model *own = NULL;
    sumi_input input = {.size = sizeof input};
    CHECK_OK(context, sumi_model_compose(context, &network, 1, &own));
    assert_true(sumi_model_input(own, 3, &input));
    assert_string_equal(input.name, "b");
    assert_int_equal(input.element, SUMI_INT32);
    sumi_model_free(own);
}

static void what_has_no_size_is_refused_with_a_sentence(void **state)
{
    (void)state;
    const double x[] = {1, 2};
    const sumi_line line = {.name = "x", .count = 2, .x = x, .y = x};
    const sumi_input input = {.name = "a", .rank = 1};
    sumi_network network = {.rank = 1, .shape = {2}, .build = build};
    sumi_model *own = NULL;
    sumi_known known = {.items = 1};
    float clean = 0;
    assert_int_equal(sumi_model_compose(context, &network, 1, &own), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "sizeof(sumi_network)"));
    network.size = sizeof network;
    network.input_count = 1;
    network.inputs = &input;
    assert_int_equal(sumi_model_compose(context, &network, 1, &own), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "sizeof(sumi_input)"));
    assert_int_equal(sumi_keep_known(&known, 1, 1, 1, 1, &clean), SUMI_ERROR_ARGUMENT);
    if (!sumi_has("draw")) return;
    assert_int_equal(sumi_draw_lines(context, &line, 1, "t", "x", "y", "/tmp/none.png"),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "sizeof(sumi_line)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_smaller_structure_is_filled_as_far_as_it_goes),
        cmocka_unit_test(
            a_larger_structure_is_filled_and_no_more_than_the_library_knows_is_written),
        cmocka_unit_test(a_structure_without_a_size_is_not_filled),
        cmocka_unit_test(what_a_machine_can_do_is_filled_as_far_as_it_goes),
        cmocka_unit_test(progress_says_how_much_of_it_the_library_knows),
        cmocka_unit_test(members_that_an_older_program_does_not_have_count_as_zero),
        cmocka_unit_test(lines_of_a_newer_program_are_drawn_as_those_of_this_one),
        cmocka_unit_test(a_network_of_a_newer_program_declares_the_same_inputs),
        cmocka_unit_test(what_has_no_size_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
