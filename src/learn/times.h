/* SPDX-License-Identifier: Apache-2.0 */
/* The distribution of training times over a path, with the signal and noise at each. */
#ifndef SUMI_LEARN_TIMES_H
#define SUMI_LEARN_TIMES_H

#include "learn/importance.h"
#include "solvers/solver.h"

/* The level that an item is noised to: x = signal clean + noise e. */
struct place {
    int64_t index; /* of a whole time, from 0 to T - 1; else -1 */
    double time;   /* the network's time input */
    struct noise_level level;
    double chance; /* probability of a whole time with importance sampling, times T; else 1 */
};

/* In the order of the names of train.times. */
enum times_kind {
    TIMES_AUTO,        /* whole on a table, log_normal on edm, uniform on the others */
    TIMES_ALL_WHOLE,   /* the T whole times with equal probability */
    TIMES_UNIFORM,     /* the path's own time between its ends; on edm log(sigma) */
    TIMES_IMPORTANCE,  /* whole times by their losses; see importance.h */
    TIMES_LOG_NORMAL,  /* Karras et al. 2022, table 1: log(s / a) normal */
    TIMES_LOGIT_NORMAL /* Esser et al. 2024, eq. 19: log(t / (1 - t)) normal; on a flow, where s / a
                          is t / (1 - t), the same with other defaults */
};

struct times {
    enum times_kind kind;          /* never TIMES_AUTO */
    const struct noise_path *path; /* borrowed */
    double least;                  /* least own time, for uniform */
    double mean, deviation;        /* for log_normal and logit_normal */
    double shift;                  /* for flows: see path_shift */
    struct importance importance;
};

/* Call times_release also after a failure. */
sumi_status times_open(const struct learning *learning, const struct noise_path *path, double shift,
                       struct times *times);
void times_release(sumi_context *context, struct times *times); /* accepts zeros */

/* The places that may be drawn, by number from 0; false past the last. All whole times, or else the
   ends and some times between. */
bool times_visit(const struct times *times, int64_t number, struct place *place);

/* Call it before the draws of a step. */
void times_prepare(struct times *times);
/* The place of an item of a step. */
struct place times_draw(const struct times *times, uint64_t seed, int64_t step, int64_t item);

#endif
