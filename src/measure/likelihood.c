/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements of likelihood: making and setting them, and reading what they found. */
#include "measure/likelihood.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "models/model.h"

/* ---- Settings ---- */

enum setting_kind { SETTING_WHOLE, SETTING_NUMBER, SETTING_FLAG, SETTING_CHOICE, SETTING_SEED };

struct setting {
    const char *name;
    enum setting_kind kind;
    size_t offset;
    double least, most;
    const char *choices[8];
};

#define AT(member) offsetof(struct likelihood_options, member)

static const struct setting settings[] = {
    {.name = "items", .kind = SETTING_WHOLE, .offset = AT(items), .most = 1e15},
    {.name = "draws", .kind = SETTING_WHOLE, .offset = AT(draws), .most = 1e9},
    {.name = "batch", .kind = SETTING_WHOLE, .offset = AT(batch), .least = 1, .most = 1 << 20},
    {.name = "probes", .kind = SETTING_WHOLE, .offset = AT(probes), .least = 1, .most = 1 << 20},
    {.name = "steps", .kind = SETTING_WHOLE, .offset = AT(steps), .least = 1, .most = 1e9},
    {.name = "tolerance",
     .kind = SETTING_NUMBER,
     .offset = AT(tolerance),
     .least = 1e-14,
     .most = 1},
    {.name = "seed", .kind = SETTING_SEED, .offset = AT(seed)},
    {.name = "dequantise", .kind = SETTING_FLAG, .offset = AT(dequantise)},
    {.name = "method",
     .kind = SETTING_CHOICE,
     .offset = AT(method),
     .choices = {"euler", "midpoint", "heun", "rk4", "rk45"}},
    {.name = "probe",
     .kind = SETTING_CHOICE,
     .offset = AT(probe),
     .choices = {"auto", "exact", "rademacher", "gaussian"}},
    {.name = "decoder",
     .kind = SETTING_CHOICE,
     .offset = AT(decoder),
     .choices = {"auto", "discretised", "gaussian", "forward", "coin"}},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static const struct likelihood_options defaults = {
    .batch = 64, .probes = 1, .steps = 100, .tolerance = 1e-5, .method = ODE_RK45};

static bool read_setting(const struct setting *setting, const char *value, void *target)
{
    static const char *const flags[] = {"false", "true", NULL};
    const char *const *choices = setting->kind == SETTING_FLAG ? flags : setting->choices;
    int64_t whole = 0;
    double number = 0;
    switch (setting->kind) {
    case SETTING_WHOLE:
    case SETTING_SEED:
        if (!text_to_whole(value, &whole) || whole < 0) return false;
        if (setting->kind == SETTING_SEED) {
            *(uint64_t *)target = (uint64_t)whole;
            return true;
        }
        *(int64_t *)target = whole;
        return (double)whole >= setting->least && (double)whole <= setting->most;
    case SETTING_NUMBER:
        if (!text_to_number(value, &number)) return false;
        *(double *)target = number;
        return number >= setting->least && number <= setting->most;
    case SETTING_FLAG:
    case SETTING_CHOICE: break;
    }
    int chosen = 0;
    while (choices[chosen] && strcmp(choices[chosen], value) != 0) chosen++;
    if (setting->kind == SETTING_FLAG) *(bool *)target = chosen == 1;
    else *(int *)target = chosen;
    return choices[chosen];
}

sumi_status sumi_likelihood_set(sumi_likelihood *likelihood, const char *option, const char *value)
{
    const char *names[SETTINGS + 1] = {NULL};
    if (!option || !value) {
        return context_fail(likelihood->context, SUMI_ERROR_ARGUMENT,
                            "a setting of a likelihood needs a name and a value, not NULL");
    }
    for (int i = 0; i < SETTINGS; i++) {
        names[i] = settings[i].name;
        if (strcmp(option, settings[i].name) != 0) continue;
        struct likelihood_options changed = likelihood->options;
        if (!read_setting(&settings[i], value, (char *)&changed + settings[i].offset)) {
            return context_fail(likelihood->context, SUMI_ERROR_ARGUMENT,
                                "\"%.60s\" is no value for a likelihood's \"%s\"; see"
                                " sumi_likelihood_set",
                                value, option);
        }
        likelihood->options = changed;
        return SUMI_OK;
    }
    return context_fail(likelihood->context, SUMI_ERROR_ARGUMENT,
                        "a likelihood has no setting \"%.60s\"; did you mean \"%s\"?", option,
                        text_nearest(option, names));
}

/* ---- Making and reading one ---- */

sumi_status sumi_likelihood_create(sumi_context *context, sumi_solver *solver,
                                   sumi_likelihood **likelihood)
{
    *likelihood = NULL;
    sumi_likelihood *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->solver = solver;
    made->options = defaults;
    *likelihood = made;
    return SUMI_OK;
}

void sumi_likelihood_free(sumi_likelihood *likelihood)
{
    if (!likelihood) return;
    context_release(likelihood->context, likelihood->terms);
    context_release(likelihood->context, likelihood);
}

sumi_status likelihood_reserve(sumi_likelihood *likelihood, int64_t count)
{
    context_release(likelihood->context, likelihood->terms);
    likelihood->term_count = 0;
    likelihood->terms =
        context_allocate_zeroed(likelihood->context, (size_t)count, sizeof *likelihood->terms);
    if (!likelihood->terms) return SUMI_ERROR_MEMORY;
    likelihood->term_count = count;
    return SUMI_OK;
}

bool sumi_likelihood_get(const sumi_likelihood *likelihood, int64_t number,
                         sumi_likelihood_term *term)
{
    if (number < 0 || number >= likelihood->term_count) return false;
    *term = likelihood->terms[number];
    return true;
}

/* ---- Of a denoiser, of a model ---- */

sumi_status sumi_likelihood_bound(sumi_likelihood *likelihood, sumi_denoiser denoiser, void *user,
                                  sumi_data *data, sumi_progress_function progress,
                                  void *progress_user)
{
    return bound_measure(likelihood, denoiser, user, NULL, data, progress, progress_user);
}

/* A model and the classes of the states of one call. */
struct labelled {
    sumi_model *model;
    int32_t *labels;
};

static sumi_status denoise(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    const struct labelled *labelled = user;
    const sumi_model *model = labelled->model;
    TRY(model_check_call(model, item_size, output_size));
    const int32_t *labels = model->net->input_count == NET_TIMES + 1 ? NULL : labelled->labels;
    return sumi_model_predict(labelled->model, count, x, times, labels, output);
}

sumi_status sumi_model_bound(sumi_model *model, sumi_likelihood *likelihood, sumi_data *data,
                             sumi_progress_function progress, void *user)
{
    struct labelled labelled = {.model = model};
    return bound_measure(likelihood, denoise, &labelled, &labelled.labels, data, progress, user);
}

/* ---- Densities ---- */

sumi_status sumi_likelihood_density(sumi_likelihood *likelihood, sumi_denoiser_product denoiser,
                                    void *user, int rank, const int64_t *shape, const float *x,
                                    double *bits, sumi_progress_function progress,
                                    void *progress_user)
{
    return density_measure(likelihood, denoiser, user, NULL, rank, shape, x, NULL, bits, progress,
                           progress_user);
}

static sumi_status product(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, const float *vectors, float *output,
                           float *products)
{
    const struct labelled *labelled = user;
    TRY(model_check_call(labelled->model, item_size, output_size));
    return model_product(labelled->model, count, x, times, labelled->labels, vectors, output,
                         products);
}

sumi_status sumi_model_density(sumi_model *model, sumi_likelihood *likelihood, int rank,
                               const int64_t *shape, const float *x, const int32_t *labels,
                               double *bits, sumi_progress_function progress, void *user)
{
    struct labelled labelled = {.model = model};
    return density_measure(likelihood, product, &labelled, &labelled.labels, rank, shape, x, labels,
                           bits, progress, user);
}
