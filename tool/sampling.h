/* SPDX-License-Identifier: Apache-2.0 */
/* Running a model's solver with progress, previews and a filmstrip of the reverse process. Shared
   by train and the commands of inference.h. */
#ifndef TOOL_SAMPLING_H
#define TOOL_SAMPLING_H

#include "command.h"

enum { FRAME_LIMIT = 8, FRAME_ITEMS = 8, LABEL_SIZE = 24 };

/* States along one reverse process. */
struct filmstrip {
    sumi_array frames; /* [count, n, item] */
    int count;
    char labels[FRAME_LIMIT][LABEL_SIZE];
};

/* The trajectories of the first samples: states [steps + 1, n, item] of one run. */
struct trail {
    sumi_array states;
    int64_t count; /* n, set before the run */
};

struct sampling {
    sumi_context *context;
    sumi_model *model;
    sumi_session *session; /* that runs the model */
    sumi_solver *solver;
    const char *task;       /* for the progress line */
    int64_t start;          /* index in the list of times where the solver begins with `from` */
    const sumi_array *from; /* clean items to noise to that time, instead of pure noise, or NULL */
    const sumi_array *latents; /* initial states, or NULL */
    bool quiet;
    struct filmstrip *strip; /* receives the reverse process; may be NULL */
    struct trail *trail;     /* receives the trajectories of some samples; may be NULL */
};

/* Opens the recipe in a model's folder; *recipe is NULL if there is none. */
sumi_status sampling_recipe(sumi_context *context, const char *folder, sumi_recipe **recipe);

/* A whole number of a recipe, or `otherwise` without a recipe. */
int64_t sampling_whole(const sumi_recipe *recipe, const char *key, int64_t otherwise);

/* Returns the list of times of the solver in new memory, to be released with free; *count receives
   its length. NULL if memory runs out or the options are invalid. */
double *sampling_times(sumi_solver *solver, int64_t *count);

/* Runs the solver in place on state[n, item]. Stops with SUMI_STOPPED after Ctrl-C. */
sumi_status sampling_run(const struct sampling *sampling, sumi_array *state);

/* Draws samples given measurements, in a new array [draws items, item] (sumi_session_restore).
   `from`, `latents`, `strip` and `trail` are not used. */
sumi_status sampling_restore(const struct sampling *sampling, sumi_restorer *restorer,
                             const sumi_array *measured, int64_t draws, sumi_array *samples);

/* The index in the list of times after which the fraction `strength` (0 to 1) of the steps is left,
   rounded up, so that there is at least one. */
int64_t sampling_place(sumi_solver *solver, double strength);

/* Adds noise to items up to a time: `state` has the noise from sumi_solver_start, and receives the
   noised items. */
sumi_status sampling_noise_items(sumi_solver *solver, const sumi_array *items, double time,
                                 sumi_array *state);

/* Generates samples in a new array [count, item]; with `from` or `latents`, as many as these
   have. */
sumi_status sampling_draw(const struct sampling *sampling, int64_t count, sumi_array *samples);

/* Replaces samples that are latents by the pictures that the model's auto-encoder decodes; other
   samples stay unchanged. `precision` may be NULL. */
sumi_status sampling_decode(sumi_context *context, const sumi_model *model, const char *precision,
                            sumi_array *samples);

/* The shape of the items as people see them: of a model over latents, that of the pictures which
   its auto-encoder encodes; else that of the model's items. Returns the rank. */
int sampling_outer_shape(sumi_context *context, const sumi_model *model, int64_t *shape);

/* How many pixels a side of a latent spans; 1 in a model without latents. */
int64_t sampling_factor(sumi_context *context, const sumi_model *model);

/* Replaces pictures by the latents (the means) that a model over latents works on; items of other
   models stay unchanged. The pictures go to *pictures, or are released where that is NULL. */
sumi_status sampling_encode(sumi_context *context, const sumi_model *model, const char *precision,
                            sumi_array *items, sumi_array *pictures);

/* sampling_decode for the frames [a, b, item] of a table or a filmstrip. */
sumi_status sampling_decode_frames(sumi_context *context, const sumi_model *model,
                                   const char *precision, sumi_array *frames);

/* Whether the items of the model are latents. */
bool sampling_has_latents(const sumi_model *model);

/* Writes the filmstrip as PNG. */
sumi_status filmstrip_write(sumi_context *context, const struct filmstrip *strip, const char *path);
void filmstrip_release(sumi_context *context, struct filmstrip *strip);

/* The seconds of a monotonic clock. */
double clock_now(void);

#endif
