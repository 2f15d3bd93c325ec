/* SPDX-License-Identifier: Apache-2.0 */
/* The options of computation that every command with a network has. */
#ifndef TOOL_COMPUTING_H
#define TOOL_COMPUTING_H

#include "command.h"

struct computing {
    int64_t threads;       /* 0: the default */
    const char *tune;      /* "on", "off" or NULL */
    const char *precision; /* "float32", "bf16" or NULL */
};

/* The rows of a command's table of options, for a member of its settings. */
#define COMPUTING_OPTIONS(SETTINGS, MEMBER)                                                        \
    OPTION_ROW(SETTINGS, MEMBER.threads, 0, "N", A_COUNT("threads", "threads to compute with")),   \
        OPTION_ROW(SETTINGS, MEMBER.precision, 0, "float32|bf16",                                  \
                   A_CHOICE("precision", "float32|bf16",                                           \
                            "how activations of convolutional networks are stored and\n"           \
                            "multiplied; weights are float32")),                                   \
        OPTION_ROW(SETTINGS, MEMBER.tune, 0, "on|off",                                             \
                   A_CHOICE("tune", "on|off|yes|no|true|false",                                    \
                            "on (the default): time the algorithms of each convolution,\n"         \
                            "once per machine; off: a fixed choice"))

/* Configures the context. Prints an error and returns EXIT_USAGE, or returns EXIT_DONE. */
int computing_apply(sumi_context *context, const struct computing *computing);

#endif
