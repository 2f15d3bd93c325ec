/* SPDX-License-Identifier: Apache-2.0 */
/* The networks and schedulers that recipes describe. */
#include "base/item_kind.h"
#include "base/json.h"
#include "files/recipe.h"
#include "models/model.h"
#include "models/tiny.h"

/* The config for a recipe's text and items, as JSON; release with json_object_put. */
static json_object *config_of(scratch *room, const char *recipe_source, int rank,
                              const int64_t *shape, int classes)
{
    sumi_recipe *recipe = NULL;
    char *text = NULL;
    json_object *config = NULL;
    CHECK_OK(room->context, sumi_recipe_parse(room->context, recipe_source, "recipe", &recipe));
    CHECK_OK(room->context, config_from_recipe(room->context, recipe, item_type_of_rank(rank)->kind,
                                               shape, classes, &text));
    CHECK_OK(room->context, json_parse(room->context, text, strlen(text), "config", &config));
    sumi_text_release(room->context, text);
    sumi_recipe_free(recipe);
    return config;
}

static void check_refused(scratch *room, const char *recipe_source, int rank, const int64_t *shape,
                          int classes, const char *part)
{
    sumi_recipe *recipe = NULL;
    char *text = NULL;
    CHECK_OK(room->context, sumi_recipe_parse(room->context, recipe_source, "recipe", &recipe));
    sumi_status status = config_from_recipe(room->context, recipe, item_type_of_rank(rank)->kind,
                                            shape, classes, &text);
    assert_null(text);
    assert_int_not_equal(status, SUMI_OK);
    if (!strstr(sumi_context_message(room->context), part))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(room->context), part);
    sumi_recipe_free(recipe);
}

static void check_member(json_object *config, const char *key, const char *expected)
{
    json_object *value = json_object_object_get(config, key);
    assert_string_equal(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), expected);
}

static const int64_t digit[] = {28, 28, 1};

static void pictures_of_28_by_28_get_three_levels(void **state)
{
    json_object *config = config_of(*state, "[model]\n", 3, digit, 0);
    check_member(config, "_class_name", "\"UNet2DModel\"");
    check_member(config, "sample_size", "28");
    check_member(config, "in_channels", "1");
    check_member(config, "out_channels", "1");
    check_member(config, "block_out_channels", "[32,64,64]");
    check_member(config, "down_block_types", "[\"DownBlock2D\",\"DownBlock2D\",\"DownBlock2D\"]");
    check_member(config, "up_block_types", "[\"UpBlock2D\",\"UpBlock2D\",\"UpBlock2D\"]");
    check_member(config, "add_attention", "true");
    check_member(config, "norm_eps", "1e-05");
    check_member(config, "dropout", "0.0");
    check_member(config, "num_class_embeds", "null");
    json_object_put(config);
}

static void attention_is_where_the_flags_say(void **state)
{
    json_object *config =
        config_of(*state, "[model]\nattention = no, no, yes\nhead_dim = 16\n", 3, digit, 0);
    check_member(config, "down_block_types",
                 "[\"DownBlock2D\",\"DownBlock2D\",\"AttnDownBlock2D\"]");
    check_member(config, "up_block_types", "[\"AttnUpBlock2D\",\"UpBlock2D\",\"UpBlock2D\"]");
    check_member(config, "attention_head_dim", "16");
    json_object_put(config);
}

static void blocks_can_be_named(void **state)
{
    json_object *config = config_of(*state,
                                    "[model]\nchannels = 32, 64\n"
                                    "down_blocks = ResnetDownsampleBlock2D, DownBlock2D\n",
                                    3, digit, 0);
    check_member(config, "down_block_types", "[\"ResnetDownsampleBlock2D\",\"DownBlock2D\"]");
    check_member(config, "up_block_types", "[\"UpBlock2D\",\"UpBlock2D\"]");
    json_object_put(config);
}

static void oblong_pictures_get_both_sizes(void **state)
{
    json_object *config = config_of(*state, "[model]\n", 3, (int64_t[]){16, 32, 3}, 0);
    check_member(config, "sample_size", "[16,32]");
    check_member(config, "in_channels", "3");
    json_object_put(config);
}

static void classes_come_from_the_data(void **state)
{
    json_object *config = config_of(*state, "[model]\nclass_conditional = yes\n", 3, digit, 10);
    check_member(config, "num_class_embeds", "10");
    json_object_put(config);
}

static void signals_get_a_network_of_one_dimension(void **state)
{
    json_object *config = config_of(*state, "[model]\nkind = unet1d\nattention = no, no, yes\n", 2,
                                    (int64_t[]){128, 1}, 0);
    check_member(config, "_class_name", "\"SumiUNet1DModel\"");
    check_member(config, "sample_size", "128");
    check_member(config, "down_block_types",
                 "[\"DownBlock1D\",\"DownBlock1D\",\"AttnDownBlock1D\"]");
    json_object_put(config);
}

static void points_get_a_perceptron(void **state)
{
    json_object *config =
        config_of(*state, "[model]\nkind = mlp\nwidth = 64\ndepth = 3\n", 1, (int64_t[]){2}, 0);
    check_member(config, "_class_name", "\"SumiMLPModel\"");
    check_member(config, "in_channels", "2");
    check_member(config, "width", "64");
    check_member(config, "depth", "3");
    json_object_put(config);
}

/* ---- What does not fit ---- */

static void sizes_that_cannot_be_halved_are_refused(void **state)
{
    check_refused(*state, "[model]\nchannels = 8, 8, 8, 8\n", 3, digit, 0,
                  "4 levels, so the network halves the items 3 times, but their size 28 is not a "
                  "multiple of 8");
}

static void lists_of_another_length_are_refused(void **state)
{
    check_refused(*state, "[model]\nattention = no, yes\n", 3, digit, 0,
                  "model.attention has 2 entries, but model.channels has 3");
    check_refused(*state, "[model]\nup_blocks = UpBlock2D\n", 3, digit, 0,
                  "model.up_blocks has 1 entries");
}

static void a_network_of_the_wrong_kind_names_the_right_one(void **state)
{
    check_refused(*state, "[model]\nkind = unet2d\n", 2, (int64_t[]){128, 1}, 0,
                  "use model.kind = unet1d for those");
    check_refused(*state, "[model]\nkind = mlp\n", 3, digit, 0,
                  "use model.kind = unet2d for those");
}

static void classes_without_labels_are_refused(void **state)
{
    check_refused(*state, "[model]\nclass_conditional = yes\n", 3, digit, 0, "data.labels = yes");
}

static void a_logarithm_of_time_zero_is_refused(void **state)
{
    check_refused(*state, "[model]\ntime_embedding = fourier\n", 3, digit, 0, "use positional");
}

/* ---- Whole models ---- */

static sumi_model *create(scratch *room, const char *recipe_source, sumi_status expected)
{
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    CHECK_OK(room->context, sumi_recipe_parse(room->context, recipe_source, "recipe", &recipe));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    sumi_status status = sumi_model_create_from_recipe(room->context, recipe, data, &model);
    if (expected == SUMI_OK) CHECK_OK(room->context, status);
    assert_int_equal(status, expected);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return model;
}

#define DIGITS "[data]\nkind = digits\ncount = 10\nlabels = yes\n"
#define SMALL "[model]\nchannels = 4, 8\ngroups = 2\nlayers_per_block = 1\n"

static void a_recipe_s_model_takes_the_items_of_its_data(void **state)
{
    scratch *room = *state;
    int64_t shape[SUMI_MAX_RANK];
    sumi_model *model = create(room, DIGITS SMALL "class_conditional = yes\n", SUMI_OK);
    assert_int_equal(sumi_model_shape(model, shape), 3);
    assert_int_equal(shape[0], 28);
    assert_int_equal(shape[2], 1);
    assert_int_equal(sumi_model_classes(model), 10);
    sumi_model_free(model);
}

static void the_seed_of_training_chooses_the_weights(void **state)
{
    scratch *room = *state;
    sumi_weight one = {.size = sizeof one}, same = {.size = sizeof same},
                other = {.size = sizeof other};
    sumi_model *first = create(room, DIGITS SMALL "[train]\nseed = 5\n", SUMI_OK);
    sumi_model *again = create(room, DIGITS SMALL "[train]\nseed = 5\n", SUMI_OK);
    sumi_model *third = create(room, DIGITS SMALL "[train]\nseed = 6\n", SUMI_OK);
    assert_true(sumi_model_weight(first, 0, &one) && sumi_model_weight(again, 0, &same)
                && sumi_model_weight(third, 0, &other));
    size_t bytes = (size_t)tiny_count(one.shape, one.rank) * sizeof(float);
    assert_memory_equal(one.data, same.data, bytes);
    assert_memory_not_equal(one.data, other.data, bytes);
    sumi_model_free(first);
    sumi_model_free(again);
    sumi_model_free(third);
}

static void noise_becomes_a_scheduler_of_diffusers(void **state)
{
    scratch *room = *state;
    json_object *scheduler = NULL;
    sumi_model *model = create(room,
                               DIGITS SMALL "[noise]\nsteps = 200\nschedule = sigmoid\n"
                                            "prediction = v_prediction\nvariance = fixed_large\n"
                                            "clip = no\nbeta_start = 0.0003\n",
                               SUMI_OK);
    const char *text = sumi_model_scheduler(model);
    CHECK_OK(room->context, json_parse(room->context, text, strlen(text), "config", &scheduler));
    check_member(scheduler, "_class_name", "\"DDPMScheduler\"");
    check_member(scheduler, "num_train_timesteps", "200");
    check_member(scheduler, "beta_schedule", "\"sigmoid\"");
    check_member(scheduler, "beta_start", "0.0003");
    check_member(scheduler, "prediction_type", "\"v_prediction\"");
    check_member(scheduler, "variance_type", "\"fixed_large\"");
    check_member(scheduler, "clip_sample", "false");
    check_member(scheduler, "clip_sample_range", "1.0");
    check_member(scheduler, "trained_betas", "null");
    json_object_put(scheduler);
    sumi_model_free(model);
}

/* diffusers writes the straight line of roots as "scaled_linear". */
/* Song & Ermon 2019, section 4.1: sigma_1 and sigma_L are the ends of a geometric row. */
static void annealed_langevin_visits_the_levels_that_are_trained(void **state)
{
    scratch *room = *state;
    sumi_solver *solver = NULL;
    double times[12];
    sumi_model *model = create(room,
                               DIGITS SMALL "[noise]\npath = ve\ntime = sigma\nsteps = 4\n"
                                            "sigma_min = 0.01\nsigma_max = 10\n",
                               SUMI_OK);
    CHECK_OK(room->context, sumi_model_solver(model, "annealed-langevin", &solver));
    CHECK_OK(room->context, sumi_solver_set(solver, "steps_per_level", "3"));
    assert_int_equal(sumi_solver_times(solver, times, 12), 12);
    /* the path's least time is 1e-5, not 0 */
    for (int i = 0; i < 12; i++) CHECK_CLOSE(times[i] / pow(10, 1 - i / 3), 1, 1e-4);
    sumi_solver_free(solver);
    sumi_model_free(model);
}

/* Whatever the count, the first time is the last of the training, but for inversions, and for
   solvers that choose a time or levels of their own. */
static void every_count_of_steps_begins_at_the_last_time(void **state)
{
    scratch *room = *state;
    static const char *const names[] = {NULL,       "ddim",     "euler", "heun",     "dpm2",
                                        "dpmpp-2s", "dpmpp-2m", "unipc", "deis",     "sa",
                                        "lms",      "ipndm",    "rk4",   "midpoint", "rk45"};
    sumi_model *model =
        create(room, DIGITS SMALL "[noise]\nsteps = 100\nbeta_end = 0.2\n", SUMI_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sumi_solver *solver = NULL;
        CHECK_OK(room->context, sumi_model_solver(model, names[i], &solver));
        for (int steps = 1; steps <= 100; steps++) {
            char text[16];
            double first = -1;
            snprintf(text, sizeof text, "%d", steps);
            CHECK_OK(room->context, sumi_solver_set(solver, "steps", text));
            if (sumi_solver_times(solver, &first, 1) == 0)
                fail_msg("%s: %s", names[i], sumi_context_message(room->context));
            assert_true(first == 99);
        }
        sumi_solver_free(solver);
    }
    sumi_model_free(model);
}

static void the_quadratic_schedule_goes_by_its_name_in_diffusers(void **state)
{
    scratch *room = *state;
    sumi_model *model = create(room, DIGITS SMALL "[noise]\nschedule = quadratic\n", SUMI_OK);
    assert_non_null(strstr(sumi_model_scheduler(model), "\"scaled_linear\""));
    sumi_model_free(model);
}

static void a_config_of_one_s_own_is_used_and_gets_the_size(void **state)
{
    scratch *room = *state;
    char recipe[SCRATCH_PATH + 64];
    int64_t shape[SUMI_MAX_RANK];
    tiny_write(room, "own.json",
               "{\"in_channels\": 1, \"out_channels\": 1, \"block_out_channels\": [4, 8],"
               " \"norm_num_groups\": 2, \"down_block_types\": [\"DownBlock2D\","
               " \"DownBlock2D\"], \"up_block_types\": [\"UpBlock2D\", \"UpBlock2D\"]}");
    snprintf(recipe, sizeof recipe, DIGITS "[model]\nconfig = %s\n",
             scratch_path(room, "own.json"));
    sumi_model *model = create(room, recipe, SUMI_OK);
    assert_int_equal(sumi_model_shape(model, shape), 3);
    assert_int_equal(shape[1], 28);
    sumi_model_free(model);
    tiny_write(room, "own.json", TINY_UNET);
    assert_null(create(room, recipe, SUMI_ERROR_ARGUMENT));
    assert_non_null(strstr(sumi_context_message(room->context), "for items [8, 8, 1]"));
}

static void a_recipe_s_wrong_value_names_the_recipe(void **state)
{
    scratch *room = *state;
    assert_null(create(room, DIGITS "[model]\nchannels = 6, 8\ngroups = 4\n", SUMI_ERROR_FORMAT));
    assert_non_null(strstr(sumi_context_message(room->context), "the recipe's [model]: "));
}

#define DIT                                                                                        \
    "[data]\nlabels = yes\n[model]\nkind = dit\nclass_conditional = yes\nwidth = 48\ndepth = 3\n"
static const char dit[] = DIT "patch = 4\nheads = 6\n";

static void a_transformer_has_patches_heads_and_classes(void **state)
{
    json_object *config = config_of(*state, dit, 3, digit, 10);
    check_member(config, "_class_name", "\"DiTTransformer2DModel\"");
    check_member(config, "sample_size", "28");
    check_member(config, "in_channels", "1");
    check_member(config, "out_channels", "1");
    check_member(config, "patch_size", "4");
    check_member(config, "num_layers", "3");
    check_member(config, "num_attention_heads", "6");
    check_member(config, "attention_head_dim", "8");
    check_member(config, "num_embeds_ada_norm", "10");
    json_object_put(config);
}

static void a_transformer_of_two_streams_takes_classes_for_a_text(void **state)
{
    static const char mmdit[] = "[data]\nlabels = yes\n[model]\nkind = mmdit\nwidth = 48\n"
                                "class_conditional = yes\npatch = 4\nheads = 6\n";
    json_object *config = config_of(*state, mmdit, 3, digit, 10);
    check_member(config, "_class_name", "\"SD3Transformer2DModel\"");
    check_member(config, "sample_size", "28");
    check_member(config, "patch_size", "4");
    check_member(config, "num_layers", "4");
    check_member(config, "num_attention_heads", "6");
    check_member(config, "attention_head_dim", "8");
    check_member(config, "joint_attention_dim", "48");
    check_member(config, "caption_projection_dim", "48");
    check_member(config, "pooled_projection_dim", "48");
    check_member(config, "_num_classes", "10");
    json_object_put(config);
    check_refused(*state, "[model]\nkind = mmdit\n", 3, digit, 0,
                  "model.kind = mmdit takes the class of each item");
}

static void a_transformer_that_cannot_be_is_refused(void **state)
{
    scratch *room = *state;
    const int64_t oblong[] = {28, 24, 1};
    check_refused(room, "[model]\nkind = dit\n", 3, digit, 0,
                  "model.kind = dit takes the class of each item; set data.labels = yes and "
                  "model.class_conditional = yes");
    check_refused(room, dit, 3, oblong, 10,
                  "square pictures of a multiple of model.patch = 4, not 28x24");
    check_refused(room, DIT "patch = 5\n", 3, digit, 10,
                  "a multiple of model.patch = 5, not 28x28");
    check_refused(room, DIT "heads = 5\n", 3, digit, 10,
                  "model.width = 48 is not a multiple of model.heads = 5");
    check_refused(room, dit, 1, (int64_t[]){2}, 10, "model.kind = dit is for pictures");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_transformer_has_patches_heads_and_classes),
        SCRATCH_TEST(a_transformer_of_two_streams_takes_classes_for_a_text),
        SCRATCH_TEST(a_transformer_that_cannot_be_is_refused),
        SCRATCH_TEST(pictures_of_28_by_28_get_three_levels),
        SCRATCH_TEST(attention_is_where_the_flags_say),
        SCRATCH_TEST(blocks_can_be_named),
        SCRATCH_TEST(oblong_pictures_get_both_sizes),
        SCRATCH_TEST(classes_come_from_the_data),
        SCRATCH_TEST(signals_get_a_network_of_one_dimension),
        SCRATCH_TEST(points_get_a_perceptron),
        SCRATCH_TEST(sizes_that_cannot_be_halved_are_refused),
        SCRATCH_TEST(lists_of_another_length_are_refused),
        SCRATCH_TEST(a_network_of_the_wrong_kind_names_the_right_one),
        SCRATCH_TEST(classes_without_labels_are_refused),
        SCRATCH_TEST(a_logarithm_of_time_zero_is_refused),
        SCRATCH_TEST(a_recipe_s_model_takes_the_items_of_its_data),
        SCRATCH_TEST(the_seed_of_training_chooses_the_weights),
        SCRATCH_TEST(noise_becomes_a_scheduler_of_diffusers),
        SCRATCH_TEST(every_count_of_steps_begins_at_the_last_time),
        SCRATCH_TEST(annealed_langevin_visits_the_levels_that_are_trained),
        SCRATCH_TEST(the_quadratic_schedule_goes_by_its_name_in_diffusers),
        SCRATCH_TEST(a_config_of_one_s_own_is_used_and_gets_the_size),
        SCRATCH_TEST(a_recipe_s_wrong_value_names_the_recipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
