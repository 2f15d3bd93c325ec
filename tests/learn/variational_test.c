/* SPDX-License-Identifier: Apache-2.0 */
/* The variational bound and the hybrid as losses. Each item's loss is the term of the bound for its
   time, by the closed forms in double that the measurement of likelihoods uses; and the hybrid's
   bound teaches the variance only. */
#include "learn/training.h"
#include "measure/terms.h"
#include "once.h"

enum { TIMES = 10 };

/* A small network for points, or for digits of 28 x 28 where the decoder is discretised. */
static void begin(sumi_context *context, const char *objective, const char *variance, bool digits,
                  struct training *t)
{
    char setting[64], scheduler[256], config[512];
    bool learned = strcmp(variance, "learned_range") == 0;
    const char *const settings[] = {setting, digits ? "data.kind=digits" : "data.kind=gaussians",
                                    "data.count=200", NULL};
    snprintf(setting, sizeof setting, "train.objective=%s", objective);
    snprintf(scheduler, sizeof scheduler,
             "{\"num_train_timesteps\": %d, \"beta_start\": 0.001, \"beta_end\": 0.5,"
             " \"prediction_type\": \"v_prediction\", \"variance_type\": \"%s\"}",
             TIMES, variance);
    snprintf(config, sizeof config,
             digits ? "{\"in_channels\": 1, \"out_channels\": %d, \"block_out_channels\": [8],"
                      " \"sample_size\": 28, \"down_block_types\": [\"DownBlock2D\"],"
                      " \"up_block_types\": [\"UpBlock2D\"], \"layers_per_block\": 1,"
                      " \"norm_num_groups\": 4}"
                    : "{\"_class_name\": \"SumiMLPModel\", \"in_channels\": 2,"
                      " \"out_channels\": %d, \"width\": 8, \"depth\": 1}",
             (digits ? 1 : 2) * (learned ? 2 : 1));
    const struct schedule_options options = {.num_train_timesteps = TIMES,
                                             .beta_start = 0.001,
                                             .beta_end = 0.5,
                                             .beta_schedule = "linear"};
    training_open(context, settings, t);
    if (digits) CHECK_OK(context, sumi_recipe_set(t->recipe, "train.batch=32"));
    CHECK_OK(context, sumi_model_create(context, config, 3, &t->model));
    CHECK_OK(context, sumi_model_set_scheduler(t->model, scheduler));
    CHECK_OK(context, schedule_create(context, &options, &t->schedule));
    CHECK_OK(context, sumi_trainer_create(context, t->recipe, t->model, t->data, &t->trainer));
}

static void end(sumi_context *context, struct training *t)
{
    schedule_release(context, &t->schedule);
    training_end(t);
}

/* -log p or KL of one number in nats: what the network said is v, and its second half `share`. */
static double term(const struct chain *chain, int64_t time, bool levels, bool learned, double clean,
                   double x, double v, double share)
{
    struct posterior posterior = chain_posterior(chain, time);
    double low = chain_posterior(chain, time > 0 ? time : 1).variance;
    double place = learned ? 0.5 + 0.5 * share : 0;
    double variance = exp(place * log(posterior.beta) + (1 - place) * log(low));
    double noise = sqrt(chain_variance(chain, time));
    double estimate = sqrt(1 - noise * noise) * x - noise * v;
    if (time > 0) {
        return gaussian_divergence(posterior.clean * (estimate - clean), posterior.variance,
                                   variance);
    }
    return levels ? gaussian_level_term(clean, estimate, sqrt(variance))
                  : gaussian_density_term(clean, estimate, sqrt(variance));
}

static void check_terms(sumi_context *context, const char *variance, bool digits)
{
    struct training t;
    struct chain chain;
    int seen_first = 0;
    bool learned = strcmp(variance, "learned_range") == 0;
    begin(context, "variational", variance, digits, &t);
    CHECK_OK(context, chain_create(context, &t.schedule, &chain));
    int64_t size = digits ? 784 : SIZE, batch = digits ? 32 : BATCH, more = learned ? 2 : 1;
    int64_t channels = digits ? 1 : SIZE;
    float *output = context_allocate(context, (size_t)(batch * size * more), sizeof *output);
    float *clean = context_allocate(context, (size_t)(batch * size), sizeof *clean);
    for (int64_t step = 0; step < 2; step++) {
        loss_of(context, &t, step);
        const float *x = fed(&t, "x"), *times = fed(&t, "times"), *losses = item_losses(&t);
        CHECK_OK(context, data_read_batch(t.data, 0, step, batch, clean, NULL));
        CHECK_OK(context, once_predict(context, t.model, batch, x, times, NULL, output));
        for (int64_t i = 0; i < batch; i++) {
            double sum = 0;
            seen_first += times[i] == 0;
            for (int64_t k = 0; k < size; k++) {
                const float *said =
                    output + (i * size + k / channels * channels) * more + k % channels;
                sum += term(&chain, (int64_t)times[i], digits, learned, clean[i * size + k],
                            x[i * size + k], said[0], learned ? said[channels] : 0);
            }
            double wanted = TIMES * sum / (double)size / log(2);
            CHECK_CLOSE(losses[i], wanted, 1e-4 * (1 + fabs(wanted)));
        }
    }
    assert_true(seen_first > 0);
    context_release(context, output);
    context_release(context, clean);
    chain_release(context, &chain);
    end(context, &t);
}

static void each_loss_is_the_term_of_its_time(void **state)
{
    scratch *room = *state;
    check_terms(room->context, "fixed_small", false);
    check_terms(room->context, "learned_range", false);
}

static void pictures_of_256_levels_have_the_discretised_decoder(void **state)
{
    scratch *room = *state;
    check_terms(room->context, "fixed_small", true);
    check_terms(room->context, "learned_range", true);
}

/* The gradient of a weight in the present plan, NULL where it is not trained. */
static const float *gradient_of(const struct training *t, const char *name)
{
    int64_t number = weights_find(t->trainer->weights, name);
    assert_true(number >= 0);
    return t->trainer->plans->gradients[number];
}

static void
the_hybrid_teaches_the_mean_by_the_simple_loss_and_the_variance_by_the_bound(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    struct training hybrid, bound, simple;
    static const char config[] = "{\"_class_name\": \"SumiMLPModel\", \"in_channels\": 2,"
                                 " \"width\": 8, \"depth\": 1}";
    begin(context, "hybrid", "learned_range", false, &hybrid);
    begin(context, "variational", "learned_range", false, &bound);
    /* the same network without the variance's rows of its last layer, whose output is the mean's */
    static const char *const settings[] = {"data.count=200", NULL};
    training_open(context, settings, &simple);
    CHECK_OK(context, sumi_model_create(context, config, 3, &simple.model));
    CHECK_OK(context, sumi_model_set_scheduler(
                          simple.model,
                          "{\"num_train_timesteps\": 10, \"beta_start\": 0.001, \"beta_end\": 0.5,"
                          " \"prediction_type\": \"v_prediction\"}"));
    for (int64_t i = 0; i < simple.model->weights->count; i++) {
        struct weight *to = &simple.model->weights->items[i];
        int64_t from = weights_find(hybrid.model->weights, to->name);
        memcpy(to->data, hybrid.model->weights->items[from].data,
               (size_t)shape_count(&to->shape) * sizeof(float));
    }
    CHECK_OK(context, sumi_trainer_create(context, simple.recipe, simple.model, simple.data,
                                          &simple.trainer));
    double simple_loss = loss_of(context, &simple, 1), bound_loss = loss_of(context, &bound, 1);
    CHECK_CLOSE(loss_of(context, &hybrid, 1), simple_loss + 0.001 * bound_loss, 1e-5);
    const float *of_hybrid = gradient_of(&hybrid, "linear_out.weight");
    const float *of_bound = gradient_of(&bound, "linear_out.weight");
    const float *of_simple = gradient_of(&simple, "linear_out.weight");
    for (int i = 0; i < 16; i++) { /* [4, 8]: two rows of the mean, two of the variance */
        CHECK_CLOSE(of_hybrid[i], of_simple[i], 1e-6);
        CHECK_CLOSE(of_hybrid[16 + i], 0.001 * of_bound[16 + i], 1e-6);
        assert_true(fabsf(of_bound[i]) > 1e-5); /* the bound alone would teach the mean too */
    }
    training_end(&simple);
    end(context, &bound);
    end(context, &hybrid);
}

static void what_has_no_bound_is_refused(void **state)
{
    scratch *room = *state;
    struct training t;
    begin(room->context, "variational", "fixed_small", false, &t);
    sumi_trainer_free(t.trainer);
    t.trainer = NULL;
    CHECK_OK(room->context, sumi_recipe_set(t.recipe, "train.objective=hybrid"));
    assert_int_equal(sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "learned_range"));
    CHECK_OK(room->context, sumi_recipe_set(t.recipe, "train.objective=variational"));
    CHECK_OK(room->context, sumi_recipe_set(t.recipe, "train.times=uniform"));
    assert_int_equal(sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "whole"));
    end(room->context, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(each_loss_is_the_term_of_its_time),
        SCRATCH_TEST(pictures_of_256_levels_have_the_discretised_decoder),
        SCRATCH_TEST(the_hybrid_teaches_the_mean_by_the_simple_loss_and_the_variance_by_the_bound),
        SCRATCH_TEST(what_has_no_bound_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
