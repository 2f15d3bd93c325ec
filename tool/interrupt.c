/* SPDX-License-Identifier: Apache-2.0 */
/* Recording signals; see interrupt.h. */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};

static volatile sig_atomic_t came;

static void note(int number)
{
    (void)number;
    came = 1;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++) {
        struct sigaction present;
        /* keeps signals ignored that nohup and background jobs ignore */
        if (sigaction(SIGNALS[i], NULL, &present) == 0 && present.sa_handler != SIG_IGN)
            sigaction(SIGNALS[i], &action, NULL);
    }
}

bool interrupt_came(void)
{
    return came;
}
