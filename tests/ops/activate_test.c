/* SPDX-License-Identifier: Apache-2.0 */
/* GELU in its forms and gated units: values from their definitions, derivatives by finite
   differences. */
#include "ops/activation.h"
#include "ops/check_gradient.h"

static const enum activation_form FORMS[] = {ACTIVATION_GELU, ACTIVATION_GELU_TANH,
                                             ACTIVATION_GELU_QUICK, ACTIVATION_SILU};

/* By the definitions, with the C library's functions. */
static double expected_value(enum activation_form form, double x)
{
    switch (form) {
    case ACTIVATION_GELU: return x * 0.5 * (1 + erf(x / sqrt(2)));
    case ACTIVATION_GELU_TANH:
        return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case ACTIVATION_GELU_QUICK: return x / (1 + exp(-1.702 * x));
    default: return x / (1 + exp(-x));
    }
}

static void each_form_has_the_value_of_its_definition(void **state)
{
    (void)state;
    for (int form = 0; form < 4; form++) {
        struct trial trial;
        trial_start(&trial, false);
        const double x[4] = {-3, -0.5, 0.25, 2};
        double y[4];
        for (int i = 0; i < 4; i++) y[i] = expected_value(FORMS[form], x[i]);
        sumi_node input = trial_given(&trial, SHAPE(4), x);
        trial_expect(&trial, ops_activate(trial.graph, FORMS[form], input), SHAPE(4), y);
        trial_end(&trial);
    }
}

static void a_gated_unit_multiplies_values_by_activated_gates(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 4), NUMBERS(2, 3, 1, -1, 5, 7, 0, 2));
    const double one = expected_value(ACTIVATION_GELU, 1), two = expected_value(ACTIVATION_GELU, 2);
    const double minus = expected_value(ACTIVATION_GELU, -1);
    trial_expect(&trial, sumi_op_geglu(trial.graph, x), SHAPE(2, 2),
                 NUMBERS(2 * one, 3 * minus, 0, 7 * two));
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    for (int form = 0; form < 4; form++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node x = trial_input(&trial, SHAPE(2, 5), -3, 3);
        trial_check_gradient(&trial, ops_activate(trial.graph, FORMS[form], x), 2);
        trial_end(&trial);
        trial_start(&trial, false);
        x = trial_input(&trial, SHAPE(2, 6), -3, 3);
        trial_check_gradient(&trial, ops_gate(trial.graph, FORMS[form], x), 2);
        trial_end(&trial);
    }
}

static void gates_without_values_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_geglu(trial.graph, x),
                         "gate: the last axis holds values and gates, so [2, 3] must be even");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_has_the_value_of_its_definition),
        cmocka_unit_test(a_gated_unit_multiplies_values_by_activated_gates),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(gates_without_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
