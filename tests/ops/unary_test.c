/* SPDX-License-Identifier: Apache-2.0 */
/* The ops of one input that work element by element, against published values of the functions and
   against finite differences. */
#include "ops/check_gradient.h"

typedef sumi_node (*builder)(sumi_graph *graph, sumi_node x);

/* Function values: tables of the elementary functions (Abramowitz and Stegun 1964); GELU(1) is the
   normal distribution function Phi at 1, the logarithms and hazards follow from Phi(-1) =
   0.1586552539 and Phi(-10) = 7.619853024160527e-24; mish(1) = ((1+e)^2 - 1)/((1+e)^2 + 1). */
static const struct known {
    builder build;
    double x, y;
} KNOWN[] = {
    {sumi_op_exp, 1, 2.718281828459045},
    {sumi_op_log, 2, 0.6931471805599453},
    {sumi_op_sqrt, 2, 1.4142135623730951},
    {sumi_op_sin, 1, 0.8414709848078965},
    {sumi_op_cos, 1, 0.5403023058681398},
    {sumi_op_sigmoid, 0, 0.5},
    {sumi_op_sigmoid, 1, 0.7310585786300049},
    {sumi_op_sigmoid, -800, 0},
    {sumi_op_tanh, 1, 0.7615941559557649},
    {sumi_op_silu, 1, 0.7310585786300049},
    {sumi_op_silu, -1, -0.2689414213699951},
    {sumi_op_softplus, 0, 0.6931471805599453},
    {sumi_op_softplus, 1, 1.3132616875182228},
    {sumi_op_softplus, 800, 800},
    {sumi_op_softplus, -800, 0},
    {sumi_op_mish, 0, 0},
    {sumi_op_mish, 1, 0.8650983882673103},
    {sumi_op_erf, 0.5, 0.5204998778130465},
    {sumi_op_erf, 1, 0.8427007929497149},
    {sumi_op_gelu, 1, 0.8413447460685429},
    {sumi_op_gelu, -1, -0.1586552539314571},
    {sumi_op_relu, 3, 3},
    {sumi_op_relu, -3, 0},
    {ops_log_normal_cdf, 0, -0.6931471805599453},
    {ops_log_normal_cdf, -1, -1.8410216450092636},
    {ops_log_normal_cdf, -10, -53.23128515051247},
    {ops_normal_hazard, 0, 0.7978845608028654},
    {ops_normal_hazard, -1, 1.5251352761609813},
    {ops_normal_hazard, -10, 10.098093233962512},
    {ops_stop_gradient, 3, 3},
    {sumi_op_step, 3, 1},
    {sumi_op_step, 0, 0},
    {sumi_op_step, -3, 0},
};

static void functions_have_their_published_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node x = trial_given(&trial, SHAPE(1, 2), NUMBERS(KNOWN[i].x, KNOWN[i].x));
        sumi_node y = KNOWN[i].build(trial.graph, x);
        trial_expect(&trial, y, SHAPE(1, 2), NUMBERS(KNOWN[i].y, KNOWN[i].y));
        trial_end(&trial);
    }
}

static void check_derivatives(builder build, double low, double high, int order)
{
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(3, 5), low, high);
    trial_check_gradient(&trial, build(trial.graph, x), order);
    trial_end(&trial);
}

static void derivatives_of_smooth_functions_agree_with_finite_differences(void **state)
{
    (void)state;
    static const builder ANYWHERE[] = {
        sumi_op_exp,  sumi_op_sin,      sumi_op_cos,  sumi_op_sigmoid, sumi_op_tanh,
        sumi_op_silu, sumi_op_softplus, sumi_op_mish, sumi_op_erf,     sumi_op_gelu};
    for (size_t i = 0; i < sizeof ANYWHERE / sizeof *ANYWHERE; i++) {
        check_derivatives(ANYWHERE[i], -2, 2, 2);
    }
    check_derivatives(sumi_op_log, 0.5, 3, 2);
    check_derivatives(sumi_op_sqrt, 0.5, 3, 2);
    check_derivatives(ops_log_normal_cdf, -8, 3, 2);
    check_derivatives(ops_normal_hazard, -8, 3, 2);
}

static void no_derivative_goes_through_what_is_held(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1), NUMBERS(3)), slope = -1;
    sumi_node loss = sumi_op_multiply(trial.graph, x, ops_stop_gradient(trial.graph, x));
    CHECK_OK(trial.context, sumi_graph_gradients(trial.graph, loss, 1, &x, &slope));
    trial_expect(&trial, slope, SHAPE(1), NUMBERS(3)); /* d(x c)/dx, not d(x^2)/dx = 6 */
    trial_end(&trial);
}

static void derivatives_of_kinked_functions_agree_away_from_the_kink(void **state)
{
    (void)state;
    static const builder KINKED[] = {sumi_op_relu, sumi_op_step};
    for (size_t i = 0; i < sizeof KINKED / sizeof *KINKED; i++) {
        check_derivatives(KINKED[i], 0.1, 2, 2);
        check_derivatives(KINKED[i], -2, -0.1, 2);
    }
}

static void a_node_that_is_not_there_is_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    trial_expect_refusal(&trial, sumi_op_exp(trial.graph, 5),
                         "exp: input 0 is not a node of this graph");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_have_their_published_values),
        cmocka_unit_test(derivatives_of_smooth_functions_agree_with_finite_differences),
        cmocka_unit_test(no_derivative_goes_through_what_is_held),
        cmocka_unit_test(derivatives_of_kinked_functions_agree_away_from_the_kink),
        cmocka_unit_test(a_node_that_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
