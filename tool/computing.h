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
    {"threads",                                                                                    \
     0,                                                                                            \
     OPTION_COUNT,                                                                                 \
     "N",                                                                                          \
     "threads to compute with",                                                                    \
     offsetof(SETTINGS, MEMBER.threads)},                                                          \
        {"precision",                                                                              \
         0,                                                                                        \
         OPTION_TEXT,                                                                              \
         "float32|bf16",                                                                           \
         "how activations of convolutional networks are kept and\nmultiplied; weights are "        \
         "float32",                                                                                \
         offsetof(SETTINGS, MEMBER.precision)},                                                    \
    {                                                                                              \
        "tune", 0, OPTION_TEXT, "on|off",                                                          \
            "on, unless told otherwise: time the ways to compute each\nconvolution, once for "     \
            "a machine; off: a fixed choice",                                                      \
            offsetof(SETTINGS, MEMBER.tune)                                                        \
    }

/* Sets the context up. Tells what is wrong and returns EXIT_USAGE, or EXIT_DONE. */
int computing_apply(sumi_context *context, const struct computing *computing);

#endif
