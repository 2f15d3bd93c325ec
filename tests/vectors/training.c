/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of training steps against a record; see training.h. */
#include "vectors/training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/reconstruction.h"
#include "learn/trainer.h"
#include "nets/net.h"
#include "vectors/formula.h"
#include "vectors/network_inside.h"

enum { ITEMS = 2, LEVELS = 1000, NOISE_NUMBER = 7000, CHANNELS_FIRST = 1, TOKENS = 64 };
static const double LOSS_TOLERANCE = 1e-4, NORM_TOLERANCE = 1e-4, WEIGHT_TOLERANCE = 2e-3;

/* A condition cos(frequency j + phase) of a network, with that many tokens. */
struct condition {
    double frequency, phase;
    int64_t tokens;
};

/* A run while it is compared. What is fed follows from the record and the number of a step. */
struct run {
    struct network network; /* row, context, weights and config */
    struct net *net;        /* of a denoiser, else NULL */
    struct auto_encoder *coder;
    sumi_recipe *recipe;
    sumi_trainer *trainer;
    enum { NOISE, VELOCITY, CLEAN } predicted;
    double abar[LEVELS];
    double scale, frequency, divergence_weight; /* of the clean items; of the KL */
    int64_t labels[ITEMS];
    struct condition states, pooled; /* of the text */
    float mask[ITEMS * TOKENS];      /* of its tokens */
    bool masked;
    struct figures_layout items, noise_layout;
    int64_t batch; /* whose data the next feed writes */
    struct net_nodes nodes;
    sumi_node target;
    struct reconstruction made;
};

/* ---- What the record says ---- */

/* abar of the cosine schedule (Nichol and Dhariwal 2021, eq. 17), whose betas are at most 0.999. */
static void cosine_schedule(double abar[LEVELS])
{
    double product = 1, last = pow(cos(0.008 / 1.008 * acos(-1) / 2), 2);
    for (int t = 0; t < LEVELS; t++) {
        double next = pow(cos(((t + 1.0) / LEVELS + 0.008) / 1.008 * acos(-1) / 2), 2);
        abar[t] = product *= 1 - fmin(1 - next / last, 0.999);
        last = next;
    }
}

/* abar of the record's scheduler, a table of betas. */
static bool read_schedule(struct run *run)
{
    json_object *scheduler = vectors_get(run->network.row->record, "scheduler");
    const char *kind = vectors_text(scheduler, "beta_schedule");
    if (!scheduler && strstr(vectors_text(run->network.row->record, "note"), "cosine alphas")) {
        cosine_schedule(run->abar);
        return true;
    }
    double first = vectors_number(scheduler, "beta_start"), product = 1;
    double last = vectors_number(scheduler, "beta_end");
    bool scaled = strcmp(kind, "scaled_linear") == 0;
    if (!scaled && strcmp(kind, "linear") != 0)
        return vectors_fail(run->network.row, "no betas are known for the schedule \"%s\"", kind);
    for (int t = 0; t < LEVELS; t++) {
        double share = (double)t / (LEVELS - 1), root = sqrt(first);
        double beta =
            scaled ? pow(root + share * (sqrt(last) - root), 2) : first + share * (last - first);
        run->abar[t] = product *= 1 - beta;
    }
    return true;
}

/* "x = 0.8*cos(0.3*j)" or "x0 = cos(0.3*j)" of a note; cos(0.3*j) where it only refers to another.
 */
static void read_items(struct run *run, const char *note)
{
    const char *at = strstr(note, "x = ");
    run->scale = 1;
    run->frequency = 0.3;
    if (strstr(note, "x0 = ")) sscanf(strstr(note, "x0 = "), "x0 = cos(%lf", &run->frequency);
    else if (at) sscanf(at, "x = %lf*cos(%lf", &run->scale, &run->frequency);
}

/* "NAME cos(0.2*j+0.5) 2x7x24" of a note, if it has such a condition. */
static void read_condition(const char *note, const char *name, struct condition *condition)
{
    const char *at = strstr(note, name);
    long long tokens = 1;
    if (!at) return;
    sscanf(at + strlen(name), " cos(%lf*j+%lf) %*dx%lld", &condition->frequency, &condition->phase,
           &tokens);
    condition->tokens = tokens < TOKENS ? tokens : TOKENS;
}

/* "attention_mask [[1]*6, [1,1,1,0,0,0]]": a row for each item. */
static void read_mask(struct run *run, const char *note)
{
    const char *at = strstr(note, "attention_mask [");
    run->masked = at != NULL;
    for (int item = 0; at && item < ITEMS; item++) {
        float *row = run->mask + item * run->states.tokens;
        int64_t count = 0;
        at = strchr(at + 1, '[');
        if (item == 0 && at) at = strchr(at + 1, '[');
        for (; at && *at != ']'; at++)
            if ((*at == '0' || *at == '1') && count < run->states.tokens)
                row[count++] = (float)(*at - '0');
        for (; at && at[1] == '*' && count < run->states.tokens; count++) row[count] = row[0];
    }
}

/* "class labels [3, 10]", and "+ 1e-3 * KL". */
static void read_note(struct run *run)
{
    const char *note = vectors_text(run->network.row->record, "note");
    const char *labels = strstr(note, "class labels ["), *weight = strstr(note, "^2 + ");
    long long given[ITEMS] = {0};
    read_items(run, note);
    run->states = (struct condition){0.2, 0.5, 7}; /* of notes that only refer to another */
    read_condition(note, "context", &run->states);
    read_condition(note, "encoder_hidden_states", &run->states);
    read_condition(note, "proj_embedding", &run->pooled);
    read_mask(run, note);
    if (labels) sscanf(labels, "class labels [%lld, %lld", &given[0], &given[1]);
    for (int i = 0; i < ITEMS; i++) run->labels[i] = given[i];
    if (weight) sscanf(weight, "^2 + %lf * KL", &run->divergence_weight);
    json_object *scheduler = vectors_get(run->network.row->record, "scheduler");
    bool velocity = strcmp(vectors_text(scheduler, "prediction_type"), "v_prediction") == 0
                    || strstr(note, "v-prediction") || strstr(note, "v_prediction")
                    || strstr(note, "velocity");
    bool clean = strstr(note, "is predicted itself") != NULL;
    run->predicted = clean ? CLEAN : velocity ? VELOCITY : NOISE;
}

static double timestep_of(const struct run *run, int64_t step, int64_t item)
{
    json_object *steps = vectors_get(run->network.row->record, "timesteps");
    return vectors_number_at(json_object_array_get_idx(steps, (size_t)step), item);
}

/* ---- The objective ---- */

static sumi_node build_denoiser(struct run *run, sumi_graph *graph)
{
    const struct net *net = run->net;
    struct shape shapes[NET_INPUTS] = {{.rank = 0}};
    int states = net_find_input(net, "states"), mask = net_find_input(net, "states_mask");
    if (states >= 0) {
        shapes[states] = net_input_shape(net, states, ITEMS);
        shapes[states].size[1] = run->states.tokens;
    }
    if (mask >= 0 && run->masked)
        shapes[mask] = (struct shape){.rank = 2, .size = {ITEMS, run->states.tokens}};
    net_add_inputs(net, graph, ITEMS, shapes, &run->nodes);
    sumi_node output = net_build(net, graph, &run->nodes);
    if (output < 0) return -1;
    const struct shape shape = *graph_shape(graph, output);
    int64_t channels = net->item_shape[net->item_rank - 1];
    if (shape.size[shape.rank - 1] > channels) /* the rest is a variance */
        output = sumi_op_slice(graph, output, shape.rank - 1, 0, channels);
    run->target = sumi_graph_input(graph, "target", shape.rank, graph_shape(graph, output)->size);
    sumi_node apart = sumi_op_subtract(graph, output, run->target);
    return reconstruction_mean(graph, sumi_op_multiply(graph, apart, apart));
}

static sumi_node build_coder(struct run *run, sumi_graph *graph)
{
    const struct auto_encoder *coder = run->coder;
    const int64_t picture[3] = {coder->tile, coder->tile, coder->in_channels};
    run->made = reconstruction_build(coder, graph, ITEMS, picture);
    sumi_node error = reconstruction_error(graph, &run->made, true);
    return sumi_op_add(graph, error,
                       sumi_op_affine(graph, run->made.divergence, run->divergence_weight, 0));
}

static sumi_node build(void *user, sumi_graph *graph)
{
    struct run *run = user;
    return run->net ? build_denoiser(run, graph) : build_coder(run, graph);
}

static double clean_at(const struct run *run, int64_t j)
{
    return (float)(run->scale * cos(run->frequency * (double)j));
}

static double noise_at(const struct run *run, int64_t j)
{
    return (float)formula_mix((uint32_t)(NOISE_NUMBER + run->batch), (uint32_t)j);
}

/* A condition of that name, if the network has it. */
static void feed_condition(const struct run *run, sumi_plan *plan, const char *name,
                           const struct condition *condition)
{
    int number = net_find_input(run->net, name);
    if (number < 0) return;
    const sumi_input *input = &run->net->inputs[number];
    float *values = sumi_plan_data(plan, run->nodes.at[number]);
    int64_t tokens = input->rank == 3 ? condition->tokens : 1;
    int64_t count = ITEMS * tokens * input->shape[input->rank - 1];
    for (int64_t j = 0; j < count; j++)
        values[j] = (float)cos(condition->frequency * (double)j + condition->phase);
}

static void feed_mask(const struct run *run, sumi_plan *plan)
{
    int number = net_find_input(run->net, "states_mask");
    if (number < 0 || !run->masked) return;
    memcpy(sumi_plan_data(plan, run->nodes.at[number]), run->mask,
           (size_t)(ITEMS * run->states.tokens) * sizeof *run->mask);
}

static double target_of(const struct run *run, double abar, double clean, double noise)
{
    switch (run->predicted) {
    case CLEAN: return clean;
    case VELOCITY: return sqrt(abar) * noise - sqrt(1 - abar) * clean;
    case NOISE: break;
    }
    return noise;
}

static void feed_denoiser(const struct run *run, sumi_plan *plan)
{
    int64_t count = figures_count(&run->items);
    float *x = sumi_plan_data(plan, run->nodes.at[NET_X]);
    float *target = sumi_plan_data(plan, run->target);
    for (int64_t j = 0; j < count; j++) {
        int64_t item = j / (count / ITEMS), place = figures_place(&run->items, j);
        double abar = run->abar[(int)timestep_of(run, run->batch, item)];
        double clean = clean_at(run, j), noise = noise_at(run, j);
        x[place] = (float)(sqrt(abar) * clean + sqrt(1 - abar) * noise);
        target[place] = (float)target_of(run, abar, clean, noise);
    }
    int classes = net_find_input(run->net, "class");
    feed_condition(run, plan, "states", &run->states);
    feed_condition(run, plan, "pooled", &run->pooled);
    feed_mask(run, plan);
    for (int64_t i = 0; i < ITEMS; i++) {
        int32_t label = (int32_t)run->labels[i];
        sumi_plan_data(plan, run->nodes.at[NET_TIMES])[i] = (float)timestep_of(run, run->batch, i);
        if (classes >= 0) net_put_integers(plan, run->nodes.at[classes], i, 1, &label);
    }
}

static void feed_coder(const struct run *run, sumi_plan *plan)
{
    float *x = sumi_plan_data(plan, run->made.pictures);
    float *noise = sumi_plan_data(plan, run->made.noise);
    for (int64_t j = 0; j < figures_count(&run->items); j++)
        x[figures_place(&run->items, j)] = (float)clean_at(run, j);
    for (int64_t j = 0; j < figures_count(&run->noise_layout); j++)
        noise[figures_place(&run->noise_layout, j)] = (float)noise_at(run, j);
}

static sumi_status feed(void *user, sumi_plan *plan, int64_t number)
{
    const struct run *run = user;
    (void)number; /* run->batch, because the first batch is fed again at the end */
    if (run->net) feed_denoiser(run, plan);
    else feed_coder(run, plan);
    return SUMI_OK;
}

/* ---- The trainer ---- */

static sumi_status set_number(sumi_recipe *recipe, const char *key, double value)
{
    char text[64];
    snprintf(text, sizeof text, "%.17g", value);
    return sumi_recipe_set_text(recipe, key, text);
}

/* The record's optimizer, as a recipe says it. */
static sumi_status make_recipe(struct run *run, int64_t steps)
{
    json_object *optimizer = vectors_get(run->network.row->record, "optimizer");
    json_object *betas = vectors_get(optimizer, "betas");
    const struct {
        const char *key;
        double value;
    } settings[] = {
        {"train.learning_rate", vectors_number(optimizer, "lr")},
        {"train.beta1", vectors_number_at(betas, 0)},
        {"train.beta2", vectors_number_at(betas, 1)},
        {"train.epsilon", vectors_number(optimizer, "eps")},
        {"train.weight_decay", vectors_number(optimizer, "weight_decay")},
        {"train.clip_gradient", vectors_number(optimizer, "clip_grad_norm")}, /* null: 0, none */
        {"train.warmup", 0},
        {"train.ema", 0},
        {"train.batch", ITEMS},
        {"train.steps", (double)(steps + 1)},
    };
    TRY(sumi_recipe_parse(run->network.context, "", "the record's optimizer", &run->recipe));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        TRY(set_number(run->recipe, settings[i].key, settings[i].value));
    return SUMI_OK;
}

static struct figures_layout layout_of(int64_t channels, int64_t height, int64_t width)
{
    return (struct figures_layout){
        .rank = 4, .size = {ITEMS, channels, height, width}, .channel_axis = CHANNELS_FIRST};
}

/* The items of a batch, whose channels come first at the peer; points have no others. */
static struct figures_layout items_of(const struct net *net)
{
    int rank = net->item_rank;
    struct figures_layout layout = {.rank = rank + 1, .channel_axis = rank > 1 ? 1 : -1};
    layout.size[0] = ITEMS;
    layout.size[1] = net->item_shape[rank - 1];
    for (int i = 0; i + 1 < rank; i++) layout.size[2 + i] = net->item_shape[i];
    return layout;
}

/* Reads the network's config and lays out the items of a batch. */
static sumi_status open_network(struct run *run, bool denoiser)
{
    struct network *network = &run->network;
    if (denoiser) {
        TRY(net_parse(network->context, network->config, "config", &run->net));
        run->items = items_of(run->net);
        return SUMI_OK;
    }
    TRY(auto_encoder_parse(network->context, network->config, "config", &run->coder));
    const struct auto_encoder *coder = run->coder;
    int64_t side = coder->tile / coder->factor;
    run->items = layout_of(coder->in_channels, coder->tile, coder->tile);
    run->noise_layout = layout_of(coder->latent_channels, side, side);
    return SUMI_OK;
}

static sumi_status make_trainer(struct run *run, int64_t steps)
{
    struct network *network = &run->network;
    sumi_objective objective = {
        .size = sizeof objective, .user = run, .build = build, .feed = feed};
    TRY(make_recipe(run, steps));
    TRY(sumi_weights_create(network->context, 7, &network->weights));
    return sumi_trainer_create_custom(network->context, run->recipe, network->weights, &objective,
                                      &run->trainer);
}

static bool fill_weights(struct run *run)
{
    struct network *network = &run->network;
    struct weight **sorted = network_sort_weights(network->weights);
    bool filled =
        sorted && network_fill_weights(network, sorted, vectors_text(network->row->record, "fill"));
    free(sorted);
    return filled;
}

/* ---- Comparing ---- */

static double gradient_norm(const struct run *run)
{
    const sumi_weights *weights = run->network.weights;
    double sum = 0;
    for (int64_t i = 0; i < weights->count; i++) {
        const float *gradient = run->trainer->plans->gradients[i];
        for (int64_t k = 0; gradient && k < shape_count(&weights->items[i].shape); k++)
            sum += (double)gradient[k] * (double)gradient[k];
    }
    return sqrt(sum);
}

/* Takes a step on a batch and writes its loss. */
static bool take_step(struct run *run, int64_t batch, double *loss)
{
    run->batch = batch;
    return sumi_trainer_step(run->trainer, loss) == SUMI_OK || network_fail(&run->network);
}

static void compare_weights(struct run *run)
{
    struct vectors_row *row = run->network.row;
    const sumi_weights *weights = run->network.weights;
    json_object *sums = vectors_get(row->record, "weights_sum_abs_after");
    if (!json_object_is_type(sums, json_type_object)) return;
    json_object_object_foreach(sums, name, value)
    {
        int64_t number = weights_find(weights, name);
        double sum = 0, expected = json_object_get_double(value);
        if (number < 0) {
            vectors_fail(row, "the network has no weight \"%s\"", name);
            return;
        }
        const struct weight *weight = &weights->items[number];
        for (int64_t k = 0; k < shape_count(&weight->shape); k++)
            sum += fabs((double)weight->data[k]);
        vectors_compare(row, sum, expected, WEIGHT_TOLERANCE * expected, "sum of |%s| after", name);
    }
}

static void compare_steps(struct run *run, int64_t steps)
{
    struct vectors_row *row = run->network.row;
    json_object *losses = vectors_get(row->record, "losses");
    json_object *norms = vectors_get(row->record, "grad_l2_norms");
    double loss = 0;
    for (int64_t s = 0; s < steps; s++) {
        double expected = vectors_number_at(losses, s), norm = vectors_number_at(norms, s);
        if (!take_step(run, s, &loss)) return;
        vectors_compare(row, loss, expected, LOSS_TOLERANCE * expected, "loss of step %d", (int)s);
        vectors_compare(row, gradient_norm(run), norm, NORM_TOLERANCE * norm,
                        "norm of the gradient at step %d", (int)s);
    }
    compare_weights(run);
    double after = vectors_number(row->record, "loss_of_step_0_after");
    if (take_step(run, 0, &loss))
        vectors_compare(row, loss, after, LOSS_TOLERANCE * after, "loss on the first batch after");
}

static void compare(struct run *run)
{
    struct network *network = &run->network;
    json_object *record = network->row->record, *losses = vectors_get(record, "losses");
    bool denoiser = json_object_is_type(vectors_get(record, "timesteps"), json_type_array);
    int64_t steps = json_object_is_type(losses, json_type_array)
                        ? (int64_t)json_object_array_length(losses)
                        : 0;
    read_note(run);
    if (steps == 0) vectors_fail(network->row, "the record has no losses");
    else if (denoiser && !read_schedule(run)) return;
    else if (open_network(run, denoiser) != SUMI_OK || make_trainer(run, steps) != SUMI_OK)
        network_fail(network);
    else if (fill_weights(run)) compare_steps(run, steps);
}

static void release(struct run *run)
{
    sumi_trainer_free(run->trainer);
    sumi_weights_free(run->network.weights);
    sumi_recipe_free(run->recipe);
    auto_encoder_free(run->coder);
    net_free(run->net);
    sumi_context_free(run->network.context);
    free(run);
}

static bool is_there(const char *class_name)
{
    const struct network_class *class = network_classes;
    while (class->name && strcmp(class->name, class_name) != 0) class ++;
    return class->name != NULL;
}

enum vectors_result training_check(struct vectors_row *row)
{
    const char *class_name = vectors_text(row->record, "class_");
    if (!is_there(class_name)) return VECTORS_NOT_THERE;
    struct run *run = calloc(1, sizeof *run);
    if (!run || sumi_context_create(NULL, &run->network.context) != SUMI_OK) {
        vectors_fail(row, "out of memory");
        free(run);
        return VECTORS_COMPARED;
    }
    json_object *config = network_config(row->record, class_name);
    run->network.row = row;
    run->network.config = json_object_to_json_string(config);
    compare(run);
    release(run);
    json_object_put(config);
    return VECTORS_COMPARED;
}
