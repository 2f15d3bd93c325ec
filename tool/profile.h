/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles op by op, compared with the peak performance of the machine, as a table or as JSON.
   Shared by bench and train. */
#ifndef TOOL_PROFILE_H
#define TOOL_PROFILE_H

#include <json-c/json.h>

#include "command.h"

struct profile_view {
    const sumi_machine *machine;
    double seconds; /* wall-clock time of the profile */
    int64_t calls;  /* number of profiled calls, such as training steps; figures are per call */
    bool shapes;    /* a row for each op and its shapes, instead of one for each op */
};

/* Prints the machine's peak performance in one line. */
void profile_print_machine(const sumi_machine *machine);

/* Prints the table of the context's profile. Returns an exit code. */
int profile_print(const sumi_context *context, const struct profile_view *view);

/* The same as new JSON objects; NULL if memory runs out. */
struct json_object *profile_machine_json(const sumi_machine *machine);
struct json_object *profile_json(const sumi_context *context, const struct profile_view *view);

#endif
