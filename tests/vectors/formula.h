/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers by formula, with which records of reference numbers fill weights and inputs, so that a
   file of them needs no arrays; tests/data/README.md has the rules in words. */
#ifndef TESTS_VECTORS_FORMULA_H
#define TESTS_VECTORS_FORMULA_H

#include <stdbool.h>
#include <stdint.h>

/* Element j of number n of the fill `mix`: of mean 0 and variance 1, from a hash of both. */
double formula_mix(uint32_t n, uint32_t j);

/* A weight to be filled: the n-th name of its component, sorted as bytes. */
struct formula_weight {
    const char *name;
    int64_t number;
    int rank;
    int64_t first_size, count; /* the size of its first dimension; all elements */
};

/* Fills values[count] by the fill "sin", "mix" or "small"; false for another name. Weights whose
   name ends in ".kernel" keep what they have. */
bool formula_fill(const char *fill, const struct formula_weight *weight, float *values);

/* cos(a*j+b) or sin(a*j+b), as an input's formula. */
struct formula_wave {
    bool sine;
    double factor, shift;
};
bool formula_read(const char *text, struct formula_wave *wave); /* false: none of these */
double formula_wave_at(const struct formula_wave *wave, int64_t j);

#endif
