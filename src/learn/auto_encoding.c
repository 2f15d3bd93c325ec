/* SPDX-License-Identifier: Apache-2.0 */
/* Training of auto-encoders (Esser et al. 2021; Rombach et al. 2022, appendix G). For pictures x
   and their reconstructions x' the loss is, as the mean over all numbers of a picture,

       |x - x'| / exp(l) + l + w_p distance(x, x') + w_kl KL / numbers + w_d a(x') adversary(x')

   with a learned log variance l or l = 0; the distance by the features of a network (perceptual.h);
   the adversary -E D(x') of a discriminator, from step disc_start on, with the adaptive weight a
   (discriminator.h). The discriminator is trained on its own loss at the same time, on the same
   pictures and reconstructions. */
#include <math.h>

#include "base/philox.h"
#include "learn/discriminator.h"
#include "learn/keys.h"
#include "learn/objective.h"
#include "learn/perceptual.h"
#include "learn/reconstruction.h"
#include "models/auto_encoder.h"

#define CODES "train.objective=autoencoder"
#define AGAINST CODES ", train.disc_weight!=0"

const struct option auto_encoder_keys[] = {
    {CHOICE_OPTION("train.reconstruction", "absolute", "absolute|squared",
                   "difference of pictures and reconstructions"),
     .when = CODES},
    {FLAG_OPTION("train.log_variance", "yes",
                 "learn the log variance that the reconstruction's loss is divided by; no: 0"),
     .when = CODES},
    {NUMBER_OPTION("train.kl_weight", "1e-6", 0, 1e6,
                   "weight of the KL divergence of a picture's latents from normal ones"),
     .when = CODES},
    {NUMBER_OPTION("train.perceptual_weight", "0", 0, 1e6,
                   "weight of the distance by a network's features"),
     .when = CODES},
    {PATH_OPTION("train.perceptual", "", "folder of the model with that network"),
     .when = CODES ", train.perceptual_weight!=0"},
    {NUMBER_OPTION("train.disc_weight", "0", 0, 1e6,
                   "weight of the loss against a discriminator; 0: none; usual: 0.5"),
     .when = CODES},
    {WHOLE_OPTION("train.disc_start", "0", 0, 1e12, "step from which on it is trained and used"),
     .when = AGAINST},
    {WHOLE_OPTION("train.disc_channels", "64", 1, 1024, "channels of its first layer"),
     .when = AGAINST},
    {WHOLE_OPTION("train.disc_layers", "3", 1, 6, "number of its layers that halve the size"),
     .when = AGAINST},
    {.name = NULL},
};

static const char LAST_LAYER[] = "decoder.conv_out.weight";

struct auto_encoding {
    struct learning learning;
    sumi_auto_encoder *runner;
    uint64_t seed;
    int64_t batch; /* items of a feed */
    int64_t picture[SUMI_MAX_RANK], item_size, latent_size;
    double kl_weight, perceptual_weight, disc_weight;
    int64_t disc_start;
    struct discriminator discriminator;
    sumi_model *perceptual; /* NULL for none */
    struct reconstruction reconstruction;
    bool has_rival; /* whether these steps have the discriminator */
    sumi_node disc_loss;
};

/* ---- The losses ---- */

/* |x - x'| / exp(l) + l. */
static sumi_node divide_by_variance(sumi_graph *graph, sumi_node error)
{
    const int64_t one = 1;
    sumi_node log =
        sumi_graph_weight(graph, BESIDE_PREFIX "log_variance", 1, &one, SUMI_START_ZERO, 0);
    sumi_node inverse = sumi_op_exp(graph, sumi_op_affine(graph, log, -1, 0));
    return sumi_op_add(graph, sumi_op_multiply(graph, error, inverse), log);
}

/* The terms that compare the pictures. */
static sumi_node build_error(const struct auto_encoding *a, sumi_graph *graph)
{
    const sumi_recipe *recipe = a->learning.recipe;
    const struct reconstruction *made = &a->reconstruction;
    bool squared = recipe_is(recipe, "train.reconstruction", "squared");
    sumi_node error = reconstruction_error(graph, made, squared);
    if (recipe_flag(recipe, "train.log_variance")) error = divide_by_variance(graph, error);
    if (!a->perceptual) return error;
    sumi_node distance = perceptual_build(a->perceptual, graph, made->pictures, made->output);
    return sumi_op_add(graph, error, sumi_op_affine(graph, distance, a->perceptual_weight, 0));
}

/* The leaf of the weight of the decoder's last layer; -1 where there is none. */
static sumi_node find_last_layer(const sumi_graph *graph)
{
    int64_t number = weights_find(graph->weights, LAST_LAYER);
    for (sumi_node n = 0; n < graph->count && number >= 0; n++)
        if (graph_node(graph, n)->weight == number) return n;
    return -1;
}

/* The adversary's term, and the loss of the discriminator. */
static sumi_node build_adversary(struct auto_encoding *a, sumi_graph *graph, sumi_node error)
{
    const struct reconstruction *made = &a->reconstruction;
    sumi_node opinion = discriminator_build(&a->discriminator, graph, made->output);
    sumi_node adversary = sumi_op_affine(graph, reconstruction_mean(graph, opinion), -1, 0);
    sumi_node weight = discriminator_weight(graph, error, adversary, find_last_layer(graph));
    a->disc_loss = discriminator_loss(&a->discriminator, graph, made->pictures, made->output);
    return sumi_op_affine(graph, sumi_op_multiply(graph, weight, adversary), a->disc_weight, 0);
}

static sumi_node build(void *user, sumi_graph *graph)
{
    struct auto_encoding *a = user;
    a->reconstruction = reconstruction_build(a->runner->part->net, graph, a->batch, a->picture);
    sumi_node error = build_error(a, graph);
    sumi_node divergence =
        sumi_op_affine(graph, a->reconstruction.divergence, a->kl_weight / (double)a->item_size, 0);
    sumi_node loss = sumi_op_add(graph, error, divergence);
    if (!a->has_rival) return loss;
    return sumi_op_add(graph, loss, build_adversary(a, graph, error));
}

static int list_rivals(void *user, struct rival rivals[MOST_RIVALS])
{
    const struct auto_encoding *a = user;
    if (!a->has_rival) return 0;
    rivals[0] = (struct rival){.prefix = DISCRIMINATOR_PREFIX, .loss = a->disc_loss};
    return 1;
}

/* ---- A step ---- */

static sumi_status feed(void *user, sumi_plan *plan, int64_t number)
{
    const struct auto_encoding *a = user;
    const struct portion portion = portion_of(a->learning.recipe, number);
    const philox_stream stream = {a->seed, PURPOSE_LATENT, (uint64_t)portion.step};
    TRY(data_read_batch(a->learning.data, a->seed, number, a->batch,
                        sumi_plan_data(plan, a->reconstruction.pictures), NULL));
    philox_normal(&stream, (uint64_t)(portion.first * a->latent_size), a->batch * a->latent_size,
                  sumi_plan_data(plan, a->reconstruction.noise));
    return SUMI_OK;
}

/* ---- Saving and showing ---- */

static double deviation_of(const sumi_array *array)
{
    int64_t count = sumi_array_count(array);
    double mean = 0, square = 0;
    for (int64_t i = 0; i < count; i++) mean += (double)array->data[i] / (double)count;
    for (int64_t i = 0; i < count; i++) {
        double apart = (double)array->data[i] - mean;
        square += apart * apart / (double)count;
    }
    return sqrt(square);
}

/* Reads so many pictures of a batch, or the first ones of the data set. */
static sumi_status read_pictures(const struct auto_encoding *a, int64_t count, bool of_a_batch,
                                 sumi_array *pictures)
{
    const int64_t shape[4] = {count, a->picture[0], a->picture[1], a->picture[2]};
    TRY(sumi_array_create(a->learning.context, 4, shape, pictures));
    sumi_status status = SUMI_OK;
    if (of_a_batch)
        status = data_read_batch(a->learning.data, a->seed, 0, count, pictures->data, NULL);
    for (int64_t i = 0; i < count && !of_a_batch && status == SUMI_OK; i++)
        status = sumi_data_read(a->learning.data, &i, 1, pictures->data + i * a->item_size, NULL);
    if (status != SUMI_OK) sumi_array_release(a->learning.context, pictures);
    return status;
}

/* Sets the scaling_factor by which latents of the first batch, drawn from their posterior, have the
   standard deviation 1 (Rombach et al. 2022, appendix G). */
static sumi_status set_scale(const struct auto_encoding *a)
{
    sumi_array pictures = {0}, latents = {0}, noise = {0};
    const struct auto_encoder *net = a->runner->part->net;
    const philox_stream stream = {a->seed, PURPOSE_LATENT, 0};
    int64_t count = recipe_int(a->learning.recipe, "train.batch");
    const int64_t shape[4] = {count, a->picture[0] / net->factor, a->picture[1] / net->factor,
                              net->latent_channels};
    TRY(read_pictures(a, count, true, &pictures));
    sumi_status status = sumi_array_create(a->learning.context, 4, shape, &noise);
    if (status == SUMI_OK) {
        philox_normal(&stream, 0, sumi_array_count(&noise), noise.data);
        status = sumi_auto_encoder_encode(a->runner, &pictures, &noise, &latents);
    }
    double deviation = status == SUMI_OK ? deviation_of(&latents) : 1;
    if (status == SUMI_OK && deviation > 0 && isfinite(deviation))
        status = auto_encoder_set_factor(a->runner, net->scaling / deviation);
    sumi_array_release(a->learning.context, &pictures);
    sumi_array_release(a->learning.context, &noise);
    sumi_array_release(a->learning.context, &latents);
    return status;
}

static sumi_status save(void *user, const char *folder)
{
    const struct auto_encoding *a = user;
    TRY(set_scale(a));
    return sumi_auto_encoder_save(a->runner, folder);
}

/* Each picture, followed by its reconstruction. */
static sumi_status preview(void *user, sumi_array *items)
{
    enum { COUNT = 4 };
    const struct auto_encoding *a = user;
    sumi_array pictures = {0}, latents = {0}, again = {0};
    int64_t all = a->learning.data->count;
    TRY(read_pictures(a, all < COUNT ? all : COUNT, false, &pictures));
    sumi_status status = sumi_auto_encoder_encode(a->runner, &pictures, NULL, &latents);
    if (status == SUMI_OK) status = sumi_auto_encoder_decode(a->runner, &latents, &again);
    if (status == SUMI_OK)
        status = sumi_array_interleave(a->learning.context, &pictures, &again, items);
    sumi_array_release(a->learning.context, &pictures);
    sumi_array_release(a->learning.context, &latents);
    sumi_array_release(a->learning.context, &again);
    return status;
}

/* ---- Creating ---- */

static sumi_status check_class(const struct auto_encoding *a)
{
    const struct auto_encoder *net = a->runner->part->net;
    if (net->type->moments) return SUMI_OK;
    return context_fail(a->learning.context, SUMI_ERROR_ARGUMENT,
                        "train.objective = autoencoder trains AutoencoderKL, not %s",
                        net->type->class_name);
}

static sumi_status check_discriminator(const struct auto_encoding *a)
{
    int64_t steps = recipe_int(a->learning.recipe, "train.steps");
    int64_t side = a->picture[0] < a->picture[1] ? a->picture[0] : a->picture[1];
    int64_t least = discriminator_least_side(&a->discriminator);
    if (a->disc_weight == 0) return SUMI_OK;
    if (a->disc_start >= steps) {
        return context_fail(a->learning.context, SUMI_ERROR_ARGUMENT,
                            "train.disc_start = %lld is not below train.steps = %lld, so that the "
                            "discriminator would never be used; set train.disc_weight = 0 for none",
                            (long long)a->disc_start, (long long)steps);
    }
    if (side >= least) return SUMI_OK;
    return context_fail(a->learning.context, SUMI_ERROR_ARGUMENT,
                        "a discriminator with train.disc_layers = %lld needs pictures of at least "
                        "%lld pixels, not %lld; use fewer layers",
                        (long long)a->discriminator.layers, (long long)least, (long long)side);
}

static void release(void *user)
{
    struct auto_encoding *a = user;
    sumi_model_free(a->perceptual);
    context_release(a->learning.context, a);
}

static void read_recipe(struct auto_encoding *a)
{
    const sumi_recipe *recipe = a->learning.recipe;
    a->seed = recipe_seed(recipe, "train.seed");
    a->batch = recipe_int(recipe, "train.batch") / recipe_int(recipe, "train.accumulate");
    a->kl_weight = recipe_number(recipe, "train.kl_weight");
    a->perceptual_weight = recipe_number(recipe, "train.perceptual_weight");
    a->disc_weight = recipe_number(recipe, "train.disc_weight");
    a->disc_start = recipe_int(recipe, "train.disc_start");
    a->has_rival = a->disc_weight != 0 && !a->learning.opening;
    a->discriminator = (struct discriminator){recipe_int(recipe, "train.disc_channels"),
                                              recipe_int(recipe, "train.disc_layers")};
}

static sumi_status open(struct auto_encoding *a)
{
    const struct auto_encoder *net = a->runner->part->net;
    const sumi_recipe *recipe = a->learning.recipe;
    sumi_data_shape(a->learning.data, a->picture);
    read_recipe(a);
    TRY(check_class(a));
    TRY(auto_encoder_check_data(a->runner, a->learning.data));
    TRY(check_discriminator(a));
    a->item_size = a->picture[0] * a->picture[1] * a->picture[2];
    a->latent_size =
        a->picture[0] / net->factor * (a->picture[1] / net->factor) * net->latent_channels;
    TRY(sumi_auto_encoder_set(a->runner, "precision", recipe_text(recipe, "train.precision")));
    if (a->perceptual_weight == 0) return SUMI_OK;
    return perceptual_open(a->learning.context, recipe_text(recipe, "train.perceptual"), a->picture,
                           &a->perceptual);
}

static sumi_status create(const struct learning *learning, struct objective *objective)
{
    struct auto_encoding *a = context_allocate_zeroed(learning->context, 1, sizeof *a);
    if (!a) return SUMI_ERROR_MEMORY;
    a->learning = *learning;
    a->runner = learning->auto_encoder;
    a->disc_loss = -1;
    sumi_status status = open(a);
    *objective = (struct objective){.user = a,
                                    .build = build,
                                    .rivals = list_rivals,
                                    .feed = feed,
                                    .save = save,
                                    .preview = preview,
                                    .release = release};
    if (status != SUMI_OK) release(a);
    return status;
}

/* The steps before the discriminator. */
static int64_t opening(const sumi_recipe *recipe)
{
    bool against = recipe_number(recipe, "train.disc_weight") != 0;
    return against ? recipe_int(recipe, "train.disc_start") : 0;
}

const struct objective_type objective_auto_encoder = {
    .name = "autoencoder", .create = create, .of_auto_encoders = true, .opening = opening};
