/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts and pictures of sessions; see prompts.h. */
#include "prompts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "own_items.h"
#include "progress.h"
#include "sampling.h"

enum { FILE_LIMIT = 64 << 20 };
static const double STRENGTH_USUAL = 0.6;

/* ---- The prompts ---- */

void prompts_release(struct prompt_list *list)
{
    free(list->items);
    free(list->text);
    *list = (struct prompt_list){.count = 0};
}

/* Reads a whole file into new memory with a zero byte after it; NULL after a printed error. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        if (size >= 0 && size <= FILE_LIMIT && fseek(file, 0, SEEK_SET) == 0)
            text = calloc((size_t)size + 1, 1);
        if (text && fread(text, 1, (size_t)size, file) != (size_t)size) {
            free(text);
            text = NULL;
        }
    }
    if (file) fclose(file);
    if (!text) fail(EXIT_FAILED, "%s: cannot read it", path);
    return text;
}

/* Cuts a text into its lines without those that are empty. */
static int cut_lines(const char *path, struct prompt_list *list)
{
    size_t most = 1;
    for (const char *at = list->text; *at; at++) most += *at == '\n';
    list->items = calloc(most, sizeof *list->items);
    if (!list->items) return fail(EXIT_FAILED, "%s: out of memory", path);
    for (char *line = list->text, *next; line; line = next) {
        size_t length = strcspn(line, "\n");
        next = line[length] ? line + length + 1 : NULL;
        line[length] = 0;
        if (length && line[length - 1] == '\r') line[length - 1] = 0;
        if (line[0]) list->items[list->count++] = line;
    }
    return list->count ? EXIT_DONE : fail(EXIT_FAILED, "%s: has no prompt", path);
}

int prompts_read(const char *task, const struct prompt_settings *settings, struct prompt_list *list)
{
    *list = (struct prompt_list){.count = 0};
    if (settings->prompt && settings->file)
        return fail(EXIT_USAGE, "%s takes --prompt or --prompts, not both", task);
    if (settings->file) {
        list->text = read_file(settings->file);
        return list->text ? cut_lines(settings->file, list) : EXIT_FAILED;
    }
    if (!settings->prompt) return EXIT_DONE;
    list->items = calloc(1, sizeof *list->items);
    if (!list->items) return fail(EXIT_FAILED, "%s: out of memory", task);
    list->items[list->count++] = settings->prompt;
    return EXIT_DONE;
}

/* ---- The picture ---- */

/* The mean of the channels, [n,h,w,c] to [n,h,w,1]. */
static sumi_status make_grey(sumi_context *context, const sumi_array *picture, sumi_array *grey)
{
    int64_t shape[4] = {picture->shape[0], picture->shape[1], picture->shape[2], 1};
    int64_t channels = picture->shape[3];
    sumi_status status = sumi_array_create(context, 4, shape, grey);
    for (int64_t i = 0; status == SUMI_OK && i < sumi_array_count(picture); i++)
        grey->data[i / channels] += picture->data[i] / (float)channels;
    return status;
}

static int set_picture(sumi_context *context, sumi_model *model, sumi_session *session,
                       const struct prompt_settings *settings)
{
    sumi_array picture = {0}, mask = {0}, grey = {0};
    double strength = settings->strength ? strtod(settings->strength, NULL)
                      : settings->mask   ? 1
                                         : STRENGTH_USUAL;
    sumi_status status = SUMI_OK;
    int code = own_items_read(context, model, settings->image, INT64_MAX, &picture);
    if (code == EXIT_DONE && settings->mask) {
        code = own_items_read(context, model, settings->mask, INT64_MAX, &mask);
        if (code == EXIT_DONE) status = make_grey(context, &mask, &grey);
    }
    if (code == EXIT_DONE && status == SUMI_OK)
        status =
            sumi_session_set_picture(session, &picture, strength, settings->mask ? &grey : NULL);
    sumi_array_release(context, &picture);
    sumi_array_release(context, &mask);
    sumi_array_release(context, &grey);
    return code != EXIT_DONE || status == SUMI_OK ? code : fail_argument(context, status);
}

/* ---- The session ---- */

static bool has_part(const sumi_model *model, sumi_part_kind kind)
{
    sumi_part part = {.size = sizeof part};
    for (int i = 0; sumi_model_part(model, i, &part); i++)
        if (part.kind == kind) return true;
    return false;
}

static int check(const char *task, const sumi_model *model, const struct prompt_settings *settings,
                 const struct prompt_list *list)
{
    bool texts = has_part(model, SUMI_PART_TEXT_ENCODER);
    if (list->count && !texts)
        return fail(EXIT_USAGE, "%s: this model has no text encoder, so it takes no prompt", task);
    if (!list->count && texts)
        return fail(EXIT_USAGE, "%s: this model draws what a text says; give one with --prompt",
                    task);
    if (!list->count && (settings->negative || settings->long_prompts))
        return fail(EXIT_USAGE, "%s: --%s has no effect without --prompt", task,
                    settings->negative ? "negative" : "long-prompts");
    if (settings->mask && !settings->image)
        return fail(EXIT_USAGE, "%s: --mask needs the picture that it is of; name it with --image",
                    task);
    return EXIT_DONE;
}

static sumi_status set_prompts(sumi_session *session, const struct prompt_settings *settings,
                               const struct prompt_list *list)
{
    const char **negatives = NULL;
    if (settings->long_prompts) {
        sumi_status status = sumi_session_set(session, "long_prompts", settings->long_prompts);
        if (status != SUMI_OK) return status;
    }
    if (settings->negative) {
        negatives = calloc((size_t)list->count, sizeof *negatives);
        if (!negatives) return SUMI_ERROR_MEMORY;
        for (int64_t i = 0; i < list->count; i++) negatives[i] = settings->negative;
    }
    sumi_status status = sumi_session_set_prompts(session, list->count, list->items, negatives);
    free(negatives);
    return status;
}

int prompts_apply(sumi_context *context, const char *task, sumi_model *model, sumi_session *session,
                  const struct prompt_settings *settings, const struct prompt_list *list)
{
    int code = check(task, model, settings, list);
    if (code == EXIT_DONE && settings->image) code = set_picture(context, model, session, settings);
    if (code != EXIT_DONE || !list->count) return code;
    sumi_status status = set_prompts(session, settings, list);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(context, status);
}

/* ---- Sampling ---- */

struct watch {
    progress_line line;
    double start;
    bool quiet;
};

static bool watch_step(void *user, int64_t step, int64_t steps, double time, const float *x,
                       const float *clean)
{
    struct watch *watch = user;
    double each = (clock_now() - watch->start) / (double)(step + 1);
    sumi_progress progress = {.size = sizeof progress,
                              .task = "sample",
                              .step = step + 1,
                              .steps = steps,
                              .rate = 1 / each,
                              .rate_unit = "steps/s",
                              .seconds_left = each * (double)(steps - step - 1)};
    (void)time, (void)x, (void)clean;
    if (!watch->quiet) progress_show(&watch->line, &progress);
    return !interrupt_came();
}

sumi_status prompts_sample(sumi_session *session, sumi_solver *solver, int64_t count, bool quiet,
                           sumi_array *samples)
{
    struct watch watch = {.start = clock_now(), .quiet = quiet};
    progress_open(&watch.line, stderr, NULL);
    sumi_status status = sumi_session_sample(session, solver, count, watch_step, &watch, samples);
    progress_close(&watch.line);
    return status;
}
