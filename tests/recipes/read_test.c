/* SPDX-License-Identifier: Apache-2.0 */
/* Every key of recipes of many kinds with other values than its own: where a value is accepted, the
   data, the model, its scheduler or the first losses are others; else it is refused. */
#include "recipes/keys.h"

#include "one_context.h"

enum { STEPS = 5, MOST_VALUES = 8, VALUE_SIZE = 64, ITEMS = 12 };

#define SMALL "data.count=12; noise.steps=10; train.batch=4; train.steps=5; train.warmup=1; "
#define POINTS SMALL "model.kind=mlp; model.width=8; model.depth=1; "

/* Recipes of each kind of data, network, path and objective. */
static const char *const bases[] = {
    POINTS "data.kind=moons",
    POINTS "data.kind=heartbeat; noise.path=binomial; noise.schedule=binomial; "
           "train.objective=bits",
    SMALL "data.kind=morlet; data.length=8; model.kind=unet1d; model.channels=4, 4; model.groups=2",
    SMALL "data.kind=noise; data.shape=4, 4, 1; model.kind=unet2d; model.channels=4, 4; "
          "model.groups=2",
    SMALL "data.kind=noise; data.shape=4, 4, 1; data.labels=yes; model.kind=unet2d; "
          "model.channels=4, 4; model.groups=2; model.class_conditional=yes",
    POINTS "data.kind=moons; noise.path=vp",
    POINTS "data.kind=moons; noise.path=sub_vp",
    POINTS "data.kind=moons; noise.path=ve",
    POINTS "data.kind=moons; noise.path=edm",
    POINTS "data.kind=moons; noise.path=cosine; noise.prediction=v_prediction",
    POINTS "data.kind=moons; noise.path=flow; noise.prediction=flow_prediction",
    POINTS "data.kind=moons; noise.path=flow; noise.prediction=flow_prediction; "
           "train.coupling=optimal",
    POINTS "data.kind=moons; noise.path=flow; noise.prediction=flow_prediction; "
           "train.objective=likelihood; train.segments=2",
    POINTS "data.kind=moons; train.objective=variational",
    POINTS "data.kind=moons; train.objective=hybrid; noise.variance=learned_range",
    POINTS "data.kind=moons; train.objective=sliced; noise.path=ve; "
           "noise.prediction=score",
    POINTS "data.kind=moons; train.objective=betas; noise.variance=learned_range",
    POINTS "data.kind=moons; train.weighting=min_snr",
    POINTS "data.kind=moons; noise.path=vp; train.times=log_normal",
    POINTS "data.kind=moons; train.decay=cosine; train.ema=0",
    POINTS "data.kind=gaussians; noise.thresholding=yes",
};
enum { BASES = sizeof bases / sizeof *bases };

/* Keys that change only how a run is computed or kept; that only networks with convolutions read
   (precision); or only models of another path than the recipe's (log_mean, with times "auto"). */
static bool is_of_the_way(const char *key)
{
    static const char *const keys[] = {"recipe.summary",      "data.memory",
                                       "data.readers",        "train.accumulate",
                                       "train.recompute",     "train.log_mean",
                                       "train.log_deviation", "train.precision",
                                       "sample.solver",       "sample.steps",
                                       "sample.count",        "sample.columns",
                                       "train.steps",         "train.checkpoint_every",
                                       "train.ema",           "train.ema_warmup"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0) return true;
    return false;
}

static void mix(uint64_t *hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
}

static sumi_status set_all(sumi_recipe *recipe, const char *settings)
{
    sumi_status status = SUMI_OK;
    while (*settings && status == SUMI_OK) {
        char one[160];
        size_t length = strcspn(settings, ";");
        snprintf(one, sizeof one, "%.*s", (int)length, settings);
        status = sumi_recipe_set(recipe, one);
        settings += length + (settings[length] == ';');
        settings += strspn(settings, " ");
    }
    return status;
}

static sumi_status mix_items(sumi_data *data, uint64_t *hash)
{
    int64_t shape[SUMI_MAX_RANK], size = 1, count = sumi_data_count(data);
    int rank = sumi_data_shape(data, shape);
    for (int i = 0; i < rank; i++) size *= shape[i];
    mix(hash, shape, (size_t)rank * sizeof *shape);
    mix(hash, &count, sizeof count);
    float *item = malloc((size_t)size * sizeof *item);
    sumi_status status = item ? SUMI_OK : SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count && i < ITEMS && status == SUMI_OK; i++) {
        int32_t label = 0;
        status = sumi_data_read(data, &i, 1, item, &label);
        mix(hash, item, (size_t)size * sizeof *item);
        mix(hash, &label, sizeof label);
    }
    free(item);
    return status;
}

/* All that the recipe comes to. */
static sumi_status come_to(const sumi_recipe *recipe, uint64_t *hash)
{
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    sumi_status status = sumi_data_open(context, recipe, &data);
    if (status == SUMI_OK) status = mix_items(data, hash);
    if (status == SUMI_OK) status = sumi_model_create_from_recipe(context, recipe, data, &model);
    if (status == SUMI_OK) {
        mix(hash, sumi_model_config(model), strlen(sumi_model_config(model)));
        mix(hash, sumi_model_scheduler(model), strlen(sumi_model_scheduler(model)));
        status = sumi_trainer_create(context, recipe, model, data, &trainer);
    }
    for (int step = 0; step < STEPS && status == SUMI_OK; step++) {
        double loss = 0;
        status = sumi_trainer_step(trainer, &loss);
        mix(hash, &loss, sizeof loss);
    }
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    return status;
}

/* With a key set, unless it is NULL. */
static sumi_status run(const char *base, const char *key, const char *value, uint64_t *hash)
{
    sumi_recipe *recipe = NULL;
    *hash = 0xcbf29ce484222325;
    CHECK_OK(context, sumi_recipe_parse(context, "", "base", &recipe));
    CHECK_OK(context, set_all(recipe, base));
    sumi_status status = key ? sumi_recipe_set_text(recipe, key, value) : SUMI_OK;
    if (status == SUMI_OK) status = come_to(recipe, hash);
    sumi_recipe_free(recipe);
    return status;
}

static void add(char values[][VALUE_SIZE], int *count, const char *value, const char *now)
{
    if (*count < MOST_VALUES && strcmp(value, now) != 0)
        snprintf(values[(*count)++], VALUE_SIZE, "%s", value);
}

/* Values other than the present one. */
static int other_values(const sumi_option *option, const char *now, char values[][VALUE_SIZE])
{
    char text[VALUE_SIZE];
    int count = 0;
    bool whole = strcmp(option->type, "whole") == 0;
    if (strcmp(option->type, "flag") == 0) add(values, &count, now[0] == 'y' ? "no" : "yes", now);
    if (strcmp(option->type, "seed") == 0) add(values, &count, "7", now);
    if (strcmp(option->type, "flags") == 0) add(values, &count, "yes, no", now);
    if (strcmp(option->type, "wholes") == 0) add(values, &count, "8, 8", now);
    if (strcmp(option->type, "choice") == 0) {
        for (const char *choice = option->choices; choice;) {
            size_t length = strcspn(choice, "|");
            snprintf(text, sizeof text, "%.*s", (int)length, choice);
            add(values, &count, text, now);
            choice = choice[length] ? choice + length + 1 : NULL;
        }
    }
    const double tried[] = {2, 6, 0.3, 0.02, 30};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        if (strcmp(option->type, "number") != 0 && !whole) break;
        if (tried[i] < option->low || tried[i] > option->high) continue;
        if (whole && tried[i] != floor(tried[i])) continue;
        snprintf(text, sizeof text, "%g", tried[i]);
        add(values, &count, text, now);
    }
    return count;
}

/* The number of values that are accepted and change nothing, each printed. */
static int faults_of(const char *base, const sumi_option *option, const char *now)
{
    char values[MOST_VALUES][VALUE_SIZE];
    uint64_t plain, changed;
    int count = other_values(option, now, values), faults = 0;
    /* "auto" times and a weight of 1 are each another choice, too, on some paths */
    bool any =
        strcmp(option->name, "train.times") == 0 || strcmp(option->name, "train.weighting") == 0;
    bool each = !any && (strcmp(option->type, "choice") == 0 || strcmp(option->type, "flag") == 0);
    CHECK_OK(context, run(base, NULL, NULL, &plain));
    for (int i = 0; i < count; i++) {
        if (run(base, option->name, values[i], &changed) != SUMI_OK || plain != changed) continue;
        faults++;
        if (each || faults == count)
            print_error("%s\n    %s = %s is accepted and changes nothing\n", base + strlen(SMALL),
                        option->name, values[i]);
    }
    return each || faults == count ? faults : 0;
}

static void a_key_changes_what_a_recipe_comes_to_or_is_refused(void **state)
{
    (void)state;
    int faults = 0;
    CHECK_OK(context, sumi_context_set_threads(context, 1));
    for (int b = 0; b < BASES; b++) {
        sumi_recipe *recipe = NULL;
        sumi_option option = {.size = sizeof option};
        CHECK_OK(context, sumi_recipe_parse(context, "", "base", &recipe));
        CHECK_OK(context, set_all(recipe, bases[b]));
        for (int i = 0; sumi_recipe_option(recipe, i, &option); i++)
            if (!is_of_the_way(option.name))
                faults += faults_of(bases[b], &option, sumi_recipe_get(recipe, option.name));
        sumi_recipe_free(recipe);
    }
    assert_int_equal(faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_changes_what_a_recipe_comes_to_or_is_refused),
    };
    return cmocka_run_group_tests(tests, make_context, leave_context);
}
