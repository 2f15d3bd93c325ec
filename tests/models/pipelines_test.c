/* SPDX-License-Identifier: Apache-2.0 */
/* Whole pipelines against numbers that diffusers gave for tiny ones with weights and noise by
   formula: the state after every step, the latents and the picture. Of a record, the program runs
   the pipelines that decode the latents of one network, through the public interface alone. See
   vectors/program.h for what is printed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sumi.h"
#include "vectors/figures.h"
#include "vectors/formula.h"

enum { CLASSES_MOST = 64, FIRST_DRAW = 3000 };

struct pipeline {
    struct vectors_row *row;
    sumi_context *context;
    const char *fill;
    sumi_model *model;
    sumi_auto_encoder *coder;
    sumi_session *session;
    sumi_solver *solver;
    json_object *steps; /* of the record: [time, sum of magnitudes] */
    int64_t step;
    struct figures_layout layout; /* of the latents */
};

static bool fails(struct pipeline *p)
{
    return vectors_fail(p->row, "%s", sumi_context_message(p->context));
}

/* ---- Parts ---- */

/* The config of a component with its class, as a new text. */
static char *config_of(json_object *component, const char *class_key, const char *config_key)
{
    json_object *config = NULL;
    if (json_object_deep_copy(vectors_get(component, config_key), &config, NULL) != 0) return NULL;
    json_object_object_add(config, "_class_name",
                           json_object_new_string(vectors_text(component, class_key)));
    char *text = strdup(json_object_to_json_string(config));
    json_object_put(config);
    return text;
}

/* Weight by number, of a model or of an auto-encoder. */
typedef bool (*weight_at)(void *owner, int64_t number, sumi_weight *weight);

static bool weight_of_model(void *owner, int64_t number, sumi_weight *weight)
{
    return sumi_model_weight(owner, number, weight);
}

static bool weight_of_coder(void *owner, int64_t number, sumi_weight *weight)
{
    return sumi_auto_encoder_weight(owner, number, weight);
}

/* Fills the weights of a part, each by its name's place among all of it. */
static bool fill_weights(struct pipeline *p, void *owner, weight_at at)
{
    sumi_weight weight = {.size = sizeof weight}, other = {.size = sizeof other};
    for (int64_t i = 0; at(owner, i, &weight); i++) {
        struct formula_weight formula = {.name = weight.name,
                                         .rank = weight.rank,
                                         .first_size = weight.rank ? weight.shape[0] : 1,
                                         .count = 1};
        for (int64_t k = 0; at(owner, k, &other); k++)
            formula.number += strcmp(other.name, weight.name) < 0;
        for (int k = 0; k < weight.rank; k++) formula.count *= weight.shape[k];
        if (!formula_fill(p->fill, &formula, weight.data))
            return vectors_fail(p->row, "there is no fill \"%s\"", p->fill);
    }
    return true;
}

static json_object *component(const struct pipeline *p, const char *name, const char *other)
{
    json_object *models = vectors_get(p->row->record, "models");
    json_object *found = vectors_get(models, name);
    return found ? found : vectors_get(models, other);
}

static bool open_parts(struct pipeline *p)
{
    char *network = config_of(component(p, "transformer", "unet"), "class_", "config");
    char *coder = config_of(component(p, "vae", "vqvae"), "class_", "config");
    char *scheduler = config_of(vectors_get(p->row->record, "scheduler"), "class_", "config");
    bool made = network && coder && scheduler
                && sumi_model_create(p->context, network, 1, &p->model) == SUMI_OK
                && sumi_model_set_scheduler(p->model, scheduler) == SUMI_OK
                && sumi_auto_encoder_create(p->context, coder, 1, &p->coder) == SUMI_OK;
    free(network);
    free(coder);
    free(scheduler);
    return made ? fill_weights(p, p->model, weight_of_model)
                      && fill_weights(p, p->coder, weight_of_coder)
                : fails(p);
}

/* ---- The run ---- */

/* Draw k is the number 3000 + k of the fill "mix", laid out as the record's latents. */
static void draw(void *user, int64_t number, int64_t count, float *noise)
{
    const struct pipeline *p = user;
    for (int64_t j = 0; j < count; j++) {
        noise[figures_place(&p->layout, j)] =
            (float)formula_mix((uint32_t)(FIRST_DRAW + number), (uint32_t)j);
    }
}

static bool watch(void *user, int64_t step, int64_t steps, double time, const float *x,
                  const float *clean)
{
    struct pipeline *p = user;
    json_object *expected = json_object_array_get_idx(p->steps, (size_t)step);
    double sum = 0, truth = vectors_number_at(expected, 1);
    (void)steps, (void)clean;
    for (int64_t j = 0; j < figures_count(&p->layout); j++) sum += fabs(x[j]);
    vectors_compare(p->row, time, vectors_number_at(expected, 0), 1e-4, "%s: time of step %lld",
                    p->fill, (long long)step);
    vectors_compare(p->row, sum, truth, 1e-4 * truth, "%s: sum after step %lld", p->fill,
                    (long long)step);
    p->step++;
    return true;
}

/* The classes of the call, if it has any, and guidance by them. */
static sumi_status set_classes(struct pipeline *p, json_object *call)
{
    json_object *labels = vectors_get(call, "class_labels");
    int64_t count = labels ? (int64_t)json_object_array_length(labels) : 0;
    double scale = vectors_number(call, "guidance_scale");
    int32_t classes[CLASSES_MOST];
    sumi_condition *condition = NULL;
    sumi_guide *guide = NULL;
    char text[32];
    if (count < 1 || count > CLASSES_MOST) return SUMI_OK;
    for (int64_t i = 0; i < count; i++) classes[i] = (int32_t)vectors_number_at(labels, i);
    sumi_status status = sumi_condition_create(p->context, &condition);
    if (status == SUMI_OK)
        status = sumi_condition_set_integers(condition, "class", 1, &count, classes);
    if (status == SUMI_OK) status = sumi_session_set_condition(p->session, condition);
    sumi_condition_free(condition);
    if (status != SUMI_OK || scale <= 1) return status;
    snprintf(text, sizeof text, "%.17g", scale);
    status = sumi_session_add_guide(p->session, "classifier-free", &guide);
    return status == SUMI_OK ? sumi_guide_set(guide, "scale", text) : status;
}

static sumi_status open_run(struct pipeline *p)
{
    json_object *call = vectors_get(p->row->record, "call");
    sumi_status status = sumi_session_create(p->context, p->model, &p->session);
    if (status == SUMI_OK) status = set_classes(p, call);
    if (status == SUMI_OK) status = sumi_session_solver(p->session, NULL, &p->solver);
    if (status == SUMI_OK)
        status =
            sumi_solver_set_number(p->solver, "steps", vectors_number(call, "num_inference_steps"));
    if (status == SUMI_OK) sumi_solver_set_noise(p->solver, draw, p);
    return status;
}

/* ---- Results ---- */

/* Of values 0 to 1, the share at either end. */
static double clamp(int64_t count, float *values)
{
    int64_t bounded = 0;
    for (int64_t i = 0; i < count; i++) {
        values[i] = fminf(fmaxf(values[i] / 2 + 0.5F, 0), 1);
        bounded += values[i] == 0 || values[i] == 1;
    }
    return (double)bounded / (double)count;
}

static void compare_picture(struct pipeline *p, json_object *expected, sumi_array *picture)
{
    json_object *image = vectors_get(expected, "image");
    struct figures_layout layout = {.channel_axis = -1};
    int64_t count = sumi_array_count(picture);
    layout.rank = vectors_shape(vectors_get(image, "shape"), layout.size);
    if (layout.rank != 4 || memcmp(layout.size, picture->shape, 4 * sizeof *layout.size) != 0) {
        vectors_fail(p->row, "%s: the picture has another shape", p->fill);
        return;
    }
    double share = clamp(count, picture->data);
    figures_compare(p->row, p->fill, image, &layout, picture->data,
                    2e-5 / vectors_number(image, "rms"));
    vectors_compare(p->row, share, vectors_number(expected, "image_at_bounds"),
                    1e-6 + 1.5 / (double)count, "%s: share of values at bounds", p->fill);
}

static bool compare(struct pipeline *p, json_object *expected, sumi_array *state)
{
    sumi_array picture = {0};
    char what[64];
    sumi_status status = sumi_solver_start(p->solver, 4, state->shape, state->data);
    if (status == SUMI_OK)
        status = sumi_solver_run(p->solver, sumi_session_denoiser, p->session, 4, state->shape,
                                 state->data, watch, p);
    if (status == SUMI_OK) status = sumi_auto_encoder_decode(p->coder, state, &picture);
    if (status != SUMI_OK) return fails(p);
    snprintf(what, sizeof what, "%s: latents", p->fill);
    figures_compare(p->row, what, vectors_get(expected, "latents"), &p->layout, state->data, 1e-4);
    compare_picture(p, expected, &picture);
    sumi_array_release(p->context, &picture);
    int64_t steps = (int64_t)json_object_array_length(p->steps);
    if (p->step == steps) return true;
    return vectors_fail(p->row, "%s: %lld steps, expected %lld", p->fill, (long long)p->step,
                        (long long)steps);
}

static bool run_fill(struct pipeline *p, json_object *expected)
{
    sumi_array state = {0};
    int64_t shape[8];
    p->steps = vectors_get(expected, "steps");
    p->layout.rank =
        vectors_shape(vectors_get(vectors_get(expected, "latents"), "shape"), p->layout.size);
    p->layout.channel_axis = 1;
    if (p->layout.rank != 4 || !json_object_is_type(p->steps, json_type_array))
        return vectors_fail(p->row, "the record should have \"latents\" [n,c,h,w] and \"steps\"");
    if (!open_parts(p)) return false;
    figures_own_shape(&p->layout, shape);
    if (open_run(p) != SUMI_OK || sumi_array_create(p->context, 4, shape, &state) != SUMI_OK)
        return fails(p);
    compare(p, expected, &state);
    sumi_array_release(p->context, &state);
    return true;
}

static void close_parts(struct pipeline *p)
{
    sumi_solver_free(p->solver);
    sumi_session_free(p->session);
    sumi_auto_encoder_free(p->coder);
    sumi_model_free(p->model);
}

static enum vectors_result check(struct vectors_row *row)
{
    static const char *const kinds[] = {"DiTPipeline", "LDMPipeline"};
    const char *kind = vectors_text(row->record, "kind");
    sumi_context *context = NULL;
    json_object *fills = vectors_get(row->record, "fills");
    if (strcmp(kind, kinds[0]) != 0 && strcmp(kind, kinds[1]) != 0) return VECTORS_NOT_THERE;
    if (!json_object_is_type(fills, json_type_object)) {
        vectors_fail(row, "the record has no fills");
        return VECTORS_COMPARED;
    }
    if (sumi_context_create(NULL, &context) != SUMI_OK) {
        vectors_fail(row, "no memory for a context");
        return VECTORS_COMPARED;
    }
    json_object_object_foreach(fills, fill, expected)
    {
        struct pipeline p = {.row = row, .context = context, .fill = fill};
        run_fill(&p, expected);
        close_parts(&p);
    }
    sumi_context_free(context);
    return VECTORS_COMPARED;
}

int main(int argc, char **argv)
{
    return vectors_main(argc, argv, "pipelines.json", "pipelines", check);
}
