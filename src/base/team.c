/* SPDX-License-Identifier: Apache-2.0 */
/* The number of threads that pays off for a loop; see team.h. */
#include "base/team.h"

int worthwhile_threads(int threads, int64_t work)
{
    enum { WORK_OF_A_THREAD = 1 << 14 };
    int64_t useful = work / WORK_OF_A_THREAD;
    return useful >= 2 && useful >= threads / 4 ? threads : 1; /* all or one: see team.h */
}
