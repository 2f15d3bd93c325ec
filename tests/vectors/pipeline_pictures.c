/* SPDX-License-Identifier: Apache-2.0 */
/* What pipelines begin with: noise by formula, and a picture with or without a mask. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors/formula.h"
#include "vectors/pipeline.h"

enum { FIRST_DRAW = 3000 };

bool pipeline_fails(struct pipeline *p)
{
    return vectors_fail(p->row, "%s", sumi_context_message(p->context));
}

/* ---- Noise ---- */

int64_t pipeline_draw(const struct pipeline *p, const char *place, int64_t n)
{
    json_object *draws = vectors_get(p->row->record, "draws");
    size_t count =
        json_object_is_type(draws, json_type_array) ? json_object_array_length(draws) : 0;
    for (size_t i = 0; i < count; i++) {
        json_object *draw = json_object_array_get_idx(draws, i);
        if (strstr(vectors_text(draw, "drawn_in"), place) && n-- == 0)
            return (int64_t)vectors_number(draw, "k");
    }
    return 0;
}

void pipeline_noise(const struct pipeline *p, int64_t k, float *noise)
{
    for (int64_t j = 0; j < figures_count(&p->layout); j++)
        noise[figures_place(&p->layout, j)] =
            (float)formula_mix((uint32_t)(FIRST_DRAW + k), (uint32_t)j);
}

/* ---- The picture and the mask ---- */

/* "cos(0.3*j) in [-1,1], 1x3x16x16" as an array [n,h,w,c]. */
static sumi_status read_picture(struct pipeline *p, const char *text, sumi_array *picture)
{
    struct figures_layout layout = {.rank = 4, .channel_axis = 1};
    struct formula_wave wave;
    char formula[64];
    const char *shape = strrchr(text, ' ');
    int64_t *size = layout.size, own[8];
    snprintf(formula, sizeof formula, "%.*s", (int)strcspn(text, " "), text);
    if (!shape || !formula_read(formula, &wave)
        || sscanf(shape, " %ldx%ldx%ldx%ld", &size[0], &size[1], &size[2], &size[3]) != 4) {
        vectors_fail(p->row, "the picture \"%s\" is not known", text);
        return SUMI_ERROR_ARGUMENT;
    }
    figures_own_shape(&layout, own);
    sumi_status status = sumi_array_create(p->context, 4, own, picture);
    for (int64_t j = 0; status == SUMI_OK && j < figures_count(&layout); j++)
        picture->data[figures_place(&layout, j)] = (float)formula_wave_at(&wave, j);
    return status;
}

/* "1 at rows 4..11, columns 4..13 of 16x16, else 0 ..." as an array [1,h,w,1]. */
static sumi_status read_mask(struct pipeline *p, const char *text, sumi_array *mask)
{
    long rows[2], columns[2], height, width;
    if (sscanf(text, "1 at rows %ld..%ld, columns %ld..%ld of %ldx%ld", &rows[0], &rows[1],
               &columns[0], &columns[1], &height, &width)
        != 6) {
        vectors_fail(p->row, "the mask \"%s\" is not known", text);
        return SUMI_ERROR_ARGUMENT;
    }
    sumi_status status = sumi_array_create(p->context, 4, (int64_t[]){1, height, width, 1}, mask);
    for (long i = 0; status == SUMI_OK && i < height * width; i++) {
        long row = i / width, column = i % width;
        mask->data[i] =
            row >= rows[0] && row <= rows[1] && column >= columns[0] && column <= columns[1];
    }
    return status;
}

/* ---- Latents ---- */

/* Encodes by the n-th draw from the posterior. */
static sumi_status encode(struct pipeline *p, const sumi_array *picture, int64_t n,
                          sumi_array *latents)
{
    int64_t shape[8];
    sumi_array noise = {0};
    figures_own_shape(&p->layout, shape);
    sumi_status status = sumi_array_create(p->context, 4, shape, &noise);
    if (status == SUMI_OK) {
        pipeline_noise(p, pipeline_draw(p, "vae.sample", n), noise.data);
        status = sumi_auto_encoder_encode(p->coder, picture, &noise, latents);
    }
    sumi_array_release(p->context, &noise);
    return status;
}

/* The mask at the size of the latents, by the nearest pixel. */
static sumi_status shrink(struct pipeline *p, const sumi_array *mask, sumi_array *small)
{
    int64_t height = p->layout.size[2], width = p->layout.size[3];
    sumi_status status = sumi_array_create(p->context, 4, (int64_t[]){1, height, width, 1}, small);
    for (int64_t i = 0; status == SUMI_OK && i < height * width; i++) {
        int64_t row = i / width * mask->shape[1] / height;
        small->data[i] = mask->data[row * mask->shape[2] + i % width * mask->shape[2] / width];
    }
    return status;
}

/* The mask, and the latents of the picture without what is made anew, as channels of the network.
 */
static sumi_status make_channels(struct pipeline *p, const sumi_array *picture,
                                 const sumi_array *mask, const sumi_array *small, int64_t draw)
{
    sumi_array hidden = {0}, latents = {0};
    sumi_status status = sumi_array_create(p->context, 4, picture->shape, &hidden);
    for (int64_t i = 0; status == SUMI_OK && i < sumi_array_count(picture); i++)
        hidden.data[i] = mask->data[i / picture->shape[3]] < 0.5F ? picture->data[i] : 0;
    if (status == SUMI_OK) status = encode(p, &hidden, draw, &latents);
    if (status == SUMI_OK) {
        int64_t width = latents.shape[3] + 1, shape[4];
        memcpy(shape, latents.shape, sizeof shape);
        shape[3] = width;
        status = sumi_array_create(p->context, 4, shape, &p->channels);
        for (int64_t i = 0; status == SUMI_OK && i < sumi_array_count(&p->channels); i++)
            p->channels.data[i] = i % width ? latents.data[i / width * (width - 1) + i % width - 1]
                                            : small->data[i / width];
    }
    sumi_array_release(p->context, &hidden);
    sumi_array_release(p->context, &latents);
    return status;
}

/* Whether the network takes further channels. */
static bool takes_channels(const struct pipeline *p)
{
    sumi_input input = {.size = sizeof input};
    for (int i = 0; sumi_model_input(p->model, i, &input); i++)
        if (strcmp(input.name, "extra_channels") == 0) return true;
    return false;
}

/* A network for inpainting at strength 1 begins with noise, and its picture is not encoded. */
static sumi_status set_start(struct pipeline *p, json_object *call, const sumi_array *picture,
                             const sumi_array *mask, const sumi_array *small)
{
    double strength = vectors_number(call, "strength");
    bool channels = takes_channels(p), begins = !channels || strength < 1;
    sumi_array latents = {0};
    sumi_status status = SUMI_OK;
    if (begins) status = encode(p, picture, 0, &latents);
    if (begins && status == SUMI_OK)
        status = sumi_session_set_start(p->session, &latents, strength,
                                        mask->data && !channels ? small : NULL);
    if (channels && status == SUMI_OK) status = make_channels(p, picture, mask, small, begins);
    sumi_array_release(p->context, &latents);
    return status;
}

sumi_status pipeline_set_picture(struct pipeline *p, json_object *call)
{
    sumi_array picture = {0}, mask = {0}, small = {0};
    if (!vectors_get(call, "image")) return SUMI_OK;
    sumi_status status = read_picture(p, vectors_text(call, "image"), &picture);
    if (status == SUMI_OK && vectors_get(call, "mask")) {
        status = read_mask(p, vectors_text(call, "mask"), &mask);
        if (status == SUMI_OK) status = shrink(p, &mask, &small);
    }
    if (status == SUMI_OK) status = set_start(p, call, &picture, &mask, &small);
    sumi_array_release(p->context, &picture);
    sumi_array_release(p->context, &mask);
    sumi_array_release(p->context, &small);
    return status;
}
