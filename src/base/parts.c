/* SPDX-License-Identifier: Apache-2.0 */
/* Which parts this build of the library has. */
#include "base/parts.h"

#include <string.h>

static const char *const parts[] = {
#ifdef SUMI_WITH_PNG
    "png",
#endif
#ifdef SUMI_WITH_JPEG
    "jpeg",
#endif
#ifdef SUMI_WITH_DRAW
    "draw",
#endif
#ifdef SUMI_WITH_DOWNLOAD
    "download",
#endif
#ifdef SUMI_WITH_ARCHIVE
    "archive",
#endif
#ifdef SUMI_WITH_TEXT
    "text",
#endif
    NULL,
};

bool sumi_has(const char *part)
{
    for (const char *const *name = parts; *name; name++) {
        if (strcmp(*name, part) == 0) return true;
    }
    return false;
}

sumi_status part_left_out(sumi_context *context, const char *name, const char *what,
                          const char *option)
{
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s%s%s: not in this build of libsumi; build it with -D%s=ON",
                        name ? name : "", name ? ": " : "", what, option);
}
