/* SPDX-License-Identifier: Apache-2.0 */
/* Parts that a build of the library may leave out, by the options of cmake/parts.cmake. */
#ifndef SUMI_BASE_PARTS_H
#define SUMI_BASE_PARTS_H

#include "base/context.h"

/* Records that what was asked for is not in this build, and which option of the build (such as
   "SUMI_DRAW") brings it: "FILE: " before it where `name` is not NULL. Returns
   SUMI_ERROR_UNSUPPORTED. */
sumi_status part_left_out(sumi_context *context, const char *name, const char *what,
                          const char *option);

#endif
