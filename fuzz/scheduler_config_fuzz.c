/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a scheduler_config.json: refused with a sentence, or a solver that has a time list
   and solves. Which solver follows from the size. */
#include <string.h>

#include "solving.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    char *text = calloc(size + 1, 1);
    if (!text || sumi_context_create(NULL, &context) != SUMI_OK) abort();
    memcpy(text, bytes, size);
    if (solving_create(context, size, &solver) == SUMI_OK
        && sumi_solver_configure(solver, text) == SUMI_OK)
        solving_run(solver);
    else if (!*sumi_context_message(context)) abort();
    sumi_solver_free(solver);
    sumi_context_free(context);
    free(text);
    return 0;
}
