/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and sampling sets; see eval_sets.h. */
#include "eval_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "interrupt.h"

enum { USUAL_SAMPLES = 1000, MOST_ITEMS = 10000, PATH_LIMIT = 4096 };

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool has_file(const char *folder, const char *name)
{
    char path[PATH_LIMIT];
    struct stat about;
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    return length < PATH_LIMIT && stat(path, &about) == 0;
}

bool eval_is_model(const char *path)
{
    return is_folder(path)
           && (has_file(path, "model_index.json") || has_file(path, "config.json")
               || has_file(path, "recipe.ini"));
}

/* ---- Models ---- */

static int sample(struct inference *inference, int64_t count, struct eval_set *set)
{
    const char *precision = inference->settings->computing.precision;
    int code = inference_set_labels(inference, count);
    if (code != EXIT_DONE) return code;
    struct sampling sampling = inference_sampling(inference);
    double start = clock_now();
    sumi_status status = sampling_draw(&sampling, count, &set->items);
    if (status == SUMI_OK)
        status = sampling_decode(inference->context, inference->model, precision, &set->items);
    set->seconds = clock_now() - start;
    set->evaluations = sumi_solver_evaluations(inference->solver);
    return status == SUMI_OK ? EXIT_DONE : fail_context(inference->context);
}

static int sample_model(const struct eval_reading *reading, const char *path, struct eval_set *set)
{
    struct inference inference = inference_of(reading->context, reading->settings, "eval", path);
    int code = inference_open(&inference, NULL);
    if (code == EXIT_DONE)
        code = sample(&inference, reading->count ? reading->count : USUAL_SAMPLES, set);
    inference_close(&inference);
    return code;
}

int eval_check_model(const struct eval_reading *reading, const char *path)
{
    struct inference inference = inference_of(reading->context, reading->settings, "eval", path);
    int code = inference_open(&inference, NULL);
    inference_close(&inference);
    return code;
}

void eval_set_release(sumi_context *context, struct eval_set *set)
{
    sumi_statistics_free(set->statistics);
    sumi_array_release(context, &set->items);
    sumi_array_release(context, &set->features);
    sumi_array_release(context, &set->logits);
    *set = (struct eval_set){.name = NULL};
}

/* ---- Data sets ---- */

/* The first items of a data set. */
static sumi_status take_items(const struct eval_reading *reading, sumi_data *data,
                              sumi_array *items)
{
    int64_t most = reading->count ? reading->count : MOST_ITEMS, all = sumi_data_count(data);
    int64_t shape[1 + SUMI_MAX_RANK] = {all < most ? all : most};
    int rank = 1 + sumi_data_shape(data, shape + 1);
    int64_t *indices = calloc((size_t)shape[0], sizeof *indices);
    sumi_status status = indices ? SUMI_OK : SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < shape[0] && indices; i++) indices[i] = i;
    if (status == SUMI_OK) status = sumi_array_create(reading->context, rank, shape, items);
    if (status == SUMI_OK) status = sumi_data_read(data, indices, shape[0], items->data, NULL);
    free(indices);
    return status;
}

/* Takes the recipe and releases it. */
static int read_data(const struct eval_reading *reading, sumi_recipe *recipe, struct eval_set *set)
{
    sumi_data *data = NULL;
    sumi_status status = SUMI_OK;
    for (int i = 0; i < reading->sets->count && status == SUMI_OK; i++)
        status = sumi_recipe_set(recipe, reading->sets->items[i]);
    int code = status == SUMI_OK ? EXIT_DONE : fail_argument(reading->context, status);
    if (code == EXIT_DONE
        && (sumi_data_open(reading->context, recipe, &data) != SUMI_OK
            || take_items(reading, data, &set->items) != SUMI_OK))
        code = fail_context(reading->context);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return code;
}

static int read_recipe(const struct eval_reading *reading, const char *name, struct eval_set *set)
{
    sumi_recipe *recipe = NULL;
    sumi_status status = sumi_recipe_open(reading->context, name, &recipe);
    if (status != SUMI_OK) return fail_argument(reading->context, status);
    return read_data(reading, recipe, set);
}

int eval_read_training(const struct eval_reading *reading, const char *folder, struct eval_set *set)
{
    char path[PATH_LIMIT];
    if (!has_file(folder, "recipe.ini")
        || snprintf(path, sizeof path, "%s/recipe.ini", folder) >= PATH_LIMIT)
        return fail(EXIT_USAGE, "eval: %s has no recipe.ini; name the reference as the second set",
                    folder);
    return read_recipe(reading, path, set);
}

/* ---- Files ---- */

/* Sets the keys of a folder of pictures: the size and channels of `like`, or those of the first. */
static sumi_status describe_pictures(const sumi_array *like, const char *path, sumi_recipe *recipe)
{
    bool sized = like && like->rank == 4;
    sumi_status status = sumi_recipe_set(recipe, "data.kind=folder");
    if (status == SUMI_OK) status = sumi_recipe_set_text(recipe, "data.path", path);
    if (status == SUMI_OK)
        status = sumi_recipe_set_number(recipe, "data.height", sized ? (double)like->shape[1] : 0);
    if (status == SUMI_OK)
        status = sumi_recipe_set_number(recipe, "data.width", sized ? (double)like->shape[2] : 0);
    if (status == SUMI_OK)
        status = sumi_recipe_set(recipe, sized && like->shape[3] == 1 ? "data.channels=1"
                                                                      : "data.channels=3");
    if (status == SUMI_OK) status = sumi_recipe_set(recipe, "data.memory=0");
    if (status == SUMI_OK) status = sumi_recipe_set(recipe, "data.labels=no");
    return status;
}

static int read_pictures(const struct eval_reading *reading, const char *path, struct eval_set *set)
{
    sumi_recipe *recipe = NULL;
    char place[PATH_LIMIT];
    snprintf(place, sizeof place, "%s%s", strchr(path, '/') ? "" : "./", path);
    sumi_status status = sumi_recipe_open(reading->context, "digits", &recipe);
    if (status == SUMI_OK) status = describe_pictures(reading->like, place, recipe);
    if (status != SUMI_OK) {
        sumi_recipe_free(recipe);
        return fail_argument(reading->context, status);
    }
    return read_data(reading, recipe, set);
}

/* An array, whose first items are kept. */
static int read_array(const struct eval_reading *reading, const char *path, struct eval_set *set)
{
    if (sumi_array_read(reading->context, path, &set->items) != SUMI_OK)
        return fail_context(reading->context);
    if (set->items.rank < 2)
        return fail(EXIT_FAILED, "%s: expected items [n, item], not a list of numbers", path);
    if (reading->count && reading->count < set->items.shape[0])
        set->items.shape[0] = reading->count;
    return EXIT_DONE;
}

int eval_read(const struct eval_reading *reading, const char *path, struct eval_set *set)
{
    set->name = path;
    if (has_ending(path, ".npz")) {
        sumi_status status = sumi_statistics_read(reading->context, path, &set->statistics);
        return status == SUMI_OK ? EXIT_DONE : fail_context(reading->context);
    }
    if (eval_is_model(path)) return sample_model(reading, path, set);
    if (has_ending(path, ".npy") || has_ending(path, ".csv")) return read_array(reading, path, set);
    if (is_folder(path) || has_ending(path, ".png") || has_ending(path, ".jpg")
        || has_ending(path, ".jpeg"))
        return read_pictures(reading, path, set);
    return read_recipe(reading, path, set);
}
