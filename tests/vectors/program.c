/* SPDX-License-Identifier: Apache-2.0 */
/* Running the rows of a file of reference numbers; see program.h. */
#include "vectors/program.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_LENGTH = 4096 };
static const char REFERENCE_FOLDER[] = SOURCE_FOLDER "/../shared/vectors";

/* ---- JSON ---- */

json_object *vectors_get(json_object *object, const char *key)
{
    json_object *value = NULL;
    if (!json_object_is_type(object, json_type_object)) return NULL;
    json_object_object_get_ex(object, key, &value);
    return value;
}

double vectors_number(json_object *object, const char *key)
{
    return json_object_get_double(vectors_get(object, key));
}

const char *vectors_text(json_object *object, const char *key)
{
    json_object *value = vectors_get(object, key);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

double vectors_number_at(json_object *list, int64_t place)
{
    if (!json_object_is_type(list, json_type_array)) return 0;
    return json_object_get_double(json_object_array_get_idx(list, (size_t)place));
}

int vectors_shape(json_object *list, int64_t size[8])
{
    if (!json_object_is_type(list, json_type_array)) return -1;
    size_t rank = json_object_array_length(list);
    if (rank > 8) return -1;
    for (size_t i = 0; i < rank; i++) {
        size[i] = json_object_get_int64(json_object_array_get_idx(list, i));
        if (size[i] < 1) return -1;
    }
    return (int)rank;
}

static json_object *read_in(const char *folder, const char *name)
{
    char path[PATH_LENGTH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, R_OK) == 0 ? json_object_from_file(path) : NULL;
}

json_object *vectors_neighbour(const struct vectors_row *row, const char *name)
{
    json_object *file = read_in(row->folder, name);
    return file ? file : read_in(REFERENCE_FOLDER, name);
}

/* ---- Comparing ---- */

bool vectors_fail(struct vectors_row *row, const char *format, ...)
{
    if (row->failed) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(row->where, sizeof row->where, format, arguments);
    va_end(arguments);
    row->failed = true;
    return false;
}

bool vectors_compare(struct vectors_row *row, double actual, double expected, double tolerance,
                     const char *what, ...)
{
    double difference = fabs(actual - expected);
    double share = difference == 0 ? 0 : difference / tolerance;
    if (!isfinite(share)) share = INFINITY;
    if (row->failed || share < row->worst) return share <= 1;
    char text[256];
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(text, sizeof text, what, arguments);
    va_end(arguments);
    row->worst = share;
    snprintf(row->where, sizeof row->where, "%s is %.9g, expected %.9g", text, actual, expected);
    return share <= 1;
}

/* ---- The program ---- */

struct counts {
    int passed, failed, missing;
};

static void run_row(struct vectors_row *row, vectors_check check, struct counts *counts)
{
    if (check(row) == VECTORS_NOT_THERE) {
        printf("%s: not there\n", row->id);
        counts->missing++;
    } else if (row->failed) {
        printf("%s: fails: %s\n", row->id, row->where);
        counts->failed++;
    } else if (row->worst > 1) {
        printf("%s: differs by %.3g times the tolerance: %s\n", row->id, row->worst, row->where);
        counts->failed++;
    } else {
        printf("%s: agrees (within %.2g of the tolerances)\n", row->id, row->worst);
        counts->passed++;
    }
    fflush(stdout);
}

static void run_list(json_object *rows, const char *list, const char *folder, vectors_check check,
                     struct counts *counts)
{
    if (!json_object_is_type(rows, json_type_array)) return;
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        json_object *record = json_object_array_get_idx(rows, i);
        const char *kind = vectors_text(record, "kind");
        char number[64];
        struct vectors_row row = {
            .record = record, .id = vectors_text(record, "id"), .folder = folder};
        snprintf(number, sizeof number, "%.40s %zu", kind[0] ? kind : list, i);
        if (!row.id[0]) row.id = number;
        run_row(&row, check, counts);
    }
}

static void folder_of(const char *path, char folder[PATH_LENGTH])
{
    const char *slash = strrchr(path, '/');
    snprintf(folder, PATH_LENGTH, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

int vectors_main(int argc, char **argv, const char *usual, const char *list, vectors_check check)
{
    const char *const lists[] = {list, NULL};
    return vectors_main_lists(argc, argv, usual, lists, check);
}

int vectors_main_lists(int argc, char **argv, const char *usual, const char *const *lists,
                       vectors_check check)
{
    struct counts counts = {0};
    char path[PATH_LENGTH], folder[PATH_LENGTH];
    snprintf(path, sizeof path, "%s/%s", REFERENCE_FOLDER, usual);
    if (argc > 1) snprintf(path, sizeof path, "%s", argv[1]);
    if (argc < 2 && access(path, R_OK) != 0) {
        printf("skipped: %s is not there; name the file as the argument\n", path);
        return 0;
    }
    json_object *file = json_object_from_file(path);
    if (!json_object_is_type(vectors_get(file, lists[0]), json_type_array)) {
        fprintf(stderr, "%s: should be a JSON object with a list \"%s\" of records\n", path,
                lists[0]);
        json_object_put(file);
        return 1;
    }
    folder_of(path, folder);
    for (const char *const *list = lists; *list; list++)
        run_list(vectors_get(file, *list), *list, folder, check, &counts);
    json_object_put(file);
    printf("%d passed, %d failed, %d not there\n", counts.passed, counts.failed, counts.missing);
    return counts.failed > 0;
}
