/* SPDX-License-Identifier: Apache-2.0 */
/* A picture as a PNG file. */
#ifndef TESTS_WRITTEN_PICTURE_H
#define TESTS_WRITTEN_PICTURE_H

#include "base/file.h"
#include "files/png.h"

static inline sumi_status write_png(sumi_context *context, const char *path, const image *picture)
{
    void *bytes = NULL;
    size_t size = 0;
    TRY(png_encode(context, picture, NULL, 0, &bytes, &size));
    sumi_status status = file_write(context, path, bytes, size);
    context_release(context, bytes);
    return status;
}

#endif
