/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as names of characters: as many as there are, each with characters and a name. */
#include <stdlib.h>
#include <string.h>

#include "files/annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct annotation annotation;
    char *text = calloc(size + 1, 1);
    if (!text) abort();
    if (size) memcpy(text, bytes, size);
    const char *place = text;
    while (annotation_next(&place, &annotation)) {
        if (annotation.count < 1 || annotation.count > ANNOTATION_CHARACTERS) abort();
        if (!memchr(annotation.name, 0, sizeof annotation.name) || !annotation.name[0]) abort();
    }
    free(text);
    return 0;
}
