/* SPDX-License-Identifier: Apache-2.0 */
/* Classifier-free guidance for the commands that run a model: their options, and the
   guide that these add to a session. */
#ifndef TOOL_GUIDANCE_H
#define TOOL_GUIDANCE_H

#include <math.h>

#include "command.h"

/* The arguments of the options, or NULL; channels is 0 without --guidance-channels. */
struct guidance_settings {
    const char *scale, *rescale, *null_class;
    struct numbers interval;
    int64_t channels;
};

/* Rows of a command's table of options, for a member of its settings. */
#define GUIDANCE_ROWS(SETTINGS, MEMBER)                                                            \
    OPTION_ROW(SETTINGS, MEMBER.scale, 0, "W",                                                     \
               A_NUMBER("guidance", -1000, 1000,                                                   \
                        "scale of classifier-free guidance; 1 is none, more gives clearer\n"       \
                        "and less diverse samples; for models trained with\n"                      \
                        "train.label_dropout or with prompts; default with --prompt: 7.5")),       \
        LIST_ROW(SETTINGS, MEMBER.interval, 0, "LO,HI", TAKES_NUMBERS,                             \
                 A_NUMBER("guidance-interval", 0, INFINITY,                                        \
                          "guide only at noise levels sigma from LO to HI, which may be\n"         \
                          "inf")),                                                                 \
        OPTION_ROW(SETTINGS, MEMBER.rescale, 0, "PHI",                                             \
                   A_NUMBER("guidance-rescale", 0, 1,                                              \
                            "share, 0 to 1, of the guided prediction whose standard deviation\n"   \
                            "is set to that of the unguided one")),                                \
        OPTION_ROW(SETTINGS, MEMBER.channels, 0, "N",                                              \
                   A_COUNT("guidance-channels", "guide the first N channels only")),               \
        OPTION_ROW(SETTINGS, MEMBER.null_class, 0, "N",                                            \
                   A_TEXT("null-class", "number of the class that stands for none, where the "     \
                                        "model does\nnot say, or of one that samples should not "  \
                                        "look like"))

/* Adds the guide of the settings to a session. Prints what is wrong, with the name of
   the command, `task`, and returns an exit code. */
int guidance_apply(sumi_context *context, const char *task, sumi_session *session,
                   const struct guidance_settings *settings);

/* The number of --null-class, -1 without one; it has been checked by guidance_apply. */
int64_t guidance_null_class(const struct guidance_settings *settings);

#endif
