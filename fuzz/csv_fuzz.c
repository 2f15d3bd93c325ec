/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a table of numbers: refused with a sentence, or a full array. */
#include <stdlib.h>

#include "files/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    sumi_array array;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    sumi_status status = csv_parse(context, (const char *)bytes, size, "fuzz", &array);
    if ((status == SUMI_OK) != (array.data != NULL)) abort();
    if (status == SUMI_OK && (array.rank != 2 || sumi_array_count(&array) < 1)) abort();
    sumi_array_release(context, &array);
    sumi_context_free(context);
    return 0;
}
