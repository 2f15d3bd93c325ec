/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of sets of samples: the table of one, its settings, and the results for the caller. A
   measure is one file with such a table, and a row in measure.c. */
#ifndef SUMI_QUALITY_MEASURE_H
#define SUMI_QUALITY_MEASURE_H

#include "base/option_set.h"
#include "quality/samples.h"
#include "quality/work.h"

/* What is measured. As `samples` and `reference` all items are rows of numbers. */
struct measured_sets {
    struct samples samples, reference; /* the second without rows where there is none */
    int rank;                          /* of an item */
    int64_t shape[SUMI_MAX_RANK];
};

enum measure_best { MEASURE_LEAST, MEASURE_MOST, MEASURE_NEITHER };

/* Shapes of items that a measure takes. */
enum measure_items { MEASURE_ANY, MEASURE_SIGNALS, MEASURE_PICTURES };

/* What its items usually are: those of a data set, features or logits of a network. */
enum measure_of { MEASURE_OF_ITEMS, MEASURE_OF_FEATURES, MEASURE_OF_LOGITS };

struct measure_type {
    const char *name, *meaning, *paper;
    enum measure_best best; /* whether less or more of the first result is better */
    int sets;               /* 1: no reference is read */
    bool paired;            /* item i of the samples belongs to item i of the reference */
    enum measure_items items;
    enum measure_of of;
    const struct option *options; /* or NULL */
    size_t size;                  /* of the settings */
    sumi_status (*run)(sumi_measure *measure, struct work *work, const struct measured_sets *sets);
};

struct measured_list {
    char *name;
    int64_t count;
    double *values; /* [count] */
};

enum { MOST_RESULTS = 16 };

struct sumi_measure {
    sumi_context *context;
    const struct measure_type *type;
    void *settings; /* of the type's size */
    struct option_set set;
    char text[OPTION_WORD_SIZE]; /* of the last sumi_measure_setting */
    struct measured_list results[MOST_RESULTS];
    int result_count;
};

extern const struct measure_type measure_frechet, measure_kid, measure_mmd, measure_energy,
    measure_prdc, measure_inception_score, measure_classes, measure_sliced, measure_wasserstein,
    measure_marginal, measure_nearest, measure_power, measure_coherence, measure_spectrum,
    measure_pdf, measure_mel, measure_psnr, measure_ssim;

/* Adds a result: a number, or a list, which is copied. */
sumi_status measure_add_number(sumi_measure *measure, const char *name, double value);
sumi_status measure_add_list(sumi_measure *measure, const char *name, int64_t count,
                             const double *values);

#endif
