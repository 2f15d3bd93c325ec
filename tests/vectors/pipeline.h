/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline of a record of pipelines.json while it is run; models/pipelines_test.c runs it. */
#ifndef TESTS_VECTORS_PIPELINE_H
#define TESTS_VECTORS_PIPELINE_H

#include "sumi.h"
#include "vectors/figures.h"

struct pipeline {
    struct vectors_row *row;
    sumi_context *context;
    const char *fill;
    sumi_model *model;
    sumi_auto_encoder *coder;
    sumi_text_encoder *encoder; /* NULL where the record has none */
    sumi_session *session;
    sumi_solver *solver;
    json_object *steps; /* of the record: [time, sum of magnitudes] */
    int64_t step;
    struct figures_layout layout; /* of the latents */
    sumi_array channels;          /* of a network with further input channels; else empty */
    int64_t first_draw;           /* that of the solver's first state */
};

/* Fails the row by the context's message. Always false. */
bool pipeline_fails(struct pipeline *p);

/* The number k of the n-th draw, from 0, that was made where `place` says; 0 for none. */
int64_t pipeline_draw(const struct pipeline *p, const char *place, int64_t n);
/* Draw k, s of the fill "mix" with the number 3000 + k, laid out as Sumi's latents. */
void pipeline_noise(const struct pipeline *p, int64_t k, float *noise);

/* Sets the conditions of the session from the call's prompts, and compares their states
   (pipeline_texts.c). `vocabulary` is the folder of CLIP's vocabulary, NULL for that of the cache.
 */
sumi_status pipeline_set_texts(struct pipeline *p, json_object *call, json_object *expected,
                               const char *vocabulary);

/* Sets what the session begins with from the call's picture and mask (pipeline_pictures.c). */
sumi_status pipeline_set_picture(struct pipeline *p, json_object *call);

#endif
