/* SPDX-License-Identifier: Apache-2.0 */
/* What the processes of Sumi's side share; see side.h. */
#define _POSIX_C_SOURCE 200809L
#include "side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_SIZE = 256 };

/* ---- Options ---- */

bool side_read_options(int argc, char **argv, struct side_options *o)
{
    *o = (struct side_options){.folder = argc > 1 ? argv[1] : NULL};
    int i = 2;
    bool good = true;
    for (; good && i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--forward") == 0) o->forward = true;
        else if (strcmp(argv[i], "--precision") == 0 && i + 1 < argc) o->precision = argv[++i];
        else if (strcmp(argv[i], "--outputs") == 0 && i + 1 < argc) o->outputs = atoll(argv[++i]);
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) o->threads = atoi(argv[++i]);
        else good = false;
    }
    if (!good || i >= argc) {
        fprintf(stderr,
                "usage: %s FOLDER [--forward] [--outputs N] [--precision NAME] "
                "[--threads N] RECIPE [section.key=value ...]\n",
                argv[0]);
        return false;
    }
    o->recipe = argv[i++];
    o->sets = argv + i;
    o->set_count = argc - i;
    return true;
}

sumi_status side_create_context(const struct side_options *o, sumi_context **context)
{
    sumi_status status = sumi_context_create(NULL, context);
    if (status != SUMI_OK) return status;
    sumi_context_set_tuning(*context, true); /* as the command does */
    return o->threads ? sumi_context_set_threads(*context, o->threads) : SUMI_OK;
}

/* Sets the precision of training steps, in the recipe. */
static sumi_status set_precision(sumi_recipe *recipe, const char *precision)
{
    char text[LINE_SIZE];
    snprintf(text, sizeof text, "train.precision=%s", precision);
    return sumi_recipe_set(recipe, text);
}

sumi_status side_open_recipe(sumi_context *context, const struct side_options *o,
                             sumi_recipe **recipe)
{
    sumi_status status = sumi_recipe_open(context, o->recipe, recipe);
    for (int i = 0; i < o->set_count && status == SUMI_OK; i++)
        status = sumi_recipe_set(*recipe, o->sets[i]);
    return status == SUMI_OK && o->precision ? set_precision(*recipe, o->precision) : status;
}

/* ---- Commands ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static sumi_status time_steps(const struct subject *s, int64_t count)
{
    double *seconds = calloc((size_t)count + 1, sizeof *seconds);
    sumi_status status = seconds ? SUMI_OK : SUMI_ERROR_MEMORY;
    double begin = now();
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        status = s->run(s->user);
        double end = now();
        seconds[i] = end - begin;
        begin = end;
    }
    if (status == SUMI_OK) {
        printf("time");
        for (int64_t i = 0; i < count; i++) printf(" %.9g", seconds[i]);
        putchar('\n');
    }
    free(seconds);
    return status;
}

/* Prints the peak resident memory of the process. */
static sumi_status report_memory(void)
{
    char line[LINE_SIZE];
    long long kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %lld", &kilobytes);
    if (status) fclose(status);
    printf("memory %lld\n", kilobytes * 1024);
    return SUMI_OK;
}

static sumi_status profile(const struct subject *s, int64_t count)
{
    sumi_profile_row row = {.size = sizeof row};
    double begin = now();
    sumi_status status = sumi_profile_start(s->context);
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) status = s->run(s->user);
    double seconds = now() - begin;
    sumi_profile_stop(s->context);
    if (status != SUMI_OK) return status;
    printf("profile {\"steps\": %lld, \"seconds\": %.9g, \"rows\": [", (long long)count, seconds);
    for (int64_t i = 0; sumi_profile_get(s->context, i, &row); i++) {
        printf("%s{\"op\": \"%s\", \"shapes\": \"%s\", \"calls\": %lld, \"seconds\": %.9g, "
               "\"flop\": %.9g, \"bytes\": %.9g}",
               i ? ", " : "", row.name, row.shapes, (long long)row.calls, row.seconds,
               row.operations, row.bytes);
    }
    puts("]}");
    return SUMI_OK;
}

static sumi_status obey(const struct subject *s, const char *line)
{
    long long count = 0;
    if (sscanf(line, "check %lld", &count) == 1 && count > 0) return s->check(s->user, count);
    if (sscanf(line, "time %lld", &count) == 1 && count > 0) return time_steps(s, count);
    if (sscanf(line, "profile %lld", &count) == 1 && count > 0) return profile(s, count);
    if (strncmp(line, "memory", 6) == 0) return report_memory();
    printf("error there is no such command: %s", line);
    return SUMI_OK;
}

int side_fail(const sumi_context *context, const char *what)
{
    printf("error %s: %s\n", what, context ? sumi_context_message(context) : "no memory");
    fflush(stdout);
    return 1;
}

int side_answer(const struct subject *s)
{
    char line[LINE_SIZE];
    printf("ready %d\n", sumi_context_threads(s->context));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (obey(s, line) != SUMI_OK) return side_fail(s->context, "command");
        fflush(stdout);
    }
    return 0;
}
