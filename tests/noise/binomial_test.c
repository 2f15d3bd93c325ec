/* SPDX-License-Identifier: Apache-2.0 */
/* Binomial diffusion, compared with sums over all paths of a bit. */
#include "check.h"
#include "noise/binomial.h"
#include "noise/schedule.h"

enum { TIMES = 20 };

static sumi_context *context;
static struct schedule schedule;

static int open_schedule(void **state)
{
    (void)state;
    const struct schedule_options options = {.num_train_timesteps = TIMES,
                                             .beta_schedule = "binomial"};
    return sumi_context_create(NULL, &context) != SUMI_OK
           || schedule_create(context, &options, &schedule) != SUMI_OK;
}

static int close_schedule(void **state)
{
    (void)state;
    schedule_release(context, &schedule);
    sumi_context_free(context);
    return 0;
}

static double product_at(int time)
{
    return time > 0 ? schedule.alphas_cumprod[time - 1] : 1;
}

static void the_papers_schedule_takes_an_equal_share_away_at_every_step(void **state)
{
    (void)state;
    for (int t = 1; t <= TIMES; t++) {
        CHECK_CLOSE(schedule.betas[t - 1], 1.0 / (TIMES - t + 1), 1e-7);
        CHECK_CLOSE(product_at(t), 1 - (double)t / TIMES, 1e-6);
    }
    assert_true(schedule.betas[TIMES - 1] == 1 && product_at(TIMES) == 0);
}

/* P(x_t differs from the data) by following the chain. */
static void the_chain_of_steps_gives_the_marginal(void **state)
{
    (void)state;
    double differs = 0;
    for (int t = 1; t <= TIMES; t++) {
        double flip = schedule.betas[t - 1] / 2;
        differs = differs * (1 - flip) + (1 - differs) * flip;
        CHECK_CLOSE(binomial_flipped(product_at(t)), differs, 1e-6);
    }
}

/* The joint probabilities of (x_{t-1}, x_t) given the data, by multiplication. */
static void the_step_back_is_bayes_rule(void **state)
{
    (void)state;
    for (int t = 1; t <= TIMES; t++) {
        double flip = schedule.betas[t - 1] / 2, before = binomial_flipped(product_at(t - 1));
        double same_same = (1 - before) * (1 - flip), same_other = (1 - before) * flip;
        double other_same = before * flip, other_other = before * (1 - flip);
        struct binomial_back back = binomial_back(product_at(t), product_at(t - 1));
        CHECK_CLOSE(back.kept, other_same / (same_same + other_same), 1e-6);
        CHECK_CLOSE(back.flipped, same_other / (same_other + other_other), 1e-6);
        assert_true(back.kept >= 0 && back.flipped <= 1);
    }
    assert_true(binomial_back(product_at(1), 1).flipped == 1); /* back at the data */
    assert_true(binomial_back(product_at(1), 1).kept == 0);
    assert_true(binomial_back(1, 1).kept == 0);
}

static void the_log_odds_reach_both_ends(void **state)
{
    (void)state;
    struct binomial_back back = binomial_back(0.5, 0.6);
    CHECK_CLOSE(binomial_flip(&back, -40), back.kept, 1e-12);
    CHECK_CLOSE(binomial_flip(&back, 40), back.flipped, 1e-12);
    CHECK_CLOSE(binomial_flip(&back, 0), (back.kept + back.flipped) / 2, 1e-12);
    /* without information about the data, the reverse step flips with the probability of the
       forward step */
    double nothing = log(binomial_flipped(0.5) / (1 - binomial_flipped(0.5)));
    CHECK_CLOSE(binomial_flip(&back, nothing), binomial_flipped(0.5 / 0.6), 1e-12);
}

static void entropy_and_divergence_are_those_of_coins(void **state)
{
    (void)state;
    CHECK_CLOSE(binomial_entropy(0.5), log(2), 1e-15);
    CHECK_CLOSE(binomial_entropy(0.11), 0.3465, 1e-3); /* half a bit */
    assert_true(binomial_entropy(0) == 0 && binomial_entropy(1) == 0);
    CHECK_CLOSE(binomial_divergence(0.5, 0.25), 0.5 * log(2) + 0.5 * log(2.0 / 3), 1e-15);
    CHECK_CLOSE(binomial_divergence(0, 0.25), -log(0.75), 1e-15);
    assert_true(binomial_divergence(0.3, 0.3) == 0);
    CHECK_CLOSE(binomial_divergence(0.3, 0.5), log(2) - binomial_entropy(0.3), 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_papers_schedule_takes_an_equal_share_away_at_every_step),
        cmocka_unit_test(the_chain_of_steps_gives_the_marginal),
        cmocka_unit_test(the_step_back_is_bayes_rule),
        cmocka_unit_test(the_log_odds_reach_both_ends),
        cmocka_unit_test(entropy_and_divergence_are_those_of_coins),
    };
    return cmocka_run_group_tests(tests, open_schedule, close_schedule);
}
