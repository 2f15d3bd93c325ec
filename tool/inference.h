/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the commands that run a trained model: their option rows, and the model, session and
   solver that they open. */
#ifndef TOOL_INFERENCE_H
#define TOOL_INFERENCE_H

#include "computing.h"
#include "guidance.h"
#include "lora.h"
#include "prompts.h"
#include "sampling.h"
#include "steering.h"

/* 0 or NULL means the value of the recipe or, without it, of the model's own scheduler. */
struct inference_settings {
    int64_t steps;
    const char *solver, *seed, *rng;
    struct texts options; /* of the solver, "name=value" */
    struct texts labels;  /* names or numbers of classes */
    const char *size;     /* of items, for a model whose config leaves it open */
    struct texts loras;   /* "FILE[:SCALE]" */
    struct guidance_settings guidance;
    struct texts guides;            /* of --guide */
    struct prompt_settings prompts; /* of commands that have such options */
    struct computing computing;
    bool quiet, json;
};

/* Rows of a command's table of options, for a member `inference` of its settings. */
#define SOLVER_ROW(SETTINGS)                                                                       \
    OPTION_ROW(SETTINGS, inference.solver, 0, "NAME", A_TEXT("solver", "one of `sumi solvers`"))

#define SEED_ROW(SETTINGS)                                                                         \
    OPTION_ROW(SETTINGS, inference.seed, 0, "S", A_SEED("seed", "seed of all noise; default: 0"))

#define SET_ROW(SETTINGS)                                                                          \
    LIST_ROW(SETTINGS, inference.options, 0, "OPTION=VALUE ...", TAKES_ASSIGNMENTS,                \
             A_TEXT("set", "options of the solver, by their names in\n"                            \
                           "scheduler_config.json, or eta, timesteps ...; `sumi solvers\n"         \
                           "NAME` lists them"))

#define LABEL_ROW(SETTINGS)                                                                        \
    LIST_ROW(SETTINGS, inference.labels, 0, "L ...", TAKES_WORDS,                                  \
             A_TEXT("label", "classes of the items, repeated cyclically, by number or by a\n"      \
                             "name that `sumi info` lists; default: those of the data, or\n"       \
                             "all classes cyclically"))

#define SIZE_ROW(SETTINGS)                                                                         \
    OPTION_ROW(SETTINGS, inference.size, 0, "HxW",                                                 \
               A_TEXT("size", "height and width of the items, for a transformer or where the\n"    \
                              "model's config has no \"sample_size\"; default: its\n"              \
                              "\"sample_size\", or those of the items that are read"))

/* Options of computation and output. */
#define COMPUTING_AND_REPORT_ROWS(SETTINGS)                                                        \
    COMPUTING_OPTIONS(SETTINGS, inference.computing),                                              \
        OPTION_ROW(SETTINGS, inference.quiet, 'q', NULL, A_FLAG("quiet", "only errors")),          \
        OPTION_ROW(SETTINGS, inference.json, 0, NULL,                                              \
                   A_FLAG("json", "print what was done and measured as JSON"))

/* All of them. */
#define INFERENCE_OPTIONS(SETTINGS)                                                                \
    OPTION_ROW(SETTINGS, inference.steps, 0, "K",                                                  \
               A_COUNT("steps", "number of steps between noise and data; `sumi solvers` lists\n"   \
                                "the evaluations of the network per step")),                       \
        SOLVER_ROW(SETTINGS), SET_ROW(SETTINGS), SEED_ROW(SETTINGS),                               \
        OPTION_ROW(SETTINGS, inference.rng, 0, "philox|torch",                                     \
                   A_CHOICE("rng", "philox|torch",                                                 \
                            "random numbers: Sumi's own, or those of torch on a CPU")),            \
        LABEL_ROW(SETTINGS), SIZE_ROW(SETTINGS), LORA_ROW(SETTINGS, inference.loras),              \
        GUIDANCE_ROWS(SETTINGS, inference.guidance), STEERING_ROWS(SETTINGS, inference.guides),    \
        COMPUTING_AND_REPORT_ROWS(SETTINGS)

/* A model that is ready to run. */
struct inference {
    sumi_context *context;
    const struct inference_settings *settings;
    const char *task;   /* the command, for messages and the progress line */
    const char *folder; /* of the model */
    sumi_model *model;
    sumi_session *session;
    struct steering steering;
    sumi_recipe *recipe; /* that lies beside the model; NULL without one */
    sumi_solver *solver;
    struct prompt_list prompts;
};

/* An inference with nothing open. The settings must outlive it. */
struct inference inference_of(sumi_context *context, const struct inference_settings *settings,
                              const char *task, const char *folder);

/* Opens model, session, recipe and solver: the solver of the settings, else `usual`, else (NULL)
   that of the recipe or of the model. Prints errors and returns an exit code; call inference_close
   in either case. */
int inference_open(struct inference *inference, const char *usual);
void inference_close(struct inference *inference);

/* Replaces the solver. Prints errors and returns an exit code. */
int inference_change_solver(struct inference *inference, const char *name);

/* Whether a number of steps determines the times that the solver visits. */
bool inference_takes_steps(const struct inference *inference);

/* Whether the solver of this name adds noise, so that a state does not determine its sample. */
bool inference_adds_noise(const char *solver);

/* sampling_encode at the precision of the settings. Prints errors and returns an exit code. */
int inference_encode(const struct inference *inference, sumi_array *items, sumi_array *pictures);

/* Sets the classes of the next `count` items: those of the settings, or all classes, repeated
   cyclically. Prints errors and returns an exit code. */
int inference_set_labels(struct inference *inference, int64_t count);

/* The same with the classes `wanted`. */
int inference_set_classes(struct inference *inference, int64_t count, const struct numbers *wanted);

/* The inference in the form for sampling_run and sampling_draw. */
struct sampling inference_sampling(const struct inference *inference);

/* ---- The parts, for commands with their own model and session ---- */

/* Creates the solver of settings and recipe (may be NULL). SUMI_ERROR_ARGUMENT for an invalid
   choice. */
sumi_status inference_solver(sumi_model *model, const struct inference_settings *settings,
                             const sumi_recipe *recipe, sumi_solver **solver);

/* Sets options of a solver, each "name=value". */
sumi_status inference_set_options(sumi_solver *solver, const struct texts *options);

/* Sets the condition of a session to the classes of `count` items, like inference_set_classes.
   Without wanted classes, all classes cyclically but `left_out` (-1: none is left out). */
sumi_status inference_classes(sumi_context *context, const sumi_model *model, sumi_session *session,
                              int64_t count, const struct numbers *wanted, int64_t left_out);

/* The same with classes[count], which repeat cyclically. */
sumi_status inference_repeat_classes(sumi_context *context, const sumi_model *model,
                                     sumi_session *session, int64_t count, const int32_t *classes);

#endif
