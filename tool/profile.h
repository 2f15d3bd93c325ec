/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time went, op by op, beside what the machine can do at most: a table for people, JSON
   for programs. Shared by bench and train. */
#ifndef TOOL_PROFILE_H
#define TOOL_PROFILE_H

#include <json-c/json.h>

#include "command.h"

struct profile_view {
    const sumi_machine *machine;
    double seconds; /* by the clock on the wall, while it was timed */
    int64_t calls;  /* of the whole that was timed, such as training steps; figures are for one */
    bool shapes;    /* a row for each op and its shapes, instead of one for each op */
};

/* The machine's limits in one line. */
void profile_print_machine(const sumi_machine *machine);

/* The table of what the context has timed. Returns an exit code. */
int profile_print(const sumi_context *context, const struct profile_view *view);

/* The same as JSON, for a new object; NULL where memory runs out. */
struct json_object *profile_machine_json(const sumi_machine *machine);
struct json_object *profile_json(const sumi_context *context, const struct profile_view *view);

#endif
