/* SPDX-License-Identifier: Apache-2.0 */
/* Trains five diffusion transformers of different depth, width and patch for the same steps on the
   built-in digits, prints their losses beside what an evaluation costs, and draws both
   (docs/images/dit-scaling.png). Peebles & Xie (2023, section 5) found that the cost, however it
   comes about, decides the result. Run from the root of the sources, after `make install`:
   cc docs/images/dit-scaling.c -o /tmp/dit-scaling $(pkg-config --cflags --libs sumi)
   /tmp/dit-scaling docs/images/dit-scaling.png */
#include <stdio.h>

#include <sumi.h>

enum { MODELS = 5, LAST = 150 };

static const struct form {
    int depth, width, patch;
} forms[MODELS] = {{2, 64, 7}, {2, 64, 4}, {4, 96, 4}, {2, 64, 2}, {4, 128, 4}};

/* What all have in common. */
static const char *const settings[] = {
    "model.kind=dit",
    "model.heads=4",
    "noise.variance=fixed_small",
    "train.objective=denoising",
    "train.steps=500",
    "train.batch=16",
    "train.learning_rate=0.002",
    "train.warmup=50",
    "train.decay=cosine",
};

struct training {
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;
    sumi_trainer *trainer;
};

static sumi_status set(sumi_recipe *recipe, const char *key, int value)
{
    char text[64];
    snprintf(text, sizeof text, "%s=%d", key, value);
    return sumi_recipe_set(recipe, text);
}

static sumi_status begin(sumi_context *context, const struct form *form, struct training *t)
{
    sumi_status status = sumi_recipe_open(context, "dit-digits", &t->recipe);
    for (size_t i = 0; i < sizeof settings / sizeof *settings && !status; i++)
        status = sumi_recipe_set(t->recipe, settings[i]);
    if (!status) status = set(t->recipe, "model.depth", form->depth);
    if (!status) status = set(t->recipe, "model.width", form->width);
    if (!status) status = set(t->recipe, "model.patch", form->patch);
    if (!status) status = sumi_data_open(context, t->recipe, &t->data);
    if (!status) status = sumi_model_create_from_recipe(context, t->recipe, t->data, &t->model);
    if (!status) status = sumi_trainer_create(context, t->recipe, t->model, t->data, &t->trainer);
    return status;
}

static void end(struct training *t)
{
    sumi_trainer_free(t->trainer);
    sumi_model_free(t->model);
    sumi_data_free(t->data);
    sumi_recipe_free(t->recipe);
}

/* Gflop of an evaluation for one item, by the definitions of its ops. */
static sumi_status measure_cost(sumi_context *context, const struct training *t, double *gflop)
{
    static float x[28 * 28], output[28 * 28];
    const int64_t one = 1;
    const int32_t class = 0;
    const float time = 500;
    sumi_session *session = NULL;
    sumi_condition *condition = NULL;
    sumi_profile_row row = {.size = sizeof row};
    sumi_status status = sumi_session_create(context, t->model, &session);
    if (!status) status = sumi_condition_create(context, &condition);
    if (!status) status = sumi_condition_set_integers(condition, "class", 1, &one, &class);
    if (!status) status = sumi_session_set_condition(session, condition);
    if (!status) status = sumi_profile_start(context);
    if (!status) status = sumi_session_denoiser(session, 1, 28 * 28, 28 * 28, x, &time, output);
    *gflop = 0;
    for (int64_t i = 0; !status && sumi_profile_get(context, i, &row); i++)
        *gflop += row.operations / 1e9;
    sumi_profile_stop(context);
    sumi_condition_free(condition);
    sumi_session_free(session);
    return status;
}

/* Trains a model; its loss is the mean of the last steps. */
static sumi_status train(sumi_context *context, const struct form *form, double *gflop,
                         double *loss)
{
    struct training t = {NULL};
    const float *losses = NULL;
    sumi_status status = begin(context, form, &t);
    if (!status) status = measure_cost(context, &t, gflop);
    if (!status) status = sumi_trainer_run(t.trainer, NULL, NULL, NULL);
    int64_t count = status ? 0 : sumi_trainer_losses(t.trainer, &losses);
    *loss = 0;
    for (int64_t i = count - LAST; i < count; i++) *loss += losses[i] / (double)LAST;
    end(&t);
    return status;
}

int main(int count, char **arguments)
{
    sumi_context *context = NULL;
    double gflop[MODELS], loss[MODELS];
    if (count != 2) return fputs("usage: dit-scaling FILE.png\n", stderr), 2;
    sumi_status status = sumi_context_create(NULL, &context);
    for (int i = 0; i < MODELS && !status; i++) {
        const struct form *form = &forms[i];
        status = train(context, form, &gflop[i], &loss[i]);
        if (!status)
            printf("depth %d, width %3d, patch %d: %.4f Gflop, loss %.4f\n", form->depth,
                   form->width, form->patch, gflop[i], loss[i]);
        fflush(stdout);
    }
    const sumi_line line = {sizeof line, "five transformers", MODELS, gflop, loss};
    if (!status)
        status = sumi_draw_lines(context, &line, 1, "Diffusion transformers after 500 steps",
                                 "Gflop of an evaluation", "loss", arguments[1]);
    if (status) fprintf(stderr, "%s\n", sumi_context_message(context));
    sumi_context_free(context);
    return status ? 1 : 0;
}
