/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a training run: where it lies, what it may hold already, and whether the recipe in
   it is the one that is asked for. */
#ifndef TOOL_RUN_FOLDER_H
#define TOOL_RUN_FOLDER_H

#include "command.h"

enum { RUN_PATH_SIZE = 4096, RUN_WORD_SIZE = 4 * RUN_PATH_SIZE }; /* a path; quoted */

/* What the command line asks for. */
struct run_wish {
    const char *recipe, *out, *seed, *precision; /* NULL where not given */
    const struct texts *sets;
    bool resume, force;
};

struct run_folder {
    char path[RUN_PATH_SIZE - 256], checkpoint[RUN_PATH_SIZE];
    char title[128];     /* of the loss curve */
    bool has_checkpoint; /* to go on from */
    bool force;
    int64_t weights; /* of the model that it is to keep */
    int lock;        /* the folder, open, while this run is at work in it; -1 before */
};

/* Opens the recipe with all changes, and finds out about the folder; changes nothing. Tells what is
   wrong and returns an exit code. */
int run_folder_prepare(sumi_context *context, const struct run_wish *wish,
                       struct run_folder *folder, sumi_recipe **recipe);

/* Makes the folder, takes it for this run alone, clears away what a killed run left half written,
   and an old checkpoint if that is wanted, looks whether what the run leaves can be written there
   and has room, and writes the recipe: an error here comes before the work, not after it. */
int run_folder_begin(sumi_context *context, struct run_folder *folder, const sumi_recipe *recipe);

/* Gives the folder free for other runs. */
void run_folder_end(struct run_folder *folder);

/* The path of a file in the folder, in path[RUN_PATH_SIZE]. Returns path. */
const char *run_folder_file(const struct run_folder *folder, const char *name, char *path);

#endif
