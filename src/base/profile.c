/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a profile; see profile.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/profile.h"
#include "base/structure.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

double profile_clock(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

sumi_status sumi_profile_start(sumi_context *context)
{
    if (!context->profile) {
        context->profile = context_allocate_zeroed(context, 1, sizeof *context->profile);
        if (!context->profile) return SUMI_ERROR_MEMORY;
    }
    context->profile->running = true;
    context->profile->number++;
    context->profile->count = 0;
    return SUMI_OK;
}

void sumi_profile_stop(sumi_context *context)
{
    if (context->profile) context->profile->running = false;
}

bool sumi_profile_get(const sumi_context *context, int64_t number, sumi_profile_row *row)
{
    const struct profile *profile = context->profile;
    if (!profile || number < 0 || number >= profile->count) return false;
    const struct profile_entry *entry = &profile->entries[number];
    const sumi_profile_row all = {.name = entry->name,
                                  .shapes = entry->shapes,
                                  .calls = entry->calls,
                                  .seconds = entry->seconds,
                                  .operations = entry->cost.operations,
                                  .bytes = entry->cost.bytes};
    return structure_fill(row, &all, sizeof all);
}

static sumi_status reserve_row(sumi_context *context)
{
    struct profile *profile = context->profile;
    if (profile->count < profile->capacity) return SUMI_OK;
    int32_t capacity = profile->capacity ? 2 * profile->capacity : 64;
    struct profile_entry *entries = context_allocate(context, (size_t)capacity, sizeof *entries);
    if (!entries) return SUMI_ERROR_MEMORY;
    if (profile->count) {
        memcpy(entries, profile->entries, (size_t)profile->count * sizeof *entries);
    }
    context_release(context, profile->entries);
    profile->entries = entries;
    profile->capacity = capacity;
    return SUMI_OK;
}

sumi_status profile_row(sumi_context *context, const char *name, const char *shapes, int32_t *row)
{
    struct profile *profile = context->profile;
    struct profile_entry entry = {.calls = 0};
    snprintf(entry.name, sizeof entry.name, "%s", name);
    snprintf(entry.shapes, sizeof entry.shapes, "%s", shapes);
    for (int32_t i = 0; i < profile->count; i++) {
        bool same = strcmp(profile->entries[i].name, entry.name) == 0
                    && strcmp(profile->entries[i].shapes, entry.shapes) == 0;
        if (!same) continue;
        *row = i;
        return SUMI_OK;
    }
    TRY(reserve_row(context));
    *row = profile->count++;
    profile->entries[*row] = entry;
    return SUMI_OK;
}

void profile_add(sumi_context *context, int32_t row, double seconds, const struct cost *cost)
{
    struct profile_entry *entry = &context->profile->entries[row];
    entry->calls++;
    entry->seconds += seconds;
    entry->cost.operations += cost->operations;
    entry->cost.bytes += cost->bytes;
}

double profile_begin(const sumi_context *context)
{
    return profile_is_on(context) ? profile_clock() : 0;
}

sumi_status profile_end(sumi_context *context, double begin, const char *name,
                        const struct cost *cost)
{
    if (!profile_is_on(context)) return SUMI_OK;
    double seconds = profile_clock() - begin;
    int32_t row = 0;
    TRY(profile_row(context, name, "", &row));
    profile_add(context, row, seconds, cost);
    return SUMI_OK;
}

void profile_release(sumi_context *context)
{
    if (context->profile) context_release(context, context->profile->entries);
    context_release(context, context->profile);
    context->profile = NULL;
}
