/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a tar archive: refused with a sentence, or members whose data are inside. */
#include <stdlib.h>

#include "files/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    byte_source source;
    struct tar_member member;
    uint64_t place = 0, before = 0;
    bool found = true;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (source_from_memory(context, bytes, size, "fuzz", &source) != SUMI_OK) abort();
    while (found && tar_next(&source, &place, &member, &found) == SUMI_OK && found) {
        if (place <= before || place > size) abort();
        if (member.offset > size || member.size > size - member.offset) abort();
        before = place;
    }
    source_close(&source);
    sumi_context_free(context);
    return 0;
}
