/* SPDX-License-Identifier: Apache-2.0 */
/* Free memory as Linux reports it; see machine.h. */
#include "base/machine.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Reads the number after `name` at the beginning of a line; false where there is none, or a word
   such as "max". */
static bool read_number(const char *path, const char *name, int64_t *number)
{
    char line[128];
    size_t length = strlen(name);
    bool found = false;
    FILE *stream = fopen(path, "r");
    if (!stream) return false;
    while (!found && fgets(line, sizeof line, stream)) {
        found = strncmp(line, name, length) == 0 && sscanf(line + length, "%" SCNd64, number) == 1;
    }
    fclose(stream);
    return found;
}

int64_t machine_free_memory(void)
{
    int64_t kilobytes = 0, limit = 0, used = 0, cached = 0, available = INT64_MAX;
    if (read_number("/proc/meminfo", "MemAvailable:", &kilobytes) && kilobytes < INT64_MAX / 1024) {
        available = 1024 * kilobytes;
    }
    if (!read_number("/sys/fs/cgroup/memory.max", "", &limit)
        || !read_number("/sys/fs/cgroup/memory.current", "", &used)
        || !read_number("/sys/fs/cgroup/memory.stat", "file ", &cached)) {
        return available;
    }
    used -= cached; /* the page cache can be reclaimed */
    int64_t left = limit > used ? limit - used : 0;
    return left < available ? left : available;
}
