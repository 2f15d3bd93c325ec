/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an .npz file with the arrays of statistics: refused with a sentence, or read whole.
 */
#include "files/npz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    struct npz_array arrays[2] = {{.name = "mu", .rank = 1, .most = 1 << 10},
                                  {.name = "sigma", .rank = 2, .most = 1 << 20}};
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (npz_parse(context, bytes, size, "fuzz", 2, arrays) == SUMI_OK)
        npz_release(context, 2, arrays);
    sumi_context_free(context);
    return 0;
}
