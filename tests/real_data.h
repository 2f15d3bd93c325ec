/* SPDX-License-Identifier: Apache-2.0 */
/* Finding real data sets for tests: next to the source folder, or in the user's cache folder. */
#ifndef TESTS_REAL_DATA_H
#define TESTS_REAL_DATA_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The folder of the set `name` ("mnist") that holds `file`: ../shared/data/NAME next to the source
   folder, or sumi/NAME in the user's cache. If there is none, prints that and returns false; the
   test then calls skip(). */
static inline bool find_real_data(const char *name, const char *file, char folder[4096])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    bool given = cache && cache[0] == '/';
    char path[8192];
    for (int place = 0; place < 2; place++) {
        if (place == 0) snprintf(folder, 4096, "%s/../shared/data/%s", SOURCE_FOLDER, name);
        else
            snprintf(folder, 4096, "%s%s/sumi/%s",
                     given  ? cache
                     : home ? home
                            : "",
                     given ? "" : "/.cache", name);
        snprintf(path, sizeof path, "%s/%s", folder, file);
        if (access(path, R_OK) == 0) return true;
    }
    fprintf(stderr,
            "skipped: no %s in ../shared/data/%s nor in the user's cache; `sumi fetch %s` "
            "brings it\n",
            file, name, name);
    return false;
}

#endif
