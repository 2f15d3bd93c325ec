/* SPDX-License-Identifier: Apache-2.0 */
/* Options of restorers for commands, and reading measurements. */
#ifndef TOOL_RESTORING_H
#define TOOL_RESTORING_H

#include "command.h"

/* The arguments of the options, or NULL. */
struct restoring_settings {
    const char *method, *noise, *variance, *zeta, *jump, *resample, *particles;
};

/* Rows of a command's table of options, for a member of its settings. The library checks the
   values. */
#define RESTORING_ROWS(SETTINGS, MEMBER)                                                           \
    OPTION_ROW(SETTINGS, MEMBER.method, 0, "METHOD",                                               \
               A_CHOICE("method", "pigdm|dps|ddnm|repaint|product|smc",                            \
                        "how the measurement steers the samples")),                                \
        OPTION_ROW(SETTINGS, MEMBER.variance, 0, "V",                                              \
                   A_TEXT("variance", "variance of the data, for pigdm and smc; default: 1")),     \
        OPTION_ROW(SETTINGS, MEMBER.zeta, 0, "Z",                                                  \
                   A_TEXT("zeta", "length of a step of dps; default: 1")),                         \
        OPTION_ROW(SETTINGS, MEMBER.jump, 0, "J",                                                  \
                   A_TEXT("jump", "steps that repaint goes back; default: 10")),                   \
        OPTION_ROW(SETTINGS, MEMBER.resample, 0, "R",                                              \
                   A_TEXT("resample", "how often repaint makes each stretch; default: 10")),       \
        OPTION_ROW(SETTINGS, MEMBER.particles, 0, "K",                                             \
                   A_TEXT("particles", "particles of smc for each item; default: 64"))

/* Makes a restorer; `method` is the usual one. Prints errors and returns an exit code. */
int restoring_create(sumi_context *context, const sumi_operator *linear,
                     const struct restoring_settings *settings, const char *method,
                     sumi_restorer **restorer);

/* Reads measurements [n, measured] from a file: .npy and .csv of that shape with or without n, or a
   picture of exactly that size. Prints errors and returns an exit code. */
int restoring_read(sumi_context *context, const sumi_operator *linear, const char *path,
                   sumi_array *measured);

#endif
