/* SPDX-License-Identifier: Apache-2.0 */
/* Going on with a run: data that have changed, fewer steps than are done, another folder, another
   kind of run in the same one. */
#include "running.h"

#define TINY                                                                                       \
    "--threads 1 --tune off -q --set model.width=8 --set model.depth=1 "                           \
    "--set sample.count=4 --set sample.steps=2 --set train.batch=4 "
#define OWN "--set data.kind=csv --set data.path=data/own.csv "

/* Rows of two numbers; number `odd` is another. */
static void write_rows(const place *here, int count, int odd)
{
    char path[256];
    snprintf(path, sizeof path, "%s/data/own.csv", here->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < count; i++) fprintf(file, "%g,%g\n", sin(i), i == odd ? 0.25 : cos(i));
    assert_int_equal(fclose(file), 0);
}

static void begin(place *here, int count)
{
    run(here, "mkdir -p data");
    write_rows(here, count, -1);
    run(here, "sumi train points " TINY OWN "--set train.steps=3 --out run");
    CHECK_DONE(here);
}

static void a_run_is_not_resumed_with_other_data(void **state)
{
    place *here = *state;
    begin(here, 300);
    run(here, "cp -r run kept");
    write_rows(here, 299, -1);
    run(here, "sumi train --out run --resume -q --set train.steps=6");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "it had 300 items of 2 in 0 classes, and now has 299 items of 2");
    for (int odd = 0; odd < 300; odd += 23) { /* any of them, also between those of the sample */
        write_rows(here, 300, odd);
        run(here, "sumi train --out run --resume -q --set train.steps=6");
        assert_int_equal(here->code, 2);
        CHECK_HOLDS(here->err, "the data set has changed since: it still has 300 items of 2");
    }
    run(here, "diff -r run kept");
    CHECK_DONE(here);
    write_rows(here, 300, -1);
    run(here, "sumi train --out run --resume --threads 1 -q --set train.steps=6");
    CHECK_DONE(here);
}

/* Whether items are kept in memory or read as they are needed does not change what they are. */
static void data_are_the_same_wherever_they_lie_and_are_kept(void **state)
{
    place *here = *state;
    begin(here, 300);
    run(here, "mv data moved && sumi train --out run --resume --threads 1 -q --set train.steps=5 "
              "--set data.path=moved/own.csv --set data.memory=0");
    CHECK_DONE(here);
}

static void fewer_steps_than_are_done_are_refused(void **state)
{
    place *here = *state;
    begin(here, 20);
    run(here, "sumi train --out run --resume -q --set train.steps=2");
    CHECK_FAILED(here, 2,
                 "sumi: run/checkpoint.safetensors: 3 steps are done already, more than "
                 "train.steps = 2; set train.steps to at least 3");
    run(here, "sumi train --out run --resume --threads 1 -q --set train.steps=3");
    CHECK_DONE(here);
}

static void a_run_is_resumed_from_any_folder(void **state)
{
    place *here = *state;
    begin(here, 20);
    run(here, "grep \"^path = $PWD/data/own.csv$\" run/recipe.ini && mkdir other && cd other && "
              "sumi train --out ../run --resume --threads 1 -q --set train.steps=4");
    CHECK_DONE(here);
    run(here, "sumi train points " TINY OWN "--out run --resume --set train.steps=5 ");
    CHECK_DONE(here);
}

/* As versions before wrote it. */
static void a_relative_path_is_reported_in_another_folder(void **state)
{
    place *here = *state;
    begin(here, 20);
    run(here, "sed -i 's|^path = .*own.csv|path = data/own.csv|' run/recipe.ini && "
              "sumi train --out run --resume --threads 1 -q --set train.steps=4");
    CHECK_DONE(here);
    run(here, "sed -i 's|^path = .*own.csv|path = data/own.csv|' run/recipe.ini && mkdir other && "
              "cd other && sumi train --out ../run --resume -q --set train.steps=5");
    assert_int_equal(here->code, 1);
    CHECK_HOLDS(here->err, "sumi: the run in ../run has data.path = data/own.csv, which does not "
                           "exist relative to this folder");
}

static void an_auto_encoder_that_replaces_a_model_is_found(void **state)
{
    place *here = *state;
    begin(here, 20);
    run(here,
        "sumi train kl-cifar10 --out run --force -q --threads 1 --tune off --set data.kind=shapes "
        "--set data.count=8 --set model.channels=8,8 --set train.batch=4 --set train.steps=1 "
        "--set sample.count=2 && sumi encode run run/samples.png -o z.safetensors -q");
    CHECK_DONE(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_run_is_not_resumed_with_other_data),
        PLACE_TEST(data_are_the_same_wherever_they_lie_and_are_kept),
        PLACE_TEST(fewer_steps_than_are_done_are_refused),
        PLACE_TEST(a_run_is_resumed_from_any_folder),
        PLACE_TEST(a_relative_path_is_reported_in_another_folder),
        PLACE_TEST(an_auto_encoder_that_replaces_a_model_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
