/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of `sumi eval`: its settings and its state. What was measured is kept as JSON
   from the start: it is printed, drawn, written to a file after each measure, and read from there
   when an evaluation is resumed. A report without --sweep has the samples and their measures; one
   with it has a list of rows, each with samples and measures of its own. */
#ifndef TOOL_EVAL_H
#define TOOL_EVAL_H

#include "eval_sets.h"
#include "print.h"
#include "progress.h"

enum { MOST_MEASURES = 32, EVAL_NAME_SIZE = 64 };

struct eval_settings {
    struct inference_settings inference;
    const char *metrics, *output, *statistics, *features, *results;
    struct texts sweep;
    int64_t items, references;
    bool list, cache, resume;
};

/* The state of one call. */
struct eval {
    sumi_context *context;
    const struct eval_settings *settings;
    int argument_count;
    const char *const *arguments;
    struct inference_settings choices; /* the settings; of --set only those of the solver */
    struct texts of_measures, of_recipe, of_features;
    struct eval_set samples, reference; /* the samples of the present row */
    bool reference_read;
    sumi_features *features; /* NULL: items are measured as they are */
    sumi_measure *measures[MOST_MEASURES];
    char names[MOST_MEASURES][EVAL_NAME_SIZE];
    int count;
    double frechet[2]; /* distance and mean term, which come from statistics */
    struct json_object *report;
    bool drawn; /* the figure of --output */
    progress_line line;
};

/* ---- Measures (eval_measures.c) ---- */

/* Opens the measures of --metrics, or the usual ones, and sets their options. `statistics`: a set
   is only statistics. Prints errors and returns an exit code, as all below. */
int eval_open_measures(struct eval *eval, bool statistics);

/* Whether a measure needs a reference. */
bool eval_needs_reference(const struct eval *eval);

/* Measures what the row has not yet, with the sets that are read when they are needed first. */
int eval_measure_row(struct eval *eval, struct json_object *row);

/* ---- The report (eval_report.c) ---- */

/* Begins a report, or reads that of --results with --resume. */
int eval_begin_report(struct eval *eval);
/* Writes it to the file of --results, if there is one. */
int eval_keep_report(struct eval *eval);
/* Prints it as JSON or as a table. */
int eval_print_report(struct eval *eval);
/* The object under a name, which is added where it is not there. */
struct json_object *eval_member(struct json_object *object, const char *name);
/* The number under "MEASURE" and "RESULT" of a row; false where there is none. `result` NULL: the
   first. */
bool eval_number(struct json_object *row, const char *measure, const char *result, double *number);

/* ---- The figure (eval_figure.c) ---- */

/* Draws that of the first measure that has one, while its sets are there. */
int eval_draw(struct eval *eval);
/* Draws a sweep's measures by evaluations. */
int eval_draw_sweep(struct eval *eval);

/* ---- Sweeps (eval_sweep.c) ---- */

/* Measures every combination of the lists of --sweep. */
int eval_sweep(struct eval *eval);

#endif
