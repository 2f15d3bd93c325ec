/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN's engine; see onednn.h. */
#include "cpu/onednn.h"

#include <stdio.h>

#include "cpu/onednn_parts.h"

static const char *status_text(dnnl_status_t status)
{
    switch (status) {
    case dnnl_out_of_memory: return "out of memory";
    case dnnl_invalid_arguments: return "invalid arguments";
    case dnnl_unimplemented: return "not implemented";
    default: return "runtime error";
    }
}

sumi_status onednn_status(dnnl_status_t status)
{
    if (status == dnnl_success) return SUMI_OK;
    return status == dnnl_out_of_memory ? SUMI_ERROR_MEMORY : SUMI_ERROR_BACKEND;
}

sumi_status onednn_check(sumi_context *context, dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return SUMI_OK;
    return context_fail(context, onednn_status(status), "oneDNN could not %s: %s", what,
                        status_text(status));
}

void onednn_close(sumi_context *context, void *shared)
{
    struct onednn_engine *engine = shared;
    if (!engine) return;
    if (engine->stream) dnnl_stream_destroy(engine->stream);
    if (engine->engine) dnnl_engine_destroy(engine->engine);
    context_release(context, engine);
}

sumi_status onednn_open(sumi_context *context, void **shared)
{
    struct onednn_engine *engine = context_allocate_zeroed(context, 1, sizeof *engine);
    if (!engine) return SUMI_ERROR_MEMORY;
    sumi_status status = onednn_check(context, dnnl_engine_create(&engine->engine, dnnl_cpu, 0),
                                      "open the CPU engine");
    if (status == SUMI_OK) {
        status = onednn_check(
            context, dnnl_stream_create(&engine->stream, engine->engine, dnnl_stream_default_flags),
            "open a stream");
    }
    if (status == SUMI_OK) {
        *shared = engine;
    } else {
        onednn_close(context, engine);
    }
    return status;
}

void onednn_version(char *text, size_t size)
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, size, "%d.%d.%d", version->major, version->minor, version->patch);
}
