/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR-10's binary batches: records of one label byte and 3 x 32 x 32 colour bytes, plane by
   plane. */
#ifndef SUMI_FILES_CIFAR_H
#define SUMI_FILES_CIFAR_H

#include "files/source.h"

#define CIFAR_SIDE 32
#define CIFAR_CHANNELS 3
#define CIFAR_PIXELS (CIFAR_SIDE * CIFAR_SIDE * CIFAR_CHANNELS)
#define CIFAR_CLASSES 10

typedef struct cifar cifar;

sumi_status cifar_open(sumi_context *context, const char *path, cifar **file);
/* The same over memory, which must outlive `*file`. */
sumi_status cifar_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                        cifar **file);
void cifar_free(cifar *file); /* accepts NULL */

int64_t cifar_count(const cifar *file); /* number of images */

/* Images first .. first + count - 1: pixels[count, 32, 32, 3] and labels[count], 0 to 9. Either
   may be NULL. */
sumi_status cifar_read_rows(const cifar *file, int64_t first, int64_t count, uint8_t *pixels,
                            uint8_t *labels);

#endif
