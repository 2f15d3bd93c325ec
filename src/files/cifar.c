/* SPDX-License-Identifier: Apache-2.0 */
/* Reading CIFAR-10's binary batches; see cifar.h. */
#include "files/cifar.h"

#include <inttypes.h>

enum { RECORD = 1 + CIFAR_PIXELS, PLANE = CIFAR_SIDE * CIFAR_SIDE };

struct cifar {
    byte_source source;
    int64_t count;
};

static sumi_status check_size(cifar *file)
{
    const byte_source *source = &file->source;
    if (source->size == 0 || source->size % RECORD != 0) {
        return context_fail(source->context, SUMI_ERROR_FORMAT,
                            "%s: %" PRIu64 " bytes are not a whole number of CIFAR-10 records of "
                            "%d bytes: cut short, or another format",
                            source->name, source->size, RECORD);
    }
    file->count = (int64_t)(source->size / RECORD);
    return SUMI_OK;
}

static sumi_status finish_open(sumi_context *context, cifar *opened, sumi_status status,
                               cifar **file)
{
    if (status == SUMI_OK) status = check_size(opened);
    if (status != SUMI_OK) {
        source_close(&opened->source);
        context_release(context, opened);
        return status;
    }
    *file = opened;
    return SUMI_OK;
}

sumi_status cifar_open(sumi_context *context, const char *path, cifar **file)
{
    *file = NULL;
    cifar *opened = context_allocate_zeroed(context, 1, sizeof *opened);
    if (!opened) return SUMI_ERROR_MEMORY;
    return finish_open(context, opened, source_open(context, path, &opened->source), file);
}

sumi_status cifar_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                        cifar **file)
{
    *file = NULL;
    cifar *opened = context_allocate_zeroed(context, 1, sizeof *opened);
    if (!opened) return SUMI_ERROR_MEMORY;
    return finish_open(context, opened,
                       source_from_memory(context, bytes, size, name, &opened->source), file);
}

void cifar_free(cifar *file)
{
    if (!file) return;
    sumi_context *context = file->source.context;
    source_close(&file->source);
    context_release(context, file);
}

int64_t cifar_count(const cifar *file)
{
    return file->count;
}

/* Converts planes [3, 32, 32] to pixels [32, 32, 3]. */
static void interleave(const uint8_t *planes, uint8_t *pixels)
{
    for (int place = 0; place < PLANE; place++) {
        for (int channel = 0; channel < CIFAR_CHANNELS; channel++) {
            pixels[place * CIFAR_CHANNELS + channel] = planes[channel * PLANE + place];
        }
    }
}

sumi_status cifar_read_rows(const cifar *file, int64_t first, int64_t count, uint8_t *pixels,
                            uint8_t *labels)
{
    sumi_context *context = file->source.context;
    if (first < 0 || count < 0 || first > file->count || count > file->count - first) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: has %" PRId64 " images; %" PRId64 " from image %" PRId64
                            " are not among them",
                            file->source.name, file->count, count, first);
    }
    for (int64_t i = 0; i < count; i++) {
        uint8_t record[RECORD];
        TRY(source_read(&file->source, (uint64_t)(first + i) * RECORD, record, RECORD));
        if (record[0] >= CIFAR_CLASSES) {
            return context_fail(context, SUMI_ERROR_FORMAT,
                                "%s: the label of image %" PRId64 " is %d; labels are 0 to %d",
                                file->source.name, first + i, record[0], CIFAR_CLASSES - 1);
        }
        if (labels) labels[i] = record[0];
        if (pixels) interleave(record + 1, pixels + i * CIFAR_PIXELS);
    }
    return SUMI_OK;
}
