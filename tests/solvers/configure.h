/* SPDX-License-Identifier: Apache-2.0 */
/* Sets options like a configuration file: ignores those that a solver does not read, so that one
   list serves all solvers. */
#ifndef TESTS_SOLVERS_CONFIGURE_H
#define TESTS_SOLVERS_CONFIGURE_H

#include "check.h"

#include <string.h>

static inline void configure(sumi_context *context, sumi_solver *solver, const char *name,
                             const char *value)
{
    char json[512];
    bool bare = strchr("[-0123456789", value[0]) || strcmp(value, "true") == 0
                || strcmp(value, "false") == 0;
    snprintf(json, sizeof json, "{\"_class_name\": \"SumiScheduler\", \"%s\": %s%s%s}", name,
             bare ? "" : "\"", value, bare ? "" : "\"");
    CHECK_OK(context, sumi_solver_configure(solver, json));
}

#endif
