/* SPDX-License-Identifier: Apache-2.0 */
/* The time embedding: a projection of the time (sines of many frequencies, fixed or random, or a
   learned table), then two linear layers; class embeddings are added to it. */
#include "nets/time_embedding.h"

#include <math.h>

#include "nets/layers.h"

static const double FOURIER_SCALE = 16; /* standard deviation of the random frequencies */
static const double LONGEST_PERIOD = 10000;
enum { TABLE_LIMIT = 1 << 24, WIDTH_LIMIT = 1 << 18 };

/* diffusers has no key for the null class, and ignores keys that begin with an underscore. The key
   is saved only if there is one. */
static void read_null_class(struct config *config, const struct time_settings *time,
                            int64_t classes, struct net *net)
{
    static const char key[] = "_null_class";
    int64_t number = config_whole_or(config, key, 0, TABLE_LIMIT, -1);
    if (number < 0) {
        config_leave_out(config, key);
        return;
    }
    if (time->class_kind != CLASS_ROW || classes < 2 || number != classes - 1) {
        config_fail(config,
                    "\"%s\" is the last class, which is \"num_class_embeds\" - 1 of a network with "
                    "two or more, not %lld",
                    key, (long long)number);
    }
    net->null_class = true;
}

/* The kind that class_embed_type names; the class of the key in PROJECTED has two more. */
static const char PROJECTED[] = "projection_class_embeddings_input_dim";

static enum class_kind read_class_kind(struct config *config)
{
    static const char *const kinds[] = {"timestep", "identity", NULL};
    static const char *const more[] = {"timestep", "identity", "projection", "simple_projection",
                                       NULL};
    bool projects = json_object_object_get_ex(config->object, PROJECTED, NULL);
    int place = config_choice(config, "class_embed_type", projects ? more : kinds);
    return (enum class_kind)(CLASS_TIME + place);
}

static void declare_class(struct config *config, struct time_settings *time, struct net *net)
{
    int64_t classes = config_whole_or(config, "num_class_embeds", 1, TABLE_LIMIT, 0);
    sumi_input input = {.name = "class", .element = SUMI_INT32, .rank = 1, .limit = classes};
    time->class_kind = classes ? CLASS_ROW : CLASS_NONE;
    if (!config_is_null(config, "class_embed_type")) {
        time->class_kind = read_class_kind(config);
        input = (sumi_input){.name = "embedding", .rank = 2, .shape = {0, time->width}};
        if (time->class_kind == CLASS_TIME) input = (sumi_input){.name = "class_time", .rank = 1};
        if (time->class_kind == CLASS_PROJECTION || time->class_kind == CLASS_LINEAR)
            input.shape[1] = config_whole(config, PROJECTED, 1, WIDTH_LIMIT);
    }
    if (time->class_kind != CLASS_NONE) net_declare(net, &input);
    read_null_class(config, time, classes, net);
}

static void check_frequencies(struct config *config, const struct time_settings *time)
{
    if (time->kind != TIME_POSITIONAL) return;
    if (time->channels < 2) {
        config_fail(config,
                    "a positional time embedding needs at least 2 channels in the first "
                    "layer, not %lld",
                    (long long)time->channels);
    }
    if ((double)(time->channels / 2) == time->frequency_shift) {
        config_fail(config, "\"freq_shift\" cannot be %g, half the channels of the first layer",
                    time->frequency_shift);
    }
}

void time_read(struct config *config, int64_t channels, struct time_settings *time, struct net *net)
{
    static const char *const kinds[] = {"positional", "fourier", "learned", NULL};
    time->kind = (enum time_embedding_kind)config_choice(config, "time_embedding_type", kinds);
    time->channels = channels;
    time->width = config_whole_or(config, "time_embedding_dim", 0, WIDTH_LIMIT, 0);
    if (time->width == 0) time->width = 4 * channels;
    time->frequency_shift = config_number(config, "freq_shift", -1e6, 1e6);
    time->cosine_first = config_flag(config, "flip_sin_to_cos");
    time->steps = config_whole_or(config, "num_train_timesteps", 1, TABLE_LIMIT, 0);
    if (time->kind == TIME_LEARNED && time->steps == 0) {
        config_fail(config, "a learned time embedding needs \"num_train_timesteps\", the rows of "
                            "its table");
    }
    check_frequencies(config, time);
    declare_class(config, time, net);
}

/* exp(-ln(10000) i / (half - shift)) for i below half: [1, half] (Vaswani et al. 2017, 3.5; the
   shift is diffusers' freq_shift). Rounded to float32 where torch rounds it, for at a time of 1000
   a sine has lost three digits of its angle. */
static sumi_node frequencies(sumi_graph *graph, int64_t half, double shift)
{
    float *values = context_allocate(graph->context, (size_t)half, sizeof *values);
    if (!values) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return -1;
    }
    const float slope = (float)-log(LONGEST_PERIOD), span = (float)((double)half - shift);
    for (int64_t i = 0; i < half; i++) {
        float exponent = slope * (float)i;
        exponent /= span;
        values[i] = (float)exp((double)exponent);
    }
    sumi_node node = sumi_graph_constant(graph, 2, (int64_t[]){1, half}, values);
    context_release(graph->context, values);
    return node;
}

/* Sines and cosines of angle[n, half] side by side: [n, 2 half]. */
static sumi_node sine_and_cosine(sumi_graph *graph, sumi_node angle, bool cosine_first)
{
    sumi_node sine = sumi_op_sin(graph, angle), cosine = sumi_op_cos(graph, angle);
    if (cosine_first) return sumi_op_concat(graph, cosine, sine, 1);
    return sumi_op_concat(graph, sine, cosine, 1);
}

static sumi_node column_of(sumi_graph *graph, sumi_node times)
{
    return sumi_op_reshape(graph, times, 2, (int64_t[]){layer_size(graph, times, 0), 1});
}

static sumi_node positional(sumi_graph *graph, const struct time_waves *waves, sumi_node table,
                            sumi_node column)
{
    sumi_node angle = sumi_op_multiply(graph, column, table);
    sumi_node both = sine_and_cosine(graph, angle, waves->cosine_first);
    return waves->channels % 2 ? sumi_op_pad(graph, both, 1, 0, 1) : both;
}

sumi_node time_waves(sumi_graph *graph, const struct time_waves *waves, sumi_node times)
{
    sumi_node table = frequencies(graph, waves->channels / 2, waves->frequency_shift);
    return positional(graph, waves, table, column_of(graph, times));
}

/* Rounded to float32 where diffusers rounds it, as in frequencies(), but in another order. */
void guidance_waves(double scale, int64_t channels, float *row)
{
    const double times = 1000;
    int64_t half = channels / 2;
    const float slope = (float)log(LONGEST_PERIOD) / (float)(half - 1);
    const float w = (float)(times * (scale - 1));
    for (int64_t i = 0; i < half; i++) {
        float angle = w * (float)exp((double)((float)i * -slope));
        row[i] = (float)sin((double)angle);
        row[half + i] = (float)cos((double)angle);
    }
    if (channels % 2) row[channels - 1] = 0;
}

static struct time_waves waves_of(const struct time_settings *time)
{
    return (struct time_waves){time->channels, time->frequency_shift, time->cosine_first};
}

/* The table that projections read: frequencies [1, half] or [channels], or rows [steps, channels].
   Times and classes that are embedded as times share it. */
static sumi_node projection_table(sumi_graph *graph, const struct time_settings *time)
{
    if (time->kind == TIME_POSITIONAL)
        return frequencies(graph, time->channels / 2, time->frequency_shift);
    int64_t shape[2] = {time->steps, time->channels};
    if (time->kind == TIME_FOURIER) {
        return sumi_graph_weight(graph, "time_proj.weight", 1, &time->channels, SUMI_START_FIXED,
                                 FOURIER_SCALE);
    }
    return sumi_graph_weight(graph, "time_proj.weight", 2, shape, SUMI_START_NORMAL, 1);
}

/* times[n] to [n, channels], or [n, 2 channels] for Fourier's. */
static sumi_node project(sumi_graph *graph, const struct time_settings *time, sumi_node table,
                         sumi_node times)
{
    if (time->kind == TIME_LEARNED) return sumi_op_gather(graph, table, times);
    sumi_node column = column_of(graph, times);
    const struct time_waves waves = waves_of(time);
    if (time->kind == TIME_POSITIONAL) return positional(graph, &waves, table, column);
    sumi_node turns = sumi_op_multiply(graph, sumi_op_log(graph, column), table);
    return sine_and_cosine(graph, sumi_op_affine(graph, turns, 2 * acos(-1), 0), false);
}

sumi_node time_embedding(sumi_graph *graph, const struct time_settings *time, const struct net *net,
                         const struct net_nodes *nodes)
{
    enum { CLASS = NET_TIMES + 1 }; /* declared directly after the times */
    sumi_node table = projection_table(graph, time);
    sumi_node projected = project(graph, time, table, nodes->at[NET_TIMES]);
    sumi_node guidance = time->guidance ? nodes->at[net_find_input(net, "guidance")] : -1;
    if (guidance >= 0) {
        const struct layer_linear plain = {false, LAYER_START_TORCH};
        guidance = layer_linear_of(graph, "time_embedding.cond_proj", guidance,
                                   layer_size(graph, projected, 1), &plain);
        projected = sumi_op_add(graph, projected, guidance);
    }
    sumi_node embedding =
        layer_time_mlp(graph, "time_embedding", projected, time->width, LAYER_START_TORCH);
    sumi_node other = nodes->at[CLASS];
    switch (time->class_kind) {
    case CLASS_NONE: return embedding;
    case CLASS_ROW:
        other = layer_embedding(graph, "class_embedding", other, net->inputs[CLASS].limit,
                                time->width, 1);
        break;
    case CLASS_TIME:
        other = layer_time_mlp(graph, "class_embedding", project(graph, time, table, other),
                               time->width, LAYER_START_TORCH);
        break;
    case CLASS_PROJECTION:
        other = layer_time_mlp(graph, "class_embedding", other, time->width, LAYER_START_TORCH);
        break;
    case CLASS_LINEAR: other = layer_linear(graph, "class_embedding", other, time->width); break;
    case CLASS_EMBEDDING: break;
    }
    if (time->class_beside) return sumi_op_concat(graph, embedding, other, 1);
    return sumi_op_add(graph, embedding, other);
}

sumi_node time_scale_output(sumi_graph *graph, const struct time_settings *time, sumi_node times,
                            sumi_node output)
{
    if (time->kind != TIME_FOURIER || output < 0) return output;
    int64_t shape[SUMI_MAX_RANK] = {layer_size(graph, times, 0)};
    int rank = graph_shape(graph, output)->rank;
    for (int i = 1; i < rank; i++) shape[i] = 1;
    sumi_node column = sumi_op_reshape(graph, times, rank, shape);
    return sumi_op_divide(graph, output, column);
}
