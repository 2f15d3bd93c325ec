/* SPDX-License-Identifier: Apache-2.0 */
/* The figure of a model of points in the plane: its samples, and over them the lines along which
   they came or the field of the score. */
#ifndef TOOL_FIGURE_H
#define TOOL_FIGURE_H

#include "sampling.h"

enum { FIGURE_LINES = 60 }; /* unless the caller wants another number */

/* Whether samples[n, 2] are such points. */
bool figure_is_of_points(const sumi_model *model);

/* Whether a solver leads from noise to data without noise of its own, so that its ways
   are lines. */
bool figure_has_lines(const sumi_solver *solver);

/* Writes the figure to `path`. `trail` may be NULL; `field`, the time of the score as text, too. */
int figure_write(sumi_context *context, sumi_model *model, const sumi_array *samples,
                 const struct trail *trail, const char *field, const char *path);

#endif
