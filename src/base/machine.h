/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that is free on this machine. */
#ifndef SUMI_BASE_MACHINE_H
#define SUMI_BASE_MACHINE_H

#include <stdint.h>

/* Bytes that this process may still allocate without driving others out of memory: what the
   system counts as available, within the control group's limit; INT64_MAX where it does not say. */
int64_t machine_free_memory(void);

#endif
