/* SPDX-License-Identifier: Apache-2.0 */
/* How to compute; see computing.h. */
#include "computing.h"

#include <string.h>

/* "on" and what else people write for it, or the contrary. */
static bool read_switch(const char *text, bool *on)
{
    static const char *const WORDS[] = {"off", "on", "no", "yes", "false", "true"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (strcmp(text, WORDS[i]) != 0) continue;
        *on = i % 2;
        return true;
    }
    return false;
}

int computing_apply(sumi_context *context, const struct computing *computing)
{
    bool tune = true;
    if (computing->tune && !read_switch(computing->tune, &tune))
        return fail(EXIT_USAGE, "--tune is on or off, not \"%s\"", computing->tune);
    sumi_context_set_tuning(context, tune);
    if (!computing->threads) return EXIT_DONE;
    sumi_status status = sumi_context_set_threads(context, (int)computing->threads);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(context, status);
}
