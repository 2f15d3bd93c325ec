/* SPDX-License-Identifier: Apache-2.0 */
/* The convolution, its transpose and its weight gradient. */
#include "ops/check_gradient.h"

static const sumi_convolution PLAIN = {{1, 1}, {0, 0}, {0, 0}};

static void the_kernel_slides_without_being_flipped(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 3, 3, 1), NUMBERS(1, 2, 3, 4, 5, 6, 7, 8, 9));
    sumi_node weight = trial_given(&trial, SHAPE(1, 1, 2, 2), NUMBERS(1, 10, 100, 1000));
    sumi_node bias = trial_given(&trial, SHAPE(1), NUMBERS(0.5));
    trial_expect(&trial, sumi_op_convolution(trial.graph, x, weight, -1, &PLAIN), SHAPE(1, 2, 2, 1),
                 NUMBERS(5421, 6532, 8754, 9865));
    trial_expect(&trial, sumi_op_convolution(trial.graph, x, weight, bias, &PLAIN),
                 SHAPE(1, 2, 2, 1), NUMBERS(5421.5, 6532.5, 8754.5, 9865.5));
    trial_end(&trial);
}

static void strides_and_one_sided_padding_move_the_kernel(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 3, 3, 1), NUMBERS(1, 2, 3, 4, 5, 6, 7, 8, 9));
    sumi_node weight = trial_given(&trial, SHAPE(1, 1, 2, 2), NUMBERS(1, 10, 100, 1000));
    /* Zeros below and to the right, as diffusers' downsampling has them. */
    const sumi_convolution below = {{2, 2}, {0, 0}, {1, 1}};
    trial_expect(&trial, sumi_op_convolution(trial.graph, x, weight, -1, &below), SHAPE(1, 2, 2, 1),
                 NUMBERS(5421, 603, 87, 9));
    const sumi_convolution above = {{2, 1}, {1, 0}, {0, 0}};
    trial_expect(&trial, sumi_op_convolution(trial.graph, x, weight, -1, &above), SHAPE(1, 2, 2, 1),
                 NUMBERS(2100, 3200, 8754, 9865));
    trial_end(&trial);
}

static void channels_are_summed_and_come_last(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 1, 2, 2), NUMBERS(1, 2, 3, 4));
    /* weight[out, in, kh, kw]: out 0 takes channel 0, out 1 the sum, out 2 ten times channel 1. */
    sumi_node weight = trial_given(&trial, SHAPE(3, 2, 1, 1), NUMBERS(1, 0, 1, 1, 0, 10));
    trial_expect(&trial, sumi_op_convolution(trial.graph, x, weight, -1, &PLAIN), SHAPE(1, 1, 2, 3),
                 NUMBERS(1, 3, 20, 3, 7, 40));
    trial_end(&trial);
}

static void the_transposed_convolution_spreads_each_pixel(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node y = trial_given(&trial, SHAPE(1, 1, 2, 1), NUMBERS(1, 2));
    sumi_node weight = trial_given(&trial, SHAPE(1, 1, 2, 2), NUMBERS(1, 10, 100, 1000));
    trial_expect(&trial, sumi_op_convolution_transposed(trial.graph, y, weight, &PLAIN, 2, 3),
                 SHAPE(1, 2, 3, 1), NUMBERS(1, 12, 20, 100, 1200, 2000));
    const sumi_convolution apart = {{2, 2}, {0, 0}, {0, 0}};
    trial_expect(&trial, sumi_op_convolution_transposed(trial.graph, y, weight, &apart, 3, 4),
                 SHAPE(1, 3, 4, 1), NUMBERS(1, 10, 2, 20, 100, 1000, 200, 2000, 0, 0, 0, 0));
    trial_end(&trial);
}

static void the_weight_gradient_correlates_input_and_upstream(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 2, 3, 1), NUMBERS(1, 2, 3, 4, 5, 6));
    sumi_node y = trial_given(&trial, SHAPE(1, 1, 2, 1), NUMBERS(1, 10));
    trial_expect(&trial, ops_convolution_weight_gradient(trial.graph, x, y, &PLAIN, 2, 2),
                 SHAPE(1, 1, 2, 2), NUMBERS(21, 32, 54, 65));
    trial_end(&trial);
}

/* Sizes x[n,h,w,in], weight[out,in,kh,kw] and a geometry. */
struct problem {
    int64_t x[4], weight[4];
    sumi_convolution geometry;
};

static const struct problem PROBLEMS[] = {
    {{2, 3, 4, 2}, {3, 2, 3, 3}, {{1, 1}, {1, 1}, {1, 1}}},
    {{1, 5, 4, 1}, {2, 1, 3, 3}, {{2, 2}, {1, 1}, {1, 1}}},
    {{1, 4, 5, 2}, {2, 2, 3, 3}, {{2, 2}, {0, 0}, {1, 1}}}, /* one-sided */
    {{2, 3, 3, 2}, {3, 2, 1, 1}, {{1, 1}, {0, 0}, {0, 0}}},
    {{1, 5, 5, 1}, {1, 1, 2, 1}, {{2, 3}, {1, 0}, {0, 2}}}, /* the last rows are never read */
    {{1, 1, 6, 2}, {1, 2, 1, 4}, {{1, 2}, {0, 3}, {0, 1}}},
};
enum { PROBLEM_COUNT = sizeof PROBLEMS / sizeof *PROBLEMS };

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem *p = &PROBLEMS[i];
        struct trial trial;
        trial_start(&trial, false);
        sumi_node x = trial_input(&trial, 4, p->x, -1, 1);
        sumi_node weight = trial_input(&trial, 4, p->weight, -1, 1);
        sumi_node bias = trial_input(&trial, 1, p->weight, -1, 1);
        sumi_node y = sumi_op_convolution(trial.graph, x, weight, bias, &p->geometry);
        trial_check_gradient(&trial, y, 2);
        trial_end(&trial);
    }
}

/* The size of the result along an axis (0 down, 1 across). */
static int64_t result_size(const struct problem *p, int axis)
{
    int64_t padded = p->x[1 + axis] + p->geometry.before[axis] + p->geometry.after[axis];
    return (padded - p->weight[2 + axis]) / p->geometry.stride[axis] + 1;
}

static void derivatives_of_the_transposed_convolution_agree(void **state)
{
    (void)state;
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem *p = &PROBLEMS[i];
        struct trial trial;
        trial_start(&trial, false);
        int64_t result[4] = {p->x[0], result_size(p, 0), result_size(p, 1), p->weight[0]};
        sumi_node y = trial_input(&trial, 4, result, -1, 1);
        sumi_node weight = trial_input(&trial, 4, p->weight, -1, 1);
        sumi_node x =
            sumi_op_convolution_transposed(trial.graph, y, weight, &p->geometry, p->x[1], p->x[2]);
        trial_check_gradient(&trial, x, 2);
        trial_end(&trial);
    }
}

static void derivatives_of_the_weight_gradient_agree(void **state)
{
    (void)state;
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem *p = &PROBLEMS[i];
        struct trial trial;
        trial_start(&trial, false);
        int64_t result[4] = {p->x[0], result_size(p, 0), result_size(p, 1), p->weight[0]};
        sumi_node x = trial_input(&trial, 4, p->x, -1, 1);
        sumi_node y = trial_input(&trial, 4, result, -1, 1);
        sumi_node weight = ops_convolution_weight_gradient(trial.graph, x, y, &p->geometry,
                                                           p->weight[2], p->weight[3]);
        trial_check_gradient(&trial, weight, 2);
        trial_end(&trial);
    }
}

static void refuse(int rank, const int64_t *x_size, int weight_rank, const int64_t *weight_size,
                   const sumi_convolution *geometry, const char *sentence)
{
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, rank, x_size, 0, 1);
    sumi_node weight = trial_input(&trial, weight_rank, weight_size, 0, 1);
    trial_expect_refusal(&trial, sumi_op_convolution(trial.graph, x, weight, -1, geometry),
                         sentence);
    trial_end(&trial);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    refuse(SHAPE(1, 4, 4, 3), SHAPE(2, 2, 3, 3), &PLAIN,
           "convolution: [1, 4, 4, 3] and [2, 2, 3, 3] do not fit: the input is [n, h, w, in] and "
           "the weight [out, in, kh, kw]");
    refuse(SHAPE(4, 4, 3), SHAPE(2, 3, 3, 3), &PLAIN,
           "convolution: [4, 4, 3] and [2, 3, 3, 3] do not fit: the input is [n, h, w, in] and "
           "the weight [out, in, kh, kw]");
    refuse(SHAPE(1, 2, 4, 3), SHAPE(2, 3, 3, 3), &PLAIN,
           "convolution: [1, 2, 4, 3] and [2, 3, 3, 3] do not fit: the kernel is larger than the "
           "padded input");
    const sumi_convolution still = {{0, 1}, {0, 0}, {0, 0}}, inward = {{1, 1}, {0, -1}, {0, 0}};
    const char *impossible = "convolution: strides must be at least 1 and paddings at least 0";
    refuse(SHAPE(1, 4, 4, 3), SHAPE(2, 3, 3, 3), &still, impossible);
    refuse(SHAPE(1, 4, 4, 3), SHAPE(2, 3, 3, 3), &inward, impossible);
}

static void a_bias_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(1, 4, 4, 3), 0, 1);
    sumi_node weight = trial_input(&trial, SHAPE(2, 3, 3, 3), 0, 1);
    sumi_node bias = trial_input(&trial, SHAPE(3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_convolution(trial.graph, x, weight, bias, &PLAIN),
                         "convolution: [2, 3, 3, 3] and [3] do not fit: the weight is [out, in, "
                         "kh, kw] and the bias [out]");
    trial_end(&trial);
}

static void a_transposed_convolution_to_an_impossible_size_is_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node y = trial_input(&trial, SHAPE(1, 2, 2, 2), 0, 1);
    sumi_node weight = trial_input(&trial, SHAPE(2, 3, 3, 3), 0, 1);
    trial_expect_refusal(
        &trial, sumi_op_convolution_transposed(trial.graph, y, weight, &PLAIN, 4, 5),
        "transposed convolution: the result of the convolution is [1, 2, 3, 2], not [1, 2, 2, 2]");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_slides_without_being_flipped),
        cmocka_unit_test(strides_and_one_sided_padding_move_the_kernel),
        cmocka_unit_test(channels_are_summed_and_come_last),
        cmocka_unit_test(the_transposed_convolution_spreads_each_pixel),
        cmocka_unit_test(the_weight_gradient_correlates_input_and_upstream),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(derivatives_of_the_transposed_convolution_agree),
        cmocka_unit_test(derivatives_of_the_weight_gradient_agree),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
        cmocka_unit_test(a_bias_that_does_not_fit_is_refused),
        cmocka_unit_test(a_transposed_convolution_to_an_impossible_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
