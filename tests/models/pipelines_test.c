/* SPDX-License-Identifier: Apache-2.0 */
/* Whole pipelines against numbers that diffusers gave for tiny ones with weights and noise by
   formula: the state after every step, the latents and the picture. Of a record, the program runs
   the pipelines that decode the latents of one network, through the public interface alone;
   pipeline_texts.c has prompts and pipeline_pictures.c what begins with a picture. The second
   argument may be the folder of CLIP's vocabulary. See vectors/program.h for what is printed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors/formula.h"
#include "vectors/pipeline.h"

enum { CLASSES_MOST = 64 };

static const char *vocabulary; /* the folder, or NULL */

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

static bool weight_of_encoder(void *owner, int64_t number, sumi_weight *weight)
{
    return sumi_text_encoder_weight(owner, number, weight);
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

/* The text encoder, where the record has one. */
static bool open_encoder(struct pipeline *p)
{
    json_object *of = component(p, "text_encoder", "text_encoder");
    if (!of) return true;
    char *config = config_of(of, "class_", "config");
    bool made = config && sumi_text_encoder_create(p->context, config, 1, &p->encoder) == SUMI_OK;
    free(config);
    return made ? fill_weights(p, p->encoder, weight_of_encoder) : pipeline_fails(p);
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
                      && fill_weights(p, p->coder, weight_of_coder) && open_encoder(p)
                : pipeline_fails(p);
}

/* ---- The run ---- */

/* A draw of the solver: its first state, or the noise of a step. */
static void draw(void *user, int64_t number, int64_t count, float *noise)
{
    const struct pipeline *p = user;
    (void)count;
    pipeline_noise(p, number ? pipeline_draw(p, "scheduling", number - 1) : p->first_draw, noise);
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
    int32_t classes[CLASSES_MOST];
    sumi_condition *condition = NULL;
    if (count < 1 || count > CLASSES_MOST) return SUMI_OK;
    for (int64_t i = 0; i < count; i++) classes[i] = (int32_t)vectors_number_at(labels, i);
    sumi_status status = sumi_condition_create(p->context, &condition);
    if (status == SUMI_OK)
        status = sumi_condition_set_integers(condition, "class", 1, &count, classes);
    if (status == SUMI_OK) status = sumi_session_set_condition(p->session, condition);
    sumi_condition_free(condition);
    return status;
}

static sumi_status set_guide(struct pipeline *p, json_object *call)
{
    double scale = vectors_number(call, "guidance_scale");
    double rescale = vectors_number(call, "guidance_rescale");
    sumi_guide *guide = NULL;
    if (scale <= 1) return SUMI_OK;
    sumi_status status = sumi_session_add_guide(p->session, "classifier-free", &guide);
    if (status == SUMI_OK) status = sumi_guide_set_number(guide, "scale", scale);
    if (status == SUMI_OK && rescale > 0) status = sumi_guide_set_number(guide, "rescale", rescale);
    return status;
}

static sumi_status open_run(struct pipeline *p, json_object *expected)
{
    json_object *call = vectors_get(p->row->record, "call");
    sumi_status status = sumi_session_create(p->context, p->model, &p->session);
    p->first_draw = pipeline_draw(p, "prepare_latents", 0);
    if (status == SUMI_OK) status = set_classes(p, call);
    if (status == SUMI_OK) status = pipeline_set_picture(p, call);
    if (status == SUMI_OK && p->encoder) status = pipeline_set_texts(p, call, expected, vocabulary);
    if (status == SUMI_OK) status = set_guide(p, call);
    if (status == SUMI_OK) status = sumi_session_solver(p->session, NULL, &p->solver);
    if (status == SUMI_OK)
        status =
            sumi_solver_set_number(p->solver, "steps", vectors_number(call, "num_inference_steps"));
    if (status == SUMI_OK && vectors_get(call, "eta"))
        status = sumi_solver_set_number(p->solver, "eta", vectors_number(call, "eta"));
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

/* Draws the latents to *state and compares them and the picture. */
static bool compare(struct pipeline *p, json_object *expected, sumi_array *state)
{
    sumi_array picture = {0};
    char what[64];
    sumi_status status =
        sumi_session_sample(p->session, p->solver, p->layout.size[0], watch, p, state);
    if (status == SUMI_OK) status = sumi_auto_encoder_decode(p->coder, state, &picture);
    if (status != SUMI_OK) return pipeline_fails(p);
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
    p->steps = vectors_get(expected, "steps");
    p->layout.rank =
        vectors_shape(vectors_get(vectors_get(expected, "latents"), "shape"), p->layout.size);
    p->layout.channel_axis = 1;
    if (p->layout.rank != 4 || !json_object_is_type(p->steps, json_type_array))
        return vectors_fail(p->row, "the record should have \"latents\" [n,c,h,w] and \"steps\"");
    if (!open_parts(p)) return false;
    if (open_run(p, expected) != SUMI_OK) return pipeline_fails(p);
    compare(p, expected, &state);
    sumi_array_release(p->context, &state);
    return true;
}

static void close_parts(struct pipeline *p)
{
    sumi_solver_free(p->solver);
    sumi_session_free(p->session);
    sumi_auto_encoder_free(p->coder);
    sumi_text_encoder_free(p->encoder);
    sumi_array_release(p->context, &p->channels);
    sumi_model_free(p->model);
}

static bool is_there(const char *kind)
{
    static const char *const kinds[] = {"DiTPipeline", "LDMPipeline", "StableDiffusionPipeline",
                                        "StableDiffusionImg2ImgPipeline",
                                        "StableDiffusionInpaintPipeline"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i]) == 0) return true;
    return false;
}

static enum vectors_result check(struct vectors_row *row)
{
    sumi_context *context = NULL;
    json_object *fills = vectors_get(row->record, "fills");
    if (!is_there(vectors_text(row->record, "kind"))) return VECTORS_NOT_THERE;
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
    if (argc > 2) vocabulary = argv[2];
    return vectors_main(argc, argv, "pipelines.json", "pipelines", check);
}
