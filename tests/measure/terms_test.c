/* SPDX-License-Identifier: Apache-2.0 */
/* The closed forms of the bound's terms, against integrals and sums. */
#include "measure/terms.h"
#include "one_context.h"

static double density(double x, double mean, double variance)
{
    return exp(-0.5 * (x - mean) * (x - mean) / variance) / sqrt(6.283185307179586 * variance);
}

/* Integral of q log(q / p) by the rectangle rule, which is exact to many digits here. */
static double divergence(double q_mean, double q_variance, double p_mean, double p_variance)
{
    double sum = 0, step = sqrt(q_variance) / 100;
    for (int i = -1200; i <= 1200; i++) {
        double x = q_mean + i * step, q = density(x, q_mean, q_variance);
        sum += q * log(q / density(x, p_mean, p_variance)) * step;
    }
    return sum;
}

static void divergences_are_their_integrals(void **state)
{
    (void)state;
    CHECK_CLOSE(gaussian_divergence(0.7, 0.5, 1.3), divergence(0, 0.5, 0.7, 1.3), 1e-9);
    CHECK_CLOSE(gaussian_divergence(-0.1, 2, 0.9), divergence(0, 2, -0.1, 0.9), 1e-9);
    assert_true(gaussian_divergence(0, 0.3, 0.3) == 0);
    const float clean[] = {0.5f, -2, 1};
    double sum = 0, variance = 0.8;
    for (int i = 0; i < 3; i++) sum += divergence(sqrt(1 - variance) * clean[i], variance, 0, 1);
    CHECK_CLOSE(gaussian_prior_term(3, clean, variance), sum, 1e-8);
}

static void the_levels_of_a_byte_share_the_whole_probability(void **state)
{
    (void)state;
    static const double means[] = {-1, -0.3, 0.02, 0.99, 1.4};
    static const double deviations[] = {0.001, 0.02, 0.5, 3};
    for (int m = 0; m < 5; m++) {
        for (int d = 0; d < 4; d++) {
            double sum = 0;
            for (int level = 0; level < 256; level++) {
                sum += exp(-gaussian_level_term(level / 127.5 - 1, means[m], deviations[d]));
            }
            CHECK_CLOSE(sum, 1, 1e-12);
        }
    }
}

static void the_ends_are_open_and_the_tails_finite(void **state)
{
    (void)state;
    CHECK_CLOSE(gaussian_level_term(1, 5, 0.01), 0, 1e-12);
    CHECK_CLOSE(gaussian_level_term(-1, -5, 0.01), 0, 1e-12);
    /* 120 deviations out: -log of the tail is z^2 / 2 + log(z sqrt(2 pi)) to relative 1 / z^2 */
    double z = (0.5 - 1.0 / 255 + 0.1) / 0.005;
    CHECK_CLOSE(gaussian_level_term(0.5, -0.1, 0.005), z * z / 2 + log(z) + 0.918938533, 1e-3);
    CHECK_CLOSE(gaussian_level_term(-0.5, 0.1, 0.005), z * z / 2 + log(z) + 0.918938533, 1e-3);
    double near = gaussian_level_term(0.5, 0.5 - 37 * 0.005, 0.005);
    double far = gaussian_level_term(0.5, 0.5 - 38.5 * 0.005, 0.005);
    CHECK_CLOSE(far - near, (37.72 * 37.72 - 36.22 * 36.22) / 2, 1.5); /* no jump in between */
}

static void densities_are_normal(void **state)
{
    (void)state;
    CHECK_CLOSE(gaussian_density_term(0.3, -0.4, 0.2), -log(density(0.3, -0.4, 0.04)), 1e-12);
}

/* E_q(x1|x0) of -log q(x1|x0) pi(x0) / pi(x1), by the rectangle rule. */
static void the_forward_decoder_is_the_reversed_step(void **state)
{
    (void)state;
    const float clean[] = {1.7f};
    double variance = 0.2, mean = sqrt(1 - variance) * clean[0], sum = 0, step = 0.003;
    for (int i = -1500; i <= 1500; i++) {
        double x = mean + i * step, q = density(x, mean, variance);
        double back = q * density(clean[0], 0, 1) / density(x, 0, 1);
        sum -= q * log(back) * step;
    }
    CHECK_CLOSE(gaussian_forward_term(1, clean, variance), sum, 1e-9);
}

/* A chain whose first betas are lost in float32 products keeps them. */
static void the_chain_follows_its_betas_in_double(void **state)
{
    (void)state;
    double betas[] = {1e-8, 3e-8, 0.1, 0.4, 1};
    const struct schedule_options options = {
        .beta_schedule = "linear", .trained_betas = betas, .trained_count = 5};
    struct schedule schedule;
    struct chain chain;
    CHECK_OK(context, schedule_create(context, &options, &schedule));
    CHECK_OK(context, chain_create(context, &schedule, &chain));
    CHECK_CLOSE(chain_variance(&chain, -1), 0, 0);
    CHECK_CLOSE(chain_variance(&chain, 0), 1e-8, 1e-14);
    CHECK_CLOSE(chain_variance(&chain, 1), 4e-8, 1e-14);
    CHECK_CLOSE(chain_variance(&chain, 3), 1 - 0.9 * 0.6, 1e-7);
    CHECK_CLOSE(chain_variance(&chain, 4), 1, 0);
    /* Bayes: the precisions of x_{t-1} given x0 and of x_t given x_{t-1} add up */
    struct posterior posterior = chain_posterior(&chain, 3);
    double before = chain_variance(&chain, 2), precision = 1 / before + 0.6 / 0.4;
    CHECK_CLOSE(posterior.variance, 1 / precision, 1e-7);
    CHECK_CLOSE(posterior.clean, sqrt(1 - before) / before / precision, 1e-7);
    CHECK_CLOSE(posterior.state, sqrt(0.6) / 0.4 / precision, 1e-7);
    struct binomial_back back = chain_back(&chain, 3), same = binomial_back(0.9 * 0.6, 0.9);
    CHECK_CLOSE(back.kept, same.kept, 1e-7);
    CHECK_CLOSE(back.flipped, same.flipped, 1e-7);
    chain_release(context, &chain);
    schedule_release(context, &schedule);
}

static void bits_have_the_terms_of_coins(void **state)
{
    (void)state;
    assert_true(binomial_prior_term(20, 1) == 0); /* nothing is left of the data */
    CHECK_CLOSE(binomial_prior_term(3, 0.5), 3 * (log(2) - binomial_entropy(0.25)), 1e-14);
    CHECK_CLOSE(binomial_forward_term(20, 1.0 / 2000), 20 * binomial_entropy(1.0 / 4000), 1e-14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divergences_are_their_integrals),
        cmocka_unit_test(the_levels_of_a_byte_share_the_whole_probability),
        cmocka_unit_test(the_ends_are_open_and_the_tails_finite),
        cmocka_unit_test(densities_are_normal),
        cmocka_unit_test(the_forward_decoder_is_the_reversed_step),
        cmocka_unit_test(the_chain_follows_its_betas_in_double),
        cmocka_unit_test(bits_have_the_terms_of_coins),
    };
    return cmocka_run_group_tests(tests, make_context, leave_context);
}
