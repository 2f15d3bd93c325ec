/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a training run: its path, its existing contents, and whether its recipe is the
   requested one. */
#ifndef TOOL_RUN_FOLDER_H
#define TOOL_RUN_FOLDER_H

#include "command.h"

enum { RUN_PATH_SIZE = 4096, RUN_WORD_SIZE = 4 * RUN_PATH_SIZE }; /* a path; quoted */

/* The request of the command line. */
struct run_wish {
    const char *recipe, *out, *seed, *precision; /* NULL if not given */
    const struct texts *sets;
    bool resume, force;
};

struct run_folder {
    char path[RUN_PATH_SIZE - 256], checkpoint[RUN_PATH_SIZE];
    char title[128];     /* of the loss curve */
    bool has_checkpoint; /* from which to resume */
    bool force;
    int64_t weights; /* number of weights of the model to save */
    int lock;        /* handle of the folder while this run uses it; -1 before */
};

/* Opens the recipe with all changes and inspects the folder, without changing anything. Prints
   errors and returns an exit code. */
int run_folder_prepare(sumi_context *context, const struct run_wish *wish,
                       struct run_folder *folder, sumi_recipe **recipe);

/* Creates and locks the folder, removes incomplete files of a killed run (and with --force the old
   checkpoint), checks that the run's files can be written there and fit, and writes the recipe, so
   that errors occur before the work and not after it. */
int run_folder_begin(sumi_context *context, struct run_folder *folder, const sumi_recipe *recipe);

/* Unlocks the folder. */
void run_folder_end(struct run_folder *folder);

/* Writes the path of a file in the folder to path[RUN_PATH_SIZE]. Returns path. */
const char *run_folder_file(const struct run_folder *folder, const char *name, char *path);

#endif
