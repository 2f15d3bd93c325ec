/* SPDX-License-Identifier: Apache-2.0 */
/* Training by the command: its files, killing and resuming, full disks, invalid requests. */
#include <json-c/json.h>

#include "running.h"

/* A run of about a second. One thread: the sums of two may differ in their last bits. */
#define TINY                                                                                       \
    "--threads 1 --set data.count=64 --set model.channels=8,16 --set model.dropout=0.1 "           \
    "--set train.batch=4 --set train.checkpoint_every=1 --set sample.solver=ddim "                 \
    "--set sample.steps=3 --set sample.count=2 "
#define WEIGHTS "unet/diffusion_pytorch_model.safetensors"

static void a_run_leaves_a_model_a_recipe_and_pictures(void **state)
{
    place *here = *state;
    run(here, "sumi train digits " TINY "--set train.steps=4 --out deep/er/run --seed 3");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "data     64 items of 28x28x1\n");
    CHECK_HOLDS(here->out, "run      4 steps of 4 items on 1 threads, into deep/er/run\n");
    CHECK_HOLDS(here->out, "deep/er/run/losses.png");
    CHECK_HOLDS(here->err, "train  4/4  loss ");
    assert_null(strchr(here->out, '\033'));
    assert_null(strchr(here->err, '\033'));
    run(here, "cd deep/er/run && cat model_index.json unet/config.json scheduler/*.json >/dev/null"
              " && ls " WEIGHTS " checkpoint.safetensors losses.png samples.png filmstrip.png"
              " && wc -l <losses.csv && grep '^seed = 3$' recipe.ini");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "4\nseed = 3\n");
}

/* Killed and gone on with in bf16, a run ends with the weights, to the bit, of one that was not. */
static void a_run_in_bf16_continues_bit_for_bit_and_keeps_its_precision(void **state)
{
    place *here = *state;
    run(here,
        "sumi train digits " TINY "--tune off --precision bf16 --set train.steps=6 -q --out whole"
        " && sumi train digits " TINY "--tune off --set train.steps=6 -q --out wide"
        " && sumi train digits " TINY "--tune off --precision bf16 --set train.steps=3 -q"
        " --out run && sumi train --out run --resume --threads 1 --tune off -q"
        " --set train.steps=6 && cmp run/" WEIGHTS " whole/" WEIGHTS " && ! cmp -s wide/" WEIGHTS
        " whole/" WEIGHTS " && grep '^precision = bf16$' run/recipe.ini");
    CHECK_DONE(here);
    run(here, "sumi train --out run --resume --precision float32");
    CHECK_HOLDS(here->err, "the run in run began with train.precision = bf16, not float32");
    run(here, "sumi sample run -n 2 -o a.npy -q --threads 1 --precision bf16"
              " && sumi sample run -n 2 -o b.npy -q --threads 1 && ! cmp -s a.npy b.npy");
    CHECK_DONE(here);
    run(here, "sumi sample run -n 2 -o a.npy --precision half");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "sumi: sample: --precision must be one of float32, bf16, not 'half'");
}

static void quiet_says_nothing_and_json_parses(void **state)
{
    place *here = *state;
    run(here, "sumi train digits " TINY "--set train.steps=2 --quiet");
    CHECK_DONE(here);
    assert_string_equal(here->out, "");
    assert_string_equal(here->err, "");
    run(here, "sumi train digits " TINY "--set train.steps=2 --quiet --json --force");
    CHECK_DONE(here);
    struct json_object *answer = json_tokener_parse(here->out), *value;
    assert_true(json_object_object_get_ex(answer, "steps", &value));
    assert_int_equal(json_object_get_int(value), 2);
    assert_true(json_object_object_get_ex(answer, "folder", &value));
    assert_string_equal(json_object_get_string(value), "runs/digits");
    json_object_put(answer);
}

static void wrong_wishes_are_refused_with_advice(void **state)
{
    place *here = *state;
    run(here, "sumi train");
    CHECK_FAILED(here, 2,
                 "sumi: train needs a RECIPE, or --resume with --out DIR; see `sumi train "
                 "--help`");
    run(here, "sumi train digitz");
    CHECK_FAILED(here, 2,
                 "sumi: there is no built-in recipe 'digitz'; did you mean digits, or the "
                 "file ./digitz?");
    run(here, "sumi train digits --set train.setps=5");
    CHECK_FAILED(here, 2,
                 "sumi: setting 'train.setps=5': there is no key train.setps; did you "
                 "mean train.steps?");
    run(here, "sumi train digits --set=train.steps=many");
    assert_int_equal(here->code, 2);
    run(here, "sumi train digits --threads 0");
    CHECK_FAILED(here, 2,
                 "sumi: train: --threads must be a whole number from 1 to 1000000000, not "
                 "'0'");
    run(here, "sumi train digits --seed 1e3");
    CHECK_FAILED(here, 2,
                 "sumi: train: --seed must be a whole number from 0 to "
                 "18446744073709551615, not '1e3'");
    run(here, "sumi train digits --resume --force");
    CHECK_FAILED(here, 2,
                 "sumi: train: --resume continues a run and --force starts a new one; choose one");
    run(here, "sumi train --out nothing --resume");
    CHECK_FAILED(here, 1, "sumi: nothing: there is no run to resume: it has no recipe.ini");
    run(here, "ls");
    assert_string_equal(here->out, "err\nout\n");
}

static void an_existing_run_is_not_overwritten(void **state)
{
    place *here = *state;
    run(here, "sumi train digits " TINY "--set train.steps=2 -q --out run && cp -r run kept");
    CHECK_DONE(here);
    run(here, "sumi train digits --out run");
    CHECK_FAILED(here, 1,
                 "sumi: run already has a run: --resume continues it, --force replaces it, --out "
                 "names another folder");
    run(here, "sumi train --out run --resume --set train.batch=5");
    CHECK_FAILED(here, 1,
                 "sumi: the run in run began with train.batch = 4, not 5; leave out "
                 "RECIPE and what differs, or train into another folder");
    run(here, "diff -r run kept");
    CHECK_DONE(here);
}

static void resuming_nothing_starts_from_the_beginning_with_a_note(void **state)
{
    place *here = *state;
    run(here, "sumi train digits " TINY "--set train.steps=2 --resume --out run");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "resume   no checkpoint: starting from the beginning\n");
    run(here, "sumi train --resume --out run --threads 1 --set train.steps=3");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "resume   after step 2\n");
    CHECK_HOLDS(here->err, "train  3/3");
}

/* ---- Killing and going on ---- */

static void a_run_killed_many_times_ends_with_the_same_bits(void **state)
{
    place *here = *state;
    run(here, "sumi train digits " TINY "--set train.steps=80 -q --out whole");
    CHECK_DONE(here);
    /* Each time some steps are made first, and the kill comes at another moment after them. */
    run(here, "for wait in 0.031 0.007 0.023 0.002 0.041 0.013 0.029 0.019 0.011; do\n"
              "touch mark; sleep 0.02\n"
              "\"$SUMI\" train digits " TINY "--set train.steps=80 -q --out run --resume &\n"
              "pid=$!\n"
              "until [ run/checkpoint.safetensors -nt mark ] || ! kill -0 $pid; do\n"
              "sleep 0.01; done\n"
              "sleep $wait; kill -9 $pid; wait $pid; [ $? -eq 137 ] && echo killed\n"
              "done 2>/dev/null\n"
              "sumi train --out run --resume --threads 1 -q");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "killed\nkilled\nkilled\n");
    run(here, "cmp whole/" WEIGHTS " run/" WEIGHTS
              " && cmp whole/checkpoint.safetensors run/checkpoint.safetensors"
              " && cmp whole/losses.csv run/losses.csv && cmp whole/samples.png run/samples.png");
    CHECK_DONE(here);
    run(here, "find run -type f | wc -l; find whole -type f | wc -l");
    char *second = strchr(here->out, '\n') + 1;
    assert_memory_equal(here->out, second, strlen(second)); /* no temporary files are left */
}

static void two_runs_do_not_share_a_folder(void **state)
{
    place *here = *state;
    run(here, "\"$SUMI\" train digits " TINY "--set train.steps=100000 -q --out run 2>first &\n"
              "pid=$!\n"
              "while ! [ -e run/checkpoint.safetensors ]; do sleep 0.05; done\n"
              "sumi train --out run --resume --threads 1; kill $pid; wait $pid; true");
    assert_string_equal(here->err, "sumi: run: another run is using this folder\n");
}

/* Killed between the last checkpoint and the model that goes with it. */
static void a_model_that_was_not_saved_is_saved_on_resume(void **state)
{
    place *here = *state;
    run(here, "sumi train digits " TINY "--set train.steps=3 -q --out run && cp -r run kept"
              " && rm -r run/unet run/model_index.json"
              " && sumi train --out run --resume --threads 1 -q && diff -r run kept");
    CHECK_DONE(here);
}

static void a_signal_stops_after_a_step_and_keeps_it(void **state)
{
    place *here = *state;
    run(here, "sumi train digits " TINY "--set train.steps=8 -q --out whole\n"
              "\"$SUMI\" train digits " TINY "--set train.steps=100000 -q --out run & pid=$!\n"
              "while ! [ -e run/checkpoint.safetensors ]; do sleep 0.05; done\n"
              "kill -TERM $pid; wait $pid");
    assert_int_equal(here->code, 1);
    CHECK_HOLDS(here->err, "sumi: stopped after step ");
    CHECK_HOLDS(here->err, "and saved; `sumi train --out run --resume` continues\n");
    run(here, "rows=$(wc -l <run/losses.csv); head -n $rows whole/losses.csv >begun"
              "; head -n 8 run/losses.csv | cmp -n $(wc -c <begun) - begun && ls run/losses.png");
    CHECK_DONE(here);
}

/* The printed command for resuming can be pasted into a shell, for any name of the folder. */
static void the_command_for_resuming_can_be_pasted(void **state)
{
    place *here = *state;
    run(here, "run=\"Ann's new\\$run\"; \"$SUMI\" train digits " TINY
              "--set train.steps=100000 -q --out \"$run\" & pid=$!\n"
              "while ! [ -e \"$run/checkpoint.safetensors\" ]; do sleep 0.05; done\n"
              "kill -TERM $pid; wait $pid");
    assert_int_equal(here->code, 1);
    CHECK_HOLDS(here->err, "`sumi train --out 'Ann'\\''s new$run' --resume` continues\n");
    char *line = strchr(here->err, '`') + 1, words[256];
    snprintf(words, sizeof words, "set -- %.*s; echo \"$4\"; ls \"$4\"",
             (int)(strchr(line, '`') - line), line);
    run(here, words);
    CHECK_HOLDS(here->out, "Ann's new$run\n");
    CHECK_HOLDS(here->out, "checkpoint.safetensors\n");
}

/* ---- Places that cannot be written ---- */

static void a_file_in_the_way_is_named(void **state)
{
    place *here = *state;
    run(here, "touch file; sumi train digits " TINY "--set train.steps=2 --out file/run");
    CHECK_FAILED(here, 1, "sumi: file/run: cannot create this folder: Not a directory");
}

/* The limit on file sizes fails writes half way, as a full disk does. */
static void a_checkpoint_cut_short_leaves_the_last_one(void **state)
{
    place *here = *state;
    run(here, "sumi train digits " TINY "--set train.steps=9 -q --out whole"
              " && sumi train digits " TINY "--set train.steps=3 -q --out run && cp -r run kept");
    CHECK_DONE(here);
    run(here, "trap '' XFSZ; ulimit -f 64; exec \"$SUMI\" train --out run --resume --threads 1 -q "
              "--set train.steps=9");
    assert_int_equal(here->code, 1);
    CHECK_HOLDS(here->err, "sumi: run/checkpoint.safetensors");
    CHECK_HOLDS(here->err, "File too large\n");
    run(here, "cmp run/checkpoint.safetensors kept/checkpoint.safetensors"
              " && cmp run/" WEIGHTS " kept/" WEIGHTS
              " && sumi train --out run --resume --threads 1 -q --set train.steps=9"
              " && cmp run/" WEIGHTS " whole/" WEIGHTS);
    CHECK_DONE(here);
}

/* Whether a small file system of our own can be mounted, to vanish with the process. */
static bool can_mount(place *here)
{
    run(here, "mkdir -p disk && unshare -m mount -t tmpfs -o size=1m tmpfs disk");
    if (here->code == 0) return true;
    print_message("skipped: no file system can be mounted here\n");
    return false;
}

static void a_full_disk_leaves_the_last_checkpoint(void **state)
{
    place *here = *state;
    if (!can_mount(here)) skip();
    /* Space for one checkpoint and model, not for a second one. */
    run(here,
        "sumi train digits " TINY "--set train.steps=1 -q --out one\n"
        "unshare -m sh -c 'mount -t tmpfs -o size=1200k tmpfs disk && \"$SUMI\" train digits " TINY
        "--set train.steps=5 -q --out disk/run; echo $? >code; cp -r disk/run after'; "
        "cat code");
    assert_string_equal(here->out, "1\n");
    CHECK_HOLDS(here->err, "sumi: disk/run/checkpoint.safetensors");
    CHECK_HOLDS(here->err, "No space left on device\n");
    run(here, "cmp one/checkpoint.safetensors after/checkpoint.safetensors"
              " && cmp one/" WEIGHTS " after/" WEIGHTS);
    CHECK_DONE(here);
}

static void a_read_only_folder_is_named_before_the_work(void **state)
{
    place *here = *state;
    if (!can_mount(here)) skip();
    run(here, "unshare -m sh -c 'mount -t tmpfs -o ro tmpfs disk && \"$SUMI\" train digits " TINY
              "--out disk/run'");
    CHECK_FAILED(here, 1, "sumi: disk/run: cannot create this folder: Read-only file system");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_run_leaves_a_model_a_recipe_and_pictures),
        PLACE_TEST(a_run_in_bf16_continues_bit_for_bit_and_keeps_its_precision),
        PLACE_TEST(quiet_says_nothing_and_json_parses),
        PLACE_TEST(wrong_wishes_are_refused_with_advice),
        PLACE_TEST(an_existing_run_is_not_overwritten),
        PLACE_TEST(resuming_nothing_starts_from_the_beginning_with_a_note),
        PLACE_TEST(a_run_killed_many_times_ends_with_the_same_bits),
        PLACE_TEST(two_runs_do_not_share_a_folder),
        PLACE_TEST(a_model_that_was_not_saved_is_saved_on_resume),
        PLACE_TEST(a_signal_stops_after_a_step_and_keeps_it),
        PLACE_TEST(the_command_for_resuming_can_be_pasted),
        PLACE_TEST(a_file_in_the_way_is_named),
        PLACE_TEST(a_checkpoint_cut_short_leaves_the_last_one),
        PLACE_TEST(a_full_disk_leaves_the_last_checkpoint),
        PLACE_TEST(a_read_only_folder_is_named_before_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
