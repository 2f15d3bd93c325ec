/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds and densities with each of their allocations failing in turn. */
#include "failing_allocator.h"
#include "measure/heartbeat.h"

/* The solver of these options, and a likelihood with a setting. */
struct scene {
    sumi_solver *solver;
    sumi_likelihood *likelihood;
};

static sumi_status open_scene(sumi_context *context, const char *solver, const char *options,
                              struct scene *scene)
{
    *scene = (struct scene){NULL, NULL};
    sumi_status status = sumi_solver_create(context, solver, &scene->solver);
    STEP(sumi_solver_configure(scene->solver, options));
    STEP(sumi_likelihood_create(context, scene->solver, &scene->likelihood));
    return status;
}

static void close_scene(struct scene *scene)
{
    sumi_likelihood_free(scene->likelihood);
    sumi_solver_free(scene->solver);
}

static sumi_status open_data(sumi_context *context, const char *recipe_name, sumi_data **data)
{
    sumi_recipe *recipe = NULL;
    sumi_status status = sumi_recipe_open(context, recipe_name, &recipe);
    STEP(sumi_recipe_set(recipe, "data.count=4"));
    STEP(sumi_data_open(context, recipe, data));
    sumi_recipe_free(recipe);
    return status;
}

/* Predicts that all is noise. */
static sumi_status repeat(void *user, int64_t count, int64_t item_size, int64_t output_size,
                          const float *x, const float *times, float *output)
{
    (void)user, (void)times;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < output_size; j++)
            output[i * output_size + j] = x[i * item_size + j % item_size];
    }
    return SUMI_OK;
}

static sumi_status use_bound(sumi_context *context, void *options)
{
    struct scene scene;
    sumi_data *data = NULL;
    sumi_status status = open_scene(context, "ddpm", options, &scene);
    STEP(sumi_likelihood_set(scene.likelihood, "decoder", "gaussian"));
    STEP(open_data(context, "points", &data));
    STEP(sumi_likelihood_bound(scene.likelihood, repeat, NULL, data, NULL, NULL));
    sumi_data_free(data);
    close_scene(&scene);
    return status;
}

static sumi_status use_bound_of_bits(sumi_context *context, void *steps)
{
    struct scene scene;
    sumi_data *data = NULL;
    sumi_status status = open_scene(context, "binomial", "{\"num_train_timesteps\": 5}", &scene);
    STEP(open_data(context, "dpm-heartbeat", &data));
    STEP(sumi_likelihood_bound(scene.likelihood, beat_denoiser, steps, data, NULL, NULL));
    sumi_data_free(data);
    close_scene(&scene);
    return status;
}

/* The same and its transposed derivative, the identity. */
static sumi_status repeat_with_product(void *user, int64_t count, int64_t item_size,
                                       int64_t output_size, const float *x, const float *times,
                                       const float *vectors, float *output, float *products)
{
    memcpy(products, vectors, (size_t)(count * item_size) * sizeof *products);
    return repeat(user, count, item_size, output_size, x, times, output);
}

static sumi_status use_density(sumi_context *context, void *method)
{
    static const char options[] = "{\"path\": \"flow\", \"prediction_type\": \"velocity\"}";
    const float x[] = {0.5F, -1, 2, 0.25F};
    double bits[2];
    struct scene scene;
    sumi_status status = open_scene(context, "flow-euler", options, &scene);
    STEP(sumi_likelihood_set(scene.likelihood, "method", method));
    if (strcmp(method, "rk45") != 0) STEP(sumi_likelihood_set(scene.likelihood, "steps", "3"));
    STEP(sumi_likelihood_density(scene.likelihood, repeat_with_product, NULL, 2, (int64_t[]){2, 2},
                                 x, bits, NULL, NULL));
    close_scene(&scene);
    return status;
}

static sumi_status use_model(sumi_context *context, void *user)
{
    (void)user;
    const float x[] = {0.5F, -1, 2, 0.25F};
    double bits[2];
    struct scene scene;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_session *session = NULL;
    sumi_status status = open_scene(context, "ddpm", "{\"num_train_timesteps\": 4}", &scene);
    STEP(sumi_likelihood_set(scene.likelihood, "decoder", "gaussian"));
    STEP(sumi_likelihood_set(scene.likelihood, "method", "euler"));
    STEP(sumi_likelihood_set(scene.likelihood, "steps", "2"));
    STEP(open_data(context, "points", &data));
    STEP(sumi_model_create(
        context, "{\"_class_name\": \"SumiMLPModel\", \"width\": 4, \"depth\": 1}", 1, &model));
    STEP(sumi_session_create(context, model, &session));
    STEP(sumi_session_bound(session, scene.likelihood, data, NULL, NULL));
    STEP(
        sumi_session_density(session, scene.likelihood, 2, (int64_t[]){2, 2}, x, bits, NULL, NULL));
    sumi_session_free(session);
    sumi_model_free(model);
    sumi_data_free(data);
    close_scene(&scene);
    return status;
}

static void bounds_survive_every_failure(void **state)
{
    (void)state;
    char fixed[] = "{\"num_train_timesteps\": 5}";
    char learned[] = "{\"num_train_timesteps\": 5, \"variance_type\": \"learned_range\"}";
    for_each_failure(use_bound, fixed);
    for_each_failure(use_bound, learned);
}

static void bounds_of_bits_survive_every_failure(void **state)
{
    (void)state;
    int steps = 5;
    for_each_failure(use_bound_of_bits, &steps);
}

static void densities_survive_every_failure(void **state)
{
    (void)state;
    char fixed[] = "midpoint", adaptive[] = "rk45";
    for_each_failure(use_density, fixed);
    for_each_failure(use_density, adaptive);
}

static void measures_of_models_survive_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_model, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_survive_every_failure),
        cmocka_unit_test(bounds_of_bits_survive_every_failure),
        cmocka_unit_test(densities_survive_every_failure),
        cmocka_unit_test(measures_of_models_survive_every_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
