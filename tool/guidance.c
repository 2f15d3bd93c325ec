/* SPDX-License-Identifier: Apache-2.0 */
/* The guide of a session; see guidance.h. */
#include "guidance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t guidance_null_class(const struct guidance_settings *settings)
{
    return settings->null_class ? strtoll(settings->null_class, NULL, 10) : -1;
}

static bool is_given(const struct guidance_settings *settings)
{
    return settings->scale || settings->rescale || settings->null_class || settings->interval.count
           || settings->channels;
}

/* Prints the context's message after the name of the option that it is about. */
static int fail_option(const sumi_context *context, const char *task, const char *option)
{
    return fail(EXIT_USAGE, "%s: --%s: %s", task, option, sumi_context_message(context));
}

static int set_null(sumi_context *context, const char *task, sumi_session *session,
                    const struct guidance_settings *settings)
{
    static const sumi_option WHOLE = {
        .size = sizeof WHOLE, .name = "null-class", .type = "whole", .high = INT32_MAX};
    sumi_condition *null = NULL;
    int64_t number = 0;
    char subject[96];
    if (!settings->null_class) return EXIT_DONE;
    snprintf(subject, sizeof subject, "%s: --%s", task, WHOLE.name);
    sumi_status status = sumi_option_read(context, &WHOLE, subject, settings->null_class, &number);
    if (status != SUMI_OK) return fail_argument(context, status);
    const int32_t value = (int32_t)number;
    status = sumi_condition_create(context, &null);
    if (status == SUMI_OK)
        status = sumi_condition_set_integers(null, "class", 1, &(int64_t){1}, &value);
    if (status == SUMI_OK) status = sumi_session_set_null(session, null);
    sumi_condition_free(null);
    return status == SUMI_OK ? EXIT_DONE : fail_option(context, task, WHOLE.name);
}

/* Sets the guide's options in an order in which each has an effect with those before. */
static int set_options(sumi_context *context, const char *task, sumi_guide *guide,
                       const struct guidance_settings *settings)
{
    const struct numbers *interval = &settings->interval;
    if (settings->scale && sumi_guide_set(guide, "scale", settings->scale) != SUMI_OK)
        return fail_option(context, task, "guidance");
    if (interval->count && interval->count != 2)
        return fail(EXIT_USAGE, "%s: --guidance-interval takes two noise levels, LO,HI, not %d",
                    task, interval->count);
    if (interval->count
        && (sumi_guide_set_number(guide, "sigma_low", interval->items[0]) != SUMI_OK
            || sumi_guide_set_number(guide, "sigma_high", interval->items[1]) != SUMI_OK))
        return fail_option(context, task, "guidance-interval");
    if (settings->rescale && sumi_guide_set(guide, "rescale", settings->rescale) != SUMI_OK)
        return fail_option(context, task, "guidance-rescale");
    if (settings->channels
        && sumi_guide_set_number(guide, "channels", (double)settings->channels) != SUMI_OK)
        return fail_option(context, task, "guidance-channels");
    if (settings->null_class && strcmp(sumi_guide_get(guide, "scale"), "1") == 0)
        return fail(EXIT_USAGE, "%s: --null-class has no effect without a --guidance other than 1",
                    task);
    return EXIT_DONE;
}

int guidance_apply(sumi_context *context, const char *task, sumi_session *session,
                   const struct guidance_settings *settings)
{
    sumi_guide *guide = NULL;
    if (!is_given(settings)) return EXIT_DONE;
    int code = set_null(context, task, session, settings);
    if (code != EXIT_DONE) return code;
    if (sumi_session_add_guide(session, "classifier-free", &guide) != SUMI_OK)
        return fail_option(context, task, "guidance");
    return set_options(context, task, guide, settings);
}
