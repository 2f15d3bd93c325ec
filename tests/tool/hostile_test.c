/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile inputs: huge sizes, invalid numbers, damaged models and checkpoints. Each ends with exit
   code 1 or 2 and one message, and no valid file is lost. */
#include "running.h"

#define TINY                                                                                       \
    "--set model.width=8 --set model.depth=1 --set data.count=16 --set train.batch=4 "             \
    "--set noise.steps=4 --set noise.schedule=cosine --set train.steps=2 --set sample.count=2 "    \
    "--tune off -q "

/* The last run was refused: one sentence, no output. */
static void check_refused(const place *here, const char *line)
{
    const char *end = strchr(here->err, '\n');
    bool one = strncmp(here->err, "sumi: ", 6) == 0 && end && !end[1] && !here->out[0];
    if (one && (here->code == 1 || here->code == 2)) return;
    fail_msg("'%s' ended with code %d, saying: %s%s", line, here->code, here->err, here->out);
}

static void run_refused(place *here, const char *command, const char *value)
{
    char line[512];
    snprintf(line, sizeof line, command, value);
    run(here, line);
    check_refused(here, line);
}

static void sizes_beyond_measure_are_refused_before_anything_is_kept(void **state)
{
    place *here = *state;
    static const char *const settings[] = {
        "data.count=-1",
        "data.count=1099511627776",
        "data.count=99999999999999999999",
        "data.scale=nan",
        "data.scale=inf",
        "model.width=1099511627776",
        "model.width=65536",
        "model.depth=0",
        "noise.steps=0",
        "noise.steps=1000000000",
        "noise.beta_end=nan",
        "noise.beta_end=2",
        "train.batch=0",
        "train.batch=1099511627776",
        "train.batch=1.5",
        "train.steps=0",
        "train.steps=-5",
        "train.steps=1e3",
        "train.learning_rate=nan",
        "train.learning_rate=-inf",
        "train.learning_rate=1e300",
        "train.beta1=1",
        "train.epsilon=0",
        "train.ema=1",
        "sample.count=-1",
        "train.seed=-1",
        "data.kind=noise",
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        run_refused(here, "sumi train points " TINY "--out run --set %s", settings[i]);
        run(here, "test ! -e run/checkpoint.safetensors && test ! -e run/model_index.json");
        CHECK_DONE(here);
    }
}

static void memory_that_no_machine_has_is_refused(void **state)
{
    place *here = *state;
    static const char *const settings[] = {
        "data.shape=1048576,1048576,1048576 --set data.count=1",
        "data.shape=128,128,3 --set data.count=2 --set train.batch=1048576",
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        run_refused(here,
                    "sumi train digits --set data.kind=noise --tune off -q --out run --set %s",
                    settings[i]);
        CHECK_HOLDS(here->err, "out of memory");
        CHECK_HOLDS(here->err, "cannot allocate ");
    }
}

static void numbers_that_are_none_are_no_options_of_solvers(void **state)
{
    place *here = *state;
    static const char *const settings[] = {
        "eta=nan",
        "s_churn=inf",
        "rtol=-1",
        "timesteps=[1e300]",
        "timesteps=[]",
        "timesteps=[5,7,3]",
        "sigmas=[nan]",
        "sigmas=[-1,0]",
        "step_size=1e99",
        "passes=1000000000",
        "mu=1e308",
        "solver_order=99",
        "beta_end=nan",
        "trained_betas=[2]",
        "first_item=-9",
        "start_index=99999999",
        "num_train_timesteps=99999999999",
        "lower_order_final=maybe",
    };
    run(here, "sumi train points " TINY "--out run");
    CHECK_DONE(here);
    run(here, "printf kept >kept.npy");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        run_refused(here, "sumi sample run -q -n 1 -o kept.npy --set %s", settings[i]);
    }
    run(here, "test \"$(cat kept.npy)\" = kept");
    CHECK_DONE(here);
}

static void a_model_that_was_cut_short_is_named_and_gives_no_samples(void **state)
{
    place *here = *state;
    static const char *const lengths[] = {"0", "7", "8", "100", "3000"};
    run(here, "sumi train points " TINY "--out run && printf kept >kept.npy");
    CHECK_DONE(here);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char line[256];
        snprintf(line, sizeof line,
                 "rm -rf cut; cp -r run cut; truncate -s %s "
                 "cut/unet/diffusion_pytorch_model.safetensors",
                 lengths[i]);
        run(here, line);
        run_refused(here, "sumi sample cut -q -n 1 -o %s", "kept.npy");
        CHECK_HOLDS(here->err, "cut/unet/diffusion_pytorch_model.safetensors");
    }
    run(here, "test \"$(cat kept.npy)\" = kept");
    CHECK_DONE(here);
}

static void a_config_that_does_not_fit_its_weights_says_where(void **state)
{
    place *here = *state;
    run(here, "sumi train points " TINY "--out run; "
              "sed -i 's/\"width\": 8/\"width\": 16/' run/unet/config.json");
    CHECK_DONE(here);
    run_refused(here, "sumi sample run -q -n 1 -o %s", "a.npy");
    CHECK_HOLDS(here->err, "where config.json describes");
    run(here, "test ! -e a.npy");
    CHECK_DONE(here);
}

static void a_damaged_checkpoint_stops_the_run_and_stays_as_it_is(void **state)
{
    place *here = *state;
    static const char *const lengths[] = {"0", "9", "5000"};
    run(here, "sumi train points " TINY "--out run");
    CHECK_DONE(here);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char line[256];
        snprintf(line, sizeof line,
                 "rm -rf cut; cp -r run cut; truncate -s %s "
                 "cut/checkpoint.safetensors; cp -r cut before",
                 lengths[i]);
        run(here, line);
        run_refused(here, "sumi train --resume -q --out cut --set %s", "train.steps=3");
        CHECK_HOLDS(here->err, "cut/checkpoint.safetensors");
        run(here, "diff -r cut before && rm -r before && sumi sample cut -q -n 1 -o a.npy");
        CHECK_DONE(here);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(sizes_beyond_measure_are_refused_before_anything_is_kept),
        PLACE_TEST(memory_that_no_machine_has_is_refused),
        PLACE_TEST(numbers_that_are_none_are_no_options_of_solvers),
        PLACE_TEST(a_model_that_was_cut_short_is_named_and_gives_no_samples),
        PLACE_TEST(a_config_that_does_not_fit_its_weights_says_where),
        PLACE_TEST(a_damaged_checkpoint_stops_the_run_and_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
