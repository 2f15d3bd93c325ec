/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by all programs that compare Sumi with a file of reference numbers: a JSON file with a
   list of records, one per row. Such a program runs every row, prints a line for each (its id and
   "agrees", the difference, or "not there" for a class that Sumi does not have), then the three
   counts, and ends with 1 if any row failed. The file is the program's argument, or a default one
   next to the sources; if that is missing, the program reports it and skips. */
#ifndef TESTS_VECTORS_PROGRAM_H
#define TESTS_VECTORS_PROGRAM_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* A row while it is compared, with the worst that was found so far. */
struct vectors_row {
    json_object *record;
    const char *id, *folder; /* the folder that the file lies in */
    double worst;            /* largest difference, in tolerances */
    char where[512];         /* of that difference, or the reason why nothing can be compared */
    bool failed;
};

enum vectors_result { VECTORS_COMPARED, VECTORS_NOT_THERE };

/* Compares one row by the calls below. */
typedef enum vectors_result (*vectors_check)(struct vectors_row *row);

/* The main function: rows of the list under the key `list` of argv[1], or of the file `usual` in
   the folder of reference numbers. Returns the exit code. */
int vectors_main(int argc, char **argv, const char *usual, const char *list, vectors_check check);

/* The same with the rows of several lists, which end with NULL; the file has at least the first.
   Rows without an id are named by their kind, or by their list, and their number. */
int vectors_main_lists(int argc, char **argv, const char *usual, const char *const *lists,
                       vectors_check check);

/* Compares two numbers; `what` is printed for what is compared. Returns whether they agree. */
bool vectors_compare(struct vectors_row *row, double actual, double expected, double tolerance,
                     const char *what, ...) __attribute__((format(printf, 5, 6)));

/* Fails the row by a sentence, if it has not failed so before. Always false. */
bool vectors_fail(struct vectors_row *row, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The JSON file `name` next to the one that is run, or in the folder of reference numbers; NULL
   where there is none. To be released with json_object_put. */
json_object *vectors_neighbour(const struct vectors_row *row, const char *name);

/* Members of a JSON object. */
json_object *vectors_get(json_object *object, const char *key);
double vectors_number(json_object *object, const char *key);    /* 0 for none */
const char *vectors_text(json_object *object, const char *key); /* "" for none */
double vectors_number_at(json_object *list, int64_t place);
/* A list of sizes into size[8]; returns how many, -1 where it is no such list. */
int vectors_shape(json_object *list, int64_t size[8]);

#endif
