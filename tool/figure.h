/* SPDX-License-Identifier: Apache-2.0 */
/* The figure of a model of points in the plane: its samples, and over them the trajectories of some
   or the field of the score. */
#ifndef TOOL_FIGURE_H
#define TOOL_FIGURE_H

#include "inference.h"

enum { FIGURE_LINES = 60 }; /* default number of trajectories */

/* Whether the model's items are such points. */
bool figure_is_of_points(const sumi_model *model);

/* Whether a solver is deterministic, so that its trajectories are lines. */
bool figure_has_lines(const sumi_solver *solver);

/* Writes the figure to `path`. `trail` and `field`, the time of the score as text, may be NULL. The
   session that drew the samples has the first class as its condition afterwards. */
int figure_write(struct inference *inference, const sumi_array *samples, const struct trail *trail,
                 const char *field, const char *path);

#endif
