/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures cut into patches and put together again. */
#include "ops/check_gradient.h"

static void patches_follow_each_other_as_in_the_picture(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* 2x4 pixels of one channel in patches of 1x2, then of 2x1 */
    sumi_node x = trial_given(&trial, SHAPE(1, 2, 4, 1), NUMBERS(0, 1, 2, 3, 4, 5, 6, 7));
    trial_expect(&trial, sumi_op_patchify(trial.graph, x, 1, 2), SHAPE(1, 4, 2),
                 NUMBERS(0, 1, 2, 3, 4, 5, 6, 7));
    trial_expect(&trial, sumi_op_patchify(trial.graph, x, 2, 1), SHAPE(1, 4, 2),
                 NUMBERS(0, 4, 1, 5, 2, 6, 3, 7));
    trial_end(&trial);
}

static void channels_come_last_in_a_patch(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* one patch of 2x2 with two channels for each of two items, and back */
    sumi_node x = trial_given(&trial, SHAPE(2, 2, 2, 2),
                              NUMBERS(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    sumi_node patches = sumi_op_patchify(trial.graph, x, 2, 2);
    trial_expect(&trial, patches, SHAPE(2, 1, 8),
                 NUMBERS(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    trial_end(&trial);
}

static void unpatchify_undoes_patchify(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 6, 4, 3), -1, 1);
    sumi_node patches = sumi_op_patchify(trial.graph, x, 3, 2);
    sumi_node back = sumi_op_unpatchify(trial.graph, patches, 6, 4, 3, 2);
    trial_expect(&trial, back, SHAPE(2, 6, 4, 3), trial.values[0]);
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 4, 6, 2), -1, 1);
    trial_check_gradient(&trial, sumi_op_patchify(trial.graph, x, 2, 3), 2);
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 4, 12), -1, 1);
    trial_check_gradient(&trial, sumi_op_unpatchify(trial.graph, x, 4, 6, 2, 3), 2);
    trial_end(&trial);
}

static void patches_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 4, 6, 2), -1, 1);
    trial_expect_refusal(&trial, sumi_op_patchify(trial.graph, x, 2, 4),
                         "patchify: patches of 2x4 do not divide [2, 4, 6, 2]");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 4, 12), -1, 1);
    trial_expect_refusal(&trial, sumi_op_unpatchify(trial.graph, x, 4, 8, 2, 2),
                         "unpatchify: [2, 4, 12] does not make a picture of 4x8 out of patches of "
                         "2x2");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_follow_each_other_as_in_the_picture),
        cmocka_unit_test(channels_come_last_in_a_patch),
        cmocka_unit_test(unpatchify_undoes_patchify),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(patches_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
