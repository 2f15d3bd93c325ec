/* SPDX-License-Identifier: Apache-2.0 */
/* sumi bench: measures the speed of a model, op by op, and compares it with the peak performance of
   the machine. */
#include "computing.h"
#include "interrupt.h"
#include "print.h"
#include "profile.h"
#include "sampling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TIMES_LIMIT = 1000, TIMES_LEAST = 3 };
static const double USUAL_SECONDS = 5;

struct settings {
    struct texts sets;
    int64_t batch, seconds;
    struct computing computing;
    bool forward, shapes, json;
};

/* What is measured: a training step or one evaluation of the network. */
struct subject {
    sumi_context *context;
    const struct settings *settings;
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;
    sumi_session *session; /* for an evaluation, else NULL */
    sumi_trainer *trainer; /* NULL for an evaluation */
    int64_t batch;
    sumi_array x, output; /* [batch, item] */
    float *times;         /* [batch] */
};

/* ---- Preparing ---- */

static sumi_status set(sumi_recipe *recipe, const char *key, const char *value)
{
    char text[256];
    snprintf(text, sizeof text, "%s=%s", key, value);
    return sumi_recipe_set(recipe, text);
}

static sumi_status apply_settings(const struct subject *s)
{
    char batch[24];
    snprintf(batch, sizeof batch, "%lld", (long long)s->settings->batch);
    sumi_status status = SUMI_OK;
    if (s->settings->batch) status = set(s->recipe, "train.batch", batch);
    if (s->settings->computing.precision && status == SUMI_OK)
        status = set(s->recipe, "train.precision", s->settings->computing.precision);
    for (int i = 0; i < s->settings->sets.count && status == SUMI_OK; i++)
        status = sumi_recipe_set(s->recipe, s->settings->sets.items[i]);
    return status;
}

/* Resets keys that were read with the training data but not with the noise. */
static sumi_status reset_unread(sumi_recipe *recipe)
{
    sumi_status status = SUMI_OK;
    sumi_option option = {.size = sizeof option};
    for (int i = 0; status == SUMI_OK && sumi_recipe_option(recipe, i, &option); i++)
        if (strncmp(option.name, "data.", 5) == 0 && !option.read)
            status = sumi_recipe_set_text(recipe, option.name, option.default_value);
    return status;
}

/* A model folder is measured on noise of its items' shape, for any training data. */
static sumi_status replace_data(const struct subject *s)
{
    char sizes[96] = "", count[16];
    int64_t shape[SUMI_MAX_RANK];
    int rank = sumi_model_shape(s->model, shape), classes = sumi_model_classes(s->model);
    size_t length = 0;
    for (int i = 0; i < rank && length < sizeof sizes; i++) {
        length += (size_t)snprintf(sizes + length, sizeof sizes - length, "%s%lld", i ? "," : "",
                                   (long long)shape[i]);
    }
    snprintf(count, sizeof count, "%d", classes);
    sumi_status status = set(s->recipe, "data.kind", "noise");
    if (status == SUMI_OK) status = reset_unread(s->recipe);
    if (status == SUMI_OK) status = set(s->recipe, "data.shape", sizes);
    if (status == SUMI_OK) status = set(s->recipe, "data.count", "256");
    if (status == SUMI_OK && classes) status = set(s->recipe, "data.classes", count);
    if (status == SUMI_OK) status = set(s->recipe, "data.labels", classes ? "yes" : "no");
    return status;
}

static sumi_status open_folder(struct subject *s, const char *folder)
{
    sumi_status status = sumi_model_open(s->context, folder, &s->model);
    if (status == SUMI_OK) status = sampling_recipe(s->context, folder, &s->recipe);
    if (status == SUMI_OK && !s->recipe) /* a folder of another program: the simplest training */
        status = sumi_recipe_open(s->context, "ddpm-mnist", &s->recipe);
    if (status == SUMI_OK) status = replace_data(s);
    if (status == SUMI_OK) status = apply_settings(s);
    if (status == SUMI_OK) status = sumi_data_open(s->context, s->recipe, &s->data);
    return status;
}

static sumi_status open_recipe(struct subject *s, const char *name)
{
    sumi_status status = sumi_recipe_open(s->context, name, &s->recipe);
    if (status == SUMI_OK) status = apply_settings(s);
    if (status == SUMI_OK) status = sumi_data_open(s->context, s->recipe, &s->data);
    if (status == SUMI_OK)
        status = sumi_model_create_from_recipe(s->context, s->recipe, s->data, &s->model);
    return status;
}

static sumi_status set_classes(const struct subject *s, const int32_t *classes)
{
    sumi_condition *condition = NULL;
    sumi_status status = sumi_condition_create(s->context, &condition);
    if (status == SUMI_OK)
        status = sumi_condition_set_integers(condition, "class", 1, &s->batch, classes);
    if (status == SUMI_OK) status = sumi_session_set_condition(s->session, condition);
    sumi_condition_free(condition);
    return status;
}

/* Fills data and times for an evaluation. */
static sumi_status fill_inputs(struct subject *s)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {s->batch}, *indices = NULL;
    size_t batch = (size_t)s->batch;
    int rank = 1 + sumi_model_shape(s->model, shape + 1);
    sumi_status status = sumi_array_create(s->context, rank, shape, &s->x);
    shape[rank - 1] *= 2; /* where the network also predicts the variance */
    if (status == SUMI_OK) status = sumi_array_create(s->context, rank, shape, &s->output);
    s->times = calloc(batch, sizeof *s->times);
    indices = calloc(batch, sizeof *indices);
    int32_t *labels = calloc(batch, sizeof *labels);
    if (!s->times || !indices || !labels) status = SUMI_ERROR_MEMORY;
    for (int64_t i = 0; status == SUMI_OK && i < s->batch; i++) {
        indices[i] = i % sumi_data_count(s->data);
        s->times[i] = (float)(i % 1000);
    }
    if (status == SUMI_OK) status = sumi_data_read(s->data, indices, s->batch, s->x.data, labels);
    if (status == SUMI_OK && sumi_model_classes(s->model)) status = set_classes(s, labels);
    free(indices);
    free(labels);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static sumi_status prepare(struct subject *s, const char *name)
{
    sumi_status status = is_folder(name) ? open_folder(s, name) : open_recipe(s, name);
    if (status != SUMI_OK) return status;
    s->batch = sampling_whole(s->recipe, "train.batch", 1);
    if (s->settings->forward) {
        status = sumi_session_create(s->context, s->model, &s->session);
        if (status == SUMI_OK)
            status = sumi_session_set(s->session, "precision",
                                      sumi_recipe_get(s->recipe, "train.precision"));
        return status == SUMI_OK ? fill_inputs(s) : status;
    }
    return sumi_trainer_create(s->context, s->recipe, s->model, s->data, &s->trainer);
}

static void release(struct subject *s)
{
    sumi_array_release(s->context, &s->x);
    sumi_array_release(s->context, &s->output);
    free(s->times);
    sumi_trainer_free(s->trainer);
    sumi_session_free(s->session);
    sumi_model_free(s->model);
    sumi_data_free(s->data);
    sumi_recipe_free(s->recipe);
}

/* ---- Measuring ---- */

static sumi_status run_once(struct subject *s)
{
    if (s->trainer) return sumi_trainer_step(s->trainer, NULL);
    return sumi_session_predict(s->session, s->batch, s->x.data, s->times, s->output.data);
}

struct timing {
    double times[TIMES_LIMIT]; /* seconds of each call */
    int64_t count;
    double seconds; /* of all calls */
};

/* Repeats the call for about `seconds`. */
static sumi_status repeat(struct subject *s, double seconds, struct timing *timing)
{
    double start = clock_now(), begin = start;
    timing->count = 0;
    while (timing->count < TIMES_LIMIT) {
        sumi_status status = run_once(s);
        if (status != SUMI_OK) return status;
        double end = clock_now();
        timing->times[timing->count++] = end - begin;
        begin = end;
        if (interrupt_came()) return SUMI_STOPPED;
        if (timing->count >= TIMES_LEAST && end - start >= seconds) break;
    }
    timing->seconds = begin - start;
    return SUMI_OK;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Measures half of the time without a profile, for the total, and half with one, for the rows. */
static sumi_status measure(struct subject *s, struct timing *plain, struct timing *profiled)
{
    double seconds = s->settings->seconds ? (double)s->settings->seconds : USUAL_SECONDS;
    sumi_status status = run_once(s); /* creates plans and fills caches */
    if (status == SUMI_OK) status = repeat(s, seconds / 2, plain);
    if (status == SUMI_OK) status = sumi_profile_start(s->context);
    if (status == SUMI_OK) status = repeat(s, seconds / 2, profiled);
    sumi_profile_stop(s->context);
    qsort(plain->times, (size_t)plain->count, sizeof *plain->times, compare);
    return status;
}

/* ---- Reporting ---- */

static int report_json(const struct subject *s, const struct profile_view *view,
                       const struct timing *plain)
{
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "machine", profile_machine_json(view->machine));
    json_object_object_add(answer, "measured",
                           json_object_new_string(s->trainer ? "training step" : "evaluation"));
    json_object_object_add(answer, "model", json_object_new_string(sumi_model_class(s->model)));
    json_object_object_add(answer, "batch", json_object_new_int64(s->batch));
    json_object_object_add(answer, "threads",
                           json_object_new_int(sumi_context_threads(s->context)));
    json_object_object_add(answer, "calls", json_object_new_int64(plain->count));
    json_object_object_add(answer, "seconds", json_number(plain->times[plain->count / 2]));
    json_object_object_add(answer, "seconds_least", json_number(plain->times[0]));
    json_object_object_add(answer, "seconds_most", json_number(plain->times[plain->count - 1]));
    json_object_object_add(answer, "rows", profile_json(s->context, view));
    return print_json(answer);
}

static int report(const struct subject *s, const struct profile_view *view,
                  const struct timing *plain)
{
    double median = plain->times[plain->count / 2];
    printf("model    %s, %s of %lld items\n", sumi_model_class(s->model),
           s->trainer ? "training step" : "evaluation", (long long)s->batch);
    printf("time     %.4g ms, the median of %lld (%.4g to %.4g); %.4g items/s\n\n", 1e3 * median,
           (long long)plain->count, 1e3 * plain->times[0], 1e3 * plain->times[plain->count - 1],
           (double)s->batch / median);
    return profile_print(s->context, view);
}

static int bench(struct subject *s, const sumi_machine *machine, const char *name)
{
    struct timing *timings = calloc(2, sizeof *timings);
    if (!timings) return fail(EXIT_FAILED, "out of memory");
    sumi_status status = prepare(s, name);
    int code = status == SUMI_OK ? EXIT_DONE : fail_argument(s->context, status);
    if (code == EXIT_DONE) {
        status = measure(s, &timings[0], &timings[1]);
        if (status == SUMI_STOPPED) code = fail(EXIT_FAILED, "stopped");
        else if (status != SUMI_OK) code = fail_context(s->context);
    }
    struct profile_view view = {machine, timings[1].seconds, timings[1].count, s->settings->shapes};
    if (code == EXIT_DONE && s->settings->json) code = report_json(s, &view, &timings[0]);
    else if (code == EXIT_DONE) code = report(s, &view, &timings[0]);
    free(timings);
    return code;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    int code = computing_apply(context, &settings->computing);
    if (code != EXIT_DONE) return code;
    interrupt_catch();
    sumi_machine machine = {.size = sizeof machine};
    if (sumi_machine_measure(context, &machine) != SUMI_OK) return fail_context(context);
    if (!settings->json) profile_print_machine(&machine);
    fflush(stdout);
    if (!count) return settings->json ? print_json(profile_machine_json(&machine)) : EXIT_DONE;
    struct subject subject = {.context = context, .settings = settings};
    code = bench(&subject, &machine, arguments[0]);
    release(&subject);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, batch, 0, "N",
               A_COUNT("batch", "items at a time; default: train.batch of the recipe")),
    OPTION_ROW(struct settings, forward, 0, NULL,
               A_FLAG("forward", "time evaluations of the network, as in sampling,\n"
                                 "instead of training steps")),
    OPTION_ROW(struct settings, shapes, 0, NULL,
               A_FLAG("shapes", "a row for each op and its shapes, not one for each op")),
    OPTION_ROW(struct settings, seconds, 0, "N",
               A_COUNT("seconds", "how long to measure; default: 5")),
    LIST_ROW(struct settings, sets, 0, "KEY=VALUE ...", TAKES_ASSIGNMENTS,
             A_TEXT("set", "change values of the recipe (section.key=value)")),
    COMPUTING_OPTIONS(struct settings, computing),
    OPTION_ROW(struct settings, json, 0, NULL, A_FLAG("json", "print JSON")),
    {.letter = 0},
};

const struct command bench_command = {
    .name = "bench",
    .summary = "measure the speed of a model, op by op",
    .usage = "[MODEL|RECIPE] [--batch N] [--forward] [--shapes] [--threads N] ...",
    .details =
        "Measures the peak performance of this machine (multiply-adds in registers, bytes from\n"
        "and to memory), then times training steps of a RECIPE, or of a MODEL folder on noise,\n"
        "and shows for each op of a step:\n\n"
        "  calls, ms, share   how often, how long, and which part of the step that is\n"
        "  GFLOP              floating-point operations by the op's definition; a fast\n"
        "                     algorithm needs fewer and can go beyond 100 % of the peak\n"
        "  MB                 each input read once and each result written once\n"
        "  % peak, % mem      of what the machine can do: an op near 100 in one of them is\n"
        "                     limited by it; one far from both is worth a look\n\n"
        "Other work on the machine makes all of it slower: look at the spread of the times.\n\n"
        "examples:\n"
        "  sumi bench\n"
        "  sumi bench digits\n"
        "  sumi bench runs/digits --forward --batch 1 --shapes\n"
        "  sumi bench ddpm-mnist --batch 128 --set data.kind=noise --set data.shape=28,28,1",
    .options = OPTIONS,
    .arguments = "a MODEL or a RECIPE",
    .least = 0,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};
