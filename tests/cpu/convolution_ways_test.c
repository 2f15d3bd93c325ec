/* SPDX-License-Identifier: Apache-2.0 */
/* Every way of computing a convolution or one of its gradients, compared with the definition: the
   sum over taps in double, with the epilogue. */
#include "convolution_case.h"

#include "cpu/cpu.h"
#include "failing_allocator.h"

static const struct sizes problems[] = {
    {2, 8, 8, 16, 32, 3, 1, 1, 1, false},  /* whole tiles */
    {3, 9, 14, 48, 16, 3, 1, 1, 1, false}, /* tiles that stick out */
    {1, 5, 6, 20, 33, 3, 1, 1, 1, false},  /* channels that fill no vector */
    {2, 7, 10, 32, 17, 3, 1, 0, 0, false}, /* no padding */
    {2, 6, 6, 16, 16, 3, 1, 2, 0, false},  /* padding on one side */
    {2, 4, 9, 16, 16, 3, 1, 0, 2, false},
    {5, 1, 1, 18, 16, 3, 1, 1, 1, false}, /* a single pixel */
    {2, 9, 9, 16, 24, 3, 2, 1, 1, false},
    {2, 8, 8, 32, 16, 1, 1, 0, 0, false},
    {3, 20, 23, 16, 16, 3, 1, 1, 1, false},  /* more than one block of tiles */
    {2, 22, 25, 128, 16, 3, 1, 1, 1, false}, /* many channels on one side */
    {2, 11, 13, 16, 128, 3, 1, 1, 1, false},
    {2, 7, 8, 140, 150, 3, 1, 1, 1, false}, /* panels, the last of them thin */
    {2, 11, 7, 3, 5, 5, 1, 2, 2, false},
    {2, 3, 12, 16, 32, 3, 1, 1, 1, true}, /* 1-D Winograd: whole tiles */
    {3, 2, 13, 17, 9, 3, 1, 1, 1, true},  /* tiles that stick out, channels that fill no vector */
    {2, 1, 10, 8, 40, 3, 1, 0, 0, true},  /* no padding */
    {2, 1, 11, 12, 8, 3, 1, 2, 0, true},  /* padding on one side */
    {2, 1, 9, 12, 8, 3, 1, 0, 2, true},
    {40, 2, 33, 16, 48, 3, 1, 1, 1, true}, /* many blocks of tiles */
    {20, 3, 33, 24, 48, 1, 1, 0, 0, true}, /* many blocks of pixels */
    {2, 1, 12, 16, 8, 3, 2, 1, 1, true},
};

/* The library, slow at low instruction sets, is not what is tested here with several threads. */
static bool run_own(struct fixture *f, const struct convolution_way *way,
                    const struct convolution_problem *p, struct case_data *d)
{
    if (p->threads > 1 && is_library(way)) return false;
    return run_way(f, way, p, d);
}

static void every_way_computes_the_sum_over_taps(void **state)
{
    struct fixture *f = *state;
    int done[32] = {0};
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        for (int variation = 0; variation < 3 * 2 * 2; variation++) {
            struct convolution_problem p =
                pose(&problems[i], variation % 3, variation / 3 % 2 ? 3 : 1, variation / 6);
            p.constant_weights = variation / 6 && p.direction != CONVOLUTION_WEIGHT_GRADIENT;
            struct case_data d = make_case(&p);
            CHECK_OK(f->context, sumi_context_set_threads(f->context, p.threads));
            for (int number = 0; tune_way(number); number++) {
                if (!run_own(f, tune_way(number), &p, &d)) continue;
                done[number]++;
                if (!(error_of(&d) < 2e-5)) {
                    fail_msg("%s, problem %d, direction %d, %d threads: relative error %.3g",
                             tune_way(number)->name, (int)i, (int)p.direction, p.threads,
                             error_of(&d));
                }
            }
            free_case(&d);
        }
    }
    for (int number = 0; tune_way(number); number++) {
        const char *name = tune_way(number)->name;
        bool own = strncmp(name, "winograd", 8) == 0 || strcmp(name, "taps") == 0;
        if (own && !done[number]) fail_msg("%s never ran", name);
    }
}

static void a_team_smaller_than_requested_computes_the_same(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        for (int direction = 0; direction < 3; direction++) {
            struct convolution_problem p = pose(&problems[i], direction, 3, false);
            struct case_data d = make_case(&p);
            CHECK_OK(f->context, sumi_context_set_threads(f->context, p.threads));
            for (int number = 0; tune_way(number); number++) {
                small_teams = true;
                bool runs = run_own(f, tune_way(number), &p, &d);
                small_teams = false;
                if (!runs || error_of(&d) < 2e-5) continue;
                fail_msg("%s, problem %d, direction %d: relative error %.3g",
                         tune_way(number)->name, (int)i, direction, error_of(&d));
            }
            free_case(&d);
        }
    }
}

/* Results are rounded once, by 2^-8 of themselves at most; the library's are again when the
   epilogue is added to them. Gradients by weight are float32. */
static void every_way_takes_images_of_bfloat16(void **state)
{
    struct fixture *f = *state;
    bool native = false;
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        for (int variation = 0; variation < 3 * 2; variation++) {
            struct convolution_problem p =
                pose(&problems[i], variation % 3, i % 2 ? 3 : 1, variation / 3);
            p.bf16 = true;
            bool weights = p.direction == CONVOLUTION_WEIGHT_GRADIENT;
            struct case_data d = make_case(&p);
            CHECK_OK(f->context, sumi_context_set_threads(f->context, p.threads));
            for (int number = 0; tune_way(number); number++) {
                const struct convolution_way *way = tune_way(number);
                if (!run_own(f, way, &p, &d)) continue;
                native |= way->bf16;
                bool twice = p.epilogue && strcmp(way->name, "direct-bf16") == 0;
                double bound = 2e-5 + (weights ? 0 : twice ? ldexp(1, -7) : ldexp(1, -8));
                if (error_of(&d) < bound) continue;
                fail_msg("%s, problem %d, direction %d, %d threads: relative error %.3g", way->name,
                         (int)i, (int)p.direction, p.threads, error_of(&d));
            }
            free_case(&d);
        }
    }
    assert_true(native);
}

/* As a file has them; the result is what float32 weights of the same values give. */
static void every_way_reads_weights_of_16_bits_as_they_are_stored(void **state)
{
    struct fixture *f = *state;
    int done[32] = {0};
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        for (int variation = 0; variation < 2 * 2 * 2; variation++) {
            struct convolution_problem p =
                pose(&problems[i], variation % 2, i % 2 ? 3 : 1, (variation + i / 2) % 2);
            p.weights = variation / 2 % 2 ? SUMI_FLOAT16 : SUMI_BFLOAT16;
            p.bf16 = p.constant_weights = variation / 4;
            struct case_data d = make_case(&p);
            CHECK_OK(f->context, sumi_context_set_threads(f->context, p.threads));
            for (int number = 0; tune_way(number); number++) {
                const struct convolution_way *way = tune_way(number);
                if (!run_own(f, way, &p, &d)) continue;
                done[number]++;
                double bound = 2e-5 + (p.bf16 ? ldexp(1, p.epilogue ? -7 : -8) : 0);
                if (error_of(&d) < bound) continue;
                fail_msg("%s, problem %d, direction %d, weights of %s: relative error %.3g",
                         way->name, (int)i, (int)p.direction, element_name(p.weights),
                         error_of(&d));
            }
            free_case(&d);
        }
    }
    for (int number = 0; tune_way(number); number++) {
        const char *name = tune_way(number)->name;
        if (name[0] != 'd' && name[0] != 'l' && !done[number]) fail_msg("%s never ran", name);
    }
}

/* The scratch memory of a way, without the images that it transforms, is smaller than the widened
   weights: the products widen them panel by panel. */
static void products_and_panels_never_hold_all_weights_widened(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct sizes sizes;
        const char *way;
    } cases[] = {{{1, 4, 4, 1024, 1024, 1, 1, 0, 0, false}, "pointwise-240"},
                 {{1, 4, 4, 512, 512, 3, 1, 1, 1, false}, "winograd-panels-32"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int direction = 0; direction < 2; direction++) {
            struct convolution_problem p = pose(&cases[i].sizes, direction, 1, false);
            size_t weights = (size_t)(p.out * p.in * p.kernel[0] * p.kernel[1]) * sizeof(float);
            struct convolution_ready ready;
            p.weights = SUMI_FLOAT16;
            int number = 0;
            while (strcmp(tune_way(number)->name, cases[i].way) != 0) number++;
            CHECK_OK(f->context,
                     convolution_prepare(f->context, f->library, tune_way(number), &p, &ready));
            if (ready.memory.scratch > weights / 3)
                fail_msg("%s takes %zu bytes", cases[i].way, ready.memory.scratch);
            convolution_release(&ready);
        }
    }
}

/* An allocator without blocks of more than LARGEST bytes. */
enum { LARGEST = 1 << 18 };

static void *allocate_little(void *user, size_t size, size_t alignment)
{
    const failing_allocator *all = user;
    return size > LARGEST ? NULL : all->allocator.allocate(user, size, alignment);
}

/* Prepares a convolution whose weights take 144 KiB, and transformed four times as much, which is
   kept where it is within keep_most. */
static sumi_status prepare_keeping(sumi_context *context, int64_t keep_most)
{
    sumi_graph *graph = NULL;
    CHECK_OK(context, sumi_graph_create(context, NULL, false, &graph));
    sumi_node x = sumi_graph_input(graph, "x", 4, (int64_t[]){2, 32, 32, 64});
    sumi_node w = sumi_graph_input(graph, "w", 4, (int64_t[]){64, 64, 3, 3});
    const sumi_convolution geometry = {{1, 1}, {1, 1}, {1, 1}};
    sumi_node y = sumi_op_convolution(graph, x, w, -1, &geometry);
    const struct node *node = graph_node(graph, y);
    struct problem problem = {.context = context,
                              .graph = graph,
                              .node = node,
                              .inputs = {input_shape(graph, node, 0), input_shape(graph, node, 1)},
                              .constant_weights = {false, true},
                              .keep_most = keep_most,
                              .threads = 1};
    void *state = NULL;
    size_t scratch = 0;
    CHECK_OK(context, cpu_backend.open(context, &problem.shared));
    sumi_status status = kernel_convolution.prepare(&problem, &state, &scratch);
    if (status == SUMI_OK) {
        assert_true((int64_t)kernel_convolution.kept(state) <= keep_most);
        kernel_convolution.release(context, state);
    }
    cpu_backend.close(context, problem.shared);
    sumi_graph_free(graph);
    return status;
}

static void what_is_too_much_to_keep_takes_no_memory(void **state)
{
    (void)state;
    failing_allocator all;
    sumi_context *context = NULL;
    failing_allocator_init(&all, 0, false);
    const sumi_allocator little = {&all, allocate_little, all.allocator.release};
    assert_int_equal(sumi_context_create(&little, &context), SUMI_OK);
    assert_int_equal(prepare_keeping(context, INT64_MAX), SUMI_ERROR_MEMORY);
    CHECK_OK(context, prepare_keeping(context, LARGEST));
    sumi_context_free(context);
    assert_int_equal(all.live, 0);
}

/* The required bound on U-Net shapes, where sums are longer and errors larger. */
static void winograd_is_within_1e_4_on_the_shapes_of_a_u_net(void **state)
{
    struct fixture *f = *state;
    const struct sizes s = {1, 16, 16, 256, 64, 3, 1, 1, 1, false};
    for (int direction = 0; direction < 3; direction++) {
        struct convolution_problem p = pose(&s, direction, 1, false);
        struct case_data d = make_case(&p);
        for (int number = 0; tune_way(number); number++) {
            if (run_own(f, tune_way(number), &p, &d)) assert_true(error_of(&d) < 1e-4);
        }
        free_case(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_way_computes_the_sum_over_taps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_team_smaller_than_requested_computes_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_way_takes_images_of_bfloat16, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_way_reads_weights_of_16_bits_as_they_are_stored,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(products_and_panels_never_hold_all_weights_widened, set_up,
                                        tear_down),
        cmocka_unit_test(what_is_too_much_to_keep_takes_no_memory),
        cmocka_unit_test_setup_teardown(winograd_is_within_1e_4_on_the_shapes_of_a_u_net, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
