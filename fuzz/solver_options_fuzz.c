/* SPDX-License-Identifier: Apache-2.0 */
/* A byte for the solver, then lines of any bytes as options, name=value: each is refused with a
   sentence or set; and the solver solves, or says why the options do not fit together. */
#include <string.h>

#include "solving.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void set_options(sumi_context *context, sumi_solver *solver, char *text)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *value = strchr(line, '=');
        if (!value) continue;
        *value++ = '\0';
        if (sumi_solver_set(solver, line, value) != SUMI_OK && !*sumi_context_message(context))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    char *text = size ? calloc(size, 1) : NULL;
    if (!text) return 0;
    if (sumi_context_create(NULL, &context) != SUMI_OK) abort();
    memcpy(text, bytes + 1, size - 1);
    if (solving_create(context, bytes[0], &solver) != SUMI_OK) abort();
    set_options(context, solver, text);
    solving_run(solver);
    sumi_solver_free(solver);
    sumi_context_free(context);
    free(text);
    return 0;
}
