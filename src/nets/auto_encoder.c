/* SPDX-License-Identifier: Apache-2.0 */
/* The table of classes of auto-encoders, and their common functions; see auto_encoder.h. */
#include "nets/auto_encoder.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "nets/layers.h"
#include "nets/net.h"

static const struct auto_encoder_type *const types[] = {
    &auto_encoder_type_kl, &auto_encoder_type_vq, &auto_encoder_type_tiny};
enum { TYPE_COUNT = sizeof types / sizeof *types };

static const double LOWEST_LOG_VARIANCE = -30, HIGHEST_LOG_VARIANCE = 20;
static const double LEAST_SCALE = 1e-9, LARGEST_SCALE = 1e9;

/* ---- Reading a config ---- */

static const struct auto_encoder_type *find_type(const char *name)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if (strcmp(name, types[i]->class_name) == 0) return types[i];
    return NULL;
}

bool auto_encoder_is_class(const char *class_name)
{
    return find_type(class_name) != NULL;
}

static sumi_status choose_type(sumi_context *context, json_object *given, const char *source,
                               const struct auto_encoder_type **type)
{
    const char *name = "", *known[TYPE_COUNT + 1] = {NULL};
    if (!json_object_is_type(given, json_type_object)) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: an auto-encoder's config should be a JSON object, {...}", source);
    }
    TRY(json_get_text(context, given, source, "_class_name", &name));
    for (int i = 0; i < TYPE_COUNT; i++) known[i] = types[i]->class_name;
    *type = find_type(name);
    if (*type) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s: auto-encoders of class \"%.80s\" are not supported; the nearest "
                        "supported class is \"%s\"",
                        source, name, text_nearest(name, known));
}

/* Fills a new auto-encoder from `given`, an object that may lack any key. */
static sumi_status read_config(struct auto_encoder *coder, json_object *given, const char *source)
{
    const struct auto_encoder_type *type = coder->type;
    struct config config;
    coder->settings = context_allocate_zeroed(coder->context, 1, type->settings_size);
    if (!coder->settings) return SUMI_ERROR_MEMORY;
    TRY(config_open(&config, coder->context, given, source, type->class_name, type->keys));
    type->read(&config, coder);
    if (config.status == SUMI_OK) config.status = config_write(&config, &coder->config);
    config_close(&config);
    return config.status;
}

static sumi_status parse_object(sumi_context *context, json_object *given, const char *source,
                                struct auto_encoder **coder)
{
    const struct auto_encoder_type *type = NULL;
    TRY(choose_type(context, given, source, &type));
    struct auto_encoder *fresh = context_allocate_zeroed(context, 1, sizeof *fresh);
    if (!fresh) return SUMI_ERROR_MEMORY;
    fresh->context = context;
    fresh->type = type;
    sumi_status status = read_config(fresh, given, source);
    if (status == SUMI_OK) *coder = fresh;
    else auto_encoder_free(fresh);
    return status;
}

sumi_status auto_encoder_parse(sumi_context *context, const char *json, const char *source,
                               struct auto_encoder **coder)
{
    *coder = NULL;
    json_object *given = NULL;
    TRY(json_parse(context, json, strlen(json), source, &given));
    sumi_status status = parse_object(context, given, source, coder);
    json_object_put(given);
    return status;
}

void auto_encoder_free(struct auto_encoder *coder)
{
    if (!coder) return;
    context_release(coder->context, coder->config);
    context_release(coder->context, coder->scales);
    context_release(coder->context, coder->settings);
    context_release(coder->context, coder);
}

/* ---- What classes share of their configs ---- */

/* A list of numbers for the channels, `otherwise` for all where it is null or missing. */
static void read_channels(struct config *config, const char *key, int64_t count, double low,
                          double otherwise, double *values)
{
    bool none = config_is_null(config, key);
    if (!none && config_length(config, key, (int)count) != count)
        config_fail(config, "\"%s\" should have %lld numbers, one for each latent channel", key,
                    (long long)count);
    for (int64_t i = 0; i < count && config->status == SUMI_OK; i++)
        values[i] = none ? otherwise : config_number_at(config, key, (int)i, low, LARGEST_SCALE);
}

/* l = (z - mean - shift) scaling_factor / deviation. */
void auto_encoder_read_scales(struct config *config, struct auto_encoder *coder)
{
    int64_t count = coder->latent_channels;
    if (config->status != SUMI_OK) return;
    coder->scales = context_allocate_zeroed(coder->context, 2 * (size_t)count, sizeof(double));
    if (!coder->scales) {
        config->status = SUMI_ERROR_MEMORY;
        return;
    }
    double *scales = coder->scales, *shifts = scales + count;
    double factor = coder->scaling =
        config_number(config, "scaling_factor", LEAST_SCALE, LARGEST_SCALE);
    double shift = config_number_or(config, "shift_factor", -LARGEST_SCALE, LARGEST_SCALE, 0);
    read_channels(config, "latents_mean", count, -LARGEST_SCALE, 0, shifts);
    read_channels(config, "latents_std", count, LEAST_SCALE, 1, scales);
    for (int64_t i = 0; i < count && config->status == SUMI_OK; i++) {
        shifts[i] += shift;
        scales[i] = factor / scales[i];
    }
}

void auto_encoder_read_size(struct config *config, struct auto_encoder *coder)
{
    const char *key = "sample_size";
    json_object *value = json_object_object_get(config->object, key);
    bool list = json_object_is_type(value, json_type_array);
    if (list && config_length(config, key, 2)) {
        coder->tile = config_whole_at(config, key, 0, 1, NET_SIZE);
    } else {
        coder->tile = config_whole_or(config, key, 1, NET_SIZE, 0);
    }
}

/* ---- In a graph ---- */

static bool check_input(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x,
                        const char *what, int64_t channels, int64_t multiple)
{
    if (x < 0) return false;
    const struct shape *shape = graph_shape(graph, x);
    char text[SHAPE_TEXT];
    bool fits = shape->rank == 4 && shape->size[3] == channels;
    if (fits && shape->size[1] % multiple == 0 && shape->size[2] % multiple == 0) return true;
    graph_fail(graph,
               "%s: %s should be of shape [n, h, w, %lld] with h and w multiples of %lld, not %s",
               coder->type->class_name, what, (long long)channels, (long long)multiple,
               shape_text(shape, text));
    return false;
}

sumi_node auto_encoder_encode(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x)
{
    if (!check_input(coder, graph, x, "pictures", coder->in_channels, coder->factor)) return -1;
    return coder->type->encode(coder, graph, x);
}

sumi_node auto_encoder_decode(const struct auto_encoder *coder, sumi_graph *graph,
                              sumi_node latents)
{
    if (!check_input(coder, graph, latents, "latents", coder->latent_channels, 1)) return -1;
    return coder->type->decode(coder, graph, latents);
}

sumi_status auto_encoder_build_halves(const struct auto_encoder *coder, sumi_graph *graph)
{
    int64_t picture[4] = {1, coder->factor, coder->factor, coder->in_channels};
    int64_t latent[4] = {1, 1, 1, coder->latent_channels};
    auto_encoder_encode(coder, graph, sumi_graph_input(graph, "pictures", 4, picture));
    auto_encoder_decode(coder, graph, sumi_graph_input(graph, "latents", 4, latent));
    return sumi_graph_status(graph);
}

/* One half of moments along the channels. */
static sumi_node half(sumi_graph *graph, sumi_node moments, bool second)
{
    int64_t count = layer_size(graph, moments, 3) / 2;
    return sumi_op_slice(graph, moments, 3, second ? count : 0, count);
}

sumi_node auto_encoder_mean(sumi_graph *graph, sumi_node moments)
{
    return half(graph, moments, false);
}

/* x + relu(low - x) - relu(x - high): x itself, bit for bit, where it is not clamped. */
sumi_node auto_encoder_log_variance(sumi_graph *graph, sumi_node moments)
{
    sumi_node x = half(graph, moments, true);
    sumi_node below = sumi_op_relu(graph, sumi_op_affine(graph, x, -1, LOWEST_LOG_VARIANCE));
    sumi_node above = sumi_op_relu(graph, sumi_op_affine(graph, x, 1, -HIGHEST_LOG_VARIANCE));
    return sumi_op_subtract(graph, sumi_op_add(graph, x, below), above);
}

sumi_node auto_encoder_draw(sumi_graph *graph, sumi_node moments, sumi_node noise)
{
    sumi_node log_variance = auto_encoder_log_variance(graph, moments);
    sumi_node deviation = sumi_op_exp(graph, sumi_op_affine(graph, log_variance, 0.5, 0));
    return sumi_op_add(graph, auto_encoder_mean(graph, moments),
                       sumi_op_multiply(graph, deviation, noise));
}
