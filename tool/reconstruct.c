/* SPDX-License-Identifier: Apache-2.0 */
/* Reconstructions of a trained auto-encoder; see reconstruct.h. */
#include "reconstruct.h"

#include <math.h>

#include "coding.h"
#include "sampling.h"

enum { MEASURED = 500, AT_ONCE = 50 };

/* Some of the pictures of a data set, from all parts of it: numbers first to first + count - 1 of
   `all` evenly spaced ones. */
struct choice {
    int64_t first, count, all;
};

/* Reads pictures of a data set and gives their reconstructions. */
static sumi_status reconstruct(sumi_context *context, sumi_auto_encoder *auto_encoder,
                               sumi_data *data, const struct choice *choice, sumi_array *pictures,
                               sumi_array *again)
{
    int64_t count = choice->count, there = sumi_data_count(data);
    int64_t shape[1 + SUMI_MAX_RANK] = {count};
    sumi_array latents = {0};
    int rank = sumi_data_shape(data, shape + 1);
    sumi_status status = sumi_array_create(context, 1 + rank, shape, pictures);
    int64_t size = status == SUMI_OK ? sumi_array_count(pictures) / count : 0;
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        int64_t index = (choice->first + i) * there / choice->all;
        status = sumi_data_read(data, &index, 1, pictures->data + i * size, NULL);
    }
    if (status == SUMI_OK)
        status = sumi_auto_encoder_encode(auto_encoder, pictures, NULL, &latents);
    if (status == SUMI_OK) status = sumi_auto_encoder_decode(auto_encoder, &latents, again);
    sumi_array_release(context, &latents);
    return status;
}

sumi_status reconstruct_measure(sumi_context *context, sumi_auto_encoder *auto_encoder,
                                sumi_data *data, int64_t *count, double *psnr)
{
    int64_t all = sumi_data_count(data);
    double square = 0;
    *count = all < MEASURED ? all : MEASURED;
    for (int64_t first = 0; first < *count; first += AT_ONCE) {
        sumi_array pictures = {0}, again = {0};
        int64_t part = *count - first < AT_ONCE ? *count - first : AT_ONCE;
        const struct choice choice = {first, part, *count};
        sumi_status status = reconstruct(context, auto_encoder, data, &choice, &pictures, &again);
        if (status == SUMI_OK) {
            struct difference apart = coding_difference(&again, &pictures);
            square += apart.rms * apart.rms * (double)part / (double)*count;
        }
        sumi_array_release(context, &pictures);
        sumi_array_release(context, &again);
        if (status != SUMI_OK) return status;
    }
    *psnr = coding_psnr(sqrt(square));
    return SUMI_OK;
}

sumi_status reconstruct_draw(sumi_context *context, sumi_auto_encoder *auto_encoder,
                             const sumi_recipe *recipe, sumi_data *data, const char *path)
{
    enum { COLUMNS = 4 };
    int64_t count = sampling_whole(recipe, "sample.count", 16), all = sumi_data_count(data);
    int64_t columns = sampling_whole(recipe, "sample.columns", 0);
    sumi_array pictures = {0}, again = {0}, items = {0};
    if (count > all) count = all;
    const struct choice choice = {0, count, count};
    sumi_status status = reconstruct(context, auto_encoder, data, &choice, &pictures, &again);
    if (status == SUMI_OK) status = sumi_array_interleave(context, &pictures, &again, &items);
    if (status == SUMI_OK)
        status = sumi_draw_grid(context, &items, 2 * (columns ? (int)columns : COLUMNS), path);
    sumi_array_release(context, &pictures);
    sumi_array_release(context, &again);
    sumi_array_release(context, &items);
    return status;
}
