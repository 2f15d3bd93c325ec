/* SPDX-License-Identifier: Apache-2.0 */
/* What `sumi train` refuses before the first step: solvers that cannot sample the model, and
   folders where the run's files cannot be written. And its pictures of data of any shape. */
#include "running.h"

#define TINY                                                                                       \
    "--threads 1 --tune off -q --set train.steps=2 --set train.batch=4 --set sample.count=6 "
#define MLP "--set model.width=8 --set model.depth=1 "

/* A .npy file of float32 whose numbers are waves of their places. */
static void write_array(const place *here, const char *name, const char *shape, int64_t count)
{
    char path[256], header[119];
    snprintf(path, sizeof path, "%s/%s", here->folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }",
             shape);
    fwrite("\x93NUMPY\x01\x00v\x00", 1, 10, file);
    fprintf(file, "%-117s\n", header);
    for (int64_t i = 0; i < count; i++) {
        float value = sinf(0.7f * (float)i);
        fwrite(&value, sizeof value, 1, file);
    }
    assert_int_equal(fclose(file), 0);
}

/* Refused at once: nothing was made. */
static void check_refused(place *here, const char *settings, const char *reason)
{
    char line[512];
    snprintf(line, sizeof line, "sumi train points " TINY MLP "--out run %s", settings);
    run(here, line);
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "sumi: no samples could be drawn after the training");
    CHECK_HOLDS(here->err, reason);
    run(here, "test ! -e run");
    CHECK_DONE(here);
}

static void samples_that_could_not_be_drawn_are_refused_before_the_training(void **state)
{
    place *here = *state;
    check_refused(here, "--set sample.solver=foo", "there is no solver \"foo\"");
    check_refused(here, "--set sample.steps=5000", "more than the schedule's 100 times");
    check_refused(here, "--set sample.solver=binomial", "is for a diffusion of bits");
    check_refused(here, "--set noise.zero_snr=yes", "no signal is left at time 99");
}

static void whatever_a_run_draws_at_its_end_it_has_rehearsed(void **state)
{
    place *here = *state;
    run(here, "sumi train points " TINY MLP "--out run --set noise.zero_snr=yes "
              "--set noise.prediction=v_prediction --set train.weighting=min_snr");
    CHECK_DONE(here);
    run(here, "sumi train points " TINY MLP "--out run --force --set sample.solver=rk45");
    CHECK_DONE(here);
}

static void data_of_every_shape_end_with_a_picture(void **state)
{
    place *here = *state;
    static const struct {
        const char *shape, *recipe, *settings;
        int64_t count;
    } CASES[] = {
        {"30, 3", "points", MLP, 90},
        {"30, 1", "points", MLP, 30},
        {"30,", "points", MLP, 30},
        {"30, 4", "points", MLP, 120},
        {"30, 7", "points", MLP, 210},
        {"8, 8, 8, 5", "digits", "--set model.channels=8,8 --set sample.steps=3", 2560},
        {"8, 8, 8, 2", "digits", "--set model.channels=8,8 --set sample.steps=3", 1024},
        {"8, 32, 2", "morlet", "--set model.channels=8,8 --set sample.steps=3", 512},
        {"8, 4, 70", "morlet", "--set model.channels=8,8 --set sample.steps=3", 2240},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char line[512];
        write_array(here, "data.npy", CASES[i].shape, CASES[i].count);
        snprintf(line, sizeof line,
                 "sumi train %s " TINY "--force --out run --set data.kind=npy "
                 "--set data.path=data.npy --set data.labels=no %s && test -s run/samples.png && "
                 "test -s run/filmstrip.png && rm -r run",
                 CASES[i].recipe, CASES[i].settings);
        run(here, line);
        CHECK_DONE(here);
        assert_null(strstr(here->err, "there is no"));
    }
}

/* A picture of samples that is too wide to be drawn causes a warning, and the run succeeds. */
static void samples_without_a_picture_are_reported_and_the_run_succeeds(void **state)
{
    place *here = *state;
    write_array(here, "data.npy", "2, 2, 40000", 160000);
    run(here, "sumi train digits " TINY "--out run --set data.kind=npy --set data.path=data.npy "
              "--set data.items=images --set data.labels=no --set model.channels=8 "
              "--set model.groups=1 --set sample.steps=1 --set sample.count=1 "
              "--set model.layers_per_block=1 --set model.mid_attention=no && test ! -e "
              "run/samples.png && "
              "test -e run/model_index.json");
    CHECK_DONE(here);
    CHECK_HOLDS(
        here->err,
        "sumi: warning: the model is trained and saved in run, but there is no samples.png: ");
    CHECK_HOLDS(here->err, "draw fewer or smaller items");
}

static void things_in_the_way_of_the_runs_files_are_named_before_the_training(void **state)
{
    place *here = *state;
    run(here, "mkdir -p run/samples.png && sumi train points " TINY "--out run");
    CHECK_FAILED(here, 1, "sumi: run/samples.png: cannot be written: it is a folder");
    run(here, "rmdir run/samples.png && touch run/unet && sumi train points " TINY "--out run");
    CHECK_FAILED(here, 1, "sumi: run/unet: is not a folder");
    run(here, "test ! -e run/checkpoint.safetensors");
    CHECK_DONE(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(samples_that_could_not_be_drawn_are_refused_before_the_training),
        PLACE_TEST(whatever_a_run_draws_at_its_end_it_has_rehearsed),
        PLACE_TEST(data_of_every_shape_end_with_a_picture),
        PLACE_TEST(samples_without_a_picture_are_reported_and_the_run_succeeds),
        PLACE_TEST(things_in_the_way_of_the_runs_files_are_named_before_the_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
