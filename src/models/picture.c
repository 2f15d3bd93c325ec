/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures to begin with: encoded for a model over latents, with the mask at the latents' size, and
   the further input channels of networks that were trained for inpainting (Rombach et al.
   2022, 4.5). */
#include <string.h>

#include "models/auto_encoder.h"
#include "models/session.h"

/* Whether a network takes a mask and a masked picture beside what it denoises. */
static bool takes_mask(const struct net *net)
{
    int number = net_find_input(net, "extra_channels");
    return number >= 0 && net->inputs[number].shape[3] == net->item_shape[2] + 1;
}

static sumi_status check_mask(const sumi_session *session, const sumi_array *pictures,
                              const sumi_array *mask)
{
    if (!mask) {
        if (!takes_mask(session->model->net)) return SUMI_OK;
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "this model's network is one for inpainting and needs a mask");
    }
    if (pictures->rank == 4 && mask->rank == 4 && mask->shape[0] > 0
        && mask->shape[1] == pictures->shape[1] && mask->shape[2] == pictures->shape[2]
        && mask->shape[3] == 1)
        return SUMI_OK;
    return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                        "a mask should be [n, height, width, 1], of the size of the pictures");
}

/* Encodes pictures to a new array, which is a copy in a model without an auto-encoder. */
static sumi_status encode(sumi_session *session, const sumi_array *pictures, sumi_array *items)
{
    sumi_auto_encoder *coder = NULL;
    if (!session->model->auto_encoder) {
        TRY(sumi_array_create(session->context, pictures->rank, pictures->shape, items));
        memcpy(items->data, pictures->data,
               (size_t)sumi_array_count(pictures) * sizeof *items->data);
        return SUMI_OK;
    }
    TRY(sumi_auto_encoder_of(session->context, session->model, &coder));
    coder->precision = session->precision;
    sumi_status status = sumi_auto_encoder_encode(coder, pictures, NULL, items);
    sumi_auto_encoder_free(coder);
    return status;
}

/* A mask of the items' size, by the nearest pixel: 1 above 0, else 0. */
static sumi_status shrink(sumi_context *context, const sumi_array *mask, const sumi_array *items,
                          sumi_array *small)
{
    const int64_t height = items->shape[1], width = items->shape[2];
    const int64_t rows = mask->shape[1] / height, columns = mask->shape[2] / width;
    TRY(sumi_array_create(context, 4, (int64_t[]){mask->shape[0], height, width, 1}, small));
    for (int64_t i = 0; i < sumi_array_count(small); i++) {
        int64_t row = i / width % height * rows, column = i % width * columns;
        int64_t item = i / width / height;
        int64_t place = (item * mask->shape[1] + row) * mask->shape[2] + column;
        small->data[i] = mask->data[place] > 0 ? 1 : 0;
    }
    return SUMI_OK;
}

/* ---- Networks for inpainting ---- */

/* The pictures with the middle grey where the mask is above 0. */
static sumi_status hide(sumi_context *context, const sumi_array *pictures, const sumi_array *mask,
                        sumi_array *hidden)
{
    const int64_t channels = pictures->shape[3], places = sumi_array_count(mask);
    TRY(sumi_array_create(context, 4, pictures->shape, hidden));
    for (int64_t i = 0; i < sumi_array_count(pictures); i++)
        hidden->data[i] = mask->data[i / channels % places] > 0 ? 0 : pictures->data[i];
    return SUMI_OK;
}

/* The mask, then the channels of the hidden pictures. */
static sumi_status join(sumi_session *session, const sumi_array *small, const sumi_array *hidden)
{
    const int64_t channels = hidden->shape[3], each = channels + 1,
                  places = sumi_array_count(small);
    int64_t shape[4] = {hidden->shape[0], hidden->shape[1], hidden->shape[2], each};
    sumi_array all;
    TRY(sumi_array_create(session->context, 4, shape, &all));
    for (int64_t i = 0; i < sumi_array_count(hidden) / channels; i++) {
        all.data[i * each] = small->data[i % places];
        memcpy(all.data + i * each + 1, hidden->data + i * channels,
               (size_t)channels * sizeof *all.data);
    }
    sumi_status status = sumi_session_set_channels(session, &all);
    sumi_array_release(session->context, &all);
    return status;
}

static sumi_status set_channels(sumi_session *session, const sumi_array *pictures,
                                const sumi_array *mask, const sumi_array *small)
{
    sumi_array hidden = {.rank = 0}, items = {.rank = 0};
    sumi_status status = hide(session->context, pictures, mask, &hidden);
    if (status == SUMI_OK) status = encode(session, &hidden, &items);
    if (status == SUMI_OK) status = join(session, small, &items);
    sumi_array_release(session->context, &hidden);
    sumi_array_release(session->context, &items);
    return status;
}

/* ---- Setting ---- */

/* A network for inpainting keeps what is known by itself. */
static sumi_status set_start(sumi_session *session, const sumi_array *pictures, double strength,
                             const sumi_array *mask, const sumi_array *items, sumi_array *small)
{
    if (mask) TRY(shrink(session->context, mask, items, small));
    if (!takes_mask(session->model->net))
        return sumi_session_set_start(session, items, strength, mask ? small : NULL);
    TRY(set_channels(session, pictures, mask, small));
    return sumi_session_set_start(session, strength == 1 ? NULL : items, strength, NULL);
}

sumi_status sumi_session_set_picture(sumi_session *session, const sumi_array *pictures,
                                     double strength, const sumi_array *mask)
{
    sumi_array items = {.rank = 0}, small = {.rank = 0};
    if (!pictures) {
        TRY(sumi_session_set_channels(session, NULL));
        return sumi_session_set_start(session, NULL, 1, NULL);
    }
    if (!(strength > 0 && strength <= 1)) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "the strength is above 0 and at most 1, not %g", strength);
    }
    TRY(check_mask(session, pictures, mask));
    sumi_status status = encode(session, pictures, &items);
    if (status == SUMI_OK) status = set_start(session, pictures, strength, mask, &items, &small);
    sumi_array_release(session->context, &items);
    sumi_array_release(session->context, &small);
    return status;
}
