/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces png.c where PNG is left out of the build. */
#include "files/png.h"

#include <string.h>

#include "base/parts.h"

sumi_status png_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                       image *result)
{
    (void)bytes, (void)size;
    memset(result, 0, sizeof *result);
    return part_left_out(context, name, "reading PNG pictures", "SUMI_PNG");
}

sumi_status png_measure(sumi_context *context, const void *bytes, size_t size, const char *name,
                        image *result)
{
    return png_decode(context, bytes, size, name, result);
}

sumi_status png_encode(sumi_context *context, const image *picture, const uint8_t *palette,
                       int colours, void **bytes, size_t *size)
{
    (void)picture, (void)palette, (void)colours;
    *bytes = NULL;
    *size = 0;
    return part_left_out(context, NULL, "writing PNG pictures", "SUMI_PNG");
}
