/* SPDX-License-Identifier: Apache-2.0 */
/* The table of measures, their settings and their results. */
#include "quality/measure.h"

#include <string.h>

#include "base/structure.h"
#include "base/text.h"

static const struct measure_type *const types[] = {
    &measure_frechet,   &measure_kid,      &measure_mmd,
    &measure_energy,    &measure_prdc,     &measure_inception_score,
    &measure_classes,   &measure_sliced,   &measure_wasserstein,
    &measure_marginal,  &measure_nearest,  &measure_power,
    &measure_coherence, &measure_spectrum, &measure_pdf,
    &measure_mel,       &measure_psnr,     &measure_ssim};
enum { TYPES = sizeof types / sizeof *types };

/* ---- The table ---- */

bool sumi_measure_describe(int number, sumi_measure_info *info)
{
    if (number < 0 || number >= TYPES) return false;
    const struct measure_type *type = types[number];
    static const char *const items[] = {
        [MEASURE_ANY] = "", [MEASURE_SIGNALS] = "signals", [MEASURE_PICTURES] = "pictures"};
    const sumi_measure_info ours = {.name = type->name,
                                    .meaning = type->meaning,
                                    .paper = type->paper,
                                    .items = items[type->items],
                                    .sets = type->sets,
                                    .paired = type->paired,
                                    .best = type->best == MEASURE_LEAST  ? -1
                                            : type->best == MEASURE_MOST ? 1
                                                                         : 0,
                                    .features = type->of == MEASURE_OF_FEATURES,
                                    .logits = type->of == MEASURE_OF_LOGITS};
    return structure_fill(info, &ours, sizeof ours);
}

static const struct measure_type *find(sumi_context *context, const char *name)
{
    const char *names[TYPES + 1] = {NULL};
    for (int i = 0; i < TYPES; i++) {
        if (strcmp(types[i]->name, name) == 0) return types[i];
        names[i] = types[i]->name;
    }
    context_fail(context, SUMI_ERROR_ARGUMENT, "there is no measure \"%s\"; did you mean \"%s\"?",
                 name, text_nearest(name, names));
    return NULL;
}

/* ---- Settings ---- */

static const struct option no_options[] = {{.name = NULL}};

sumi_status sumi_measure_create(sumi_context *context, const char *name, sumi_measure **measure)
{
    *measure = NULL;
    const struct measure_type *type = find(context, name);
    if (!type) return SUMI_ERROR_ARGUMENT;
    sumi_measure *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->type = type;
    made->settings = context_allocate_zeroed(context, 1, type->size);
    if (!made->settings) {
        context_release(context, made);
        return SUMI_ERROR_MEMORY;
    }
    made->set = (struct option_set){.context = context,
                                    .owner = type->name,
                                    .noun = "option",
                                    .tables = {type->options ? type->options : no_options},
                                    .values = made->settings};
    option_set_defaults(&made->set);
    *measure = made;
    return SUMI_OK;
}

sumi_status sumi_measure_set(sumi_measure *measure, const char *option, const char *value)
{
    return option_set_text(&measure->set, option, value);
}

sumi_status sumi_measure_set_number(sumi_measure *measure, const char *option, double value)
{
    return option_set_number(&measure->set, option, value);
}

bool sumi_measure_option(sumi_measure *measure, int number, sumi_option *option)
{
    return option_set_describe(&measure->set, number, option);
}

const char *sumi_measure_setting(sumi_measure *measure, const char *option)
{
    return option_set_get(&measure->set, option, measure->text) ? measure->text : NULL;
}

/* ---- Results ---- */

static void release_results(sumi_measure *measure)
{
    for (int i = 0; i < measure->result_count; i++) {
        context_release(measure->context, measure->results[i].name);
        context_release(measure->context, measure->results[i].values);
    }
    measure->result_count = 0;
}

void sumi_measure_free(sumi_measure *measure)
{
    if (!measure) return;
    release_results(measure);
    context_release(measure->context, measure->settings);
    context_release(measure->context, measure);
}

sumi_status measure_add_list(sumi_measure *measure, const char *name, int64_t count,
                             const double *values)
{
    sumi_context *context = measure->context;
    struct measured_list *list = &measure->results[measure->result_count++];
    *list = (struct measured_list){.name = context_copy_text(context, name), .count = count};
    list->values = context_allocate(context, (size_t)count, sizeof *values);
    if (!list->name || !list->values) return SUMI_ERROR_MEMORY;
    memcpy(list->values, values, (size_t)count * sizeof *values);
    return SUMI_OK;
}

sumi_status measure_add_number(sumi_measure *measure, const char *name, double value)
{
    return measure_add_list(measure, name, 1, &value);
}

bool sumi_measure_get(const sumi_measure *measure, int number, sumi_measured *measured)
{
    if (number < 0 || number >= measure->result_count) return false;
    const struct measured_list *list = &measure->results[number];
    const sumi_measured ours = {.name = list->name, .count = list->count, .values = list->values};
    return structure_fill(measured, &ours, sizeof ours);
}

/* ---- Measuring ---- */

static sumi_status refuse(const sumi_measure *measure, const char *sentence)
{
    return context_fail(measure->context, SUMI_ERROR_ARGUMENT, "%s: %s", measure->type->name,
                        sentence);
}

/* An array of items of the measure's kind, with finite numbers. */
static sumi_status check_items(const sumi_measure *measure, const sumi_array *items)
{
    static const int ranks[] = {[MEASURE_SIGNALS] = 3, [MEASURE_PICTURES] = 4};
    int rank = ranks[measure->type->items];
    if (!items->data || items->rank < 2 || items->shape[0] < 1 || sumi_array_count(items) < 1)
        return refuse(measure, "expected at least one item in an array [n, item]");
    if (rank && items->rank != rank) {
        return refuse(measure, rank == 4
                                   ? "expected pictures or fields [n, height, width, channels]"
                                   : "expected signals [n, length, channels]");
    }
    for (int64_t i = 0; i < sumi_array_count(items); i++) {
        if (items->data[i] - items->data[i] == 0) continue;
        return context_fail(measure->context, SUMI_ERROR_NUMBER,
                            "%s: number %lld of an item is not finite", measure->type->name,
                            (long long)i);
    }
    return SUMI_OK;
}

static sumi_status check_sets(const sumi_measure *measure, const sumi_array *samples,
                              const sumi_array *reference)
{
    TRY(check_items(measure, samples));
    if (measure->type->sets == 1) {
        if (!reference) return SUMI_OK;
        return refuse(measure, "takes one set of items, not a reference too");
    }
    if (!reference) return refuse(measure, "needs a second set of items, the reference");
    TRY(check_items(measure, reference));
    bool same = samples->rank == reference->rank;
    for (int i = 1; i < samples->rank && same; i++) same = samples->shape[i] == reference->shape[i];
    if (!same) return refuse(measure, "the items of both sets must have the same shape");
    if (measure->type->paired && samples->shape[0] != reference->shape[0])
        return refuse(measure, "compares item by item, so both sets must have as many items");
    return SUMI_OK;
}

static struct samples rows_of(const sumi_array *items)
{
    return (struct samples){.rows = items->shape[0],
                            .columns = sumi_array_count(items) / items->shape[0],
                            .narrow = items->data};
}

sumi_status sumi_measure_run(sumi_measure *measure, const sumi_array *samples,
                             const sumi_array *reference, sumi_progress_function progress,
                             void *user)
{
    release_results(measure);
    TRY(option_set_check(&measure->set, measure->type->name, 1));
    TRY(check_sets(measure, samples, reference));
    struct measured_sets sets = {.samples = rows_of(samples), .rank = samples->rank - 1};
    memcpy(sets.shape, samples->shape + 1, (size_t)sets.rank * sizeof *sets.shape);
    if (reference) sets.reference = rows_of(reference);
    struct work work = {.context = measure->context,
                        .progress = progress,
                        .user = user,
                        .task = measure->type->name};
    sumi_status status = measure->type->run(measure, &work, &sets);
    if (status != SUMI_OK) release_results(measure);
    return status;
}
