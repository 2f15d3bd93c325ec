/* SPDX-License-Identifier: Apache-2.0 */
/* Sumi's side of the workloads of `make bench`: a process that creates a model, reads commands on
   standard input, and answers each with one line on standard output. It uses only the public
   header.

   workload FOLDER [--forward] [--precision NAME] [--threads N] RECIPE [section.key=value ...]

   FOLDER receives the model (or has it already), so that the peer can open the same weights.
     check N      evaluates N items; writes x.npy, times.npy and output.npy to FOLDER; answers with
                  the loss mean(output^2) and the norm of its gradient by all weights
     time N       N training steps (or evaluations); answers with the seconds of each
     memory       answers with the most memory this process has held, in bytes
     profile N    as time, and answers with one line of JSON: the rows of a profile
   It ends with its input. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "sumi.h"

enum { LINE_SIZE = 256, PATH_ROOM = 4096 };

struct workload {
    sumi_context *context;
    const char *folder;
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;
    sumi_session *session;
    sumi_trainer *trainer; /* NULL for evaluations */
    int64_t batch;
    sumi_array x, output; /* [batch, item] */
    float *times;         /* [batch] */
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int fail(const struct workload *w, const char *what)
{
    printf("error %s: %s\n", what, w->context ? sumi_context_message(w->context) : "no memory");
    fflush(stdout);
    return 1;
}

/* ---- Preparing ---- */

struct arguments {
    const char *folder, *recipe, *precision;
    bool forward;
    int threads, set_count;
    char *const *sets;
};

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    *a = (struct arguments){.folder = argc > 1 ? argv[1] : NULL};
    int i = 2;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--forward") == 0) a->forward = true;
        else if (strcmp(argv[i], "--precision") == 0 && i + 1 < argc) a->precision = argv[++i];
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) a->threads = atoi(argv[++i]);
        else return false;
    }
    if (i >= argc) return false;
    a->recipe = argv[i++];
    a->sets = argv + i;
    a->set_count = argc - i;
    return true;
}

/* Sets the precision of training steps, in the recipe. */
static sumi_status set_precision(sumi_recipe *recipe, const char *precision)
{
    char text[LINE_SIZE];
    snprintf(text, sizeof text, "train.precision=%s", precision);
    return sumi_recipe_set(recipe, text);
}

static sumi_status open_recipe(struct workload *w, const struct arguments *a)
{
    sumi_status status = sumi_recipe_open(w->context, a->recipe, &w->recipe);
    for (int i = 0; i < a->set_count && status == SUMI_OK; i++)
        status = sumi_recipe_set(w->recipe, a->sets[i]);
    if (status == SUMI_OK && a->precision) status = set_precision(w->recipe, a->precision);
    if (status == SUMI_OK) w->batch = atoll(sumi_recipe_get(w->recipe, "train.batch"));
    return status;
}

/* Opens the model of the folder, or creates one there. */
static sumi_status open_model(struct workload *w)
{
    char path[PATH_ROOM];
    struct stat about;
    snprintf(path, sizeof path, "%s/model_index.json", w->folder);
    sumi_status status;
    if (stat(path, &about) == 0) {
        status = sumi_model_open(w->context, w->folder, &w->model);
    } else {
        status = sumi_model_create_from_recipe(w->context, w->recipe, w->data, &w->model);
        if (status == SUMI_OK) status = sumi_model_save(w->model, w->folder);
    }
    if (status == SUMI_OK) status = sumi_session_create(w->context, w->model, &w->session);
    const char *precision = sumi_recipe_get(w->recipe, "train.precision");
    return status == SUMI_OK ? sumi_session_set(w->session, "precision", precision) : status;
}

/* Fills x[count, item] from the data, and times spread over the schedule. */
static sumi_status fill_inputs(struct workload *w, int64_t count, sumi_array *x, float *times)
{
    int64_t steps = atoll(sumi_recipe_get(w->recipe, "noise.steps"));
    int64_t size = sumi_array_count(x) / count;
    sumi_status status = SUMI_OK;
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        int64_t index = i % sumi_data_count(w->data);
        times[i] = (float)((i * 677 + 17) % steps);
        status = sumi_data_read(w->data, &index, 1, x->data + i * size, NULL);
    }
    return status;
}

static sumi_status create_items(const struct workload *w, int64_t count, sumi_array *items)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {count};
    int rank = 1 + sumi_model_shape(w->model, shape + 1);
    return sumi_array_create(w->context, rank, shape, items);
}

static sumi_status prepare_inputs(struct workload *w)
{
    w->times = calloc((size_t)w->batch, sizeof *w->times);
    if (!w->times) return SUMI_ERROR_MEMORY;
    sumi_status status = create_items(w, w->batch, &w->x);
    if (status == SUMI_OK) status = create_items(w, w->batch, &w->output);
    return status == SUMI_OK ? fill_inputs(w, w->batch, &w->x, w->times) : status;
}

static sumi_status prepare(struct workload *w, const struct arguments *a)
{
    sumi_status status = SUMI_OK;
    w->folder = a->folder;
    if (a->threads) status = sumi_context_set_threads(w->context, a->threads);
    if (status == SUMI_OK) status = open_recipe(w, a);
    if (status == SUMI_OK) status = sumi_data_open(w->context, w->recipe, &w->data);
    if (status == SUMI_OK) status = open_model(w);
    if (status == SUMI_OK && a->precision)
        status = sumi_session_set(w->session, "precision", a->precision);
    if (status != SUMI_OK) return status;
    if (a->forward) return prepare_inputs(w);
    return sumi_trainer_create(w->context, w->recipe, w->model, w->data, &w->trainer);
}

static void release(struct workload *w)
{
    sumi_array_release(w->context, &w->x);
    sumi_array_release(w->context, &w->output);
    free(w->times);
    sumi_trainer_free(w->trainer);
    sumi_session_free(w->session);
    sumi_model_free(w->model);
    sumi_data_free(w->data);
    sumi_recipe_free(w->recipe);
    sumi_context_free(w->context);
}

/* ---- Commands ---- */

static sumi_status write_array(const struct workload *w, const char *name, const sumi_array *array)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    return sumi_array_write(w->context, path, array);
}

/* Allocates the gradient of every weight; returns the number of weights, -1 if memory runs out. */
static int64_t make_gradients(const struct workload *w, float ***gradients)
{
    int64_t count = 0;
    sumi_weight weight = {.size = sizeof weight};
    while (sumi_model_weight(w->model, count, &weight)) count++;
    *gradients = calloc((size_t)count + 1, sizeof **gradients);
    for (int64_t i = 0; *gradients && i < count; i++) {
        sumi_model_weight(w->model, i, &weight);
        size_t size = 1;
        for (int k = 0; k < weight.rank; k++) size *= (size_t)weight.shape[k];
        if (!weight.trainable) continue;
        (*gradients)[i] = malloc(size * sizeof(float));
        if (!(*gradients)[i]) return -1;
    }
    return *gradients ? count : -1;
}

static double norm_of(const struct workload *w, int64_t count, float **gradients)
{
    double sum = 0;
    sumi_weight weight = {.size = sizeof weight};
    for (int64_t i = 0; i < count; i++) {
        sumi_model_weight(w->model, i, &weight);
        int64_t size = 1;
        for (int k = 0; k < weight.rank; k++) size *= weight.shape[k];
        for (int64_t k = 0; gradients[i] && k < size; k++)
            sum += (double)gradients[i][k] * gradients[i][k];
    }
    return sqrt(sum);
}

static sumi_status check_with(struct workload *w, int64_t count, sumi_array *x, sumi_array *output,
                              sumi_array *times)
{
    float **gradients = NULL;
    double loss = 0;
    int64_t weights = make_gradients(w, &gradients);
    sumi_status status = weights < 0 ? SUMI_ERROR_MEMORY : create_items(w, count, x);
    if (status == SUMI_OK) status = create_items(w, count, output);
    if (status == SUMI_OK) status = sumi_array_create(w->context, 1, &count, times);
    if (status == SUMI_OK) status = fill_inputs(w, count, x, times->data);
    if (status == SUMI_OK)
        status = sumi_session_predict(w->session, count, x->data, times->data, output->data);
    if (status == SUMI_OK)
        status = sumi_session_gradient(w->session, count, x->data, times->data, &loss, gradients);
    if (status == SUMI_OK) status = write_array(w, "x.npy", x);
    if (status == SUMI_OK) status = write_array(w, "times.npy", times);
    if (status == SUMI_OK) status = write_array(w, "output.npy", output);
    if (status == SUMI_OK) printf("check %.9g %.9g\n", loss, norm_of(w, weights, gradients));
    for (int64_t i = 0; i < weights; i++) free(gradients[i]);
    free(gradients);
    return status;
}

static sumi_status check(struct workload *w, int64_t count)
{
    sumi_array x = {0}, output = {0}, times = {0};
    sumi_status status = check_with(w, count, &x, &output, &times);
    sumi_array_release(w->context, &x);
    sumi_array_release(w->context, &output);
    sumi_array_release(w->context, &times);
    return status;
}

static sumi_status run_once(struct workload *w)
{
    if (w->trainer) return sumi_trainer_step(w->trainer, NULL);
    return sumi_session_predict(w->session, w->batch, w->x.data, w->times, w->output.data);
}

static sumi_status time_steps(struct workload *w, int64_t count)
{
    double *seconds = calloc((size_t)count + 1, sizeof *seconds);
    sumi_status status = seconds ? SUMI_OK : SUMI_ERROR_MEMORY;
    double begin = now();
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        status = run_once(w);
        double end = now();
        seconds[i] = end - begin;
        begin = end;
    }
    if (status == SUMI_OK) {
        printf("time");
        for (int64_t i = 0; i < count; i++) printf(" %.9g", seconds[i]);
        putchar('\n');
    }
    free(seconds);
    return status;
}

/* Prints the peak resident memory of the process. */
static sumi_status report_memory(void)
{
    char line[LINE_SIZE];
    long long kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %lld", &kilobytes);
    if (status) fclose(status);
    printf("memory %lld\n", kilobytes * 1024);
    return SUMI_OK;
}

static sumi_status profile(struct workload *w, int64_t count)
{
    sumi_profile_row row = {.size = sizeof row};
    double begin = now();
    sumi_status status = sumi_profile_start(w->context);
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) status = run_once(w);
    double seconds = now() - begin;
    sumi_profile_stop(w->context);
    if (status != SUMI_OK) return status;
    printf("profile {\"steps\": %lld, \"seconds\": %.9g, \"rows\": [", (long long)count, seconds);
    for (int64_t i = 0; sumi_profile_get(w->context, i, &row); i++) {
        printf("%s{\"op\": \"%s\", \"shapes\": \"%s\", \"calls\": %lld, \"seconds\": %.9g, "
               "\"flop\": %.9g, \"bytes\": %.9g}",
               i ? ", " : "", row.name, row.shapes, (long long)row.calls, row.seconds,
               row.operations, row.bytes);
    }
    puts("]}");
    return SUMI_OK;
}

static sumi_status obey(struct workload *w, const char *line)
{
    long long count = 0;
    if (sscanf(line, "check %lld", &count) == 1 && count > 0) return check(w, count);
    if (sscanf(line, "time %lld", &count) == 1 && count > 0) return time_steps(w, count);
    if (sscanf(line, "profile %lld", &count) == 1 && count > 0) return profile(w, count);
    if (strncmp(line, "memory", 6) == 0) return report_memory();
    printf("error there is no such command: %s", line);
    return SUMI_OK;
}

int main(int argc, char **argv)
{
    struct workload w = {.context = NULL};
    struct arguments arguments;
    char line[LINE_SIZE];
    if (!read_arguments(argc, argv, &arguments)) {
        fputs("usage: workload FOLDER [--forward] [--precision NAME] [--threads N] RECIPE "
              "[section.key=value ...]\n",
              stderr);
        return 2;
    }
    if (sumi_context_create(NULL, &w.context) != SUMI_OK) return fail(&w, "context");
    sumi_context_set_tuning(w.context, true); /* as the command does */
    int code = prepare(&w, &arguments) == SUMI_OK ? 0 : fail(&w, "prepare");
    if (code == 0) printf("ready %d\n", sumi_context_threads(w.context));
    fflush(stdout);
    while (code == 0 && fgets(line, sizeof line, stdin)) {
        if (obey(&w, line) != SUMI_OK) code = fail(&w, "command");
        fflush(stdout);
    }
    release(&w);
    return code;
}
