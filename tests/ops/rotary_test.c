/* SPDX-License-Identifier: Apache-2.0 */
/* Rotary positions: a quarter turn by hand, derivatives, and what the method is for. */
#include "ops/check_gradient.h"

static void pairs_are_turned_by_the_angle_of_their_position(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* Two positions, two heads of one pair; the second position turns by a quarter. */
    sumi_node x = trial_given(&trial, SHAPE(1, 2, 4), NUMBERS(1, 2, 3, 4, 5, 6, 7, 8));
    sumi_node cosine = trial_given(&trial, SHAPE(2, 1), NUMBERS(1, 0));
    sumi_node sine = trial_given(&trial, SHAPE(2, 1), NUMBERS(0, 1));
    sumi_node y = sumi_op_rotary(trial.graph, x, cosine, sine, 2);
    trial_expect(&trial, y, SHAPE(1, 2, 4), NUMBERS(1, 2, 3, 4, -6, 5, -8, 7));
    trial_end(&trial);
}

/* Products of a turned query and a turned key depend on how far apart they are, not on where. */
static void products_depend_on_distances_only(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    enum { LENGTH = 6, PAIRS = 2 };
    double cosines[LENGTH * PAIRS], sines[LENGTH * PAIRS], q[LENGTH * 4], k[LENGTH * 4];
    for (int i = 0; i < LENGTH * PAIRS; i++) {
        double angle = i / PAIRS * (i % PAIRS ? 0.1 : 1);
        cosines[i] = cos(angle);
        sines[i] = sin(angle);
    }
    for (int i = 0; i < LENGTH * 4; i++) q[i] = 0.3 + i % 4, k[i] = 1 - 0.7 * (i % 4);
    sumi_node cosine = trial_given(&trial, SHAPE(LENGTH, PAIRS), cosines);
    sumi_node sine = trial_given(&trial, SHAPE(LENGTH, PAIRS), sines);
    sumi_node queries = trial_given(&trial, SHAPE(1, LENGTH, 4), q);
    sumi_node keys = trial_given(&trial, SHAPE(1, LENGTH, 4), k);
    queries = sumi_op_rotary(trial.graph, queries, cosine, sine, 1);
    keys = sumi_op_rotary(trial.graph, keys, cosine, sine, 1);
    sumi_node products = sumi_op_matmul(trial.graph, queries, keys, false, true);
    double scores[LENGTH * LENGTH];
    trial_evaluate(&trial, 1, &products, scores);
    for (int i = 1; i < LENGTH; i++) {
        for (int j = 1; j < LENGTH; j++) {
            double before = scores[(i - 1) * LENGTH + j - 1];
            assert_true(fabs(scores[i * LENGTH + j] - before) < 1e-12);
        }
    }
    assert_true(fabs(scores[1] - scores[0]) > 0.1);
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3, 8), -1, 1);
    sumi_node cosine = trial_input(&trial, SHAPE(3, 2), -1, 1);
    trial_fix(&trial);
    sumi_node sine = trial_input(&trial, SHAPE(3, 2), -1, 1);
    trial_fix(&trial);
    trial_check_gradient(&trial, sumi_op_rotary(trial.graph, x, cosine, sine, 2), 2);
    trial_end(&trial);
}

static void tables_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3, 8), 0, 1);
    sumi_node table = trial_input(&trial, SHAPE(3, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_rotary(trial.graph, x, table, table, 2),
                         "rotary: [2, 3, 8] and [3, 3] do not fit: x is [n, length, heads * 2 "
                         "pairs], both tables are [length, pairs]");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_turned_by_the_angle_of_their_position),
        cmocka_unit_test(products_depend_on_distances_only),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(tables_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
