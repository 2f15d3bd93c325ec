/* Training with each of its allocations failing in turn: the status says so, nothing leaks and
   nothing crashes. */
#include <unistd.h>

#include "check.h"
#include "failing_allocator.h"

#define STEP(expression)                                \
    do {                                                \
        if (status == SUMI_OK) status = (expression);   \
    } while (0)

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The smallest network and the shortest run that still have every part. */
static const char *const small_settings[] = {
    "model.channels=4,8",      "model.layers_per_block=1", "model.groups=2",
    "model.width=8",           "model.depth=2",            "data.count=8",
    "noise.steps=10",          "train.batch=2",            "train.steps=3",
    "sample.steps=2",          "sample.count=2",
};

static sumi_status open_recipe(sumi_context *context, const char *name, sumi_recipe **recipe)
{
    sumi_status status = sumi_recipe_open(context, name, recipe);
    for (size_t i = 0; i < sizeof small_settings / sizeof small_settings[0]; i++) {
        STEP(sumi_recipe_set(*recipe, small_settings[i]));
    }
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

/* ---- The tests ---- */

static void training_survives_every_failure(void **state)
{
    (void)state;
    char points[] = "points";
    for_each_failure(use_trainer, points);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/sumi-memory-XXXXXX");
    return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_survives_every_failure),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
