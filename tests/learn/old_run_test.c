/* SPDX-License-Identifier: Apache-2.0 */
/* Run folders that an earlier version wrote (tests/data/old_run): this one resumes them, with the
   results of the earlier version. */
#include <math.h>

#include "learn/checkpoint.h"
#include "scratch.h"

enum { BEFORE = 8, STEPS = 16 };

/* A resumed run, and the results of the version that wrote its folder, on one thread. */
struct old_run {
    const char *name;
    double losses[STEPS]; /* the first BEFORE lie in the checkpoint */
    double sum, squares;  /* over 4 samples of the averaged weights by 5 steps of ddim */
};

static const struct old_run points = {.name = "points",
                                      .losses = {1.30215299, 1.10554886, 1.22358787, 0.403695613,
                                                 1.07799542, 0.763090134, 0.532646775, 0.580681145,
                                                 0.755892992, 0.843173504, 0.689206898, 0.837335885,
                                                 0.494447619, 0.433189452, 0.66334343, 0.714300692},
                                      .sum = -0.274968669,
                                      .squares = 51.3548714};
static const struct old_run digits = {.name = "digits",
                                      .losses = {1.08778262, 1.00995731, 0.975767076, 0.884295344,
                                                 0.845107973, 0.797787666, 0.708627582, 0.674290895,
                                                 0.642675996, 0.70101279, 0.652301967, 0.60757041,
                                                 0.664195538, 0.630219102, 0.62063396, 0.576406479},
                                      .sum = -1010.25802,
                                      .squares = 1435.42034};

/* Another processor rounds sums in another order, some 1e-7 of a loss in 8 steps; a step that went
   otherwise changes it by 1e-2. */
static const double TOLERANCE = 1e-5;

struct resumed {
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;
    sumi_trainer *trainer;
};

static void resume(scratch *room, const struct old_run *run, struct resumed *r)
{
    char path[512];
    CHECK_OK(room->context, sumi_context_set_threads(room->context, 1));
    snprintf(path, sizeof path, "%s/old_run/%s/%s", TEST_DATA, run->name, RECIPE_NAME);
    CHECK_OK(room->context, sumi_recipe_open(room->context, path, &r->recipe));
    CHECK_OK(room->context, sumi_data_open(room->context, r->recipe, &r->data));
    CHECK_OK(room->context,
             sumi_model_create_from_recipe(room->context, r->recipe, r->data, &r->model));
    CHECK_OK(room->context,
             sumi_trainer_create(room->context, r->recipe, r->model, r->data, &r->trainer));
    snprintf(path, sizeof path, "%s/old_run/%s/%s", TEST_DATA, run->name, CHECKPOINT_NAME);
    CHECK_OK(room->context, sumi_trainer_load(r->trainer, path));
    assert_int_equal(sumi_trainer_steps_done(r->trainer), BEFORE);
    for (int i = BEFORE; i < STEPS; i++)
        CHECK_OK(room->context, sumi_trainer_step(r->trainer, NULL));
}

static void release(struct resumed *r)
{
    sumi_trainer_free(r->trainer);
    sumi_model_free(r->model);
    sumi_data_free(r->data);
    sumi_recipe_free(r->recipe);
}

static void check_samples(scratch *room, const struct resumed *r, const struct old_run *run)
{
    sumi_solver *solver = NULL;
    sumi_array samples = {0};
    double sum = 0, squares = 0;
    CHECK_OK(room->context, sumi_trainer_use_average(r->trainer, true));
    CHECK_OK(room->context, sumi_model_solver(r->model, "ddim", &solver));
    CHECK_OK(room->context, sumi_solver_set(solver, "steps", "5"));
    /* the spacing that the folder's scheduler_config.json has; recipes have another by now */
    CHECK_OK(room->context, sumi_solver_set(solver, "timestep_spacing", "leading"));
    CHECK_OK(room->context, sumi_model_sample(r->model, solver, 4, NULL, &samples));
    int64_t count = sumi_array_count(&samples);
    for (int64_t i = 0; i < count; i++) {
        sum += samples.data[i];
        squares += (double)samples.data[i] * samples.data[i];
    }
    double scale = sqrt(run->squares * (double)count); /* the largest that a sum could be */
    CHECK_CLOSE(sum, run->sum, TOLERANCE * scale);
    CHECK_CLOSE(squares, run->squares, TOLERANCE * run->squares);
    sumi_array_release(room->context, &samples);
    sumi_solver_free(solver);
}

static void check_run(void **state, const struct old_run *run)
{
    scratch *room = *state;
    struct resumed r;
    const float *losses;
    resume(room, run, &r);
    assert_int_equal(sumi_trainer_losses(r.trainer, &losses), STEPS);
    for (int i = 0; i < BEFORE; i++)
        CHECK_CLOSE((double)losses[i], run->losses[i], 1e-8 * run->losses[i]);
    for (int i = BEFORE; i < STEPS; i++)
        CHECK_CLOSE((double)losses[i], run->losses[i], TOLERANCE * run->losses[i]);
    check_samples(room, &r, run);
    release(&r);
}

static void an_old_run_of_points_continues_bit_for_bit(void **state)
{
    check_run(state, &points);
}

static void an_old_run_of_pictures_by_class_continues_bit_for_bit(void **state)
{
    check_run(state, &digits);
}

static char *state_of(scratch *room, const struct resumed *r, size_t *size)
{
    const char *path = scratch_path(room, "state.safetensors");
    CHECK_OK(room->context, sumi_trainer_save(r->trainer, path));
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    char *bytes = malloc(1 << 18);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 1 << 18, stream);
    assert_true(*size > 0 && *size < 1 << 18);
    fclose(stream);
    return bytes;
}

static void an_old_run_resumed_twice_gives_the_same_bytes(void **state)
{
    scratch *room = *state;
    struct resumed r;
    size_t first_size, second_size;
    resume(room, &digits, &r);
    char *first = state_of(room, &r, &first_size);
    release(&r);
    resume(room, &digits, &r);
    char *second = state_of(room, &r, &second_size);
    release(&r);
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    free(first);
    free(second);
}

static void the_model_of_an_old_run_opens(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    CHECK_OK(room->context, sumi_model_open(room->context, TEST_DATA "/old_run/digits", &model));
    assert_int_equal(sumi_model_classes(model), 10);
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_old_run_of_points_continues_bit_for_bit),
        SCRATCH_TEST(an_old_run_of_pictures_by_class_continues_bit_for_bit),
        SCRATCH_TEST(an_old_run_resumed_twice_gives_the_same_bytes),
        SCRATCH_TEST(the_model_of_an_old_run_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
