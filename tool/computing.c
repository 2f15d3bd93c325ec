/* SPDX-License-Identifier: Apache-2.0 */
/* Options of computation; see computing.h. */
#include "computing.h"

#include <string.h>

int computing_apply(sumi_context *context, const struct computing *computing)
{
    const char *tune = computing->tune;
    bool off =
        tune && (strcmp(tune, "off") == 0 || strcmp(tune, "no") == 0 || strcmp(tune, "false") == 0);
    sumi_context_set_tuning(context, !off);
    if (!computing->threads) return EXIT_DONE;
    sumi_status status = sumi_context_set_threads(context, (int)computing->threads);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(context, status);
}
