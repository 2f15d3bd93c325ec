/* SPDX-License-Identifier: Apache-2.0 */
/* Training of auto-encoders: the loss against its terms computed apart, the discriminator and its
   weight, the distance by features, resuming, and what is refused. */
#include <unistd.h>

#include "learn/discriminator.h"
#include "learn/perceptual.h"
#include "learn/reconstruction.h"
#include "learn/trainer.h"
#include "models/auto_encoder.h"
#include "scratch.h"

enum { SETTING = SCRATCH_PATH + 32 };

static const char *const usual[] = {"data.kind=digits",
                                    "data.count=64",
                                    "model.kind=autoencoder",
                                    "model.channels=8, 16",
                                    "model.layers_per_block=1",
                                    "model.latent_channels=2",
                                    "model.groups=4",
                                    "train.objective=autoencoder",
                                    "train.batch=4",
                                    "train.steps=20",
                                    "train.warmup=0",
                                    "train.learning_rate=0.002",
                                    NULL};

#define DISC "train.disc_weight=0.5", "train.disc_channels=8", "train.disc_layers=2"
#define NO_KL "train.kl_weight=0", "train.log_variance=no"

struct coding {
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_auto_encoder *coder;
    sumi_trainer *trainer;
};

/* Opens all with the settings, ended by NULL, on top; returns the first failure. */
static sumi_status open_coding(sumi_context *context, const char *const *settings, struct coding *c)
{
    memset(c, 0, sizeof *c);
    CHECK_OK(context, sumi_recipe_parse(context, "", "test", &c->recipe));
    for (int i = 0; usual[i]; i++) CHECK_OK(context, sumi_recipe_set(c->recipe, usual[i]));
    for (; *settings; settings++) CHECK_OK(context, sumi_recipe_set(c->recipe, *settings));
    CHECK_OK(context, sumi_data_open(context, c->recipe, &c->data));
    TRY(sumi_auto_encoder_create_from_recipe(context, c->recipe, c->data, &c->coder));
    return sumi_trainer_create_auto_encoder(context, c->recipe, c->coder, c->data, &c->trainer);
}

static void begin(sumi_context *context, const char *const *settings, struct coding *c)
{
    CHECK_OK(context, open_coding(context, settings, c));
}

static void end(struct coding *c)
{
    sumi_trainer_free(c->trainer);
    sumi_auto_encoder_free(c->coder);
    sumi_data_free(c->data);
    sumi_recipe_free(c->recipe);
}

static void take_steps(sumi_context *context, struct coding *c, int count)
{
    for (int i = 0; i < count; i++) CHECK_OK(context, sumi_trainer_step(c->trainer, NULL));
}

static float first_loss(sumi_context *context, const char *const *settings)
{
    struct coding c;
    double loss = 0;
    begin(context, settings, &c);
    CHECK_OK(context, sumi_trainer_step(c.trainer, &loss));
    end(&c);
    return (float)loss;
}

/* An input of the trainer's plan by its name. */
static sumi_array input_of(sumi_context *context, const struct coding *c, const char *name)
{
    const sumi_graph *graph = c->trainer->plans->graph;
    sumi_array array = {0};
    for (sumi_node n = 0; n < graph->count; n++) {
        const struct node *node = graph_node(graph, n);
        if (!node->name || strcmp(node->name, name) != 0) continue;
        CHECK_OK(context, sumi_array_create(context, 4, node->shape.size, &array));
        size_t bytes = (size_t)sumi_array_count(&array) * sizeof *array.data;
        memcpy(array.data, sumi_plan_data(c->trainer->plans->plan, n), bytes);
    }
    assert_non_null(array.data);
    return array;
}

/* ---- The loss ---- */

/* The mean difference of the pictures and of what encoder and decoder give by themselves. */
static double difference(sumi_context *context, const struct coding *c, bool squared)
{
    struct coding fresh;
    const char *const none[] = {NULL};
    begin(context, none, &fresh); /* with the weights before the step */
    sumi_array pictures = input_of(context, c, "pictures"), noise = input_of(context, c, "noise");
    sumi_array latents, again;
    double sum = 0;
    CHECK_OK(context, sumi_auto_encoder_encode(fresh.coder, &pictures, &noise, &latents));
    CHECK_OK(context, sumi_auto_encoder_decode(fresh.coder, &latents, &again));
    for (int64_t i = 0; i < sumi_array_count(&pictures); i++) {
        double apart = fabs((double)pictures.data[i] - again.data[i]);
        sum += squared ? apart * apart : apart;
    }
    sum /= (double)sumi_array_count(&pictures);
    sumi_array_release(context, &pictures);
    sumi_array_release(context, &noise);
    sumi_array_release(context, &latents);
    sumi_array_release(context, &again);
    end(&fresh);
    return sum;
}

static void the_loss_is_the_mean_difference_of_pictures_and_reconstructions(void **state)
{
    scratch *room = *state;
    const char *const kinds[] = {"train.reconstruction=absolute", "train.reconstruction=squared"};
    for (int i = 0; i < 2; i++) {
        const char *const settings[] = {kinds[i], "train.kl_weight=0", NULL};
        struct coding c;
        double loss = 0;
        begin(room->context, settings, &c);
        CHECK_OK(room->context, sumi_trainer_step(c.trainer, &loss)); /* log variance 0 */
        double expected = difference(room->context, &c, i == 1);
        CHECK_CLOSE(loss, expected, 1e-5 * expected);
        end(&c);
    }
}

/* KL of the normal distributions with these moments[n,h,w,2c] and N(0, 1), for each item. */
static double divergence(const struct shape *shape, const float *moments)
{
    int64_t channels = shape->size[3] / 2, places = shape_count(shape) / shape->size[3];
    double sum = 0;
    for (int64_t i = 0; i < places; i++) {
        for (int64_t k = 0; k < channels; k++) {
            double mean = moments[i * 2 * channels + k];
            double log = moments[i * 2 * channels + channels + k];
            sum += (mean * mean + exp(log) - 1 - log) / 2;
        }
    }
    return sum / (double)shape->size[0];
}

static void the_kl_term_is_that_of_an_item_over_the_numbers_of_its_picture(void **state)
{
    scratch *room = *state;
    const char *const with[] = {"train.kl_weight=2", "train.log_variance=no", NULL};
    const char *const without[] = {NO_KL, NULL};
    struct coding c;
    begin(room->context, with, &c);
    struct shape shape = {4, {4, 28, 28, 1}};
    struct shape moments = half_output(c.coder, HALF_ENCODER, &shape);
    float *values = calloc((size_t)shape_count(&moments), sizeof *values);
    double loss = 0;
    CHECK_OK(room->context, sumi_trainer_step(c.trainer, &loss));
    struct coding fresh;
    begin(room->context, with, &fresh);
    sumi_array pictures = input_of(room->context, &c, "pictures");
    CHECK_OK(room->context, half_run(fresh.coder, HALF_ENCODER, &shape, pictures.data, values));
    double expected = 2 * divergence(&moments, values) / (28 * 28);
    CHECK_CLOSE(loss - first_loss(room->context, without), expected, 1e-5 * loss);
    sumi_array_release(room->context, &pictures);
    free(values);
    end(&fresh);
    end(&c);
}

/* The derivative of d / exp(l) + l by l is 1 - d / exp(l) = 1 + l - loss. */
static void the_log_variance_moves_towards_the_logarithm_of_the_error(void **state)
{
    scratch *room = *state;
    const char *const settings[] = {"train.kl_weight=0", NULL};
    struct coding c;
    begin(room->context, settings, &c);
    const sumi_weights *weights = c.trainer->weights;
    int64_t number = weights_find(weights, "objective.log_variance");
    for (int i = 0; i < 3; i++) {
        double loss = 0, log = weights->items[number].data[0];
        CHECK_OK(room->context, sumi_trainer_step(c.trainer, &loss));
        CHECK_CLOSE(c.trainer->plans->gradients[number][0], 1 + log - loss, 1e-5);
        assert_true(weights->items[number].data[0] < (float)log); /* the error is below 1 */
    }
    end(&c);
}

/* ---- The discriminator ---- */

/* A graph over one weight w[4] of ones. */
struct ones {
    sumi_weights *weights;
    sumi_graph *graph;
    sumi_node w;
};

static void begin_ones(sumi_context *context, struct ones *ones)
{
    const int64_t four = 4;
    CHECK_OK(context, sumi_weights_create(context, 1, &ones->weights));
    CHECK_OK(context, sumi_graph_create(context, ones->weights, true, &ones->graph));
    ones->w = sumi_graph_weight(ones->graph, "w", 1, &four, SUMI_START_ONE, 0);
}

static float value_of(sumi_context *context, struct ones *ones, sumi_node node)
{
    sumi_plan *plan = NULL;
    CHECK_OK(context, sumi_plan_create(ones->graph, 1, &node, &plan));
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    float value = *sumi_plan_data(plan, node);
    sumi_plan_free(plan);
    sumi_graph_free(ones->graph);
    sumi_weights_free(ones->weights);
    return value;
}

/* d/dw of 3 sum w is (3, 3, 3, 3) of length 6, of sum w / 2 (1/2, ...) of length 1. */
static void the_adaptive_weight_is_the_ratio_of_the_gradients_at_the_last_layer(void **state)
{
    scratch *room = *state;
    struct ones ones;
    begin_ones(room->context, &ones);
    sumi_node sum = reconstruction_sum(ones.graph, ones.w);
    sumi_node error = sumi_op_affine(ones.graph, sum, 3, 0);
    sumi_node adversary = sumi_op_affine(ones.graph, sum, 0.5, 0);
    sumi_node weight = discriminator_weight(ones.graph, error, adversary, ones.w);
    CHECK_CLOSE(value_of(room->context, &ones, weight), 6 / (1 + 1e-4), 1e-5);
}

static void the_adaptive_weight_is_at_most_ten_thousand(void **state)
{
    scratch *room = *state;
    struct ones ones;
    begin_ones(room->context, &ones);
    sumi_node sum = reconstruction_sum(ones.graph, ones.w);
    sumi_node adversary = sumi_op_affine(ones.graph, sum, 0, 0);
    sumi_node weight = discriminator_weight(ones.graph, sum, adversary, ones.w);
    CHECK_CLOSE(value_of(room->context, &ones, weight), 1e4, 1e-2);
}

/* The values of all weights whose names begin, or do not, with the discriminator's prefix. */
static double sum_of(const struct coding *c, bool discriminator)
{
    const sumi_weights *weights = c->trainer->weights;
    double sum = 0;
    for (int64_t i = 0; i < weights->count; i++) {
        const struct weight *weight = &weights->items[i];
        bool own = strncmp(weight->name, DISCRIMINATOR_PREFIX, strlen(DISCRIMINATOR_PREFIX)) == 0;
        for (int64_t k = 0; own == discriminator && k < shape_count(&weight->shape); k++)
            sum += (double)weight->data[k] * (double)(k % 7 + 1);
    }
    return sum;
}

static void before_its_start_the_discriminator_neither_acts_nor_changes(void **state)
{
    scratch *room = *state;
    const char *const with[] = {DISC, "train.disc_start=3", NULL}, *const without[] = {NULL};
    struct coding a, b;
    begin(room->context, with, &a);
    begin(room->context, without, &b);
    double untrained = sum_of(&a, true);
    take_steps(room->context, &a, 3);
    take_steps(room->context, &b, 3);
    assert_true(sum_of(&a, true) == untrained);
    assert_true(sum_of(&a, false) == sum_of(&b, false));
    take_steps(room->context, &a, 1);
    take_steps(room->context, &b, 1);
    assert_true(sum_of(&a, true) != untrained);
    assert_true(sum_of(&a, false) != sum_of(&b, false));
    end(&a);
    end(&b);
}

/* How many weights of the discriminator the plan of the next step reads. */
static int weights_of_rival(const struct coding *c)
{
    const struct step_plan *next = trainer_next_plan(c->trainer);
    const sumi_weights *weights = c->trainer->weights;
    int count = 0;
    for (sumi_node n = 0; n < next->graph->count; n++) {
        int64_t weight = graph_node(next->graph, n)->weight;
        const char *name = weight < 0 ? "" : weights->items[weight].name;
        count += strncmp(name, DISCRIMINATOR_PREFIX, strlen(DISCRIMINATOR_PREFIX)) == 0;
    }
    return count;
}

static void before_its_start_the_discriminator_is_not_computed(void **state)
{
    scratch *room = *state;
    const char *const settings[] = {DISC, "train.disc_start=2", NULL};
    struct coding c;
    begin(room->context, settings, &c);
    size_t whole = plan_memory(c.trainer->plans->plan);
    for (int step = 0; step < 4; step++) {
        const struct step_plan *next = trainer_next_plan(c.trainer);
        assert_int_equal(next->loss_count, step < 2 ? 1 : 2);
        assert_int_equal(weights_of_rival(&c) > 0, step >= 2);
        if (step < 2) assert_true(plan_memory(next->plan) < whole);
        take_steps(room->context, &c, 1);
    }
    end(&c);
}

static void each_trained_weight_has_one_learner(void **state)
{
    scratch *room = *state;
    const char *const settings[] = {DISC, NULL};
    struct coding c;
    begin(room->context, settings, &c);
    const sumi_trainer *trainer = c.trainer;
    assert_int_equal(trainer->learner_count, 2);
    for (int64_t i = 0; i < trainer->weights->count; i++) {
        int moved = 0;
        for (int k = 0; k < 2; k++) moved += trainer->learners[k].optimizer.first[i] != NULL;
        assert_int_equal(moved, 1);
        assert_non_null(trainer->plans->gradients[i]);
    }
    end(&c);
}

/* ---- Parts, resuming and saving ---- */

static void a_step_in_parts_is_that_of_the_whole_batch(void **state)
{
    scratch *room = *state;
    const char *const plain[] = {NULL}, *const parts[] = {"train.accumulate=4", NULL};
    float expected = first_loss(room->context, plain);
    CHECK_CLOSE(first_loss(room->context, parts), expected, 2e-6 * expected);
}

static void check_same_bytes(scratch *room, const char *one, const char *other)
{
    char first[SCRATCH_PATH];
    snprintf(first, sizeof first, "%s", scratch_path(room, one));
    FILE *a = fopen(first, "rb"), *b = fopen(scratch_path(room, other), "rb");
    assert_non_null(a);
    assert_non_null(b);
    for (int left = 0, right = 0; left != EOF;) {
        left = fgetc(a);
        right = fgetc(b);
        if (left != right) fail_msg("%s and %s differ at byte %ld", one, other, ftell(a));
    }
    fclose(a);
    fclose(b);
}

static void a_resumed_run_is_the_uninterrupted_one_bit_for_bit(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    const char *const settings[] = {DISC, "train.disc_start=2", "train.steps=6", NULL};
    struct coding whole, first, second;
    begin(context, settings, &whole);
    CHECK_OK(context, sumi_trainer_run(whole.trainer, scratch_path(room, "whole"), NULL, NULL));
    end(&whole);
    begin(context, settings, &first);
    take_steps(context, &first, 3);
    CHECK_OK(context, sumi_trainer_save(first.trainer, scratch_path(room, "c.safetensors")));
    end(&first);
    begin(context, settings, &second);
    CHECK_OK(context, sumi_trainer_load(second.trainer, scratch_path(room, "c.safetensors")));
    CHECK_OK(context, sumi_trainer_run(second.trainer, scratch_path(room, "second"), NULL, NULL));
    end(&second);
    check_same_bytes(room, "whole/checkpoint.safetensors", "second/checkpoint.safetensors");
    check_same_bytes(room, "whole/diffusion_pytorch_model.safetensors",
                     "second/diffusion_pytorch_model.safetensors");
    check_same_bytes(room, "whole/config.json", "second/config.json");
}

static double deviation_of(const sumi_array *array)
{
    double mean = 0, square = 0, count = (double)sumi_array_count(array);
    for (int64_t i = 0; i < sumi_array_count(array); i++) mean += array->data[i] / count;
    for (int64_t i = 0; i < sumi_array_count(array); i++)
        square += pow(array->data[i] - mean, 2) / count;
    return sqrt(square);
}

static void the_folder_opens_and_scales_latents_of_the_first_batch_to_deviation_one(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    const char *const settings[] = {DISC, "train.steps=5", "train.ema=0", NULL};
    struct coding c;
    sumi_auto_encoder *opened = NULL;
    sumi_array latents;
    begin(context, settings, &c);
    CHECK_OK(context, sumi_trainer_step(c.trainer, NULL));
    sumi_array pictures = input_of(context, &c, "pictures"), noise = input_of(context, &c, "noise");
    CHECK_OK(context, sumi_trainer_run(c.trainer, scratch_path(room, "run"), NULL, NULL));
    CHECK_OK(context, sumi_auto_encoder_open(context, scratch_path(room, "run"), &opened));
    CHECK_OK(context, sumi_auto_encoder_encode(opened, &pictures, &noise, &latents));
    CHECK_CLOSE(deviation_of(&latents), 1, 1e-4);
    assert_string_equal(sumi_auto_encoder_fingerprint(opened),
                        sumi_auto_encoder_fingerprint(c.coder));
    sumi_array_release(context, &pictures);
    sumi_array_release(context, &noise);
    sumi_array_release(context, &latents);
    sumi_auto_encoder_free(opened);
    end(&c);
}

/* ---- The distance by features ---- */

static const char UNET[] =
    "{\"_class_name\": \"UNet2DModel\", \"in_channels\": 1, \"out_channels\": 1, \"sample_size\": "
    "28, \"block_out_channels\": [8, 8], \"layers_per_block\": 1, \"norm_num_groups\": 4, "
    "\"down_block_types\": [\"DownBlock2D\", \"DownBlock2D\"], \"up_block_types\": "
    "[\"UpBlock2D\", \"UpBlock2D\"], \"attention_head_dim\": null}";

/* Saves a network as FOLDER/features and writes "train.perceptual=..." to setting. */
static void save_network(scratch *room, const char *config, char *setting)
{
    sumi_model *model = NULL;
    CHECK_OK(room->context, sumi_model_create(room->context, config, 3, &model));
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "features")));
    snprintf(setting, SETTING, "train.perceptual=%s", room->path);
    sumi_model_free(model);
}

static double distance_of(scratch *room, double change)
{
    const int64_t picture[3] = {28, 28, 1}, shape[4] = {2, 28, 28, 1};
    struct ones ones;
    sumi_model *model = NULL;
    begin_ones(room->context, &ones);
    CHECK_OK(room->context,
             perceptual_open(room->context, scratch_path(room, "features"), picture, &model));
    float values[2 * 28 * 28];
    for (int i = 0; i < 2 * 28 * 28; i++) values[i] = sinf(0.37F * (float)i);
    sumi_node x = sumi_graph_constant(ones.graph, 4, shape, values);
    for (int i = 0; i < 28; i++) values[28 * i + i] += (float)change;
    sumi_node y = sumi_graph_constant(ones.graph, 4, shape, values);
    double distance =
        (double)value_of(room->context, &ones, perceptual_build(model, ones.graph, x, y));
    sumi_model_free(model);
    return distance;
}

static void pictures_have_no_distance_from_themselves_and_more_from_others(void **state)
{
    scratch *room = *state;
    char setting[SETTING];
    save_network(room, UNET, setting);
    assert_true(distance_of(room, 0) == 0);
    double little = distance_of(room, 0.1), much = distance_of(room, 1);
    assert_true(0 < little && little < much && much < 4);
}

/* Trains a classifier of digits for two steps into FOLDER/features. */
static void train_classifier(scratch *room)
{
    static const char *const settings[] = {
        "data.kind=digits",   "data.count=64",         "data.labels=yes",
        "model.channels=4,8", "model.groups=4",        "model.layers_per_block=1",
        "train.steps=2",      "train.batch=4",         "train.objective=classification",
        "sample.count=2",     "model.mid_attention=no"};
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    CHECK_OK(room->context, sumi_recipe_parse(room->context, "", "test", &recipe));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        CHECK_OK(room->context, sumi_recipe_set(recipe, settings[i]));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    CHECK_OK(room->context, sumi_model_create_from_recipe(room->context, recipe, data, &model));
    CHECK_OK(room->context, sumi_trainer_create(room->context, recipe, model, data, &trainer));
    CHECK_OK(room->context, sumi_trainer_run(trainer, scratch_path(room, "features"), NULL, NULL));
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

static void features_may_be_those_of_a_classifier_that_was_trained_here(void **state)
{
    scratch *room = *state;
    char setting[SETTING];
    struct coding c;
    train_classifier(room);
    assert_true(distance_of(room, 0) == 0);
    double little = distance_of(room, 0.1), much = distance_of(room, 1);
    assert_true(0 < little && little < much);
    snprintf(setting, sizeof setting, "train.perceptual=%s", scratch_path(room, "features"));
    const char *const settings[] = {"train.perceptual_weight=1", setting, NULL};
    begin(room->context, settings, &c);
    take_steps(room->context, &c, 2);
    end(&c);
}

static void the_network_of_features_is_read_and_not_trained(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    char setting[SETTING];
    struct coding c;
    sumi_model *model = NULL;
    save_network(room, UNET, setting);
    const char *const settings[] = {"train.perceptual_weight=0.5", setting, NULL};
    begin(context, settings, &c);
    take_steps(context, &c, 2);
    CHECK_OK(context, sumi_model_open(context, scratch_path(room, "features"), &model));
    const sumi_weights *weights = c.trainer->weights;
    for (int64_t i = 0; i < model->weights->count; i++) {
        char name[256];
        const struct weight *own = &model->weights->items[i];
        snprintf(name, sizeof name, "%s%s", PERCEPTUAL_PREFIX, own->name);
        int64_t number = weights_find(weights, name);
        assert_true(number >= 0 && !weights->items[number].trainable);
        assert_memory_equal(weights->items[number].data, weight_values(own),
                            (size_t)shape_count(&own->shape) * sizeof(float));
    }
    sumi_model_free(model);
    end(&c);
}

/* ---- What is refused ---- */

static void check_refused(scratch *room, const char *const *settings, const char *part)
{
    struct coding c;
    sumi_status status = open_coding(room->context, settings, &c);
    const char *message = sumi_context_message(room->context);
    if (status == SUMI_OK || !strstr(message, part))
        fail_msg("%s: %s: \"%s\" does not say \"%s\"", settings[0], sumi_status_name(status),
                 message, part);
    end(&c);
}

static void what_cannot_work_is_refused_before_the_first_step(void **state)
{
    scratch *room = *state;
    static const struct {
        const char *settings[4], *part;
    } cases[] = {
        {{"model.channels=8, 8, 8, 8"}, "not a multiple of 8"},
        {{"train.disc_weight=1", "train.disc_start=20"}, "never be used"},
        {{"train.disc_weight=1", "train.disc_layers=4"}, "at least 48 pixels"},
        {{"train.disc_start=3"}, "train.disc_weight"},
        {{"train.perceptual_weight=1"}, "train.perceptual = FOLDER"},
        {{"train.perceptual_weight=1", "train.perceptual=/nowhere"}, "no such model folder"},
        {{"noise.steps=10"}, "noise.steps"},
        {{"train.coupling=optimal"}, "train.coupling"},
        {{"model.dropout=0.1"}, "model.dropout"},
        {{"model.kind=unet2d"}, "model.kind"},
        {{"data.kind=moons"}, "is for pictures"},
        {{"latents.auto_encoder=other"}, "latents.auto_encoder"},
        {{"train.objective=denoising"}, "needs train.objective = autoencoder"},
        {{"train.accumulate=3"}, "train.accumulate"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(room, cases[i].settings, cases[i].part);
}

static void a_network_of_other_pictures_gives_no_features(void **state)
{
    scratch *room = *state;
    char setting[SETTING];
    save_network(room, UNET, setting);
    const int64_t picture[3] = {28, 28, 3};
    sumi_model *model = NULL;
    assert_int_equal(
        perceptual_open(room->context, scratch_path(room, "features"), picture, &model),
        SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "28x28x3"));
    assert_null(model);
}

static void an_auto_encoder_of_another_class_is_refused(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    char setting[SETTING];
    FILE *config = fopen(scratch_path(room, "vq.json"), "w");
    fputs("{\"_class_name\": \"VQModel\", \"in_channels\": 1, \"out_channels\": 1, "
          "\"block_out_channels\": [8], \"norm_num_groups\": 4, \"num_vq_embeddings\": 4, "
          "\"down_block_types\": [\"DownEncoderBlock2D\"], \"up_block_types\": "
          "[\"UpDecoderBlock2D\"]}",
          config);
    fclose(config);
    snprintf(setting, sizeof setting, "model.config=%s", room->path);
    struct coding c = {0};
    CHECK_OK(context, sumi_recipe_parse(context, "", "test", &c.recipe));
    CHECK_OK(context, sumi_recipe_set(c.recipe, "data.kind=digits"));
    CHECK_OK(context, sumi_recipe_set(c.recipe, "train.objective=autoencoder"));
    CHECK_OK(context, sumi_recipe_set(c.recipe, setting));
    CHECK_OK(context, sumi_data_open(context, c.recipe, &c.data));
    CHECK_OK(context, sumi_auto_encoder_create_from_recipe(context, c.recipe, c.data, &c.coder));
    assert_int_equal(
        sumi_trainer_create_auto_encoder(context, c.recipe, c.coder, c.data, &c.trainer),
        SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "not VQModel"));
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_loss_is_the_mean_difference_of_pictures_and_reconstructions),
        SCRATCH_TEST(the_kl_term_is_that_of_an_item_over_the_numbers_of_its_picture),
        SCRATCH_TEST(the_log_variance_moves_towards_the_logarithm_of_the_error),
        SCRATCH_TEST(the_adaptive_weight_is_the_ratio_of_the_gradients_at_the_last_layer),
        SCRATCH_TEST(the_adaptive_weight_is_at_most_ten_thousand),
        SCRATCH_TEST(before_its_start_the_discriminator_neither_acts_nor_changes),
        SCRATCH_TEST(before_its_start_the_discriminator_is_not_computed),
        SCRATCH_TEST(each_trained_weight_has_one_learner),
        SCRATCH_TEST(a_step_in_parts_is_that_of_the_whole_batch),
        SCRATCH_TEST(a_resumed_run_is_the_uninterrupted_one_bit_for_bit),
        SCRATCH_TEST(the_folder_opens_and_scales_latents_of_the_first_batch_to_deviation_one),
        SCRATCH_TEST(pictures_have_no_distance_from_themselves_and_more_from_others),
        SCRATCH_TEST(features_may_be_those_of_a_classifier_that_was_trained_here),
        SCRATCH_TEST(the_network_of_features_is_read_and_not_trained),
        SCRATCH_TEST(what_cannot_work_is_refused_before_the_first_step),
        SCRATCH_TEST(a_network_of_other_pictures_gives_no_features),
        SCRATCH_TEST(an_auto_encoder_of_another_class_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
