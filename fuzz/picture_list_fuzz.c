/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a list of pictures with captions, lines of JSON and a table: refused with a
   sentence, or as many captions as pictures. One picture, 1.png, is there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/pictures.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char folder[] = "/tmp/sumi-list-fuzz-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path_of(name), "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) abort();
}

static void remove_folder(void)
{
    static const char *const names[] = {"1.png", "list.jsonl", "list.csv"};
    for (int i = 0; i < 3; i++) unlink(path_of(names[i]));
    rmdir(folder);
}

static void use(sumi_context *context, const char *name)
{
    struct pictures pictures = {0};
    sumi_data data = {.context = context};
    if (pictures_read_list(&data, path_of(name), "auto", &pictures) == SUMI_OK
        && data.captions.count != pictures.count)
        abort();
    names_release(context, &data.captions);
    pictures_release(context, &pictures);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (strstr(folder, "XXXXXX")) {
        if (!mkdtemp(folder) || atexit(remove_folder) != 0) abort();
        write_file("1.png", (const uint8_t *)"", 0);
    }
    sumi_context *context = NULL;
    write_file("list.jsonl", bytes, size);
    write_file("list.csv", bytes, size);
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    use(context, "list.jsonl");
    use(context, "list.csv");
    sumi_context_free(context);
    return 0;
}
