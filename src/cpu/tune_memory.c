/* SPDX-License-Identifier: Apache-2.0 */
/* The choices of ways of convolution by timing, stored between processes in
   $XDG_CACHE_HOME/sumi/tune/convolutions-<processor and library>.txt: a line for each problem, with
   its key, a tab, and the name of the way. */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "cpu/onednn.h"
#include "cpu/tune.h"

enum { FILE_LIMIT = 1 << 22, CHOICE_LIMIT = 1 << 15 };

/* ---- the file's name ---- */

/* Lines of /proc/cpuinfo that distinguish processors, as x86 and ARM spell them. */
static bool names_processor(const char *line)
{
    static const char *const starts[] = {"vendor_id", "cpu family",      "model",    "stepping",
                                         "flags",     "CPU implementer", "CPU part", "Features"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (strncmp(line, starts[i], strlen(starts[i])) == 0) return true;
    }
    return false;
}

static uint64_t hash_text(uint64_t hash, const char *text) /* FNV-1a */
{
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

/* A number for the processor and the library: of the first processor listed, since all are alike
   or, where they are not, share the plan. */
static uint64_t fingerprint(void)
{
    char line[1024];
    onednn_version(line, sizeof line);
    uint64_t hash = hash_text(0xcbf29ce484222325u, line);
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file) && line[0] != '\n') {
        if (names_processor(line)) hash = hash_text(hash, line);
    }
    if (file) fclose(file);
    return hash;
}

static sumi_status name_file(sumi_context *context, char path[PATH_SIZE])
{
    char folder[PATH_SIZE], name[64];
    TRY(path_cache_folder(context, "tune", folder));
    TRY(folder_make(context, folder));
    snprintf(name, sizeof name, "convolutions-%016llx.txt", (unsigned long long)fingerprint());
    return path_join(context, folder, name, path);
}

/* ---- the choices ---- */

static struct choice *find_choice(const struct memory *memory, const char *key)
{
    for (int64_t i = 0; i < memory->count; i++) {
        if (strcmp(memory->choices[i].key, key) == 0) return &memory->choices[i];
    }
    return NULL;
}

const char *tune_memory_find(const struct memory *memory, const char *key)
{
    const struct choice *choice = find_choice(memory, key);
    return choice ? choice->way : NULL;
}

static sumi_status grow(struct memory *memory)
{
    if (memory->count < memory->capacity) return SUMI_OK;
    int64_t capacity = memory->capacity ? 2 * memory->capacity : 64;
    struct choice *choices = context_allocate(memory->context, (size_t)capacity, sizeof *choices);
    if (!choices) return SUMI_ERROR_MEMORY;
    if (memory->count) memcpy(choices, memory->choices, (size_t)memory->count * sizeof *choices);
    context_release(memory->context, memory->choices);
    memory->choices = choices;
    memory->capacity = capacity;
    return SUMI_OK;
}

sumi_status tune_memory_add(struct memory *memory, const char *key, const char *way)
{
    struct choice *choice = find_choice(memory, key);
    if (!choice) {
        if (memory->count >= CHOICE_LIMIT) return SUMI_OK;
        TRY(grow(memory));
        choice = &memory->choices[memory->count++];
        snprintf(choice->key, sizeof choice->key, "%s", key);
    }
    snprintf(choice->way, sizeof choice->way, "%s", way);
    return SUMI_OK;
}

sumi_status tune_memory_parse(struct memory *memory, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n"), key = strcspn(text, "\t\n");
        struct choice choice;
        size_t way = key < length ? length - key - 1 : 0;
        if (key && way && key < sizeof choice.key && way < sizeof choice.way) {
            memcpy(choice.key, text, key);
            memcpy(choice.way, text + key + 1, way);
            choice.key[key] = choice.way[way] = '\0';
            TRY(tune_memory_add(memory, choice.key, choice.way));
        }
        text += length + (text[length] == '\n');
    }
    return SUMI_OK;
}

/* Adds the choices that only the file has. */
static sumi_status read_file(struct memory *memory)
{
    char path[PATH_SIZE];
    if (name_file(memory->context, path) != SUMI_OK || !path_exists(path)) return SUMI_OK;
    void *text = NULL;
    size_t size = 0;
    if (file_read(memory->context, path, FILE_LIMIT, &text, &size) != SUMI_OK) return SUMI_OK;
    sumi_status status = tune_memory_parse(memory, text);
    context_release(memory->context, text);
    return status;
}

sumi_status tune_memory_open(sumi_context *context, struct memory **memory)
{
    struct memory *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    sumi_status status = read_file(made);
    if (status == SUMI_OK) *memory = made;
    else tune_memory_close(made);
    return status;
}

static void write_file(const struct memory *memory)
{
    char path[PATH_SIZE];
    file_writer writer;
    if (name_file(memory->context, path) != SUMI_OK) return;
    if (file_writer_open(memory->context, &writer, path) != SUMI_OK) return;
    for (int64_t i = 0; i < memory->count; i++) {
        fprintf(writer.stream, "%s\t%s\n", memory->choices[i].key, memory->choices[i].way);
    }
    if (file_writer_commit(memory->context, &writer) != SUMI_OK) file_writer_abandon(&writer);
}

sumi_status tune_memory_begin(struct memory *memory, int *lock)
{
    char path[PATH_SIZE + 8];
    *lock = -1;
    if (name_file(memory->context, path) != SUMI_OK) return SUMI_OK;
    strcat(path, ".lock");
    *lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (*lock >= 0) flock(*lock, LOCK_EX);
    return read_file(memory);
}

void tune_memory_end(const struct memory *memory, int lock)
{
    write_file(memory);
    if (lock >= 0) close(lock);
}

void tune_memory_close(struct memory *memory)
{
    if (!memory) return;
    context_release(memory->context, memory->choices);
    context_release(memory->context, memory);
}
