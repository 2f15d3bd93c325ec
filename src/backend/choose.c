/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that chooses the backend of a context. */
#include "cpu/cpu.h"

sumi_status sumi_context_create(const sumi_allocator *allocator, sumi_context **context)
{
    return context_create(allocator, &cpu_backend, context);
}
