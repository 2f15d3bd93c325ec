/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a data set's archives: a file, all archives of a folder, or a pattern with a range
   in braces, such as pictures-{000..019}.tar. */
#ifndef SUMI_DATA_SHARDS_H
#define SUMI_DATA_SHARDS_H

#include "base/file.h"
#include "base/names.h"

/* Lists the paths of the archives that `path` stands for, in their order. Refuses a pattern of more
   than 100,000, and a folder without an archive. */
sumi_status shards_list(sumi_context *context, const char *path, struct names *shards);

#endif
