/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes config.json of auto-encoders: any bytes as the text of a config; an accepted config must
   be accepted again in its saved form, and both halves are built on the smallest input within a few
   megabytes. */
#include "config.h"
#include "nets/auto_encoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static sumi_status build(void *user, sumi_graph *graph)
{
    return auto_encoder_build_halves(user, graph);
}

static void read_config(sumi_context *context, const char *text)
{
    struct auto_encoder *coder = NULL, *again = NULL;
    if (auto_encoder_parse(context, text, "config", &coder) == SUMI_OK) {
        sumi_status status = auto_encoder_parse(context, coder->config, "saved", &again);
        config_check_again(status, coder->config, again ? again->config : NULL);
        config_build(context, coder, build);
    } else {
        config_check_refused(context);
    }
    auto_encoder_free(again);
    auto_encoder_free(coder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    config_run(bytes, size, read_config);
    return 0;
}
