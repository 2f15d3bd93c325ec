/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that is free on this machine. */
#ifndef SUMI_BASE_MACHINE_H
#define SUMI_BASE_MACHINE_H

#include <stdint.h>

/* The bytes that the system reports as available, within the limit of the control group; INT64_MAX
   where unknown. */
int64_t machine_free_memory(void);

#endif
