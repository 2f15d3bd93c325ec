/* SPDX-License-Identifier: Apache-2.0 */
/* The options that say how to compute, which every command that runs a network has. */
#ifndef TOOL_COMPUTING_H
#define TOOL_COMPUTING_H

#include "command.h"

struct computing {
    int64_t threads;       /* 0: as many as usual */
    const char *tune;      /* "on", "off" or NULL */
    const char *precision; /* "float32", "bf16" or NULL */
};

/* The rows of a command's table of options, for a member of its settings. */
#define COMPUTING_OPTIONS(SETTINGS, MEMBER)                                                        \
    OPTION_ROW(SETTINGS, MEMBER.threads, 0, "N", A_COUNT("threads", "threads to compute with")),   \
        OPTION_ROW(SETTINGS, MEMBER.precision, 0, "float32|bf16",                                  \
                   A_CHOICE("precision", "float32|bf16",                                           \
                            "how activations of convolutional networks are kept and\n"             \
                            "multiplied; weights are float32")),                                   \
        OPTION_ROW(SETTINGS, MEMBER.tune, 0, "on|off",                                             \
                   A_CHOICE("tune", "on|off|yes|no|true|false",                                    \
                            "on, unless told otherwise: time the ways to compute each\n"           \
                            "convolution, once for a machine; off: a fixed choice"))

/* Sets the context up. Tells what is wrong and returns EXIT_USAGE, or EXIT_DONE. */
int computing_apply(sumi_context *context, const struct computing *computing);

#endif
