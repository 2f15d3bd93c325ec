/* SPDX-License-Identifier: Apache-2.0 */
/* Two contexts in two threads that train and sample different things at once, through the public
   header alone: each gives the bytes that it gives alone. */
#include <pthread.h>

#include "check.h"

enum { STEPS = 12, SAMPLES = 4, CAPACITY = 4096, ROUNDS = 3 };

/* What a thread trains and samples; compared byte by byte with the result of the thread alone. */
struct work {
    const char *recipe, *const *settings; /* ended by NULL */
    sumi_status status;
    char message[256];
    int64_t count;
    float losses[STEPS], samples[CAPACITY];
};

static const char *const points[] = {"data.kind=moons", "data.count=256",    "model.width=16",
                                     "model.depth=2",   "train.batch=32",    "train.steps=12",
                                     "noise.steps=20",  "model.dropout=0.1", NULL};
static const char *const waves[] = {"data.count=64",  "data.length=16", "model.channels=4, 8",
                                    "model.groups=2", "train.batch=4",  "train.steps=12",
                                    "noise.steps=12", "train.seed=5",   NULL};

static sumi_status train(sumi_context *context, sumi_recipe *recipe, sumi_data *data,
                         sumi_model *model, struct work *work)
{
    sumi_trainer *trainer = NULL;
    const float *losses = NULL;
    sumi_status status = sumi_trainer_create(context, recipe, model, data, &trainer);
    if (status == SUMI_OK) status = sumi_trainer_run(trainer, NULL, NULL, NULL);
    if (status == SUMI_OK && sumi_trainer_losses(trainer, &losses) == STEPS) {
        memcpy(work->losses, losses, sizeof work->losses);
    }
    sumi_trainer_free(trainer);
    return status;
}

static sumi_status train_and_sample(sumi_context *context, struct work *work)
{
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_array samples = {0};
    sumi_status status = sumi_recipe_open(context, work->recipe, &recipe);
    for (int i = 0; work->settings[i] && status == SUMI_OK; i++) {
        status = sumi_recipe_set(recipe, work->settings[i]);
    }
    if (status == SUMI_OK) status = sumi_data_open(context, recipe, &data);
    if (status == SUMI_OK) status = sumi_model_create_from_recipe(context, recipe, data, &model);
    if (status == SUMI_OK) status = train(context, recipe, data, model, work);
    if (status == SUMI_OK) status = sumi_model_sample(model, NULL, SAMPLES, NULL, &samples);
    if (status == SUMI_OK) {
        work->count = sumi_array_count(&samples);
        memcpy(work->samples, samples.data, (size_t)work->count * sizeof(float));
    }
    sumi_array_release(context, &samples);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return status;
}

static void do_work(struct work *work)
{
    sumi_context *context = NULL;
    work->status = sumi_context_create(NULL, &context);
    if (work->status == SUMI_OK) work->status = sumi_context_set_threads(context, 1);
    if (work->status == SUMI_OK) work->status = train_and_sample(context, work);
    snprintf(work->message, sizeof work->message, "%s", sumi_context_message(context));
    sumi_context_free(context);
}

static void *run_thread(void *user)
{
    const struct work *alone = user;
    for (int round = 0; round < ROUNDS; round++) {
        struct work *now = calloc(1, sizeof *now);
        if (!now) return user;
        now->recipe = alone->recipe;
        now->settings = alone->settings;
        do_work(now);
        bool same = now->status == SUMI_OK && now->count == alone->count
                    && memcmp(now->losses, alone->losses, sizeof now->losses) == 0
                    && memcmp(now->samples, alone->samples, sizeof now->samples) == 0;
        free(now);
        if (!same) return user;
    }
    return NULL;
}

static void two_contexts_train_and_sample_at_once_as_they_do_alone(void **state)
{
    (void)state;
    static struct work alone[2] = {{.recipe = "points", .settings = points},
                                   {.recipe = "morlet", .settings = waves}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        do_work(&alone[i]);
        if (alone[i].status != SUMI_OK) fail_msg("%s: %s", alone[i].recipe, alone[i].message);
        assert_true(alone[i].losses[STEPS - 1] > 0);
        assert_int_equal(alone[i].count, i == 0 ? SAMPLES * 2 : SAMPLES * 16);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_thread, &alone[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        void *different = NULL;
        assert_int_equal(pthread_join(threads[i], &different), 0);
        if (different) fail_msg("%s gave something else than alone", alone[i].recipe);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_contexts_train_and_sample_at_once_as_they_do_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
