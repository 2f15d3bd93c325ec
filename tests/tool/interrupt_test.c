/* SPDX-License-Identifier: Apache-2.0 */
/* Training that is interrupted at any moment, repeatedly: it ends as documented, saves its state,
   and gives the same bits as an uninterrupted run. Signals come from a terminal (Ctrl-C), from
   another process, and from a timer of a program that embeds the library.

   SUMI_INTERRUPTIONS sets a larger number of interruptions, over all recipes, numbers of threads
   and kinds of signals. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/time.h>

#include "running.h"

enum { RECIPES = 4, MOST_THREADS = 3, MOST_ARGUMENTS = 24 };

/* Networks with products that are large enough for the packed loops. */
static const char *const recipes[RECIPES][10] = {
    {"points", "train.batch=128", "model.width=128", "data.count=500", "sample.count=4"},
    {"flow-moons", "train.batch=128", "model.width=128", "data.count=500", "sample.count=4"},
    {"cnf-moons", "train.batch=32", "model.width=128", "data.count=500", "sample.count=4"},
    {"digits", "train.batch=8", "data.count=32", "model.channels=16,32", "model.layers_per_block=1",
     "model.groups=4", "sample.count=1", "sample.steps=2"},
};

static const int steps[RECIPES] = {200, 150, 20, 20};

static int interruptions(void)
{
    const char *wanted = getenv("SUMI_INTERRUPTIONS");
    return wanted ? atoi(wanted) : 0;
}

/* ---- the command ---- */

/* In a child process: becomes the training of a recipe into `folder`, or its going on. */
static void become_training(const place *here, int recipe, int threads, const char *folder)
{
    static char texts[MOST_ARGUMENTS][64];
    char *arguments[MOST_ARGUMENTS] = {"sumi", "train"};
    int count = 2;
    arguments[count++] = (char *)recipes[recipe][0];
    for (int i = 1; recipes[recipe][i]; i++) {
        snprintf(texts[count], sizeof *texts, "--set=%s", recipes[recipe][i]);
        arguments[count] = texts[count], count++;
    }
    snprintf(texts[count], sizeof *texts, "--set=train.steps=%d", steps[recipe]);
    arguments[count] = texts[count], count++;
    snprintf(texts[count], sizeof *texts, "--threads=%d", threads);
    arguments[count] = texts[count], count++;
    snprintf(texts[count], sizeof *texts, "--out=%s", folder);
    arguments[count] = texts[count], count++;
    arguments[count++] = "--tune=off";
    arguments[count++] = "--resume";
    arguments[count++] = "--quiet";
    int errors = chdir(here->folder) == 0 ? open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (errors >= 0) dup2(errors, STDERR_FILENO);
    setenv("OMP_WAIT_POLICY", "passive", 1);
    execv(getenv("SUMI"), arguments);
    _exit(99);
}

/* Waits until the process has a handler for the signal, or has ended. */
static void wait_for_handler(pid_t child, int number)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)child);
    for (bool ready = false; !ready;) {
        FILE *file = fopen(path, "r");
        ready = !file;
        while (file && fgets(line, sizeof line, file)) {
            unsigned long long caught = 0;
            if (strncmp(line, "State:\tZ", 8) == 0) ready = true;
            if (sscanf(line, "SigCgt: %llx", &caught) == 1) ready |= caught >> (number - 1) & 1;
        }
        if (file) fclose(file);
        usleep(1000);
    }
}

enum source { BY_SIGINT, BY_SIGTERM, BY_TERMINAL, SOURCES };

/* Trains, and interrupts that after `wait` microseconds. Returns its exit code, or 128 and more. */
static int train_interrupted(const place *here, int recipe, int threads, const char *folder,
                             enum source source, int wait)
{
    int terminal = -1, status = 0;
    pid_t child = source == BY_TERMINAL ? forkpty(&terminal, NULL, NULL, NULL) : fork();
    assert_true(child >= 0);
    if (child == 0) become_training(here, recipe, threads, folder);
    wait_for_handler(child, SIGINT);
    usleep((useconds_t)wait);
    if (source == BY_TERMINAL) assert_int_equal(write(terminal, "\003", 1), 1);
    else kill(child, source == BY_SIGINT ? SIGINT : SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (terminal >= 0) close(terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void train_in_one_go(const place *here, int recipe, int threads, const char *folder)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) become_training(here, recipe, threads, folder);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Interrupts a run up to `most` times, runs it to its end, and compares it with an uninterrupted
   one. Returns the number of interruptions. */
static int check_run(place *here, int recipe, int threads, int most)
{
    int done = 0, code = 1;
    run(here, "rm -rf run");
    for (; done < most && code == 1; done += code == 1) {
        code = train_interrupted(here, recipe, threads, "run", (enum source)(rand() % SOURCES),
                                 rand() % 60000);
        char *error = read_whole(here, "err");
        if (code > 1)
            fail_msg("%s, %d threads: exit %d: %s", recipes[recipe][0], threads, code, error);
        if (code == 1) CHECK_HOLDS(error, "sumi: stopped");
        free(error);
    }
    if (code == 1) train_in_one_go(here, recipe, threads, "run");
    run(here, "cmp run/checkpoint.safetensors whole/checkpoint.safetensors"
              " && cmp run/losses.csv whole/losses.csv");
    CHECK_DONE(here);
    return done;
}

static void interrupted_training_continues_bit_for_bit(void **state)
{
    place *here = *state;
    int wanted = interruptions() ? interruptions() : 12, done = 0;
    int each = wanted / (RECIPES * MOST_THREADS) + 1;
    for (int i = 0; done < wanted; i = (i + 1) % (RECIPES * MOST_THREADS)) {
        int recipe = i % RECIPES, threads = 1 + (interruptions() ? i / RECIPES : i % MOST_THREADS);
        run(here, "rm -rf whole");
        train_in_one_go(here, recipe, threads, "whole");
        done += check_run(here, recipe, threads, interruptions() ? each : 3);
    }
    print_message("%d interruptions\n", done);
}

/* ---- a program with its own handler ---- */

static volatile sig_atomic_t alarms;

static void note_alarm(int number)
{
    volatile char room[512];
    for (size_t i = 0; i < sizeof room; i++) room[i] = (char)number;
    alarms++;
}

/* In a child process: trains, perhaps interrupted by a timer, and saves the model. */
static void embed(const place *here, int recipe, int threads, bool interrupted)
{
    sumi_context *context = NULL;
    sumi_recipe *chosen = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    if (chdir(here->folder) != 0) _exit(1);
    const struct itimerval often = {{0, 500}, {0, 500}};
    struct sigaction action = {.sa_handler = note_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    CHECK_OK(context, sumi_context_create(NULL, &context));
    CHECK_OK(context, sumi_context_set_threads(context, threads));
    CHECK_OK(context, sumi_recipe_open(context, recipes[recipe][0], &chosen));
    for (int i = 1; recipes[recipe][i]; i++) {
        CHECK_OK(context, sumi_recipe_set(chosen, recipes[recipe][i]));
    }
    CHECK_OK(context, sumi_data_open(context, chosen, &data));
    CHECK_OK(context, sumi_model_create_from_recipe(context, chosen, data, &model));
    CHECK_OK(context, sumi_trainer_create(context, chosen, model, data, &trainer));
    if (interrupted) setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < steps[recipe] / 4; i++) {
        CHECK_OK(context, sumi_trainer_step(trainer, NULL));
    }
    const struct itimerval never = {0};
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK_OK(context, sumi_model_save(model, interrupted ? "run" : "whole"));
    _exit(interrupted && !alarms);
}

static void a_program_with_an_alarm_trains_to_the_same_bits(void **state)
{
    place *here = *state;
    for (int recipe = 0; recipe < RECIPES; recipe++) {
        for (int threads = 1; threads <= MOST_THREADS; threads++) {
            if (!interruptions() && threads != 1 + recipe % MOST_THREADS) continue;
            run(here, "rm -rf run whole");
            for (int interrupted = 0; interrupted < 2; interrupted++) {
                int status = 0;
                pid_t child = fork();
                if (child == 0) embed(here, recipe, threads, interrupted);
                assert_int_equal(waitpid(child, &status, 0), child);
                assert_int_equal(status, 0);
            }
            run(here, "diff -r run whole");
            CHECK_DONE(here);
        }
    }
}

int main(void)
{
    srand(1);
    setenv("OMP_WAIT_POLICY", "passive", 1);
    const struct CMUnitTest tests[] = {
        PLACE_TEST(interrupted_training_continues_bit_for_bit),
        PLACE_TEST(a_program_with_an_alarm_trains_to_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
