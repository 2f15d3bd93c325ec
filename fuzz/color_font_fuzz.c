/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a font of pictures: refused with a sentence, or pictures that are inside. */
#include <stdlib.h>

#include "files/color_font.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint32_t characters[] = {0x1f600, 0x1f601, 0x23};
    sumi_context *context = NULL;
    struct color_font font;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (color_font_parse(context, bytes, size, "fuzz", &font) == SUMI_OK) {
        for (int first = 0; first < 3; first++) {
            for (int count = 1; first + count <= 3; count++) {
                const uint8_t *png = NULL;
                size_t length = 0;
                if (color_font_find(&font, characters + first, count, &png, &length) != SUMI_OK)
                    continue;
                if (png && (png < bytes || length > size - (size_t)(png - bytes))) abort();
            }
        }
    }
    sumi_context_free(context);
    return 0;
}
