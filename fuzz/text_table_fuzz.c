/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a table of texts: refused with a sentence, or a field in every row and column. */
#include <stdlib.h>
#include <string.h>

#include "files/text_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    struct text_table table;
    size_t letters = 0;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (text_table_parse(context, bytes, size, "fuzz", &table) == SUMI_OK) {
        for (int64_t i = -1; i < table.rows; i++)
            for (int64_t j = 0; j < table.columns; j++)
                letters += strlen(text_table_get(&table, i, j));
        if (letters > size) abort();
    } else if (table.fields || table.bytes) {
        abort();
    }
    text_table_release(context, &table);
    sumi_context_free(context);
    return 0;
}
