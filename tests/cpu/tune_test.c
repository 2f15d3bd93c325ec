/* SPDX-License-Identifier: Apache-2.0 */
/* The choice among ways of convolution, and the file that stores it. */
#include "check.h"
#include "cpu/cpu.h"
#include "cpu/tune.h"

#include <dirent.h>
#include <unistd.h>

static sumi_context *context;
static char folder[] = "/tmp/sumi-tune-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (!mkdtemp(folder) || setenv("XDG_CACHE_HOME", folder, 1)) return -1;
    return sumi_context_create(NULL, &context) == SUMI_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[64];
    sumi_context_free(context);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct cpu_shared *open_backend(void)
{
    void *shared = NULL;
    CHECK_OK(context, cpu_backend.open(context, &shared));
    return shared;
}

static const struct convolution_problem problem = {.direction = CONVOLUTION_FORWARD,
                                                   .batch = 4,
                                                   .height = 16,
                                                   .width = 16,
                                                   .in = 32,
                                                   .out_height = 16,
                                                   .out_width = 16,
                                                   .out = 32,
                                                   .kernel = {3, 3},
                                                   .stride = {1, 1},
                                                   .before = {1, 1},
                                                   .after = {1, 1},
                                                   .threads = 1};

static const char *choose_for(struct cpu_shared *shared, const struct convolution_problem *posed)
{
    struct convolution_ready ready;
    CHECK_OK(context, tune_choose(context, shared, posed, &ready));
    convolution_release(&ready);
    return ready.way->name;
}

static const char *choose(struct cpu_shared *shared)
{
    return choose_for(shared, &problem);
}

static void without_tuning_the_choice_is_fixed_and_nothing_is_written(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct cpu_shared *shared = open_backend();
        struct convolution_problem large = problem;
        large.batch = 64;
        assert_string_equal(choose(shared), "direct");
        assert_string_equal(choose_for(shared, &large), "winograd-32");
        cpu_backend.close(context, shared);
    }
    char path[128];
    snprintf(path, sizeof path, "%s/sumi", folder);
    assert_int_equal(access(path, F_OK), -1);
}

static void what_was_measured_once_is_read_the_next_time(void **state)
{
    (void)state;
    sumi_context_set_tuning(context, true);
    struct cpu_shared *shared = open_backend();
    const char *chosen = choose(shared);
    assert_int_equal(shared->memory->count, 1);
    cpu_backend.close(context, shared);

    shared = open_backend();
    assert_int_equal(shared->memory->count, 1);
    assert_string_equal(shared->memory->choices[0].way, chosen);
    assert_string_equal(choose(shared), chosen);
    cpu_backend.close(context, shared);
}

/* Overwrites the remembered way of the one problem in the file. */
static void rewrite_choice(const char *way)
{
    char path[512], line[512];
    snprintf(path, sizeof path, "%s/sumi/tune", folder);
    DIR *entries = opendir(path);
    assert_non_null(entries);
    struct dirent *entry = readdir(entries);
    while (entry && (!strstr(entry->d_name, ".txt") || strstr(entry->d_name, ".lock")))
        entry = readdir(entries);
    assert_non_null(entry);
    assert_string_equal(strstr(entry->d_name, ".txt"), ".txt");
    snprintf(path, sizeof path, "%s/sumi/tune/%.128s", folder, entry->d_name);
    closedir(entries);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    strcpy(strchr(line, '\t') + 1, way);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(line, file);
    fclose(file);
}

static void the_remembered_choice_is_followed(void **state)
{
    (void)state;
    sumi_context_set_tuning(context, true);
    struct cpu_shared *shared = open_backend();
    choose(shared);
    cpu_backend.close(context, shared);
    rewrite_choice("winograd-16");
    shared = open_backend();
    assert_string_equal(choose(shared), "winograd-16");
    cpu_backend.close(context, shared);
}

static void an_unknown_way_in_the_file_is_measured_again(void **state)
{
    (void)state;
    sumi_context_set_tuning(context, true);
    struct cpu_shared *shared = open_backend();
    choose(shared);
    cpu_backend.close(context, shared);
    rewrite_choice("abacus");
    shared = open_backend();
    const char *chosen = choose(shared);
    cpu_backend.close(context, shared);
    shared = open_backend();
    assert_string_equal(shared->memory->choices[0].way, chosen);
    cpu_backend.close(context, shared);
}

/* A graph of one convolution with constant weights, run with the way that was just timed. */
static void what_was_kept_from_a_timing_is_not_used(void **state)
{
    (void)state;
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    float results[2];
    for (int tuning = 0; tuning < 2; tuning++) {
        sumi_context_set_tuning(context, tuning);
        CHECK_OK(context, sumi_weights_create(context, 7, &weights));
        CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
        graph->keep_most = INT64_MAX;
        sumi_node x = sumi_graph_input(graph, "x", 4, (int64_t[]){4, 16, 16, 32});
        sumi_node w =
            sumi_graph_weight(graph, "w", 4, (int64_t[]){32, 32, 3, 3}, SUMI_START_NORMAL, 1);
        const sumi_convolution geometry = {{1, 1}, {1, 1}, {1, 1}};
        sumi_node y = sumi_op_convolution(graph, x, w, -1, &geometry);
        sumi_plan *plan = NULL;
        CHECK_OK(context, sumi_plan_create(graph, 1, &y, &plan));
        float *data = sumi_plan_data(plan, x);
        for (int64_t i = 0; i < 4 * 16 * 16 * 32; i++) data[i] = (float)(i % 7);
        CHECK_OK(context, sumi_plan_run(plan, 0, 0));
        results[tuning] = sumi_plan_data(plan, y)[1000];
        sumi_plan_free(plan);
        sumi_graph_free(graph);
        sumi_weights_free(weights);
    }
    assert_true(fabsf(results[0]) > 1e-3f);
    CHECK_CLOSE(results[1], results[0], 1e-3 * fabsf(results[0]));
}

static void damaged_lines_are_passed_over(void **state)
{
    (void)state;
    struct memory *memory = NULL;
    CHECK_OK(context, tune_memory_open(context, &memory));
    char text[4096] = "no tab here\n\tno key\nno way\t\ngood key\tgood way\n";
    size_t length = strlen(text);
    memset(text + length, 'k', 1000);
    strcpy(text + length + 1000, "\ttoo long a key\nshort\t");
    length = strlen(text);
    memset(text + length, 'w', 100);
    CHECK_OK(context, tune_memory_parse(memory, text));
    assert_int_equal(memory->count, 1);
    assert_string_equal(tune_memory_find(memory, "good key"), "good way");
    tune_memory_close(memory);
}

/* The bytes of a picture of 2048x2048x4, and an allocator's requests of whole pictures and of
   halves of one. Ways of a convolution have scratch of other sizes. */
static const size_t PICTURE = sizeof(float) * 2048 * 2048 * 4;
static int pictures, halves;

static void *allocate(void *user, size_t size, size_t alignment)
{
    (void)user;
    pictures += size % PICTURE == 0;
    halves += size == PICTURE / 2;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *memory)
{
    (void)user;
    free(memory);
}

static void large_pictures_are_timed_in_parts(void **state)
{
    (void)state;
    const sumi_allocator counting = {.allocate = allocate, .release = release};
    sumi_context *own = NULL;
    void *shared = NULL;
    struct convolution_ready ready;
    struct convolution_problem large = problem;
    large.batch = 3;
    large.height = large.out_height = large.width = large.out_width = 2048;
    large.in = large.out = 4;
    large.threads = 2;
    assert_int_equal(sumi_context_create(&counting, &own), SUMI_OK);
    sumi_context_set_tuning(own, true);
    CHECK_OK(own, cpu_backend.open(own, &shared));
    pictures = halves = 0;
    CHECK_OK(own, tune_choose(own, shared, &large, &ready));
    assert_int_equal(pictures, 0);
    assert_int_equal(halves, 2); /* what is read and what is written */
    assert_int_equal(ready.problem.height, 2048);
    assert_int_equal(ready.problem.batch, 3);
    convolution_release(&ready);
    cpu_backend.close(own, shared);
    sumi_context_free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_tuning_the_choice_is_fixed_and_nothing_is_written,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_measured_once_is_read_the_next_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_remembered_choice_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_way_in_the_file_is_measured_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_kept_from_a_timing_is_not_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_lines_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_pictures_are_timed_in_parts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
