/* SPDX-License-Identifier: Apache-2.0 */
/* How threads of the OpenMP library wait for each other. */
#ifndef TOOL_WAITING_H
#define TOOL_WAITING_H

/* Starts the command again with a short spinning time, unless the user has chosen one. */
void wait_briefly(char *const *argv);

#endif
