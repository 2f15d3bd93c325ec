/* SPDX-License-Identifier: Apache-2.0 */
/* How threads of the OpenMP library wait for each other. GNU's library spins for about a
   millisecond by default, which on a busy machine delays the thread that it waits for: training
   then took several times as long as with short spinning. The library reads its setting before main
   begins, so the command restarts itself with a better one. */
#include "waiting.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

void wait_briefly(char *const *argv)
{
    bool chosen = getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT");
    if (chosen || setenv("GOMP_SPINCOUNT", "10000", 0) != 0) return;
    execv("/proc/self/exe", argv); /* returns only on failure, which is harmless */
}
