/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of samples for tests of measures, and calls of a measure by its name. */
#ifndef TESTS_QUALITY_SETS_H
#define TESTS_QUALITY_SETS_H

#include "base/philox.h"
#include "one_context.h"
#include "quality/samples.h"
#include "quality/work.h"

static inline struct samples set_of(int64_t rows, int64_t columns, const double *values)
{
    return (struct samples){.rows = rows, .columns = columns, .wide = values};
}

static inline struct work work_of(sumi_context *owner)
{
    return (struct work){.context = owner, .task = "test"};
}

/* Normal numbers in a new array. */
static inline sumi_array normal_array(uint64_t seed, int rank, const int64_t *shape)
{
    sumi_array array = {0};
    const philox_stream stream = {.seed = seed, .purpose = PURPOSE_DATA};
    CHECK_OK(context, sumi_array_create(context, rank, shape, &array));
    philox_normal(&stream, 0, sumi_array_count(&array), array.data);
    return array;
}

/* The first number under a name of a measure's results. */
static inline double result_of(const sumi_measure *measure, const char *name)
{
    sumi_measured measured = {.size = sizeof measured};
    for (int i = 0; sumi_measure_get(measure, i, &measured); i++)
        if (strcmp(measured.name, name) == 0) return measured.values[0];
    fail_msg("no result is called %s", name);
    return NAN;
}

#endif
