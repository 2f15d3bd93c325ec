/* SPDX-License-Identifier: Apache-2.0 */
/* The binomial filter of Skip blocks against its sum written out. */
#include "nets/unet.h"
#include "trial.h"

enum { ITEMS = 2, HEIGHT = 6, WIDTH = 4, CHANNELS = 3 };

static const double taps[4] = {1, 3, 3, 1};

static double value_at(int64_t n, int64_t y, int64_t x, int64_t c)
{
    if (y < 0 || y >= HEIGHT || x < 0 || x >= WIDTH) return 0;
    return sin(0.7 * (double)(((n * HEIGHT + y) * WIDTH + x) * CHANNELS + c));
}

/* sum over i, j of taps[i] taps[j] / 64 x[2y - 1 + i, 2x - 1 + j]. */
static double halved(int64_t n, int64_t y, int64_t x, int64_t c)
{
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            sum += taps[i] * taps[j] / 64 * value_at(n, 2 * y - 1 + i, 2 * x - 1 + j, c);
        }
    }
    return sum;
}

/* Zeros between the samples, then four times the same filter: the transpose of halving, times
   four, so that a constant stays what it is. */
static double doubled(int64_t n, int64_t y, int64_t x, int64_t c)
{
    double sum = 0;
    for (int64_t v = 0; v < HEIGHT; v++) {
        for (int64_t u = 0; u < WIDTH; u++) {
            int64_t i = y - 2 * v + 1, j = x - 2 * u + 1;
            if (i < 0 || i > 3 || j < 0 || j > 3) continue;
            sum += taps[i] * taps[j] / 16 * value_at(n, v, u, c);
        }
    }
    return sum;
}

static void check_filter(sumi_node (*filter)(sumi_graph *, sumi_node),
                         double (*expected)(int64_t, int64_t, int64_t, int64_t), int64_t height,
                         int64_t width)
{
    sumi_context *context = NULL;
    sumi_graph *graph = NULL;
    float *values = calloc(ITEMS * HEIGHT * WIDTH * CHANNELS, sizeof *values);
    int64_t shape[4] = {ITEMS, HEIGHT, WIDTH, CHANNELS};
    for (int i = 0; i < ITEMS * HEIGHT * WIDTH * CHANNELS; i++) values[i] = (float)sin(0.7 * i);
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_graph_create(context, NULL, false, &graph));
    sumi_node y = filter(graph, sumi_graph_constant(graph, 4, shape, values));
    CHECK_OK(context, sumi_graph_status(graph));
    const struct shape *size = graph_shape(graph, y);
    assert_int_equal(size->size[1], height);
    assert_int_equal(size->size[2], width);
    double **results = calloc((size_t)graph->count, sizeof *results);
    bool *owned = calloc((size_t)graph->count, sizeof *owned);
    CHECK_OK(context, interpret(graph, 1, &y, results, owned, &(struct run_key){.seed = 1}));
    for (int64_t i = 0; i < shape_count(size); i++) {
        int64_t c = i % CHANNELS, column = i / CHANNELS % width;
        int64_t row = i / CHANNELS / width % height, n = i / CHANNELS / width / height;
        CHECK_CLOSE(results[y][i], expected(n, row, column, c), 1e-6);
    }
    interpret_release(graph, results, owned);
    free(results);
    free(owned);
    free(values);
    sumi_graph_free(graph);
    sumi_context_free(context);
}

static void halving_weighs_four_neighbours_by_1_3_3_1(void **state)
{
    (void)state;
    check_filter(unet_fir_down, halved, HEIGHT / 2, WIDTH / 2);
}

static void doubling_is_the_transpose_of_halving_times_four(void **state)
{
    (void)state;
    check_filter(unet_fir_up, doubled, 2 * HEIGHT, 2 * WIDTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halving_weighs_four_neighbours_by_1_3_3_1),
        cmocka_unit_test(doubling_is_the_transpose_of_halving_times_four),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
