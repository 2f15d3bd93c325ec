/* SPDX-License-Identifier: Apache-2.0 */
/* How many threads a loop is worth; see team.h. */
#include "base/team.h"

int worthwhile_threads(int threads, int64_t work)
{
    enum { WORK_OF_A_THREAD = 1 << 14 };
    int64_t useful = work / WORK_OF_A_THREAD;
    return useful >= 2 && useful >= threads / 4 ? threads : 1; /* not some: see team.h */
}
