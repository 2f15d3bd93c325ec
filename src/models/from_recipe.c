/* SPDX-License-Identifier: Apache-2.0 */
/* The model that a recipe describes: makes a config.json from its [model] section and the shape of
   the data set's items. */
#include <stdio.h>
#include <string.h>

#include "base/item_kind.h"
#include "files/recipe.h"
#include "models/members.h"
#include "models/model.h"

static const char SOURCE[] = "the recipe's [model]";

#define OF_A_UNET "model.kind=unet2d|unet1d, model.config="
#define NO_DIT "model.kind=unet2d|unet1d|mlp, model.config="

const struct option model_keys[] = {
    {CHOICE_OPTION(
        "model.kind", "unet2d", "unet2d|unet1d|mlp|dit",
        "network: U-Net for pictures or signals, multi-layer perceptron for points, or diffusion "
        "transformer for pictures with classes")},
    {WHOLES_OPTION("model.channels", "32, 64, 64", 1, 8192,
                   "channels of a U-Net at each resolution"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.layers_per_block", "2", 1, 16, "residual units in each block of a U-Net"),
     .when = OF_A_UNET},
    {WORDS_OPTION("model.down_blocks", "auto", "diffusers' names of the down blocks, or auto"),
     .when = OF_A_UNET},
    {WORDS_OPTION("model.up_blocks", "auto", "diffusers' names of the up blocks, or auto"),
     .when = OF_A_UNET},
    {FLAGS_OPTION("model.attention", "auto",
                  "attention at each resolution; auto: only in the middle"),
     .when = OF_A_UNET},
    {FLAG_OPTION("model.mid_attention", "yes", "attention at the lowest resolution"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.head_dim", "0", 0, 8192, "channels of an attention head; 0: one head"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.groups", "8", 1, 8192, "number of groups of group normalisation"),
     .when = OF_A_UNET},
    {NUMBER_OPTION("model.norm_eps", "1e-5", 0, 1,
                   "number added to a variance before its square root"),
     .when = OF_A_UNET},
    {CHOICE_OPTION("model.time_embedding", "positional", "positional|fourier",
                   "encoding of the time"),
     .when = NO_DIT},
    {FLAG_OPTION("model.scale_shift", "no",
                 "scale and shift features by the time embedding, instead of adding it"),
     .when = OF_A_UNET},
    {FLAG_OPTION("model.class_conditional", "no",
                 "give the network the class (needs data.labels = yes)"),
     .when = "model.config="},
    {NUMBER_OPTION("model.dropout", "0", 0, 0.95, "fraction of features dropped while training"),
     .when = "model.config="},
    {CHOICE_OPTION("model.activation", "silu", "silu|relu|gelu|mish",
                   "activation function of the network"),
     .when = NO_DIT},
    {WHOLE_OPTION("model.width", "128", 1, 65536,
                  "features of each hidden layer of an mlp, or of each token of a dit"),
     .when = "model.kind=mlp|dit, model.config="},
    {WHOLE_OPTION("model.depth", "4", 1, 64,
                  "number of hidden layers of an mlp, or of blocks of a dit"),
     .when = "model.kind=mlp|dit, model.config="},
    {WHOLE_OPTION("model.heads", "4", 1, 1024, "attention heads of each block of a dit"),
     .when = "model.kind=dit, model.config="},
    {WHOLE_OPTION("model.patch", "2", 1, 256,
                  "width and height of a patch, which is a token of a dit"),
     .when = "model.kind=dit, model.config="},
    {PATH_OPTION("model.config", "", "path of a config.json that replaces all other [model] keys")},
    {.name = NULL},
};

/* What follows from a recipe and a data set. */
struct plan_of_net {
    sumi_context *context;
    const sumi_recipe *recipe;
    enum sumi_item_kind kind; /* kind and shape of an item */
    int rank;
    const int64_t *shape;
    int classes;
    int levels; /* number of levels of a U-Net */
    int64_t channels[RECIPE_LIST_LIMIT];
    char blocks[2][RECIPE_LIST_LIMIT][RECIPE_WORD_SIZE]; /* down blocks and up blocks */
};

/* ---- Checks ---- */

/* Items must be of the kind that the network is for. */
static sumi_status check_kind(const struct plan_of_net *plan)
{
    const char *network = recipe_text(plan->recipe, "model.kind");
    const struct item_type *wanted = item_type_of_network(network);
    const struct item_type *given = item_type_of(plan->kind);
    if (wanted->kind == given->kind) return SUMI_OK;
    if (!given->network) {
        return context_fail(plan->context, SUMI_ERROR_UNSUPPORTED,
                            "model.kind = %s is for %s, but the items of the data set are %s, for "
                            "which there is no network",
                            network, wanted->words, given->words);
    }
    return context_fail(plan->context, SUMI_ERROR_ARGUMENT,
                        "model.kind = %s is for %s, but the data set's items have %d dimensions; "
                        "use model.kind = %s for those",
                        network, wanted->words, plan->rank, given->network);
}

static sumi_status check_classes(const struct plan_of_net *plan)
{
    if (!recipe_flag(plan->recipe, "model.class_conditional") || plan->classes > 0) return SUMI_OK;
    return context_fail(plan->context, SUMI_ERROR_ARGUMENT,
                        "model.class_conditional = yes needs items with labels; set data.labels = "
                        "yes, if the data set has them");
}

/* The Fourier embedding takes the logarithm of the time input and divides the output by it, so the
   time input must be the noise level. */
static sumi_status check_times(const struct plan_of_net *plan)
{
    if (!recipe_is(plan->recipe, "model.time_embedding", "fourier")
        || recipe_is(plan->recipe, "noise.time", "sigma")) {
        return SUMI_OK;
    }
    return context_fail(plan->context, SUMI_ERROR_UNSUPPORTED,
                        "model.time_embedding = fourier takes the logarithm of the noise level; "
                        "set noise.time = sigma, or use positional");
}

/* A U-Net halves the size of an item between its levels. */
static sumi_status check_size(const struct plan_of_net *plan)
{
    int64_t multiple = (int64_t)1 << (plan->levels - 1);
    for (int i = 0; i + 1 < plan->rank; i++) {
        if (plan->shape[i] % multiple == 0) continue;
        return context_fail(plan->context, SUMI_ERROR_ARGUMENT,
                            "model.channels has %d levels, so the network halves the items %d "
                            "times, but their size %lld is not a multiple of %lld; use fewer "
                            "levels or another size",
                            plan->levels, plan->levels - 1, (long long)plan->shape[i],
                            (long long)multiple);
    }
    return SUMI_OK;
}

/* A transformer takes squares of whole patches, and looks up the class. */
static sumi_status check_dit(const struct plan_of_net *plan)
{
    int64_t patch = recipe_int(plan->recipe, "model.patch"), size = plan->shape[0];
    int64_t width = recipe_int(plan->recipe, "model.width");
    int64_t heads = recipe_int(plan->recipe, "model.heads");
    if (!recipe_flag(plan->recipe, "model.class_conditional")) {
        return context_fail(plan->context, SUMI_ERROR_ARGUMENT,
                            "model.kind = dit takes the class of each item; set data.labels = yes "
                            "and model.class_conditional = yes");
    }
    if (plan->shape[1] != size || size % patch) {
        return context_fail(plan->context, SUMI_ERROR_ARGUMENT,
                            "model.kind = dit takes square pictures of a multiple of model.patch = "
                            "%lld, not %lldx%lld",
                            (long long)patch, (long long)size, (long long)plan->shape[1]);
    }
    if (width % heads == 0) return SUMI_OK;
    return context_fail(plan->context, SUMI_ERROR_ARGUMENT,
                        "model.width = %lld is not a multiple of model.heads = %lld",
                        (long long)width, (long long)heads);
}

static sumi_status check_length(const struct plan_of_net *plan, const char *key, int length)
{
    if (length == 0 || length == plan->levels) return SUMI_OK;
    return context_fail(
        plan->context, SUMI_ERROR_ARGUMENT,
        "%s has %d entries, but model.channels has %d; there should be one for each resolution",
        key, length, plan->levels);
}

/* ---- Blocks ---- */

/* Names each block by whether it has attention; up blocks mirror the down blocks. */
static void name_blocks(struct plan_of_net *plan, int flags, const int64_t *attention, int way)
{
    const char *direction = way == 0 ? "Down" : "Up";
    for (int i = 0; i < plan->levels; i++) {
        int level = way == 0 ? i : plan->levels - 1 - i;
        bool attentive = flags > 0 && attention[level];
        snprintf(plan->blocks[way][i], RECIPE_WORD_SIZE, "%s%sBlock%dD", attentive ? "Attn" : "",
                 direction, plan->rank - 1);
    }
}

static sumi_status plan_levels(struct plan_of_net *plan)
{
    static const char *const keys[] = {"model.down_blocks", "model.up_blocks"};
    int64_t attention[RECIPE_LIST_LIMIT];
    plan->levels = recipe_list(plan->recipe, "model.channels", plan->channels);
    if (plan->levels == 0) {
        return context_fail(plan->context, SUMI_ERROR_ARGUMENT,
                            "model.channels should be a list such as 32, 64, 64");
    }
    int flags = recipe_list(plan->recipe, "model.attention", attention);
    TRY(check_length(plan, "model.attention", flags));
    for (int way = 0; way < 2; way++) {
        int words = recipe_words(plan->recipe, keys[way], plan->blocks[way]);
        TRY(check_length(plan, keys[way], words));
        if (words == 0) name_blocks(plan, flags, attention, way);
    }
    return check_size(plan);
}

/* ---- Members ---- */

static bool add_blocks(json_object *config, const char *key, const struct plan_of_net *plan,
                       int way)
{
    json_object *list = json_object_new_array();
    bool complete = list != NULL;
    for (int i = 0; i < plan->levels && complete; i++) {
        complete = list_add_text(list, plan->blocks[way][i]);
    }
    if (complete) return member_add(config, key, list);
    json_object_put(list);
    return false;
}

static bool add_size(json_object *config, const struct plan_of_net *plan)
{
    if (plan->kind == SUMI_PICTURE && plan->shape[0] != plan->shape[1]) {
        return member_wholes(config, "sample_size", 2, plan->shape);
    }
    return member_whole(config, "sample_size", plan->shape[0]);
}

/* Output channels per channel of an item: two with a learned variance, which comes after the
   prediction. */
static int64_t outputs_of(const sumi_recipe *recipe)
{
    return recipe_is(recipe, "noise.variance", "learned_range") ? 2 : 1;
}

/* Members that all networks have. */
static bool add_channels(json_object *config, const struct plan_of_net *plan)
{
    int64_t channels = plan->shape[plan->rank - 1];
    return member_whole(config, "in_channels", channels)
           && member_whole(config, "out_channels", channels * outputs_of(plan->recipe))
           && member_number(config, "dropout", recipe_number(plan->recipe, "model.dropout"));
}

/* The number of classes; label dropout needs the null class, too. */
static bool add_classes(json_object *config, const struct plan_of_net *plan)
{
    if (recipe_number(plan->recipe, "train.label_dropout") == 0)
        return member_whole(config, "num_class_embeds", plan->classes);
    return member_whole(config, "num_class_embeds", plan->classes + 1)
           && member_whole(config, "_null_class", plan->classes);
}

/* Members of all but transformers. */
static bool add_common(json_object *config, const struct plan_of_net *plan)
{
    const sumi_recipe *recipe = plan->recipe;
    bool conditional = recipe_flag(recipe, "model.class_conditional");
    return add_channels(config, plan)
           && member_text(config, "time_embedding_type",
                          recipe_text(recipe, "model.time_embedding"))
           && member_text(config, "act_fn", recipe_text(recipe, "model.activation"))
           && (!conditional || add_classes(config, plan));
}

static bool add_unet(json_object *config, const struct plan_of_net *plan)
{
    const sumi_recipe *recipe = plan->recipe;
    int64_t head = recipe_int(recipe, "model.head_dim");
    bool scale_shift = recipe_flag(recipe, "model.scale_shift");
    return add_common(config, plan)
           && member_text(config, "_class_name",
                          plan->kind == SUMI_PICTURE ? "UNet2DModel" : "SumiUNet1DModel")
           && add_size(config, plan)
           && member_wholes(config, "block_out_channels", plan->levels, plan->channels)
           && add_blocks(config, "down_block_types", plan, 0)
           && add_blocks(config, "up_block_types", plan, 1)
           && member_whole(config, "layers_per_block", recipe_int(recipe, "model.layers_per_block"))
           && member_flag(config, "add_attention", recipe_flag(recipe, "model.mid_attention"))
           && (head ? member_whole(config, "attention_head_dim", head)
                    : member_null(config, "attention_head_dim"))
           && member_whole(config, "norm_num_groups", recipe_int(recipe, "model.groups"))
           && member_number(config, "norm_eps", recipe_number(recipe, "model.norm_eps"))
           && member_text(config, "resnet_time_scale_shift",
                          scale_shift ? "scale_shift" : "default");
}

static bool add_mlp(json_object *config, const struct plan_of_net *plan)
{
    return add_common(config, plan) && member_text(config, "_class_name", "SumiMLPModel")
           && member_whole(config, "width", recipe_int(plan->recipe, "model.width"))
           && member_whole(config, "depth", recipe_int(plan->recipe, "model.depth"));
}

static bool add_dit(json_object *config, const struct plan_of_net *plan)
{
    const sumi_recipe *recipe = plan->recipe;
    int64_t heads = recipe_int(recipe, "model.heads"), width = recipe_int(recipe, "model.width");
    return add_channels(config, plan) && member_text(config, "_class_name", "DiTTransformer2DModel")
           && add_size(config, plan) && member_whole(config, "num_attention_heads", heads)
           && member_whole(config, "attention_head_dim", width / heads)
           && member_whole(config, "num_layers", recipe_int(recipe, "model.depth"))
           && member_whole(config, "patch_size", recipe_int(recipe, "model.patch"))
           && member_whole(config, "num_embeds_ada_norm", plan->classes);
}

static sumi_status write_config(struct plan_of_net *plan, char **text)
{
    bool mlp = recipe_is(plan->recipe, "model.kind", "mlp");
    bool dit = recipe_is(plan->recipe, "model.kind", "dit");
    TRY(check_kind(plan));
    TRY(check_classes(plan));
    if (dit) TRY(check_dit(plan));
    else TRY(check_times(plan));
    if (!mlp && !dit) TRY(plan_levels(plan));
    json_object *config = json_object_new_object();
    bool complete = config
                    && (mlp   ? add_mlp(config, plan)
                        : dit ? add_dit(config, plan)
                              : add_unet(config, plan));
    sumi_status status = members_check(plan->context, complete, SOURCE);
    if (status == SUMI_OK) status = json_to_text(plan->context, config, text);
    json_object_put(config);
    return status;
}

/* ---- A config.json of the user's own ---- */

/* Reads it, and sets its sample_size to that of the items where it has none. */
static sumi_status read_config(const struct plan_of_net *plan, const char *path, char **text)
{
    json_object *config = NULL;
    TRY(json_read_file(plan->context, path, &config));
    bool open = json_object_is_type(config, json_type_object) && plan->kind != SUMI_POINTS
                && !json_object_object_get(config, "sample_size");
    sumi_status status = members_check(plan->context, !open || add_size(config, plan), path);
    if (status == SUMI_OK) status = json_to_text(plan->context, config, text);
    json_object_put(config);
    return status;
}

sumi_status config_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                               enum sumi_item_kind kind, const int64_t *shape, int classes,
                               char **text)
{
    struct plan_of_net plan = {.context = context,
                               .recipe = recipe,
                               .kind = kind,
                               .rank = item_type_of(kind)->rank,
                               .shape = shape,
                               .classes = classes};
    const char *path = recipe_text(recipe, "model.config");
    *text = NULL;
    return path[0] ? read_config(&plan, path, text) : write_config(&plan, text);
}

/* ---- The model ---- */

/* Checks that the network's inputs and outputs have the shape of the items, and that it has their
   classes. */
static sumi_status check_fit(const sumi_model *model, const sumi_recipe *recipe,
                             const sumi_data *data)
{
    const struct net *net = model->net;
    struct shape items = {.rank = 0}, wanted = {.rank = net->item_rank};
    items.rank = sumi_data_shape(data, items.size);
    memcpy(wanted.size, net->item_shape, sizeof wanted.size);
    if (!shape_equal(&items, &wanted)) {
        char have[SHAPE_TEXT], want[SHAPE_TEXT];
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "the network of model.config is for items %s, but those of the data "
                            "set are %s",
                            shape_text(&wanted, want), shape_text(&items, have));
    }
    int64_t wanted_channels = outputs_of(recipe) * items.size[items.rank - 1];
    if (net->out_channels != wanted_channels) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "the network of model.config has %lld output channels; for items with "
                            "%lld and noise.variance = %s it needs %lld",
                            (long long)net->out_channels, (long long)items.size[items.rank - 1],
                            recipe_text(recipe, "noise.variance"), (long long)wanted_channels);
    }
    if (net->input_count > NET_TIMES + 1 && sumi_data_classes(data) > net_classes(net)) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "the network of model.config has %lld classes, but the data set has "
                            "%d",
                            (long long)net_classes(net), sumi_data_classes(data));
    }
    return SUMI_OK;
}

static sumi_status make(sumi_context *context, const sumi_recipe *recipe, const sumi_data *data,
                        const char *config, sumi_model **model)
{
    const char *path = recipe_text(recipe, "model.config");
    TRY(model_begin(context, config, path[0] ? path : SOURCE, model));
    TRY(check_fit(*model, recipe, data));
    TRY(class_names_copy(*model, data));
    TRY(scheduler_from_recipe(context, recipe, &(*model)->scheduler));
    return model_make_weights(*model, recipe_seed(recipe, "train.seed"));
}

sumi_status sumi_model_create_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                                          const sumi_data *data, sumi_model **model)
{
    char *config = NULL;
    int64_t shape[SUMI_MAX_RANK];
    sumi_model *made = NULL;
    static const char *const sections[] = {"model", "noise", NULL};
    *model = NULL;
    TRY(recipe_check_read(context, recipe, sections));
    sumi_data_shape(data, shape);
    TRY(config_from_recipe(context, recipe, sumi_data_kind(data), shape, sumi_data_classes(data),
                           &config));
    sumi_status status = make(context, recipe, data, config, &made);
    context_release(context, config);
    if (status == SUMI_OK) *model = made;
    else sumi_model_free(made);
    return status;
}
