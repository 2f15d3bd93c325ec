/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of metrics.json: sets of features, logits, fields, signals, pictures and matter spectra made
   by formula, with what peers measured on them. Each kind of row has its function here. */
#ifndef TESTS_VECTORS_MEASURES_H
#define TESTS_VECTORS_MEASURES_H

#include "quality/samples.h"
#include "quality/work.h"
#include "vectors/program.h"

/* What a row is measured with. */
struct measures {
    struct vectors_row *row;
    sumi_context *context;
    struct work work;
};

/* Records the context's message if the call failed; whether it succeeded. */
bool measures_succeed(struct measures *measures, sumi_status status);

/* Compares with a number of a record to 1e-6 relative, and with every number of a list to 1e-6 of
   the number, and 1e-13 of the largest for those that are zero up to rounding. */
void measures_compare(struct measures *measures, const char *name, double actual, double expected);
void measures_compare_list(struct measures *measures, const char *name, json_object *expected,
                           const double *values);

/* The calls of one kind. */
void measures_features(struct measures *measures);
void measures_logits(struct measures *measures);
void measures_numbers(struct measures *measures);
void measures_field(struct measures *measures);
void measures_signal(struct measures *measures);
void measures_pictures(struct measures *measures);
void measures_matter(struct measures *measures);

/* The check for vectors_main: looks the kind up. */
enum vectors_result measures_check(struct vectors_row *row);

#endif
