/* SPDX-License-Identifier: Apache-2.0 */
/* What targets that read a config.json have in common: any bytes as its text, in a context with a
   few megabytes; what must hold of an accepted config and of a refused one; a graph to build in. */
#ifndef FUZZ_CONFIG_H
#define FUZZ_CONFIG_H

#include <string.h>

#include "budget.h"
#include "sumi_graph.h"

enum { CONFIG_MEMORY = 8 << 20 };

/* Calls `read` with the bytes as a text. */
static inline void config_run(const uint8_t *bytes, size_t size,
                              void (*read)(sumi_context *context, const char *text))
{
    struct budget budget = {CONFIG_MEMORY};
    sumi_allocator allocator = {&budget, budget_allocate, budget_release};
    sumi_context *context = NULL;
    char *text = calloc(size + 1, 1);
    if (!text || sumi_context_create(&allocator, &context) != SUMI_OK) abort();
    memcpy(text, bytes, size);
    read(context, text);
    sumi_context_free(context);
    free(text);
}

/* A refused config has a message. */
static inline void config_check_refused(const sumi_context *context)
{
    if (!*sumi_context_message(context)) abort();
}

/* An accepted config is accepted again in its saved form, and saved the same; `again` is read only
   after a success. */
static inline void config_check_again(sumi_status status, const char *saved, const char *again)
{
    if (status != SUMI_OK && status != SUMI_ERROR_MEMORY) abort();
    if (status == SUMI_OK && strcmp(saved, again) != 0) abort();
}

/* Calls `build` with a graph for training and weights of its own; its status, or that of a failure
   before it. */
static inline sumi_status config_build(sumi_context *context, void *user,
                                       sumi_status (*build)(void *user, sumi_graph *graph))
{
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    sumi_status status = sumi_weights_create(context, 0, &weights);
    if (status == SUMI_OK) status = sumi_graph_create(context, weights, true, &graph);
    if (status == SUMI_OK) status = build(user, graph);
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    return status;
}

#endif
