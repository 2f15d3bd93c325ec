/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts for models with text encoders, and pictures to begin with, for `sumi sample`. */
#ifndef TOOL_PROMPTS_H
#define TOOL_PROMPTS_H

#include "command.h"

/* The arguments of the options, or NULL. */
struct prompt_settings {
    const char *prompt, *negative, *file, *long_prompts;
    const char *image, *mask, *strength; /* strength: that of the command's option */
};

/* Rows of a command's table of options, for a member of its settings. */
#define PROMPT_ROWS(SETTINGS, MEMBER)                                                              \
    OPTION_ROW(SETTINGS, MEMBER.prompt, 0, "TEXT",                                                 \
               A_TEXT("prompt", "what the picture shows, for models with a text encoder;\n"        \
                                "(words:1.3) gives words a weight")),                              \
        OPTION_ROW(SETTINGS, MEMBER.negative, 0, "TEXT",                                           \
                   A_TEXT("negative", "what it should not show; needs --guidance above 1")),       \
        OPTION_ROW(SETTINGS, MEMBER.file, 0, "FILE",                                               \
                   A_TEXT("prompts", "a prompt in each line, for a sample each")),                 \
        OPTION_ROW(SETTINGS, MEMBER.long_prompts, 0, "cut|chunks",                                 \
                   A_CHOICE("long-prompts", "cut|chunks",                                          \
                            "prompts of too many tokens: the rest is left out with a warning\n"    \
                            "(the default), or encoded in chunks")),                               \
        OPTION_ROW(SETTINGS, MEMBER.image, 0, "FILE",                                              \
                   A_TEXT("image", "begin with this picture and the noise of --strength")),        \
        OPTION_ROW(SETTINGS, MEMBER.mask, 0, "FILE",                                               \
                   A_TEXT("mask", "a picture that is bright where --image is made anew"))

/* The prompts of a run. */
struct prompt_list {
    char *text;         /* of the file, cut into lines */
    const char **items; /* [count] */
    int64_t count;
};

/* Reads the prompts of the settings; none is an empty list. Prints errors and returns an exit
   code. */
int prompts_read(const char *task, const struct prompt_settings *settings,
                 struct prompt_list *list);
void prompts_release(struct prompt_list *list);

/* Sets picture, mask and prompts of a session, before its guide. Refuses options that the model
   cannot use, and a model that needs a prompt without one. */
int prompts_apply(sumi_context *context, const char *task, sumi_model *model, sumi_session *session,
                  const struct prompt_settings *settings, const struct prompt_list *list);

/* Samples from the session's picture, decoded, with progress unless `quiet`. */
sumi_status prompts_sample(sumi_session *session, sumi_solver *solver, int64_t count, bool quiet,
                           sumi_array *samples);

#endif
