/* SPDX-License-Identifier: Apache-2.0 */
/* MD5 sums of files, which the usual data sets are published with. They detect damage, not
   manipulation. */
#ifndef SUMI_FILES_CHECKSUM_H
#define SUMI_FILES_CHECKSUM_H

#include "base/context.h"

#define CHECKSUM_TEXT_SIZE 33

/* The sum of a file as 32 lower-case hexadecimal digits. If `unpacked`, the sum of the contents of
   a gzip file; other bytes are then an error of format. */
sumi_status checksum_file(sumi_context *context, const char *path, bool unpacked,
                          char text[CHECKSUM_TEXT_SIZE]);

#endif
