/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C and similar signals: a long call is asked to stop at a safe point. */
#ifndef TOOL_INTERRUPT_H
#define TOOL_INTERRUPT_H

#include <stdbool.h>

/* Records SIGINT, SIGTERM and SIGHUP instead of ending the program; the second one ends it
   immediately. */
void interrupt_catch(void);

/* Whether a signal has arrived. */
bool interrupt_came(void);

#endif
