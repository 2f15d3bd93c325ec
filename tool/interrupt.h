/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C and its kin: a long call is asked to stop where everything is in order. */
#ifndef TOOL_INTERRUPT_H
#define TOOL_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT, SIGTERM and SIGHUP are only noted. The second ends the program at once. */
void interrupt_catch(void);

/* Whether one came. */
bool interrupt_came(void);

#endif
