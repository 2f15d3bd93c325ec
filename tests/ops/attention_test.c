/* SPDX-License-Identifier: Apache-2.0 */
/* Attention, with and without masks, its fused gradient and that one's expansion. */
#include "ops/check_gradient.h"

static void weights_are_the_softmax_of_the_scores(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* Scores 0 and ln 3 give the weights 1/4 and 3/4; a query of zeros weighs both alike. */
    sumi_node q = trial_given(&trial, SHAPE(1, 2, 1), NUMBERS(2, 0));
    sumi_node k = trial_given(&trial, SHAPE(1, 2, 1), NUMBERS(0, log(3)));
    sumi_node v = trial_given(&trial, SHAPE(1, 2, 1), NUMBERS(4, 8));
    sumi_node y = sumi_op_attention(trial.graph, q, k, v, 1, 0.5);
    trial_expect(&trial, y, SHAPE(1, 2, 1), NUMBERS(7, 6));
    trial_end(&trial);
}

static void heads_look_at_their_own_channels_only(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* Two items; head 0 of item 0 takes the second key (score 60), head 1 the first. */
    sumi_node q = trial_given(&trial, SHAPE(2, 1, 2), NUMBERS(60, 60, 0, 0));
    sumi_node k = trial_given(&trial, SHAPE(2, 2, 2), NUMBERS(0, 1, 1, 0, 5, 5, 5, 5));
    sumi_node v = trial_given(&trial, SHAPE(2, 2, 2), NUMBERS(1, 2, 3, 4, 5, 6, 7, 8));
    sumi_node y = sumi_op_attention(trial.graph, q, k, v, 2, 1);
    trial_expect(&trial, y, SHAPE(2, 1, 2), NUMBERS(3, 2, 6, 7));
    trial_end(&trial);
}

static void large_scores_do_not_overflow(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node q = trial_given(&trial, SHAPE(1, 1, 1), NUMBERS(1));
    sumi_node k = trial_given(&trial, SHAPE(1, 2, 1), NUMBERS(2000, 1000));
    sumi_node v = trial_given(&trial, SHAPE(1, 2, 1), NUMBERS(4, 8));
    sumi_node y = sumi_op_attention(trial.graph, q, k, v, 1, 1);
    trial_expect(&trial, y, SHAPE(1, 1, 1), NUMBERS(4));
    trial_end(&trial);
}

static void check(int64_t n, int64_t queries, int64_t keys, int64_t heads, int64_t d)
{
    struct trial trial;
    trial_start(&trial, false);
    sumi_node q = trial_input(&trial, SHAPE(n, queries, heads * d), -1, 1);
    sumi_node k = trial_input(&trial, SHAPE(n, keys, heads * d), -1, 1);
    sumi_node v = trial_input(&trial, SHAPE(n, keys, heads * d), -1, 1);
    trial_check_gradient(&trial, sumi_op_attention(trial.graph, q, k, v, heads, 0.7), 2);
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    check(1, 3, 3, 1, 2);
    check(2, 2, 3, 2, 2);
    check(1, 4, 1, 3, 1);
}

static void derivatives_of_self_attention_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3, 4), -1, 1);
    trial_check_gradient(&trial, sumi_op_attention(trial.graph, x, x, x, 2, 0.7), 2);
    trial_end(&trial);
}

static void a_bias_is_added_to_the_scaled_scores(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* Queries of zeros: the weights are the softmax of the bias, 1/4 and 3/4, then 1 and 0. */
    sumi_node q = trial_given(&trial, SHAPE(1, 2, 1), NUMBERS(0, 0));
    sumi_node k = trial_given(&trial, SHAPE(1, 2, 1), NUMBERS(5, 6));
    sumi_node v = trial_given(&trial, SHAPE(1, 2, 1), NUMBERS(4, 8));
    sumi_node bias = trial_given(&trial, SHAPE(1, 1, 2, 2), NUMBERS(0, log(3), 0, -10000));
    sumi_node y = sumi_op_attention_masked(trial.graph, q, k, v, bias, false, 1, 0.5);
    trial_expect(&trial, y, SHAPE(1, 2, 1), NUMBERS(7, 4));
    trial_end(&trial);
}

static void a_bias_repeats_along_its_axes_of_one(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* Two items with one query; item 0 does not see key 1, item 1 not key 0. */
    sumi_node q = trial_given(&trial, SHAPE(2, 1, 2), NUMBERS(0, 0, 0, 0));
    sumi_node k = trial_given(&trial, SHAPE(2, 2, 2), NUMBERS(0, 0, 0, 0, 0, 0, 0, 0));
    sumi_node v = trial_given(&trial, SHAPE(2, 2, 2), NUMBERS(1, 2, 3, 4, 5, 6, 7, 8));
    sumi_node items = trial_given(&trial, SHAPE(2, 1, 1, 2), NUMBERS(0, -10000, -10000, 0));
    sumi_node heads = trial_given(&trial, SHAPE(1, 2, 1, 2), NUMBERS(0, -10000, -10000, 0));
    sumi_node y = sumi_op_attention_masked(trial.graph, q, k, v, items, false, 2, 1);
    trial_expect(&trial, y, SHAPE(2, 1, 2), NUMBERS(1, 2, 7, 8));
    y = sumi_op_attention_masked(trial.graph, q, k, v, heads, false, 2, 1);
    trial_expect(&trial, y, SHAPE(2, 1, 2), NUMBERS(1, 4, 5, 8));
    trial_end(&trial);
}

static void a_causal_query_sees_no_later_keys(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node q = trial_given(&trial, SHAPE(1, 3, 1), NUMBERS(0, 0, 0));
    sumi_node v = trial_given(&trial, SHAPE(1, 3, 1), NUMBERS(2, 4, 9));
    sumi_node y = sumi_op_attention_masked(trial.graph, q, q, v, -1, true, 1, 1);
    trial_expect(&trial, y, SHAPE(1, 3, 1), NUMBERS(2, 3, 5));
    trial_end(&trial);
}

/* n, heads, queries and keys are 2, 2, 3 and 3; the bias [a, b, c, 3]. */
static void check_masked(int64_t a, int64_t b, int64_t c, bool causal)
{
    struct trial trial;
    trial_start(&trial, false);
    sumi_node q = trial_input(&trial, SHAPE(2, 3, 4), -1, 1);
    sumi_node k = trial_input(&trial, SHAPE(2, 3, 4), -1, 1);
    sumi_node v = trial_input(&trial, SHAPE(2, 3, 4), -1, 1);
    sumi_node bias = a ? trial_input(&trial, SHAPE(a, b, c, 3), -1, 1) : -1;
    sumi_node y = sumi_op_attention_masked(trial.graph, q, k, v, bias, causal, 2, 0.7);
    trial_check_gradient(&trial, y, 2);
    trial_end(&trial);
}

static void derivatives_of_masked_attention_agree_with_finite_differences(void **state)
{
    (void)state;
    check_masked(0, 0, 0, true);
    check_masked(2, 1, 1, false);
    check_masked(1, 2, 3, false);
    check_masked(2, 2, 3, true);
}

static void masks_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node q = trial_input(&trial, SHAPE(2, 3, 4), 0, 1);
    sumi_node k = trial_input(&trial, SHAPE(2, 5, 4), 0, 1);
    sumi_node bias = trial_input(&trial, SHAPE(2, 2, 4, 5), 0, 1);
    trial_expect_refusal(&trial, sumi_op_attention_masked(trial.graph, q, k, k, bias, false, 2, 1),
                         "attention: [2, 5, 4] and [2, 2, 4, 5] do not fit: the bias is [n, heads, "
                         "queries, keys], of which all but the keys may be 1");
    trial_end(&trial);
    trial_start(&trial, false);
    q = trial_input(&trial, SHAPE(2, 3, 4), 0, 1), k = trial_input(&trial, SHAPE(2, 5, 4), 0, 1);
    trial_expect_refusal(&trial, sumi_op_attention_masked(trial.graph, q, k, k, -1, true, 2, 1),
                         "attention: [2, 3, 4] and [2, 5, 4] do not fit: a causal one has as many "
                         "queries as keys");
    trial_end(&trial);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node q = trial_input(&trial, SHAPE(2, 3, 4), 0, 1);
    sumi_node k = trial_input(&trial, SHAPE(2, 5, 6), 0, 1);
    trial_expect_refusal(&trial, sumi_op_attention(trial.graph, q, k, k, 2, 1),
                         "attention: [2, 3, 4] and [2, 5, 6] do not fit: q is [n, queries, "
                         "channels] and k [n, keys, channels]");
    trial_end(&trial);
    trial_start(&trial, false);
    q = trial_input(&trial, SHAPE(2, 3, 4), 0, 1), k = trial_input(&trial, SHAPE(2, 5, 4), 0, 1);
    trial_expect_refusal(&trial, sumi_op_attention(trial.graph, q, k, q, 2, 1),
                         "attention: [2, 5, 4] and [2, 3, 4] do not fit: k and v have one shape");
    trial_end(&trial);
    trial_start(&trial, false);
    q = trial_input(&trial, SHAPE(2, 3, 4), 0, 1);
    trial_expect_refusal(&trial, sumi_op_attention(trial.graph, q, q, q, 3, 1),
                         "attention: 4 channels do not divide into 3 heads");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_the_softmax_of_the_scores),
        cmocka_unit_test(heads_look_at_their_own_channels_only),
        cmocka_unit_test(large_scores_do_not_overflow),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(derivatives_of_self_attention_agree_with_finite_differences),
        cmocka_unit_test(a_bias_is_added_to_the_scaled_scores),
        cmocka_unit_test(a_bias_repeats_along_its_axes_of_one),
        cmocka_unit_test(a_causal_query_sees_no_later_keys),
        cmocka_unit_test(derivatives_of_masked_attention_agree_with_finite_differences),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
        cmocka_unit_test(masks_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
