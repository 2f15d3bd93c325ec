/* SPDX-License-Identifier: Apache-2.0 */
/* The guide of a session; see guidance.h. */
#include "guidance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t guidance_null_class(const struct guidance_settings *settings)
{
    return settings->null_class ? strtoll(settings->null_class, NULL, 10) : -1;
}

/* The option that has no effect without --guidance, or with scale 1; NULL for none. */
static const char *given_beside(const struct guidance_settings *settings)
{
    return settings->interval     ? "guidance-interval"
           : settings->rescale    ? "guidance-rescale"
           : settings->channels   ? "guidance-channels"
           : settings->null_class ? "null-class"
                                  : NULL;
}

static int check_settings(const char *task, const struct guidance_settings *settings)
{
    const char *beside = given_beside(settings);
    if (!settings->scale && beside)
        return fail(EXIT_USAGE, "%s: --%s has no effect without --guidance", task, beside);
    if (settings->scale && beside && strtod(settings->scale, NULL) == 1)
        return fail(EXIT_USAGE, "%s: --%s has no effect with --guidance 1", task, beside);
    return EXIT_DONE;
}

static int check_model(const char *task, const sumi_model *model,
                       const struct guidance_settings *settings)
{
    if (!sumi_model_classes(model))
        return fail(EXIT_USAGE, "%s: --guidance needs a model with classes, but this one has none",
                    task);
    if (settings->null_class || sumi_model_null_class(model) >= 0) return EXIT_DONE;
    return fail(EXIT_USAGE,
                "%s: --guidance needs a null class, which models trained with train.label_dropout "
                "have and this one has not; --null-class N names another class to use",
                task);
}

/* ---- Applying ---- */

/* A value as the row says, of the option of that name. */
static sumi_status read_value(sumi_context *context, const char *task, const sumi_option *row,
                              const char *text, void *target)
{
    char subject[96];
    snprintf(subject, sizeof subject, "%s: --%s", task, row->name);
    return sumi_option_read(context, row, subject, text, target);
}

static int set_null(sumi_context *context, const char *task, sumi_session *session,
                    const struct guidance_settings *settings)
{
    static const sumi_option WHOLE = {
        .size = sizeof WHOLE, .name = "null-class", .type = "whole", .high = INT32_MAX};
    sumi_condition *null = NULL;
    int64_t number = 0;
    if (!settings->null_class) return EXIT_DONE;
    sumi_status status = read_value(context, task, &WHOLE, settings->null_class, &number);
    const int32_t value = (int32_t)number;
    if (status == SUMI_OK) status = sumi_condition_create(context, &null);
    if (status == SUMI_OK)
        status = sumi_condition_set_integers(null, "class", 1, &(int64_t){1}, &value);
    if (status == SUMI_OK) status = sumi_session_set_null(session, null);
    sumi_condition_free(null);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(context, status);
}

/* "LO,HI" */
static int set_interval(sumi_context *context, const char *task, sumi_guide *guide,
                        const char *interval)
{
    static const sumi_option LEVEL = {
        .size = sizeof LEVEL, .name = "guidance-interval", .type = "number", .high = INFINITY};
    char low[32];
    const char *comma = interval ? strchr(interval, ',') : NULL;
    double from = 0, to = 0;
    if (!interval) return EXIT_DONE;
    if (!comma || (size_t)(comma - interval) >= sizeof low)
        return fail(EXIT_USAGE, "%s: --guidance-interval takes two noise levels, LO,HI, not %s",
                    task, interval);
    snprintf(low, sizeof low, "%.*s", (int)(comma - interval), interval);
    sumi_status status = read_value(context, task, &LEVEL, low, &from);
    if (status == SUMI_OK) status = read_value(context, task, &LEVEL, comma + 1, &to);
    if (status == SUMI_OK && from > to)
        return fail(EXIT_USAGE, "%s: --guidance-interval begins at %s, above its end", task, low);
    if (status == SUMI_OK) status = sumi_guide_set(guide, "sigma_low", low);
    if (status == SUMI_OK) status = sumi_guide_set(guide, "sigma_high", comma + 1);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(context, status);
}

static int check_channels(const char *task, const sumi_model *model, int64_t channels)
{
    int64_t shape[SUMI_MAX_RANK] = {0};
    int rank = sumi_model_shape(model, shape);
    if (rank < 1 || channels <= shape[rank - 1]) return EXIT_DONE;
    return fail(EXIT_USAGE,
                "%s: --guidance-channels %lld, but the model's items have %lld channels", task,
                (long long)channels, (long long)shape[rank - 1]);
}

int guidance_apply(sumi_context *context, const char *task, const sumi_model *model,
                   sumi_session *session, const struct guidance_settings *settings)
{
    sumi_guide *guide = NULL;
    int code = check_settings(task, settings);
    if (code != EXIT_DONE || !settings->scale) return code;
    code = check_model(task, model, settings);
    if (code == EXIT_DONE) code = check_channels(task, model, settings->channels);
    if (code == EXIT_DONE) code = set_null(context, task, session, settings);
    if (code != EXIT_DONE) return code;
    sumi_status status = sumi_session_add_guide(session, "classifier-free", &guide);
    if (status == SUMI_OK) status = sumi_guide_set(guide, "scale", settings->scale);
    if (status == SUMI_OK && settings->rescale)
        status = sumi_guide_set(guide, "rescale", settings->rescale);
    if (status == SUMI_OK && settings->channels)
        status = sumi_guide_set_number(guide, "channels", (double)settings->channels);
    if (status != SUMI_OK) return fail_argument(context, status);
    return set_interval(context, task, guide, settings->interval);
}
