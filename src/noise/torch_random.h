/* SPDX-License-Identifier: Apache-2.0 */
/* The random stream of PyTorch's CPU generator, so that runs can be compared with PyTorch's number
   by number: Mersenne Twister mt19937 (Matsumoto & Nishimura 1998) and torch's conversions of its
   words to numbers. */
#ifndef SUMI_NOISE_TORCH_RANDOM_H
#define SUMI_NOISE_TORCH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

enum { TWISTER_WORDS = 624 };

struct torch_random {
    uint32_t words[TWISTER_WORDS];
    int next; /* index of the next word */
    bool has_spare;
    double spare; /* second number of the last pair of the scalar path */
};

void torch_random_seed(struct torch_random *stream, uint64_t seed); /* torch.manual_seed */

/* torch.randn(count), float32. */
void torch_random_normal(struct torch_random *stream, int64_t count, float *output);

/* torch.rand(count), float32, in [0,1). */
void torch_random_uniform(struct torch_random *stream, int64_t count, float *output);

/* One number of torch.randint(0, limit), 0 < limit < 2^32. */
uint32_t torch_random_below(struct torch_random *stream, uint32_t limit);

#endif
