/* SPDX-License-Identifier: Apache-2.0 */
/* How threads of the OpenMP library wait for each other. GNU's spins for about a millisecond by
   default, which on a machine with other work holds up the very thread that is waited for: training
   there took several times as long as with short spinning. The library reads its setting before
   main begins, so the command starts itself once more with a better one. */
#include "waiting.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

void wait_briefly(char *const *argv)
{
    bool chosen = getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT");
    if (chosen || setenv("GOMP_SPINCOUNT", "10000", 0) != 0) return;
    execv("/proc/self/exe", argv); /* comes back only where that is not possible: no harm done */
}
