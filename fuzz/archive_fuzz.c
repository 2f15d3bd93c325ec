/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the reading of downloaded archives: any bytes, as a packed file for its sum and as an
   archive with two expected members. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files/archive.h"
#include "files/checksum.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char folder[] = "/tmp/sumi-archive-fuzz-XXXXXX";

static void remove_folder(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/one.bin", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/two.bin", folder);
    unlink(path);
    rmdir(folder);
}

static void use_file(sumi_context *context, const char *path)
{
    static const archive_member members[] = {{"set/one.bin", "one.bin", 16},
                                             {"set/two.bin", "two.bin", 512}};
    char sum[CHECKSUM_TEXT_SIZE];
    (void)checksum_file(context, path, true, sum);
    (void)archive_extract(context, path, members, 2, folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (strstr(folder, "XXXXXX") && (!mkdtemp(folder) || atexit(remove_folder) != 0)) abort();
    char path[64];
    int handle = memfd_create("archive", 0);
    if (handle < 0 || write(handle, bytes, size) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
    sumi_context *context = NULL;
    if (sumi_context_create(NULL, &context) == SUMI_OK) use_file(context, path);
    sumi_context_free(context);
    close(handle);
    return 0;
}
