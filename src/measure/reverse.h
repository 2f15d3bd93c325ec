/* SPDX-License-Identifier: Apache-2.0 */
/* The reverse process of a solver and a denoiser as the bounds take it: a chain of steps, and from
   the network's output at a time the estimate of clean data and the variance of the step. States z
   have unit variance for data of unit variance; the network's input is scale z. */
#ifndef SUMI_MEASURE_REVERSE_H
#define SUMI_MEASURE_REVERSE_H

#include "measure/likelihood.h"
#include "noise/path.h"

struct reverse {
    sumi_context *context;
    const struct likelihood_options *settings;
    const struct solver_options *options;
    const struct noise_path *path;
    struct chain chain;
    bool binomial, learned;
    enum decoder decoder;
    const struct denoising *denoising;
    sumi_data *data;
    int64_t items, item_size, output_size, channels;
    float *scratch; /* [item_size] */
};

/* Fills everything but the memory that callers take; to be released with reverse_release, also
   after a failure. Refuses decoders and data that do not fit. */
sumi_status reverse_open(struct reverse *reverse, sumi_likelihood *likelihood,
                         const struct denoising *denoising, sumi_data *data);
void reverse_release(struct reverse *reverse);

/* Writes the network's input for a state z[item_size] at a time of the chain. */
void reverse_input(const struct reverse *reverse, int64_t time, const float *z, float *x);

/* From output[output_size] for the input x: estimate[item_size] of clean data, or log-odds of bits,
   and where variances are learned spread[item_size]. */
void reverse_read(const struct reverse *reverse, int64_t time, const float *x, const float *output,
                  float *estimate, float *spread);

/* The variance of number i of the step back from a time, by the solver's options; see
   solvers/ddpm.c. At time 0, where the posterior's is zero, that of time 1 is used, as usual. Paths
   in continuous time have beta, which is exact in the limit of many steps. */
double reverse_variance(const struct reverse *reverse, int64_t time,
                        const struct posterior *posterior, const float *spread, int64_t i);

/* -log p(x0 | x_1) of an item, or an upper bound of it, by the decoder. */
double reverse_decode(const struct reverse *reverse, const float *clean, const float *estimate,
                      const float *spread);

#endif
