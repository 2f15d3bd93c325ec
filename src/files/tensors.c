/* SPDX-License-Identifier: Apache-2.0 */
/* Files of named tensors in formats other than safetensors, read through the same calls: telling
   the format, collecting tensors, and data that are packed or transposed. */
#include <stdlib.h>
#include <string.h>

#include "base/float16.h"
#include "files/safetensors_inside.h"

enum { BLOCK = 32 }; /* numbers of a block in GGUF */

/* ---- Data ---- */

const char *tensor_type_name(const safetensors_tensor *tensor)
{
    switch (tensor->packing) {
    case PACKING_Q8_0: return "Q8_0";
    case PACKING_Q4_0: return "Q4_0";
    default: return number_name(tensor->type);
    }
}

/* The bytes of a block: the factor as float16, then 32 numbers of 8 or 4 bits. */
static size_t block_bytes(enum tensor_packing packing)
{
    return packing == PACKING_Q8_0 ? 2 + BLOCK : 2 + BLOCK / 2;
}

/* The bytes of a tensor in the file. Not more than 8 for each number, and numbers fit into memory
   (shape_elements), so that nothing overflows where the file is as large as it says. */
static bool data_bytes(const safetensors_tensor *tensor, uint64_t *bytes)
{
    uint64_t count = (uint64_t)tensor->count;
    if (tensor->packing == PACKING_NONE)
        return !__builtin_mul_overflow(count, number_size(tensor->type), bytes);
    return !__builtin_mul_overflow(count / BLOCK, block_bytes(tensor->packing), bytes);
}

static void unpack_block(enum tensor_packing packing, const uint8_t *block, float *output)
{
    float factor = float16_to_float((float16)(block[0] | block[1] << 8));
    const uint8_t *numbers = block + 2;
    for (int i = 0; i < BLOCK; i++) {
        int whole = packing == PACKING_Q8_0 ? (int8_t)numbers[i]
                    : i < BLOCK / 2         ? (numbers[i] & 15) - 8
                                            : (numbers[i - BLOCK / 2] >> 4) - 8;
        output[i] = factor * (float)whole;
    }
}

sumi_status tensor_unpack(const byte_source *source, const safetensors_tensor *tensor,
                          float *output)
{
    enum { BLOCKS = 1024 };
    uint8_t bytes[BLOCKS * (2 + BLOCK)];
    size_t size = block_bytes(tensor->packing);
    int64_t blocks = tensor->count / BLOCK;
    for (int64_t first = 0; first < blocks; first += BLOCKS) {
        int64_t count = blocks - first < BLOCKS ? blocks - first : BLOCKS;
        TRY(source_read(source, tensor->offset + (uint64_t)first * size, bytes,
                        (size_t)count * size));
        for (int64_t i = 0; i < count; i++)
            unpack_block(tensor->packing, bytes + (size_t)i * size, output + BLOCK * (first + i));
    }
    return SUMI_OK;
}

sumi_status tensor_transpose(sumi_context *context, const safetensors_tensor *tensor, float *output)
{
    int64_t rows = tensor->shape[0], columns = tensor->shape[1];
    float *copy = context_allocate(context, (size_t)tensor->count, sizeof *copy);
    if (!copy) return SUMI_ERROR_MEMORY;
    memcpy(copy, output, (size_t)tensor->count * sizeof *copy);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) output[i * columns + j] = copy[j * rows + i];
    context_release(context, copy);
    return SUMI_OK;
}

/* ---- Collecting ---- */

sumi_status tensors_add(safetensors *file, const char *name, const safetensors_tensor *tensor)
{
    sumi_context *context = file->context;
    uint64_t bytes = 0, size = file->source.size;
    safetensors_tensor *added = &file->tensors[file->count];
    *added = *tensor;
    if (!shape_elements(tensor->rank, tensor->shape, &added->count) || !data_bytes(added, &bytes)
        || tensor->offset > size || bytes > size - tensor->offset) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: tensor \"%.200s\": its data are not inside the %llu bytes of the "
                            "file: cut short?",
                            file->source.name, name, (unsigned long long)size);
    }
    TRY(names_set(context, &file->names, (int64_t)file->count, name));
    added->name = names_get(&file->names, (int64_t)file->count);
    file->count++;
    return SUMI_OK;
}

sumi_status tensors_finish(safetensors *file)
{
    TRY(safetensors_sort_names(file));
    for (size_t i = 1; i < file->count; i++) {
        if (strcmp(file->by_name[i - 1]->name, file->by_name[i]->name) != 0) continue;
        return context_fail(file->context, SUMI_ERROR_FORMAT,
                            "%s: there are two tensors \"%.200s\"", file->source.name,
                            file->by_name[i]->name);
    }
    return SUMI_OK;
}

sumi_status tensors_select(safetensors *file,
                           sumi_status (*choose)(void *user, const safetensors_tensor *tensor,
                                                 struct tensor_choice choices[TENSOR_CHOICES],
                                                 int *count),
                           void *user)
{
    struct tensor_choice choices[TENSOR_CHOICES];
    const size_t before = file->count;
    safetensors_tensor *from = file->tensors;
    struct names names = file->names; /* those of `from`, while they are chosen from */
    sumi_status status = SUMI_OK;
    file->names = (struct names){0};
    file->count = 0;
    file->tensors =
        context_allocate_zeroed(file->context, TENSOR_CHOICES * before, sizeof *file->tensors);
    if (!file->tensors) status = SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < before && status == SUMI_OK; i++) {
        int count = 0;
        status = choose(user, &from[i], choices, &count);
        for (int j = 0; j < count && status == SUMI_OK; j++)
            status = tensors_add(file, choices[j].name, &choices[j].tensor);
    }
    names_release(file->context, &names);
    context_release(file->context, from);
    context_release(file->context, file->by_name);
    file->by_name = NULL;
    return status == SUMI_OK ? tensors_finish(file) : status;
}

/* ---- Opening ---- */

typedef sumi_status (*reader)(safetensors *file);

/* The reader of a file that begins with these bytes; NULL for safetensors. */
static reader find_reader(const uint8_t start[4])
{
    if (memcmp(start, "GGUF", 4) == 0) return gguf_read;
    if (memcmp(start, "PK\3\4", 4) == 0) return pytorch_file_read;
    return NULL;
}

static sumi_status open_other(sumi_context *context, const char *path, reader read,
                              safetensors **file)
{
    safetensors *opened = safetensors_new(context);
    if (!opened) return SUMI_ERROR_MEMORY;
    opened->other = true;
    sumi_status status = source_open(context, path, &opened->source);
    if (status == SUMI_OK) status = read(opened);
    if (status == SUMI_OK) status = tensors_finish(opened);
    if (status == SUMI_OK) *file = opened;
    else safetensors_free(opened);
    return status;
}

sumi_status tensors_open(sumi_context *context, const char *path, safetensors **file)
{
    uint8_t start[4] = {0};
    byte_source source;
    *file = NULL;
    TRY(source_open(context, path, &source));
    sumi_status status =
        source.size < sizeof start ? SUMI_OK : source_read(&source, 0, start, sizeof start);
    source_close(&source);
    TRY(status);
    reader read = find_reader(start);
    if (read) return open_other(context, path, read, file);
    if (start[0] == 0x80 && start[1] <= 5) {
        return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                            "%s: is a pickle of PyTorch before version 1.6; save it again with a "
                            "newer PyTorch: torch.save(torch.load(file), file)",
                            path);
    }
    return safetensors_open(context, path, file);
}
