/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes config.json of auto-encoders: any bytes as the text of a config; an accepted config must
   be accepted again in its saved form, and both halves are built on the smallest input within a few
   megabytes. */
#include <string.h>

#include "budget.h"
#include "nets/auto_encoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MEMORY_LIMIT = 8 << 20 };

static void build(sumi_context *context, const struct auto_encoder *coder)
{
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    int64_t picture[4] = {1, coder->factor, coder->factor, coder->in_channels};
    int64_t latent[4] = {1, 1, 1, coder->latent_channels};
    if (sumi_weights_create(context, 0, &weights) == SUMI_OK
        && sumi_graph_create(context, weights, true, &graph) == SUMI_OK) {
        auto_encoder_encode(coder, graph, sumi_graph_input(graph, "x", 4, picture));
        auto_encoder_decode(coder, graph, sumi_graph_input(graph, "z", 4, latent));
    }
    sumi_graph_free(graph);
    sumi_weights_free(weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct budget budget = {MEMORY_LIMIT};
    sumi_allocator allocator = {&budget, budget_allocate, budget_release};
    sumi_context *context = NULL;
    struct auto_encoder *coder = NULL, *again = NULL;
    char *text = calloc(size + 1, 1);
    if (!text || sumi_context_create(&allocator, &context) != SUMI_OK) abort();
    memcpy(text, bytes, size);
    if (auto_encoder_parse(context, text, "config", &coder) == SUMI_OK) {
        sumi_status status = auto_encoder_parse(context, coder->config, "saved", &again);
        if (status != SUMI_OK && status != SUMI_ERROR_MEMORY) abort();
        if (status == SUMI_OK && strcmp(coder->config, again->config) != 0) abort();
        build(context, coder);
    } else if (!*sumi_context_message(context)) {
        abort();
    }
    auto_encoder_free(again);
    auto_encoder_free(coder);
    sumi_context_free(context);
    free(text);
    return 0;
}
