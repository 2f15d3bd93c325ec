/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that use oneDNN: the engine, errors, and one name for what versions 2.x and
   3.x name differently. Only src/cpu/onednn*.c include it. */
#ifndef SUMI_CPU_ONEDNN_PARTS_H
#define SUMI_CPU_ONEDNN_PARTS_H

#include <oneapi/dnnl/dnnl.h>

#include "base/context.h"

/* The backend's shared state. */
struct onednn_engine {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

sumi_status onednn_status(dnnl_status_t status);
/* Turns a failure into one sentence: "oneDNN could not <what>: <why>". */
sumi_status onednn_check(sumi_context *context, dnnl_status_t status, const char *what);

/* A memory descriptor that we own (released by onednn_forget), one owned by a primitive descriptor,
   and the first in the form that the library's calls take. */
typedef dnnl_memory_desc_t onednn_layout;
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t onednn_found_layout;
#define ONEDNN_LAYOUT(l) (*(l))
#else
typedef const dnnl_memory_desc_t *onednn_found_layout;
#define ONEDNN_LAYOUT(l) (l)
#endif

static inline dnnl_status_t onednn_describe(onednn_layout *layout, int rank,
                                            const dnnl_dim_t *sizes, dnnl_data_type_t type,
                                            dnnl_format_tag_t tag)
{
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_create_with_tag(layout, rank, sizes, type, tag);
#else
    return dnnl_memory_desc_init_by_tag(layout, rank, sizes, type, tag);
#endif
}

static inline void onednn_forget(onednn_layout *layout)
{
#if DNNL_VERSION_MAJOR >= 3
    if (*layout) dnnl_memory_desc_destroy(*layout);
    *layout = NULL;
#else
    (void)layout;
#endif
}

#endif
