/* SPDX-License-Identifier: Apache-2.0 */
/* The exact denoiser of binary heartbeats of 20 bits: what a perfect network would predict. */
#ifndef TESTS_MEASURE_HEARTBEAT_H
#define TESTS_MEASURE_HEARTBEAT_H

#include "check.h"

enum { BEAT_BITS = 20, BEAT_PERIOD = 5 };

static inline float beat_bit(int place, int phase)
{
    return place % BEAT_PERIOD == phase ? 1 : -1;
}

/* Log-odds that each bit differs from the data's, by Bayes' rule over the five phases. `user` is
   the number of steps T of the binomial schedule. */
static inline sumi_status beat_denoiser(void *user, int64_t count, int64_t item_size,
                                        int64_t output_size, const float *x, const float *times,
                                        float *output)
{
    double steps = *(const int *)user;
    (void)output_size;
    for (int64_t n = 0; n < count; n++) {
        double flipped = (times[n] + 1) / steps / 2, logs[BEAT_PERIOD], most = -INFINITY, sum = 0;
        for (int phase = 0; phase < BEAT_PERIOD; phase++) {
            logs[phase] = 0;
            for (int i = 0; i < BEAT_BITS; i++) {
                bool same = x[n * item_size + i] == beat_bit(i, phase);
                logs[phase] += log(same ? 1 - flipped : flipped);
            }
            most = fmax(most, logs[phase]);
        }
        for (int phase = 0; phase < BEAT_PERIOD; phase++) sum += exp(logs[phase] - most);
        for (int i = 0; i < BEAT_BITS; i++) {
            double differs = 0;
            for (int phase = 0; phase < BEAT_PERIOD; phase++) {
                bool same = x[n * item_size + i] == beat_bit(i, phase);
                if (!same) differs += exp(logs[phase] - most) / sum;
            }
            differs = fmin(fmax(differs, 1e-30), 1 - 1e-15);
            output[n * item_size + i] = (float)log(differs / (1 - differs));
        }
    }
    return SUMI_OK;
}

#endif
