/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of profiles; see profile.h. */
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

enum { NAME_WIDTH = 28 };

struct rows {
    sumi_profile_row *items;
    size_t count;
};

/* ---- Gathering ---- */

static void add_row(struct rows *rows, const sumi_profile_row *row, bool shapes)
{
    sumi_profile_row *same = NULL;
    for (size_t i = 0; i < rows->count && !shapes; i++) {
        if (strcmp(rows->items[i].name, row->name) == 0) same = &rows->items[i];
    }
    if (!same) {
        rows->items[rows->count++] = *row;
        return;
    }
    same->calls += row->calls;
    same->seconds += row->seconds;
    same->operations += row->operations;
    same->bytes += row->bytes;
    same->shapes = "";
}

static int compare(const void *left, const void *right)
{
    double a = ((const sumi_profile_row *)left)->seconds;
    double b = ((const sumi_profile_row *)right)->seconds;
    return (a < b) - (a > b);
}

/* Adds a row with the rest of the time, for the work between the ops. */
static void add_rest(struct rows *rows, double seconds)
{
    for (size_t i = 0; i < rows->count; i++) seconds -= rows->items[i].seconds;
    if (seconds <= 0) return;
    rows->items[rows->count++] =
        (sumi_profile_row){.name = "(between)", .shapes = "", .seconds = seconds};
}

/* Collects all rows, those with the most time first; items is NULL if memory runs out. */
static struct rows gather(const sumi_context *context, const struct profile_view *view)
{
    size_t count = 1;
    sumi_profile_row row = {.size = sizeof row};
    while (sumi_profile_get(context, (int64_t)count - 1, &row)) count++;
    struct rows rows = {malloc(count * sizeof *rows.items), 0};
    if (!rows.items) return rows;
    for (int64_t i = 0; sumi_profile_get(context, i, &row); i++) add_row(&rows, &row, view->shapes);
    add_rest(&rows, view->seconds);
    qsort(rows.items, rows.count, sizeof *rows.items, compare);
    return rows;
}

/* ---- As text ---- */

void profile_print_machine(const sumi_machine *machine)
{
    printf("machine  %s, %d thread%s: %.0f GFLOP/s in float32 (%.0f by one thread), ",
           machine->instructions, machine->threads, machine->threads > 1 ? "s" : "",
           machine->f32_all * 1e-9, machine->f32_one * 1e-9);
    if (machine->bf16_all > 0) printf("%.0f in bfloat16, ", machine->bf16_all * 1e-9);
    printf("%.1f GB/s of memory\n", machine->bytes_all * 1e-9);
}

/* Prints the significant digits of a number in `width` letters, or blanks for 0. */
static void print_number(double number, int width)
{
    if (number <= 0) printf("%*s", width, "");
    else printf("%*.*f", width, number < 9.995 ? 2 : number < 99.95 ? 1 : 0, number);
}

static void print_row(const sumi_profile_row *row, const struct profile_view *view)
{
    double calls = (double)view->calls, seconds = row->seconds;
    printf("%-*.*s%6.4g", NAME_WIDTH, NAME_WIDTH, row->name, (double)row->calls / calls);
    print_number(1e3 * seconds / calls, 9);
    printf("%6.1f%%", 100 * seconds / view->seconds);
    print_number(1e-9 * row->operations / calls, 9);
    print_number(1e-9 * row->operations / seconds, 9);
    print_number(100 * row->operations / seconds / view->machine->f32_all, 7);
    print_number(1e-6 * row->bytes / calls, 9);
    print_number(1e-9 * row->bytes / seconds, 7);
    print_number(100 * row->bytes / seconds / view->machine->bytes_all, 7);
    printf("%s%s\n", view->shapes ? "  " : "", view->shapes ? row->shapes : "");
}

int profile_print(const sumi_context *context, const struct profile_view *view)
{
    struct rows rows = gather(context, view);
    if (!rows.items) return fail(EXIT_FAILED, "out of memory");
    sumi_profile_row total = {.name = "all", .shapes = "", .seconds = view->seconds};
    printf("%-*s%6s%9s%7s%9s%9s%7s%9s%7s%7s%s\n", NAME_WIDTH, "op", "calls", "ms", "share", "GFLOP",
           "GFLOP/s", "% peak", "MB", "GB/s", "% mem", view->shapes ? "  shapes" : "");
    for (size_t i = 0; i < rows.count; i++) {
        print_row(&rows.items[i], view);
        total.calls += rows.items[i].calls;
        total.operations += rows.items[i].operations;
        total.bytes += rows.items[i].bytes;
    }
    print_row(&total, view);
    free(rows.items);
    return EXIT_DONE;
}

/* ---- As JSON ---- */

struct json_object *profile_machine_json(const sumi_machine *machine)
{
    struct json_object *answer = json_object_new_object();
    if (!answer) return NULL;
    json_object_object_add(answer, "instructions", json_object_new_string(machine->instructions));
    json_object_object_add(answer, "threads", json_object_new_int(machine->threads));
    const struct {
        const char *name;
        double value;
    } figures[] = {{"f32_flops_one_thread", machine->f32_one},
                   {"f32_flops", machine->f32_all},
                   {"bf16_flops_one_thread", machine->bf16_one},
                   {"bf16_flops", machine->bf16_all},
                   {"bytes_per_second_one_thread", machine->bytes_one},
                   {"bytes_per_second", machine->bytes_all}};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        json_object_object_add(answer, figures[i].name, json_number(figures[i].value));
    return answer;
}

static struct json_object *row_json(const sumi_profile_row *row, const struct profile_view *view)
{
    struct json_object *answer = json_object_new_object();
    double calls = (double)view->calls;
    json_object_object_add(answer, "op", json_object_new_string(row->name));
    if (view->shapes) json_object_object_add(answer, "shapes", json_object_new_string(row->shapes));
    json_object_object_add(answer, "calls", json_number((double)row->calls / calls));
    json_object_object_add(answer, "seconds", json_number(row->seconds / calls));
    json_object_object_add(answer, "share", json_number(row->seconds / view->seconds));
    json_object_object_add(answer, "flop", json_number(row->operations / calls));
    json_object_object_add(answer, "bytes", json_number(row->bytes / calls));
    json_object_object_add(answer, "share_of_peak",
                           json_number(row->operations / row->seconds / view->machine->f32_all));
    json_object_object_add(answer, "share_of_memory",
                           json_number(row->bytes / row->seconds / view->machine->bytes_all));
    return answer;
}

struct json_object *profile_json(const sumi_context *context, const struct profile_view *view)
{
    struct rows rows = gather(context, view);
    struct json_object *answer = rows.items ? json_object_new_array() : NULL;
    for (size_t i = 0; i < rows.count && answer; i++)
        json_object_array_add(answer, row_json(&rows.items[i], view));
    free(rows.items);
    return answer;
}
