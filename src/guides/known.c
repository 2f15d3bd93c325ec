/* SPDX-License-Identifier: Apache-2.0 */
/* The correction for data of which a part is known: the estimate of clean data times r(x0), a
   normal density around the known values (Sohl-Dickstein et al. 2015, section 2.5, "multiplying
   distributions"). With it, a solver inpaints missing parts, colours grey pictures and denoises
   measurements. */
#include "base/structure.h"

/* The weight of the known value: if the estimate from a state a x0 + s e is normal with deviation s
   / a, the mean of its product with r is the average of estimate and known value with this weight.
   It is 1 at the beginning of a run, and always if the known value is exact. */
static double share_of_known(const sumi_known *known, double signal, double noise)
{
    double square = known->deviation * known->deviation;
    if (square == 0 || signal == 0) return 1;
    double doubt = noise / signal * (noise / signal);
    return doubt / (doubt + square);
}

/* Shifts numbers[channels] so that their mean moves the fraction `share` of the way to `value`. */
static void move_mean(int64_t channels, double share, float value, float *numbers)
{
    double mean = 0;
    for (int64_t c = 0; c < channels; c++) mean += (double)numbers[c] / (double)channels;
    float step = (float)(share * (value - mean));
    for (int64_t c = 0; c < channels; c++) numbers[c] += step;
}

sumi_status sumi_keep_known(void *user, int64_t count, int64_t item_size, double signal,
                            double noise, float *clean)
{
    sumi_known own;
    const sumi_known *known = &own;
    if (!structure_copy(user, &own, sizeof own)) return SUMI_ERROR_ARGUMENT;
    const int64_t channels = known->channels > 0 ? known->channels : 1, size = item_size / channels;
    const double share = share_of_known(known, signal, noise);
    if (known->items < 1 || size * channels != item_size || !(known->deviation >= 0))
        return SUMI_ERROR_ARGUMENT;
    for (int64_t i = 0; i < count; i++) {
        const float *values = known->values + i % known->items * size;
        const float *mask = known->mask ? known->mask + i % known->items * size : NULL;
        float *item = clean + i * item_size;
        for (int64_t j = 0; j < size; j++) {
            if (!mask || mask[j] > 0) move_mean(channels, share, values[j], item + j * channels);
        }
    }
    return SUMI_OK;
}
