/* SPDX-License-Identifier: Apache-2.0 */
/* Every public call, with each of its allocations failing in turn: the status says so, nothing
   leaks and nothing crashes. */
#include <unistd.h>

#include "base/context.h"
#include "failing_allocator.h"
#include "files/fetch.h"
#include "shared_folder.h"

static sumi_status use_context(sumi_context *context, void *user)
{
    (void)user;
    return sumi_context_set_threads(context, 2);
}

static sumi_status use_array(sumi_context *context, void *user)
{
    (void)user;
    const int64_t shape[] = {2, 3, 4};
    sumi_array first = {0}, second = {0};
    sumi_status status = sumi_array_create(context, 3, shape, &first);
    STEP(sumi_array_create(context, 2, shape, &second));
    sumi_array_release(context, &first);
    sumi_array_release(context, &second);
    return status;
}

static sumi_status use_recipe(sumi_context *context, void *name)
{
    sumi_recipe *recipe = NULL, *again = NULL;
    sumi_status status = sumi_recipe_open(context, name, &recipe);
    STEP(sumi_recipe_set(recipe, "train.steps=17"));
    STEP(sumi_recipe_write(recipe, in_folder("recipe.ini")));
    STEP(sumi_recipe_open(context, in_folder("recipe.ini"), &again));
    if (status == SUMI_OK) assert_string_equal(sumi_recipe_get(again, "train.steps"), "17");
    sumi_recipe_free(again);
    sumi_recipe_free(recipe);
    return status;
}

static sumi_status use_fetch(sumi_context *context, void *source)
{
    const fetch_file file = {"hello.txt", "5d41402abc4b2a76b9719d911017c592", false, 100, NULL, 0};
    const fetch_set set = {.name = "set",
                           .url = "http://127.0.0.1:1",
                           .files = &file,
                           .file_count = 1,
                           .stall_seconds = 1};
    unlink(in_folder("cache/hello.txt"));
    return fetch_files(context, &set, source, in_folder("cache"), NULL, NULL);
}

static sumi_status use_drawings(sumi_context *context, void *user)
{
    (void)user;
    const char *const titles[] = {"first", "second"};
    const float losses[] = {3, 2, 1, 0.5F};
    const double x[] = {1, 2, 4}, y[] = {3, 1, 0.1};
    const sumi_line lines[] = {{sizeof *lines, "one", 3, x, y}, {sizeof *lines, "other", 2, y, x}};
    sumi_array paths = {3, {2, 1, 2}, (float[]){0, 1, 0.5F, -1}};
    sumi_array arrows = {2, {1, 4}, (float[]){0, 0, 1, 1}};
    sumi_array images = {0}, waves = {0}, points = {0}, frames = {0};
    sumi_status status = sumi_array_create(context, 4, (int64_t[]){2, 8, 8, 1}, &images);
    STEP(sumi_array_create(context, 3, (int64_t[]){2, 16, 1}, &waves));
    STEP(sumi_array_create(context, 2, (int64_t[]){9, 2}, &points));
    STEP(sumi_array_create(context, 5, (int64_t[]){2, 2, 8, 8, 1}, &frames));
    STEP(sumi_draw_grid(context, &images, 0, in_folder("images.png")));
    STEP(sumi_draw_grid(context, &waves, 2, in_folder("waves.png")));
    STEP(sumi_draw_grid(context, &points, 0, in_folder("points.png")));
    STEP(sumi_draw_points(context, &points, &paths, &arrows, in_folder("density.png")));
    STEP(sumi_draw_lines(context, lines, 2, "title", "x", "y", in_folder("lines.png")));
    STEP(sumi_draw_losses(context, losses, 4, "loss", in_folder("losses.png")));
    STEP(sumi_draw_filmstrip(context, &frames, titles, in_folder("filmstrip.png")));
    STEP(sumi_draw_table(context, &frames, titles, titles, in_folder("table.png")));
    sumi_array_release(context, &frames);
    sumi_array_release(context, &points);
    sumi_array_release(context, &waves);
    sumi_array_release(context, &images);
    return status;
}

static sumi_status write_and_read(sumi_context *context, const sumi_array *array, const char *name)
{
    sumi_array back = {0};
    sumi_status status = sumi_array_write(context, in_folder(name), array);
    STEP(sumi_array_read(context, in_folder(name), &back));
    sumi_array_release(context, &back);
    return status;
}

static sumi_status use_array_files(sumi_context *context, void *user)
{
    (void)user;
    sumi_array image = {0}, table = {0};
    sumi_status status = sumi_array_create(context, 3, (int64_t[]){8, 8, 3}, &image);
    STEP(sumi_array_create(context, 2, (int64_t[]){4, 3}, &table));
    STEP(write_and_read(context, &image, "image.npy"));
    STEP(write_and_read(context, &image, "image.png"));
    STEP(write_and_read(context, &table, "table.csv"));
    sumi_array_release(context, &table);
    sumi_array_release(context, &image);
    return status;
}

static sumi_status use_data(sumi_context *context, void *name)
{
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    float *items = malloc(2 * 28 * 28 * sizeof(float));
    int32_t labels[2];
    assert_non_null(items);
    sumi_status status = sumi_recipe_open(context, name, &recipe);
    STEP(sumi_recipe_set(recipe, "data.count=8"));
    STEP(sumi_data_open(context, recipe, &data));
    STEP(sumi_data_read(data, (int64_t[]){0, 7}, 2, items, labels));
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    free(items);
    return status;
}

static sumi_status predict_nothing(void *user, int64_t count, int64_t item_size,
                                   int64_t output_size, const float *x, const float *times,
                                   float *output)
{
    (void)output_size;
    (void)user, (void)x, (void)times;
    memset(output, 0, (size_t)(count * item_size) * sizeof *output);
    return SUMI_OK;
}

static sumi_status use_solver(sumi_context *context, void *name)
{
    static const char config[] = "{\"num_train_timesteps\": 20, \"beta_schedule\": \"linear\","
                                 " \"original_inference_steps\": 10}";
    const int64_t shape[] = {2, 8};
    float x[16], noise[16] = {0};
    sumi_solver *solver = NULL;
    sumi_status status = sumi_solver_create(context, name, &solver);
    STEP(sumi_solver_configure(solver, config));
    STEP(sumi_solver_set(solver, "steps", "4"));
    STEP(sumi_solver_start(solver, 2, shape, x));
    STEP(sumi_solver_run(solver, predict_nothing, NULL, 2, shape, x, NULL, NULL));
    STEP(sumi_solver_add_noise(solver, 16, x, noise, 1, x));
    sumi_solver_free(solver);
    return status;
}

/* ---- The tests ---- */

static void contexts_survive_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_context, NULL);
}

static void arrays_survive_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_array, NULL);
}

static void recipes_survive_every_failure(void **state)
{
    (void)state;
    for (int i = 0; sumi_recipe_name(i); i++) {
        for_each_failure(use_recipe, (void *)(uintptr_t)sumi_recipe_name(i));
    }
}

static void fetching_survives_every_failure(void **state)
{
    (void)state;
    FILE *stream = fopen(in_folder("hello.txt"), "w");
    assert_non_null(stream);
    fputs("hello", stream);
    fclose(stream);
    for_each_failure(use_fetch, shared_folder);
}

static void drawings_survive_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_drawings, NULL);
}

static void array_files_survive_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_array_files, NULL);
}

static void data_sets_survive_every_failure(void **state)
{
    (void)state;
    char morlet[] = "morlet", digits[] = "digits", points[] = "points";
    for_each_failure(use_data, morlet);
    for_each_failure(use_data, digits);
    for_each_failure(use_data, points);
}

static void solvers_survive_every_failure(void **state)
{
    (void)state;
    sumi_solver_info info = {.size = sizeof info};
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        for_each_failure(use_solver, (void *)(uintptr_t)info.name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_survive_every_failure),
        cmocka_unit_test(arrays_survive_every_failure),
        cmocka_unit_test(recipes_survive_every_failure),
        cmocka_unit_test(array_files_survive_every_failure),
        cmocka_unit_test(data_sets_survive_every_failure),
        cmocka_unit_test(solvers_survive_every_failure),
        cmocka_unit_test(drawings_survive_every_failure),
        cmocka_unit_test(fetching_survives_every_failure),
    };
    return cmocka_run_group_tests(tests, make_shared_folder, remove_shared_folder);
}
