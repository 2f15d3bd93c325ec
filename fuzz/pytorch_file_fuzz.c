/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of PyTorch: refused with a sentence, or tensors that can be read. */
#include "tensor_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    read_tensor_file(bytes, size, pytorch_file_read);
    return 0;
}
