/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, making and saving auto-encoders, and their options. */
#include "models/auto_encoder.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/members.h"
#include "base/structure.h"

enum { TILE_AUTO = -1 };

#define AT(member) offsetof(struct sumi_auto_encoder, member)

static const struct option options[] = {
    {PRECISION_OPTION, AT(precision)},
    {WHOLE_OPTION("tile", "0", 0, 1 << 20,
                  "side of overlapping tiles in pixels; auto: that of the pictures in training, 0: "
                  "none"),
     AT(tile), .choices = "auto", .first = TILE_AUTO},
    {FLAG_OPTION("slices", "false", "compute one item at a time"), AT(slices)},
    {CHOICE_OPTION("posterior", "mean", "mean|sample",
                   "latents: the mean, or drawn from the "
                   "posterior"),
     AT(posterior)},
    {SEED_OPTION("seed", "0", "seed of the draws"), AT(seed)},
    {.name = NULL},
};

static const int64_t PLAN_MEMORY = (int64_t)1 << 30; /* bytes that cached plans may take */

/* ---- The part ---- */

static sumi_status build_halves(void *user, sumi_graph *graph)
{
    return auto_encoder_build_halves(user, graph);
}

static struct weight_builder builder_of(const struct auto_encoder_part *part)
{
    return (struct weight_builder){
        .context = part->context, .old_names = true, .user = part->net, .build = build_halves};
}

void auto_encoder_part_free(struct auto_encoder_part *part)
{
    if (!part) return;
    sumi_weights_free(part->weights);
    auto_encoder_free(part->net);
    context_release(part->context, part);
}

static sumi_status read_part(struct auto_encoder_part *part, const char *folder)
{
    struct network_files files;
    TRY(network_find(part->context, folder, DIFFUSERS_STEM, &files));
    sumi_status status = auto_encoder_parse(part->context, files.text, files.config, &part->net);
    context_release(part->context, files.text);
    TRY(status);
    const struct weight_builder builder = builder_of(part);
    return weights_load(&builder, files.weights, &part->weights);
}

sumi_status auto_encoder_part_open(sumi_context *context, const char *folder,
                                   struct auto_encoder_part **part)
{
    *part = NULL;
    struct auto_encoder_part *fresh = context_allocate_zeroed(context, 1, sizeof *fresh);
    if (!fresh) return SUMI_ERROR_MEMORY;
    fresh->context = context;
    sumi_status status = read_part(fresh, folder);
    if (status == SUMI_OK) *part = fresh;
    else auto_encoder_part_free(fresh);
    return status;
}

sumi_status auto_encoder_part_make(sumi_context *context, const char *config, const char *source,
                                   safetensors *file, struct auto_encoder_part **part)
{
    *part = NULL;
    struct auto_encoder_part *fresh = context_allocate_zeroed(context, 1, sizeof *fresh);
    sumi_status status = SUMI_ERROR_MEMORY;
    if (fresh) {
        fresh->context = context;
        status = auto_encoder_parse(context, config, source, &fresh->net);
    }
    if (status != SUMI_OK) {
        safetensors_free(file);
        auto_encoder_part_free(fresh);
        return status;
    }
    const struct weight_builder builder = builder_of(fresh);
    status = weights_read(&builder, source, file, &fresh->weights);
    if (status == SUMI_OK) *part = fresh;
    else auto_encoder_part_free(fresh);
    return status;
}

sumi_status auto_encoder_is_in(sumi_context *context, const char *folder, bool *found)
{
    char path[PATH_SIZE], *text = NULL;
    const char *name = "";
    json_object *config = NULL;
    *found = false;
    TRY(path_join(context, folder, "model_index.json", path));
    if (path_exists(path)) return SUMI_OK;
    TRY(path_join(context, folder, "config.json", path));
    if (!path_exists(path)) return SUMI_OK;
    TRY(model_read_text(context, path, &text));
    sumi_status status = json_parse(context, text, strlen(text), path, &config);
    if (status == SUMI_OK && json_object_is_type(config, json_type_object))
        status = json_get_text(context, config, path, "_class_name", &name);
    *found = status == SUMI_OK && auto_encoder_is_class(name);
    json_object_put(config);
    context_release(context, text);
    return status;
}

sumi_status auto_encoder_check_fit(const sumi_model *model, const struct auto_encoder *net,
                                   const char *folder)
{
    int64_t channels = model->net->item_shape[model->net->item_rank - 1];
    if (model->net->kind == SUMI_PICTURE && channels == net->latent_channels) return SUMI_OK;
    return context_fail(model->context, SUMI_ERROR_FORMAT,
                        "%s: gives latents of %lld channels, but the network takes items of %lld",
                        folder, (long long)net->latent_channels, (long long)channels);
}

sumi_status part_load_auto_encoder(sumi_model *model, const char *folder)
{
    const char *slash = strrchr(folder, '/');
    TRY(auto_encoder_part_open(model->context, folder, &model->auto_encoder));
    snprintf(model->auto_encoder->name, sizeof model->auto_encoder->name, "%s",
             slash ? slash + 1 : folder);
    return auto_encoder_check_fit(model, model->auto_encoder->net, folder);
}

/* ---- The runner ---- */

sumi_status auto_encoder_begin(sumi_context *context, const struct auto_encoder_part *part,
                               sumi_auto_encoder **runner)
{
    *runner = context_allocate_zeroed(context, 1, sizeof **runner);
    if (!*runner) return SUMI_ERROR_MEMORY;
    (*runner)->context = context;
    (*runner)->part = part;
    (*runner)->cache = (struct plan_cache){
        .context = context, .memory = PLAN_MEMORY, .user = *runner, .build = half_build_plan};
    (*runner)->options = (struct option_set){.context = context,
                                             .owner = "an auto-encoder",
                                             .noun = "option",
                                             .tables = {options},
                                             .values = *runner};
    option_set_defaults(&(*runner)->options);
    return SUMI_OK;
}

/* A runner that owns its part; the part is freed after a failure. */
static sumi_status begin_owner(sumi_context *context, struct auto_encoder_part *part,
                               sumi_auto_encoder **runner)
{
    sumi_status status = auto_encoder_begin(context, part, runner);
    if (status == SUMI_OK) (*runner)->own = part;
    else auto_encoder_part_free(part);
    return status;
}

void sumi_auto_encoder_free(sumi_auto_encoder *auto_encoder)
{
    if (!auto_encoder) return;
    plan_cache_forget(&auto_encoder->cache);
    auto_encoder_part_free(auto_encoder->own);
    context_release(auto_encoder->context, auto_encoder);
}

sumi_status auto_encoder_find(sumi_context *context, const char *folder, char found[PATH_SIZE])
{
    char index[PATH_SIZE];
    TRY(path_join(context, folder, "model_index.json", index));
    if (!path_is_folder(folder)) {
        return context_fail(context, SUMI_ERROR_FILE,
                            "%s: there is no such folder of an auto-encoder", folder);
    }
    if (!path_exists(index)) {
        TRY(path_join(context, folder, "config.json", found));
        if (!path_exists(found)) {
            return context_fail(context, SUMI_ERROR_FILE,
                                "%s: the folder has no auto-encoder: there is neither config.json "
                                "nor model_index.json",
                                folder);
        }
        snprintf(found, PATH_SIZE, "%s", folder);
        return SUMI_OK;
    }
    const char *name;
    for (int i = 0; (name = part_name_of(SUMI_PART_AUTO_ENCODER, i)); i++) {
        TRY(path_join(context, folder, name, found));
        if (path_is_folder(found)) return SUMI_OK;
    }
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: the pipeline has no auto-encoder, a folder vae, vqvae or movq",
                        folder);
}

sumi_status sumi_auto_encoder_open(sumi_context *context, const char *folder,
                                   sumi_auto_encoder **auto_encoder)
{
    char found[PATH_SIZE];
    struct auto_encoder_part *part = NULL;
    *auto_encoder = NULL;
    TRY(auto_encoder_find(context, folder, found));
    TRY(auto_encoder_part_open(context, found, &part));
    return begin_owner(context, part, auto_encoder);
}

sumi_status sumi_auto_encoder_of(sumi_context *context, const sumi_model *model,
                                 sumi_auto_encoder **auto_encoder)
{
    *auto_encoder = NULL;
    if (model->auto_encoder) return auto_encoder_begin(context, model->auto_encoder, auto_encoder);
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "this model has no auto-encoder: it works on the items themselves");
}

sumi_status sumi_auto_encoder_create(sumi_context *context, const char *config_json, uint64_t seed,
                                     sumi_auto_encoder **auto_encoder)
{
    *auto_encoder = NULL;
    struct auto_encoder_part *part = context_allocate_zeroed(context, 1, sizeof *part);
    if (!part) return SUMI_ERROR_MEMORY;
    part->context = context;
    sumi_status status = auto_encoder_parse(context, config_json, "config.json", &part->net);
    if (status == SUMI_OK) {
        const struct weight_builder builder = builder_of(part);
        status = weights_make(&builder, seed, NULL, &part->weights);
    }
    if (status == SUMI_OK) return begin_owner(context, part, auto_encoder);
    auto_encoder_part_free(part);
    return status;
}

/* The config with another scaling_factor, as a new text. */
static sumi_status write_factor(const struct auto_encoder_part *part, double factor, char **text)
{
    static const char SOURCE[] = "config.json";
    json_object *config = NULL;
    const char *old = part->net->config;
    TRY(json_parse(part->context, old, strlen(old), SOURCE, &config));
    bool complete = member_number(config, "scaling_factor", factor);
    sumi_status status = members_check(part->context, complete, SOURCE);
    if (status == SUMI_OK) status = json_to_text(part->context, config, text);
    json_object_put(config);
    return status;
}

sumi_status auto_encoder_set_factor(sumi_auto_encoder *runner, double factor)
{
    struct auto_encoder_part *part = runner->own;
    struct auto_encoder *fresh = NULL;
    char *text = NULL;
    TRY(write_factor(part, factor, &text));
    sumi_status status = auto_encoder_parse(part->context, text, "config.json", &fresh);
    context_release(part->context, text);
    TRY(status);
    auto_encoder_free(part->net);
    part->net = fresh;
    runner->mark[0] = '\0';
    return SUMI_OK;
}

sumi_status auto_encoder_part_save(const struct auto_encoder_part *part, const char *folder)
{
    return network_write(part->context, folder, DIFFUSERS_STEM, part->weights, part->net->config);
}

sumi_status sumi_auto_encoder_save(const sumi_auto_encoder *auto_encoder, const char *folder)
{
    return auto_encoder_part_save(auto_encoder->part, folder);
}

/* ---- What it is ---- */

bool sumi_auto_encoder_describe(const sumi_auto_encoder *auto_encoder, sumi_auto_encoder_info *info)
{
    const struct auto_encoder *net = auto_encoder->part->net;
    const sumi_auto_encoder_info all = {.class_name = net->type->class_name,
                                        .config = net->config,
                                        .in_channels = net->in_channels,
                                        .out_channels = net->out_channels,
                                        .latent_channels = net->latent_channels,
                                        .factor = net->factor,
                                        .sample_size = net->tile,
                                        .codes = net->codes,
                                        .draws = net->type->moments};
    return structure_fill(info, &all, sizeof all);
}

bool sumi_auto_encoder_weight(sumi_auto_encoder *auto_encoder, int64_t number, sumi_weight *weight)
{
    sumi_weights *weights = auto_encoder->part->weights;
    bool there = number >= 0 && number < weights->count
                 && !weight_is_beside(&weights->items[number]); /* such come after the others */
    if (there && weights_own(weights, number) != SUMI_OK) return false;
    auto_encoder->mark[0] = '\0'; /* the caller may write to the weights */
    weights_changed(weights);
    return sumi_weights_get(weights, number, weight);
}

/* The fingerprint is that of the values as float32, whatever type they are stored in, and of the
   scale of the latents. */
static sumi_status sum_weights(const struct auto_encoder_part *part, uint64_t *sum)
{
    const struct auto_encoder *net = part->net;
    int64_t largest = 1;
    for (int64_t i = 0; i < part->weights->count; i++) {
        int64_t count = shape_count(&part->weights->items[i].shape);
        if (count > largest) largest = count;
    }
    float *values = context_allocate(part->context, (size_t)largest, sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    sumi_status status = SUMI_OK;
    *sum = hash_bytes(1, net->scales, 2 * (size_t)net->latent_channels * sizeof(double));
    for (int64_t i = 0; i < part->weights->count && status == SUMI_OK; i++) {
        const struct weight *weight = &part->weights->items[i];
        if (weight_is_beside(weight)) continue;
        status = weight_read(part->weights, weight, values);
        *sum = hash_bytes(*sum, weight->name, strlen(weight->name));
        *sum = hash_bytes(*sum, values, (size_t)shape_count(&weight->shape) * sizeof *values);
    }
    context_release(part->context, values);
    return status;
}

sumi_status auto_encoder_part_mark(const struct auto_encoder_part *part, char mark[HASH_TEXT])
{
    uint64_t sum = 0;
    TRY(sum_weights(part, &sum));
    hash_to_text(sum, mark);
    return SUMI_OK;
}

const char *sumi_auto_encoder_fingerprint(sumi_auto_encoder *auto_encoder)
{
    if (auto_encoder->mark[0]) return auto_encoder->mark;
    if (auto_encoder_part_mark(auto_encoder->part, auto_encoder->mark) != SUMI_OK) return NULL;
    return auto_encoder->mark;
}

/* ---- Options ---- */

/* The side of tiles, -1 for the size that the auto-encoder was made for. */
static sumi_status check_tile(const sumi_auto_encoder *runner, int64_t *side)
{
    const struct auto_encoder *net = runner->part->net;
    if (*side == TILE_AUTO) *side = net->tile;
    else if (*side == 0) return SUMI_OK;
    if (*side == 0) {
        return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                            "the auto-encoder's config.json has no \"sample_size\"; say the side "
                            "of a tile in pixels");
    }
    return tiles_check(runner->context, net, *side);
}

sumi_status sumi_auto_encoder_set(sumi_auto_encoder *auto_encoder, const char *option,
                                  const char *value)
{
    const int64_t before = auto_encoder->tile;
    TRY(option_set_text(&auto_encoder->options, option, value));
    sumi_status status = check_tile(auto_encoder, &auto_encoder->tile);
    if (status != SUMI_OK) auto_encoder->tile = before;
    return status;
}

sumi_status sumi_auto_encoder_set_number(sumi_auto_encoder *auto_encoder, const char *option,
                                         double value)
{
    char text[OPTION_WORD_SIZE];
    option_number_text(value, text);
    return sumi_auto_encoder_set(auto_encoder, option, text);
}

sumi_status sumi_auto_encoder_set_flag(sumi_auto_encoder *auto_encoder, const char *option,
                                       bool value)
{
    return sumi_auto_encoder_set(auto_encoder, option, value ? "true" : "false");
}

bool sumi_auto_encoder_option(const sumi_auto_encoder *auto_encoder, int number,
                              sumi_option *option)
{
    return option_set_describe(&auto_encoder->options, number, option);
}

const char *sumi_auto_encoder_get(sumi_auto_encoder *auto_encoder, const char *option)
{
    return option_set_value(&auto_encoder->options, option);
}
