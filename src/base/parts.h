/* SPDX-License-Identifier: Apache-2.0 */
/* Parts that a build of the library may leave out, by the options of cmake/parts.cmake. */
#ifndef SUMI_BASE_PARTS_H
#define SUMI_BASE_PARTS_H

#include "base/context.h"

/* Records that `what` is not in this build, and the build option that adds it (such as
   "SUMI_DRAW"); `name` (or NULL) is the file, which begins the message. Returns
   SUMI_ERROR_UNSUPPORTED. */
sumi_status part_left_out(sumi_context *context, const char *name, const char *what,
                          const char *option);

#endif
