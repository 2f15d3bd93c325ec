/* SPDX-License-Identifier: Apache-2.0 */
/* At which times of its path a model is trained, and how much signal and noise there is. */
#ifndef SUMI_LEARN_TIMES_H
#define SUMI_LEARN_TIMES_H

#include "learn/importance.h"
#include "solvers/solver.h"

/* Where an item is noised to: x = signal clean + noise e. */
struct place {
    int64_t index; /* of a whole time, from 0 to T - 1; else -1 */
    double time;   /* as the network is told */
    struct noise_level level;
    double chance; /* of a whole time by importance, times T; else 1 */
};

/* By the names of train.times, in its order. */
enum times_kind {
    TIMES_AUTO,       /* whole on a table, log_normal on edm, uniform on the others */
    TIMES_ALL_WHOLE,  /* each of the T whole times as likely */
    TIMES_UNIFORM,    /* the path's own time between its ends; on edm log(sigma) */
    TIMES_IMPORTANCE, /* whole times by their losses: importance.h */
    TIMES_LOG_NORMAL  /* Karras et al. 2022, table 1: log(s / a) normal; on a flow that is the
                         logit-normal time of Esser et al. 2024, eq. 19 */
};

struct times {
    enum times_kind kind;          /* never TIMES_AUTO */
    const struct noise_path *path; /* borrowed */
    double least;                  /* own time, of uniform ones */
    double mean, deviation;        /* of log_normal */
    double shift;                  /* of flows: path_shift */
    struct importance importance;
};

/* On failure times_release is still needed. */
sumi_status times_open(const struct learning *learning, const struct noise_path *path, double shift,
                       struct times *times);
void times_release(sumi_context *context, struct times *times); /* accepts zeros */

/* A place that may be drawn, by number from 0; false past the last. Of whole times that is each of
   them, else the ends and some between. */
bool times_visit(const struct times *times, int64_t number, struct place *place);

/* To be called before the draws of a step. */
void times_prepare(struct times *times);
/* The place of an item of a step. */
struct place times_draw(const struct times *times, uint64_t seed, int64_t step, int64_t item);

#endif
