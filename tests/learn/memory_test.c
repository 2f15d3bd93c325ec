/* SPDX-License-Identifier: Apache-2.0 */
/* Training with each of its allocations failing in turn: the status says so, nothing leaks and
   nothing crashes. */
#include "shared_folder.h"
#include "failing_allocator.h"
#include "sumi_graph.h"

/* The smallest network and the shortest run that still have every part. */
static const char *const small_settings[] = {
    "data.count=8",  "noise.steps=10", "train.batch=2",
    "train.steps=3", "sample.steps=2", "sample.count=2",
};

static const char *const small_unet[] = {"model.channels=4,8", "model.layers_per_block=1",
                                         "model.groups=2"};
static const char *const small_mlp[] = {"model.width=8", "model.depth=2"};

static sumi_status open_recipe(sumi_context *context, const char *name, sumi_recipe **recipe)
{
    sumi_status status = sumi_recipe_open(context, name, recipe);
    for (size_t i = 0; i < sizeof small_settings / sizeof small_settings[0]; i++) {
        STEP(sumi_recipe_set(*recipe, small_settings[i]));
    }
    bool mlp = status == SUMI_OK && strcmp(sumi_recipe_get(*recipe, "model.kind"), "mlp") == 0;
    for (int i = 0; i < (mlp ? 2 : 3); i++)
        STEP(sumi_recipe_set(*recipe, mlp ? small_mlp[i] : small_unet[i]));
    return status;
}

static sumi_status use_trainer(sumi_context *context, void *name)
{
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    sumi_status status = open_recipe(context, name, &recipe);
    STEP(sumi_data_open(context, recipe, &data));
    STEP(sumi_model_create_from_recipe(context, recipe, data, &model));
    STEP(sumi_trainer_create(context, recipe, model, data, &trainer));
    STEP(sumi_trainer_step(trainer, NULL));
    STEP(sumi_trainer_save(trainer, in_folder("checkpoint")));
    STEP(sumi_trainer_load(trainer, in_folder("checkpoint")));
    STEP(sumi_trainer_use_average(trainer, true));
    STEP(sumi_trainer_use_average(trainer, false));
    STEP(sumi_trainer_run(trainer, in_folder("run"), NULL, NULL));
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return status;
}

/* A step of a recipe with settings on top, ended by NULL. */
struct variant {
    const char *recipe, *settings[4];
};

static sumi_status use_objective(sumi_context *context, void *user)
{
    const struct variant *variant = user;
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    sumi_status status = open_recipe(context, variant->recipe, &recipe);
    for (int i = 0; variant->settings[i]; i++) STEP(sumi_recipe_set(recipe, variant->settings[i]));
    STEP(sumi_data_open(context, recipe, &data));
    STEP(sumi_model_create_from_recipe(context, recipe, data, &model));
    STEP(sumi_trainer_create(context, recipe, model, data, &trainer));
    STEP(sumi_trainer_step(trainer, NULL));
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return status;
}

/* An auto-encoder against a discriminator that begins with the second step, on two sizes. */
static sumi_status use_auto_encoder(sumi_context *context, void *user)
{
    static const char *const settings[] = {
        "data.kind=shapes",       "data.count=30",
        "data.objects=1",         "data.heights=12, 6",
        "data.widths=6, 12",      "model.kind=autoencoder",
        "model.channels=2",       "model.layers_per_block=1",
        "model.groups=1",         "model.latent_channels=1",
        "model.mid_attention=no", "train.objective=autoencoder",
        "train.batch=2",          "train.steps=2",
        "train.disc_weight=0.5",  "train.disc_start=1",
        "train.disc_channels=1",  "train.disc_layers=1",
    };
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_auto_encoder *coder = NULL;
    sumi_trainer *trainer = NULL;
    (void)user;
    sumi_status status = sumi_recipe_parse(context, "", "test", &recipe);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        STEP(sumi_recipe_set(recipe, settings[i]));
    STEP(sumi_data_open(context, recipe, &data));
    STEP(sumi_auto_encoder_create_from_recipe(context, recipe, data, &coder));
    STEP(sumi_trainer_create_auto_encoder(context, recipe, coder, data, &trainer));
    STEP(sumi_trainer_step(trainer, NULL));
    STEP(sumi_trainer_step(trainer, NULL));
    sumi_trainer_free(trainer);
    sumi_auto_encoder_free(coder);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return status;
}

/* ---- Networks and objectives of the caller's ---- */

static sumi_node build_network(void *user, sumi_graph *graph, const sumi_node *inputs)
{
    (void)user;
    const int64_t shape[] = {2, 2};
    return sumi_op_linear(graph, sumi_op_silu(graph, inputs[0]),
                          sumi_graph_weight(graph, "w", 2, shape, SUMI_START_NORMAL, 1), -1);
}

static sumi_status use_composed(sumi_context *context, void *user)
{
    const sumi_network network = {
        .size = sizeof network, .rank = 1, .shape = {2}, .build = build_network};
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    sumi_array samples = {0};
    (void)user;
    sumi_status status = open_recipe(context, "points", &recipe);
    STEP(sumi_data_open(context, recipe, &data));
    STEP(sumi_model_compose(context, &network, 1, &model));
    STEP(sumi_model_set_scheduler(model, "{\"num_train_timesteps\": 3}"));
    STEP(sumi_trainer_create(context, recipe, model, data, &trainer));
    STEP(sumi_trainer_run(trainer, in_folder("composed"), NULL, NULL));
    STEP(sumi_model_sample(model, NULL, 2, NULL, &samples));
    sumi_array_release(context, &samples);
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return status;
}

/* The sum of exp(w) x and its gradient by w, planned and run. */
static sumi_status use_graph(sumi_context *context, void *user)
{
    (void)user;
    const int64_t shape[] = {2, 3};
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    sumi_plan *plan = NULL;
    sumi_node outputs[2] = {-1, -1};
    sumi_status status = sumi_weights_create(context, 1, &weights);
    STEP(sumi_graph_create(context, weights, true, &graph));
    if (status == SUMI_OK) {
        sumi_node x = sumi_graph_input(graph, "x", 2, shape);
        sumi_node w = sumi_graph_weight(graph, "w", 2, shape, SUMI_START_NORMAL, 1);
        sumi_node half = sumi_graph_constant(graph, 1, &(int64_t){1}, &(float){0.5F});
        sumi_node product = sumi_op_multiply(graph, sumi_op_exp(graph, w), x);
        product = sumi_op_multiply(graph, sumi_op_dropout(graph, product, 0.5), half);
        outputs[0] = sumi_op_sum(graph, product, 3);
        status = sumi_graph_gradients(graph, outputs[0], 1, &w, &outputs[1]);
    }
    STEP(sumi_plan_create(graph, 2, outputs, &plan));
    STEP(sumi_plan_run(plan, 1, 2));
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    return status;
}

/* ---- The tests ---- */

static void networks_of_ones_own_survive_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_composed, NULL);
}

static void training_of_auto_encoders_survives_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_auto_encoder, NULL);
}

static void graphs_and_plans_survive_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_graph, NULL);
}

static void objectives_survive_every_failure(void **state)
{
    (void)state;
    struct variant variants[] = {
        {"points", {"noise.variance=learned_range", "train.objective=hybrid"}},
        {"points",
         {"noise.variance=learned_range", "train.objective=variational", "train.times=importance"}},
        {"points", {"noise.prediction=score", "train.objective=sliced"}},
        {"dpm-heartbeat", {NULL}},
        {"dpm-swissroll", {NULL}},
        {"cnf-moons", {"train.segments=2", "train.method=midpoint"}},
        {"ot-flow-moons", {NULL}},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        for_each_failure(use_objective, &variants[i]);
}

/* The pairs of a teacher, who is made and kept first. */
static void reflow_survives_every_failure(void **state)
{
    (void)state;
    char teacher[SCRATCH_PATH + 16];
    sumi_context *context = NULL;
    sumi_model *model = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_model_create(context,
                                        "{\"_class_name\": \"SumiMLPModel\","
                                        " \"width\": 4, \"depth\": 1}",
                                        1, &model));
    CHECK_OK(context, sumi_model_set_scheduler(
                          model, "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}"));
    CHECK_OK(context, sumi_model_save(model, in_folder("teacher")));
    sumi_model_free(model);
    sumi_context_free(context);
    snprintf(teacher, sizeof teacher, "train.teacher=%s", in_folder("teacher"));
    struct variant variant = {"reflow-moons", {teacher, "train.pairs=4", "train.teacher_steps=2"}};
    for_each_failure(use_objective, &variant);
}

static void training_survives_every_failure(void **state)
{
    (void)state;
    char points[] = "points";
    for_each_failure(use_trainer, points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_survives_every_failure),
        cmocka_unit_test(objectives_survive_every_failure),
        cmocka_unit_test(reflow_survives_every_failure),
        cmocka_unit_test(networks_of_ones_own_survive_every_failure),
        cmocka_unit_test(training_of_auto_encoders_survives_every_failure),
        cmocka_unit_test(graphs_and_plans_survive_every_failure),
    };
    return cmocka_run_group_tests(tests, make_shared_folder, remove_shared_folder);
}
