/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers, matrix products and attention, forward and backward, on operands of every type
   that they take: each kernel by itself against its op's reference kernel in double. Sizes are
   drawn at random, odd ones among them. */
#include "cpu/loops/product.h"
#include "cpu/typed_kernel.h"
#include "ops/attention.h"
#include "ops/linear.h"
#include "ops/ops.h"

#define ONE_OF(...)                                                                                \
    ((const int64_t[]){                                                                            \
        __VA_ARGS__})[(size_t)rand() % (sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t))]

/* Sums of float32 over a few hundred terms. */
#define ARITHMETIC 1e-5

/* A type at random for each of the operands of the masks. */
static struct typed draw_types(unsigned bf16, unsigned f16)
{
    struct typed t = {.roundings = 1, .arithmetic = ARITHMETIC};
    for (unsigned operand = 1; operand <= BF16_OUTPUT; operand <<= 1) {
        int type = rand() % 3;
        if (type == 1 && bf16 & operand) t.bf16 |= operand;
        if (type == 2 && f16 & operand) t.f16 |= operand;
    }
    return t;
}

/* ---- Linear layers ---- */

/* With parts of the epilogue, the residual of which is of the result's type, and perhaps a second
   array. */
static void check_linear(unsigned parts)
{
    const int64_t n = 1 + rand() % 2, length = ONE_OF(1, 1, 2, 3, 5, 13, 64, 129, 250);
    const int64_t in = ONE_OF(1, 7, 32, 63, 257, 520, 1100), more = ONE_OF(3, 40, 513);
    const int64_t out = ONE_OF(1, 5, 31, 32, 33, 100, 131, 260);
    const bool transposed = rand() % 2, second = parts & LINEAR_SECOND;
    const int64_t all = in + (second ? more : 0);
    start_over(1 + rand() % 3);
    sumi_node inputs[6], x = INPUT(n, length, in);
    int count = 0;
    inputs[count++] = x;
    inputs[count++] = transposed ? INPUT(out, all) : INPUT(all, out);
    struct typed t =
        draw_types(BF16_INPUT(0) | BF16_INPUT(1) | BF16_OUTPUT, BF16_INPUT(0) | BF16_INPUT(1));
    if (parts & EPILOGUE_BIAS) inputs[count++] = INPUT(out);
    if (parts & EPILOGUE_RESIDUAL) {
        if (t.bf16 & BF16_OUTPUT) t.bf16 |= BF16_INPUT(count);
        inputs[count++] = INPUT(n, length, out);
    }
    if (second) {
        t.bf16 |= rand() % 2 ? BF16_INPUT(count) : 0;
        t.coarse = t.bf16 & BF16_INPUT(count);
        inputs[count++] = INPUT(n, length, more);
    }
    t.coarse |= (t.bf16 & BF16_INPUT(0)) != 0;
    struct attributes a = {.matmul = {.transpose_b = transposed},
                           .epilogue = {parts, rand() % 2 ? 1 : 0.5},
                           .shape = {3, {n, length, out}}};
    check_typed(graph_append(graph, &op_linear_whole, count, inputs, &a), t);
}

static void linear_layers_take_factors_and_results_of_any_type(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 160; round++) {
        check_linear((rand() % 2 ? EPILOGUE_BIAS : 0) | (rand() % 2 ? EPILOGUE_RESIDUAL : 0)
                     | (rand() % 2 ? LINEAR_SECOND : 0));
    }
}

static void a_linear_layer_of_a_single_row_without_items_takes_any_type(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        start_over(1 + i % 2);
        sumi_node inputs[] = {INPUT(300), INPUT(70, 300), INPUT(70)};
        struct attributes a = {
            .matmul = {.transpose_b = true}, .epilogue = {EPILOGUE_BIAS, 1}, .shape = {1, {70}}};
        struct typed t = {.bf16 = i < 2 ? BF16_INPUT(0) | BF16_OUTPUT : 0,
                          .f16 = BF16_INPUT(1),
                          .roundings = 1,
                          .arithmetic = ARITHMETIC};
        check_typed(graph_append(graph, &op_linear_whole, 3, inputs, &a), t);
    }
}

static void gradients_by_weights_of_linear_layers_take_any_type(void **state)
{
    (void)state;
    srand(2);
    for (int round = 0; round < 40; round++) {
        const int64_t rows = ONE_OF(1, 2, 17, 64, 301, 700), out = ONE_OF(1, 30, 33, 130);
        const int64_t first = ONE_OF(1, 17, 32, 140), second = ONE_OF(1, 16, 33);
        start_over(1 + rand() % 3);
        sumi_node inputs[] = {INPUT(rows, out), INPUT(rows, first), INPUT(rows, second)};
        struct attributes a = {.shape = {2, {out, first + second}}};
        check_typed(graph_append(graph, &op_linear_weight_gradient, 3, inputs, &a),
                    draw_types(BF16_INPUT(0) | BF16_INPUT(1) | BF16_INPUT(2), 0));
    }
}

/* ---- Matrix products ---- */

static void matrix_products_take_factors_and_results_of_any_type(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 200; round++) {
        const int64_t batch = ONE_OF(1, 1, 2, 5), m = ONE_OF(1, 2, 3, 4, 5, 12, 50, 99, 263);
        const int64_t k = ONE_OF(1, 2, 3, 16, 33, 255, 256, 257, 515, 777);
        const int64_t n = ONE_OF(1, 15, 16, 17, 32, 47, 150);
        const bool ta = rand() % 2, tb = rand() % 2;
        start_over(1 + rand() % 3);
        sumi_node a = ta ? INPUT(batch, k, m) : INPUT(batch, m, k);
        sumi_node b = tb ? INPUT(batch, n, k) : INPUT(batch, k, n);
        struct typed t =
            draw_types(BF16_INPUT(0) | BF16_INPUT(1) | BF16_OUTPUT, BF16_INPUT(0) | BF16_INPUT(1));
        t.coarse = t.bf16 & BF16_OUTPUT;
        check_typed(sumi_op_matmul(graph, a, b, ta, tb), t);
    }
}

/* Weights of float32 under activations of bfloat16, as many as would show a coarser rounding. */
static void weights_lose_no_more_than_a_rounding_to_bfloat16(void **state)
{
    (void)state;
    struct attributes a = {.matmul = {.transpose_b = true}, .epilogue = {0, 1}};
    for (int64_t rows = 1; rows <= 600; rows += 599) {
        a.shape = (struct shape){3, {1, rows, 1300}};
        start_over(2);
        sumi_node inputs[] = {INPUT(1, rows, 257), INPUT(1300, 257)};
        const struct typed t = {
            .bf16 = BF16_INPUT(0) | BF16_OUTPUT, .roundings = 1, .arithmetic = 0x1p-9};
        check_typed(graph_append(graph, &op_linear_whole, 2, inputs, &a), t);
    }
}

/* Wide layers of few rows are cut into columns. */
static void wide_layers_of_few_rows_take_any_epilogue(void **state)
{
    (void)state;
    srand(4);
    for (int round = 0; round < 12; round++) {
        const int64_t rows = ONE_OF(70, 530), out = ONE_OF(600, 1300), in = ONE_OF(33, 390);
        const unsigned parts = EPILOGUE_BIAS | EPILOGUE_ITEM | EPILOGUE_RESIDUAL;
        const bool bf16 = round % 2;
        struct attributes a = {.matmul = {.transpose_b = round % 3 > 0},
                               .epilogue = {parts, 0.5},
                               .shape = {3, {2, rows, out}}};
        start_over(1 + rand() % 3);
        sumi_node inputs[] = {INPUT(2, rows, in),
                              a.matmul.transpose_b ? INPUT(out, in) : INPUT(in, out), INPUT(out),
                              INPUT(2, out), INPUT(2, rows, out)};
        const struct typed t = {.bf16 = bf16 ? BF16_INPUT(0) | BF16_INPUT(4) | BF16_OUTPUT : 0,
                                .roundings = 1,
                                .arithmetic = ARITHMETIC,
                                .coarse = bf16};
        check_typed(graph_append(graph, &op_linear_whole, 5, inputs, &a), t);
    }
}

/* Both larger than a tile of sums. */
static void large_results_of_bfloat16_are_rounded_tile_by_tile(void **state)
{
    (void)state;
    const struct typed t = {.bf16 = BF16_INPUT(0) | BF16_INPUT(1) | BF16_OUTPUT,
                            .roundings = 1,
                            .arithmetic = ARITHMETIC};
    for (int threads = 1; threads <= 2; threads++) {
        start_over(threads);
        size_t bytes = check_typed(
            sumi_op_matmul(graph, INPUT(1, 523, 3), INPUT(1, 3, 2051), false, false), t);
        assert_true(bytes < (size_t)threads * 2 << 20);
        check_typed(sumi_op_matmul(graph, INPUT(2051, 3), INPUT(3, 301), false, false), t);
    }
}

/* ---- Attention ---- */

enum { ATTENTION_OPERANDS = BF16_INPUT(0) | BF16_INPUT(1) | BF16_INPUT(2) };

/* q, k and v of `heads` heads; the sizes of q to shape. */
static struct attributes draw_attention(sumi_node inputs[MAX_INPUTS], struct shape *q)
{
    const int64_t n = 1 + rand() % 2, heads = ONE_OF(1, 2, 3), d = ONE_OF(1, 5, 16, 33, 40);
    const int64_t length = ONE_OF(1, 7, 64, 256, 257, 300), keys = ONE_OF(1, 5, 77, 256, 300);
    start_over(1 + rand() % 3);
    *q = (struct shape){3, {n, length, heads * d}};
    inputs[0] = INPUT(n, length, heads * d);
    inputs[1] = INPUT(n, keys, heads * d);
    inputs[2] = INPUT(n, keys, heads * d);
    return (struct attributes){.attention = {.heads = heads, .scale = 1 / sqrt((double)d)}};
}

static void attention_takes_operands_and_results_of_any_type(void **state)
{
    (void)state;
    srand(4);
    for (int round = 0; round < 40; round++) {
        sumi_node inputs[MAX_INPUTS];
        struct shape q;
        struct attributes a = draw_attention(inputs, &q);
        check_typed(graph_append(graph, &op_attention, 3, inputs, &a),
                    draw_types(ATTENTION_OPERANDS | BF16_OUTPUT, 0));
    }
}

static void gradients_of_attention_take_operands_and_results_of_any_type(void **state)
{
    (void)state;
    srand(5);
    for (int round = 0; round < 30; round++) {
        sumi_node inputs[MAX_INPUTS];
        struct shape q;
        struct attributes a = draw_attention(inputs, &q);
        inputs[3] = sumi_graph_input(graph, "upstream", q.rank, q.size);
        check_typed(graph_append(graph, &op_attention_gradient, 4, inputs, &a),
                    draw_types(ATTENTION_OPERANDS | BF16_INPUT(3) | BF16_OUTPUT, 0));
    }
}

/* ---- Every copy of the loops ---- */

#if defined(__x86_64__)
extern const struct product_loops product_loops_baseline, product_loops_v3, product_loops_v4,
    product_loops_v4_bf16;

static float read_of(const struct operand *o, int64_t i)
{
    return (float)operand_read(o, i);
}

/* c += a b at the start value 1 everywhere, by one copy of the loops. */
static void check_loops(const struct product_loops *loops, sumi_element of_a, sumi_element of_b)
{
    const int64_t m = ONE_OF(1, 3, 5, 12, 25, 250), k = ONE_OF(1, 2, 17, 256, 513, 600),
                  n = ONE_OF(1, 16, 31, 32, 33, 80);
    const bool ta = rand() % 2, tb = rand() % 2;
    struct operand a = operand_create(&(struct shape){2, {m, k}}, 1, of_a, false);
    struct operand b = operand_create(&(struct shape){2, {k, n}}, 2, of_b, false);
    float *c = malloc((size_t)(m * n) * sizeof *c);
    float *workspace = aligned_alloc(64, PRODUCT_WORKSPACE * sizeof *workspace);
    for (int64_t i = 0; i < m * n; i++) c[i] = 1;
    struct product p = {.m = m,
                        .n = n,
                        .k = k,
                        .a = a.data,
                        .b = b.data,
                        .a_element = of_a,
                        .b_element = of_b,
                        .a_row = ta ? 1 : k,
                        .a_column = ta ? m : 1,
                        .b_row = tb ? 1 : n,
                        .b_column = tb ? k : 1,
                        .c = c,
                        .c_row = n,
                        .add = true,
                        .workspace = workspace};
    loops->product(&p);
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            double sum = 1, size = 1;
            for (int64_t l = 0; l < k; l++) {
                double term = (double)read_of(&a, i * p.a_row + l * p.a_column)
                              * read_of(&b, l * p.b_row + j * p.b_column);
                sum += term;
                size += fabs(term);
            }
            assert_float_equal(c[i * n + j], sum, 1e-6 * size);
        }
    }
    free(c);
    free(workspace);
    operand_release(&a);
    operand_release(&b);
}

static void every_copy_of_the_loops_computes_the_same_product(void **state)
{
    (void)state;
    static const sumi_element elements[] = {SUMI_FLOAT32, SUMI_BFLOAT16, SUMI_FLOAT16};
    const struct product_loops *loops[] = {&product_loops_baseline, NULL, NULL, NULL};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        loops[1] = &product_loops_v3;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        loops[2] = &product_loops_v4;
    if (loops[2] && __builtin_cpu_supports("avx512bf16")) loops[3] = &product_loops_v4_bf16;
    srand(6);
    for (int i = 0; i < 4; i++) {
        for (int types = 0; loops[i] && types < 9; types++) {
            for (int round = 0; round < 12; round++) {
                check_loops(loops[i], elements[types / 3], elements[types % 3]);
            }
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(linear_layers_take_factors_and_results_of_any_type),
        GRAPH_TEST(a_linear_layer_of_a_single_row_without_items_takes_any_type),
        GRAPH_TEST(gradients_by_weights_of_linear_layers_take_any_type),
        GRAPH_TEST(matrix_products_take_factors_and_results_of_any_type),
        GRAPH_TEST(weights_lose_no_more_than_a_rounding_to_bfloat16),
        GRAPH_TEST(wide_layers_of_few_rows_take_any_epilogue),
        GRAPH_TEST(large_results_of_bfloat16_are_rounded_tile_by_tile),
        GRAPH_TEST(attention_takes_operands_and_results_of_any_type),
        GRAPH_TEST(gradients_of_attention_take_operands_and_results_of_any_type),
#if defined(__x86_64__)
        GRAPH_TEST(every_copy_of_the_loops_computes_the_same_product),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
