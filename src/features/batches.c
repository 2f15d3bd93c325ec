/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: bytes of each picture, the network's own preparation, one run of its plan. */
#define _POSIX_C_SOURCE 200809L
#include "features/batches.h"

#include <string.h>
#include <time.h>

#include "base/team.h"
#include "files/image.h"

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- The plan ---- */

static bool is_planned(const sumi_features *features)
{
    const struct feature_options *now = &features->options, *before = &features->planned;
    return features->plan && now->batch == before->batch && now->output == before->output;
}

static sumi_status make_plan(sumi_features *features)
{
    const int64_t *item = features->shape;
    int64_t shape[] = {features->options.batch, item[0], item[1], item[2]};
    if (is_planned(features)) return SUMI_OK;
    sumi_plan_free(features->plan);
    sumi_graph_free(features->graph);
    features->plan = NULL;
    features->graph = NULL;
    TRY(sumi_graph_create(features->context, features->weights, false, &features->graph));
    features->graph->keep_most = INT64_MAX; /* the weights stay as they are */
    features->input = sumi_graph_input(features->graph, "pictures", 4, shape);
    features->result = features->kind->build(features, features->graph, features->input);
    TRY(sumi_graph_status(features->graph));
    features->planned = features->options;
    return sumi_plan_create(features->graph, 1, &features->result, &features->plan);
}

/* ---- Pictures ---- */

struct pictures {
    const sumi_features *features;
    int height, width, channels;
    const float *values; /* [count, height, width, channels] */
    int64_t count;
    uint8_t *bytes; /* [threads, height, width, 3] and the same without colour */
    float *input;
    sumi_status status;
};

/* Bytes of a picture in three channels. */
static void to_colour(const struct pictures *p, const float *values, uint8_t *grey, uint8_t *bytes)
{
    size_t places = (size_t)p->height * (size_t)p->width;
    if (p->channels == 3) {
        image_from_float(values, 3 * places, bytes);
        return;
    }
    image_from_float(values, places, grey);
    for (size_t i = 0; i < places; i++) memset(bytes + 3 * i, grey[i], 3);
}

/* Shared among a team: each picture is prepared by one thread. */
static void prepare_all(struct pictures *p)
{
    const sumi_features *features = p->features;
    size_t places = (size_t)p->height * (size_t)p->width;
    const int64_t *shape = features->shape;
    size_t input = (size_t)(shape[0] * shape[1] * shape[2]);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < p->count; i++) {
        uint8_t *bytes = p->bytes + (size_t)omp_get_thread_num() * 4 * places;
        to_colour(p, p->values + (size_t)i * places * (size_t)p->channels, bytes + 3 * places,
                  bytes);
        sumi_status status = features->kind->prepare(features, p->height, p->width, bytes,
                                                     p->input + (size_t)i * input);
        if (status == SUMI_OK) continue;
#pragma omp atomic write
        p->status = status;
    }
}

static sumi_status run_batch(sumi_features *features, struct pictures *p, int64_t width,
                             float *rows)
{
    p->input = sumi_plan_data(features->plan, features->input);
    BY_TEAM(features->context->threads, prepare_all(p));
    TRY(p->status);
    TRY(sumi_plan_run(features->plan, 0, 0));
    memcpy(rows, sumi_plan_data(features->plan, features->result),
           (size_t)(p->count * width) * sizeof *rows);
    return SUMI_OK;
}

static sumi_status report(const sumi_features *features, int64_t done, int64_t all, double start,
                          sumi_progress_function progress, void *user)
{
    double spent = seconds() - start;
    const sumi_progress now = {.size = sizeof now,
                               .task = "features",
                               .step = done,
                               .steps = all,
                               .rate = spent > 0 ? (double)done / spent : 0,
                               .rate_unit = "images/s",
                               .seconds_left = spent * (double)(all - done) / (double)done};
    if (!progress || progress(user, &now)) return SUMI_OK;
    return context_fail(features->context, SUMI_STOPPED, "features: stopped after picture %lld",
                        (long long)done);
}

static sumi_status run_all(sumi_features *features, const sumi_array *pictures, struct pictures *p,
                           sumi_progress_function progress, void *user, float *rows)
{
    int64_t all = pictures->shape[0], item = sumi_array_count(pictures) / all;
    int64_t width =
        features->options.output == FEATURE_LOGITS ? features->classes : features->count;
    double start = seconds();
    for (int64_t first = 0; first < all; first += features->options.batch) {
        int64_t left = all - first;
        p->count = left < features->options.batch ? left : features->options.batch;
        p->values = pictures->data + first * item;
        TRY(run_batch(features, p, width, rows + first * width));
        TRY(report(features, first + p->count, all, start, progress, user));
    }
    return SUMI_OK;
}

sumi_status batches_measure(sumi_features *features, const sumi_array *pictures,
                            sumi_progress_function progress, void *user, float *rows)
{
    struct pictures p = {.features = features,
                         .height = (int)pictures->shape[1],
                         .width = (int)pictures->shape[2],
                         .channels = (int)pictures->shape[3]};
    size_t places = (size_t)p.height * (size_t)p.width;
    TRY(make_plan(features));
    p.bytes = context_allocate(features->context, (size_t)features->context->threads, 4 * places);
    if (!p.bytes) return SUMI_ERROR_MEMORY;
    sumi_status status = run_all(features, pictures, &p, progress, user, rows);
    context_release(features->context, p.bytes);
    return status;
}
