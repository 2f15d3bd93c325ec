/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops themselves; SUMI_LEVEL names the instruction set this copy is compiled for. They
   are plain C that compilers turn into vector code. */
#include "cpu/loops/loops.h"

#include <math.h>
#include <string.h>

#include "cpu/loops/functions.h"
#include "ops/attention.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/* The iterations of the loop that follows are independent, also where an output is an input. */
#define VECTOR _Pragma("omp simd")

#define BINARY(NAME, OPERATOR)                                                                     \
    static void NAME(int64_t n, const float *a, int step_a, const float *b, int step_b,            \
                     float *out)                                                                   \
    {                                                                                              \
        if (step_a && step_b) {                                                                    \
            VECTOR for (int64_t i = 0; i < n; i++) out[i] = a[i] OPERATOR b[i];                    \
        } else if (step_a) {                                                                       \
            float second = b[0];                                                                   \
            VECTOR for (int64_t i = 0; i < n; i++) out[i] = a[i] OPERATOR second;                  \
        } else {                                                                                   \
            float first = a[0];                                                                    \
            VECTOR for (int64_t i = 0; i < n; i++) out[i] = first OPERATOR b[step_b ? i : 0];      \
        }                                                                                          \
    }
BINARY(add_loop, +)
BINARY(subtract_loop, -)
BINARY(multiply_loop, *)
BINARY(divide_loop, /)

#define UNARY(NAME, EXPRESSION)                                                                    \
    static void NAME(int64_t n, const float *x, float *out)                                        \
    {                                                                                              \
        VECTOR for (int64_t i = 0; i < n; i++) out[i] = (EXPRESSION);                              \
    }
UNARY(exp_loop, fast_exp(x[i]))
UNARY(sigmoid_loop, fast_sigmoid(x[i]))
UNARY(silu_loop, x[i] * fast_sigmoid(x[i]))
UNARY(tanh_loop, x[i]<0.04f && x[i]> - 0.04f
                     ? x[i] * (1.0f - x[i] * x[i] * (1.0f / 3 - x[i] * x[i] * (2.0f / 15)))
                     : 2.0f * fast_sigmoid(2.0f * x[i]) - 1.0f)
UNARY(relu_loop, x[i] > 0 ? x[i] : 0)
UNARY(step_loop, x[i] > 0 ? 1.0f : 0.0f)

static void affine_loop(int64_t n, const float *x, float scale, float shift, float *out)
{
    VECTOR for (int64_t i = 0; i < n; i++) out[i] = scale * x[i] + shift;
}

/* Eight rows at a time, so that the sums are read and written an eighth as often. */
static void sum_rows_loop(int64_t rows, int64_t c, const float *x, float *restrict sums)
{
    int64_t row = 0;
    for (; row + 8 <= rows; row += 8, x += 8 * c) {
        VECTOR for (int64_t i = 0; i < c; i++)
        {
            float upper = (x[i] + x[i + c]) + (x[i + 2 * c] + x[i + 3 * c]);
            float lower = (x[i + 4 * c] + x[i + 5 * c]) + (x[i + 6 * c] + x[i + 7 * c]);
            sums[i] += upper + lower;
        }
    }
    for (; row < rows; row++, x += c) {
        VECTOR for (int64_t i = 0; i < c; i++) sums[i] += x[i];
    }
}

enum { LANES = 16 };

/* The sum of LANES partial sums, pairwise. */
static float fold(float *lanes)
{
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    }
    return lanes[0];
}

static float sum_loop(int64_t n, const float *x)
{
    float lanes[LANES] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++) lanes[k] += x[i + k];
    }
    for (; i < n; i++) rest += x[i];
    return fold(lanes) + rest;
}

static float dot_loop(int64_t n, const float *x, const float *y)
{
    float lanes[LANES] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++) lanes[k] += x[i + k] * y[i + k];
    }
    for (; i < n; i++) rest += x[i] * y[i];
    return fold(lanes) + rest;
}

static void softmax_loop(int64_t n, float scale, float *x)
{
    float largest = -INFINITY;
    _Pragma("omp simd reduction(max : largest)") for (int64_t i = 0; i < n; i++) largest =
        scale * x[i] > largest ? scale * x[i] : largest;
    VECTOR for (int64_t i = 0; i < n; i++) x[i] = fast_exp(scale * x[i] - largest);
    float total = sum_loop(n, x);
    VECTOR for (int64_t i = 0; i < n; i++) x[i] /= total;
}

static float soften_loop(int64_t n, float scale, float *x, float *largest, float *total)
{
    float before = *largest, most = before;
    _Pragma("omp simd reduction(max : most)") for (int64_t i = 0; i < n; i++) most =
        scale * x[i] > most ? scale * x[i] : most;
    VECTOR for (int64_t i = 0; i < n; i++) x[i] = fast_exp(scale * x[i] - most);
    float correction = most > before ? fast_exp(before - most) : 1.0f;
    *largest = most;
    *total = *total * correction + sum_loop(n, x);
    return correction;
}

static void bias_scores_loop(int64_t n, float scale, const float *bias, float *x)
{
    VECTOR for (int64_t i = 0; i < n; i++)
    {
        float score = scale * x[i] + bias[i];
        x[i] = score > HIDDEN_SCORE ? score : HIDDEN_SCORE;
    }
}
static void attention_slopes_loop(int64_t n, const struct softmax_row *row, float *x, float *slopes)
{
    const float scale = row->scale, largest = row->largest, mean = row->mean;
    const float inverse = row->inverse;
    VECTOR for (int64_t i = 0; i < n; i++)
    {
        float weight = fast_exp(scale * x[i] - largest) * inverse;
        x[i] = weight;
        slopes[i] = scale * weight * (slopes[i] - mean);
    }
}

static void balance_loop(int64_t n, const float *weights, float *slopes)
{
    double sum = 0;
    _Pragma("omp simd reduction(+ : sum)") for (int64_t i = 0; i < n; i++) sum += slopes[i];
    const float rest = (float)sum;
    VECTOR for (int64_t i = 0; i < n; i++) slopes[i] -= rest * weights[i];
}

static void uniform_loop(int64_t n, const philox_stream *stream, uint64_t first, float *out)
{
    enum { BLOCKS = 64 };
    uint32_t words[4][BLOCKS];
    float numbers[4 * BLOCKS];
    const philox_stream key = *stream; /* which no store can change, so that vectors may form */
    while (n > 0) {
        uint64_t block = first / 4;
        VECTOR for (int b = 0; b < BLOCKS; b++)
        {
            philox_words(&key, block + (uint64_t)b, &words[0][b], &words[1][b], &words[2][b],
                         &words[3][b]);
        }
        for (int b = 0; b < BLOCKS; b++) {
            for (int k = 0; k < 4; k++) {
                numbers[4 * b + k] = philox_below_one(philox_unit(words[k][b]));
            }
        }
        int64_t skip = (int64_t)(first % 4), count = 4 * BLOCKS - skip;
        if (count > n) count = n;
        memcpy(out, numbers + skip, (size_t)count * sizeof *out);
        out += count;
        first += (uint64_t)count;
        n -= count;
    }
}

/* The loops of a normalisation come in several forms: with and without SiLU, of float32 or
   bfloat16, and so on. Each is written once and compiled with these as constants, so that no branch
   is left inside. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE float element(const void *data, int64_t i, bool bf16)
{
    return bf16 ? bfloat16_to_float(((const bfloat16 *)data)[i]) : ((const float *)data)[i];
}

static ALWAYS_INLINE void put_element(void *data, int64_t i, bool bf16, float value)
{
    if (bf16) ((bfloat16 *)data)[i] = bfloat16_from_float(value);
    else ((float *)data)[i] = value;
}

static ALWAYS_INLINE void moments_rows(bool bf16, int64_t rows, int64_t c, const void *x,
                                       const void *shift, float *restrict first,
                                       float *restrict second)
{
    int64_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        VECTOR for (int64_t i = 0; i < c; i++)
        {
            float centre = element(shift, i, bf16);
            float d0 = element(x, row * c + i, bf16) - centre;
            float d1 = element(x, (row + 1) * c + i, bf16) - centre;
            float d2 = element(x, (row + 2) * c + i, bf16) - centre;
            float d3 = element(x, (row + 3) * c + i, bf16) - centre;
            first[i] += (d0 + d1) + (d2 + d3);
            second[i] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
        }
    }
    for (; row < rows; row++) {
        VECTOR for (int64_t i = 0; i < c; i++)
        {
            float d = element(x, row * c + i, bf16) - element(shift, i, bf16);
            first[i] += d;
            second[i] += d * d;
        }
    }
}

static void moments_loop(bool bf16, int64_t rows, int64_t c, const void *x, const void *shift,
                         float *first, float *second)
{
    if (bf16) moments_rows(true, rows, c, x, shift, first, second);
    else moments_rows(false, rows, c, x, shift, first, second);
}

static ALWAYS_INLINE void norm_rows(bool bf16, int64_t rows, int64_t c, const void *x,
                                    const struct norm_coefficients *k, bool silu, void *out,
                                    int64_t step)
{
    const float *slope = k->slope, *offset = k->offset;
    for (int64_t row = 0; row < rows; row++) {
        VECTOR for (int64_t i = 0; i < c; i++)
        {
            float y = slope[i] * element(x, row * c + i, bf16) + offset[i];
            put_element(out, row * step + i, bf16, silu ? y * fast_sigmoid(y) : y);
        }
    }
}

static void norm_loop(bool bf16, int64_t rows, int64_t c, const void *x,
                      const struct norm_coefficients *k, bool silu, void *out, int64_t step)
{
    if (bf16 && silu) norm_rows(true, rows, c, x, k, true, out, step);
    else if (bf16) norm_rows(true, rows, c, x, k, false, out, step);
    else if (silu) norm_rows(false, rows, c, x, k, true, out, step);
    else norm_rows(false, rows, c, x, k, false, out, step);
}

/* Upstream gradient times the derivative of SiLU at y, s (1 + y (1 - s)) with s its sigmoid. */
static ALWAYS_INLINE float through_silu(float upstream, float y, bool silu)
{
    float s = fast_sigmoid(y);
    return silu ? upstream * (s * (1.0f + y * (1.0f - s))) : upstream;
}

static ALWAYS_INLINE void norm_sums_rows(bool bf16, int64_t rows, int64_t c, const void *x,
                                         const void *upstream, int64_t step,
                                         const struct norm_coefficients *k, bool silu, bool keep,
                                         float *first, float *second, void *kept)
{
    const float *slope = k->slope, *offset = k->offset, *mean = k->mean, *inverse = k->inverse;
    for (int64_t row = 0; row < rows; row++) {
        VECTOR for (int64_t i = 0; i < c; i++)
        {
            float value = element(x, row * c + i, bf16);
            float d = through_silu(element(upstream, row * step + i, bf16),
                                   slope[i] * value + offset[i], silu);
            first[i] += d;
            second[i] += d * ((value - mean[i]) * inverse[i]);
            if (keep) put_element(kept, row * c + i, bf16, d);
        }
    }
}

static void norm_sums_loop(bool bf16, int64_t rows, int64_t c, const void *x, const void *upstream,
                           int64_t step, const struct norm_coefficients *k, bool silu, float *first,
                           float *second, void *d)
{
#define FORM(BF16, SILU, KEEP)                                                                     \
    case (BF16) | (SILU) << 1 | (KEEP) << 2:                                                       \
        norm_sums_rows(BF16, rows, c, x, upstream, step, k, SILU, KEEP, first, second, d);         \
        break
    switch (bf16 | silu << 1 | (d != NULL) << 2) {
        FORM(0, 0, 0);
        FORM(1, 0, 0);
        FORM(0, 1, 0);
        FORM(1, 1, 0);
        FORM(0, 0, 1);
        FORM(1, 0, 1);
        FORM(0, 1, 1);
        FORM(1, 1, 1);
    }
#undef FORM
}

static ALWAYS_INLINE void norm_gradient_rows(bool bf16, int64_t rows, int64_t c, const void *x,
                                             const struct norm_coefficients *k,
                                             const void *residual, int64_t step, bool add, bool sum,
                                             float *restrict sums, void *d)
{
    const float *of_gradient = k->of_gradient, *constant = k->constant, *of_x = k->of_x;
    for (int64_t row = 0; row < rows; row++) {
        VECTOR for (int64_t i = 0; i < c; i++)
        {
            float gradient = of_gradient[i] * element(d, row * c + i, bf16)
                             + (constant[i] + of_x[i] * element(x, row * c + i, bf16));
            if (add) gradient += element(residual, row * step + i, bf16);
            if (sum) sums[i] += gradient;
            put_element(d, row * c + i, bf16, gradient);
        }
    }
}

static void norm_gradient_loop(bool bf16, int64_t rows, int64_t c, const void *x,
                               const struct norm_coefficients *k, const void *residual,
                               int64_t step, float *sums, void *d)
{
#define FORM(BF16, ADD, SUM)                                                                       \
    case (BF16) | (ADD) << 1 | (SUM) << 2:                                                         \
        norm_gradient_rows(BF16, rows, c, x, k, residual, step, ADD, SUM, sums, d);                \
        break
    switch (bf16 | (residual != NULL) << 1 | (sums != NULL) << 2) {
        FORM(0, 0, 0);
        FORM(1, 0, 0);
        FORM(0, 1, 0);
        FORM(1, 1, 0);
        FORM(0, 0, 1);
        FORM(1, 0, 1);
        FORM(0, 1, 1);
        FORM(1, 1, 1);
    }
#undef FORM
}

static ALWAYS_INLINE void epilogue_rows(bool x_bf16, bool bf16, int64_t rows, int64_t c,
                                        const void *x, const float *bias, const float *item,
                                        const void *residual, float scale, bool with_bias,
                                        bool with_item, bool with_residual, void *y)
{
    for (int64_t row = 0; row < rows; row++) {
        VECTOR for (int64_t i = 0; i < c; i++)
        {
            float sum = element(x, row * c + i, x_bf16);
            if (with_bias) sum += bias[i];
            if (with_item) sum += item[i];
            if (with_residual) sum += element(residual, row * c + i, bf16);
            put_element(y, row * c + i, bf16, scale * sum);
        }
    }
}

static void epilogue_loop(bool x_bf16, bool bf16, int64_t rows, int64_t c, const void *x,
                          const float *bias, const float *item, const void *residual, float scale,
                          void *y)
{
#define FORM(X_BF16, BF16, BIAS, ITEM, RESIDUAL)                                                   \
    case (X_BF16) | (BF16) << 1 | (BIAS) << 2 | (ITEM) << 3 | (RESIDUAL) << 4:                     \
        epilogue_rows(X_BF16, BF16, rows, c, x, bias, item, residual, scale, BIAS, ITEM, RESIDUAL, \
                      y);                                                                          \
        break
#define FORMS(BIAS, ITEM, RESIDUAL)                                                                \
    FORM(0, 0, BIAS, ITEM, RESIDUAL);                                                              \
    FORM(0, 1, BIAS, ITEM, RESIDUAL);                                                              \
    FORM(1, 1, BIAS, ITEM, RESIDUAL)
    switch (x_bf16 | bf16 << 1 | (bias != NULL) << 2 | (item != NULL) << 3
            | (residual != NULL) << 4) {
        FORMS(0, 0, 0);
        FORMS(1, 0, 0);
        FORMS(0, 1, 0);
        FORMS(1, 1, 0);
        FORMS(0, 0, 1);
        FORMS(1, 0, 1);
        FORMS(0, 1, 1);
        FORMS(1, 1, 1);
    }
#undef FORMS
#undef FORM
}

static float squared_error_loop(int64_t n, const float *x, const float *target, float factor,
                                float *gradient)
{
    float lanes[LANES] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++) {
            float error = x[i + k] - target[i + k];
            lanes[k] += error * error;
            gradient[i + k] = factor * error;
        }
    }
    for (; i < n; i++) {
        float error = x[i] - target[i];
        rest += error * error;
        gradient[i] = factor * error;
    }
    return fold(lanes) + rest;
}

static void adamw_loop(int64_t n, const struct optimizer_step *s, const float *restrict gradient,
                       float *restrict weight, float *restrict first, float *restrict second,
                       float *restrict average)
{
    float inverse1 = 1.0f / s->correction1, inverse2 = 1.0f / s->correction2;
    VECTOR for (int64_t i = 0; i < n; i++)
    {
        float g = gradient[i] * s->gradient_scale;
        float m = s->beta1 * first[i] + (1.0f - s->beta1) * g;
        float v = s->beta2 * second[i] + (1.0f - s->beta2) * g * g;
        float w = weight[i] - s->decay * weight[i];
        w -= s->learning_rate * (m * inverse1) / (sqrtf(v * inverse2) + s->epsilon);
        first[i] = m;
        second[i] = v;
        weight[i] = w;
        average[i] = s->average * average[i] + (1.0f - s->average) * w;
    }
}

static void from_f16_loop(int64_t n, const float16 *x, float *out)
{
    VECTOR for (int64_t i = 0; i < n; i++) out[i] = float16_to_float(x[i]);
}

static void from_bf16_loop(int64_t n, const bfloat16 *x, float *out)
{
    VECTOR for (int64_t i = 0; i < n; i++) out[i] = bfloat16_to_float(x[i]);
}

static void to_bf16_loop(int64_t n, const float *x, bfloat16 *out)
{
    VECTOR for (int64_t i = 0; i < n; i++) out[i] = bfloat16_from_float(x[i]);
}

extern const struct loops JOIN(loops_, SUMI_LEVEL);
const struct loops JOIN(loops_,
                        SUMI_LEVEL) = {add_loop,      subtract_loop,      multiply_loop,
                                       divide_loop,   affine_loop,        exp_loop,
                                       sigmoid_loop,  silu_loop,          tanh_loop,
                                       relu_loop,     step_loop,          sum_rows_loop,
                                       sum_loop,      dot_loop,           softmax_loop,
                                       soften_loop,   bias_scores_loop,   attention_slopes_loop,
                                       balance_loop,  uniform_loop,       moments_loop,
                                       norm_loop,     norm_sums_loop,     norm_gradient_loop,
                                       epilogue_loop, squared_error_loop, adamw_loop,
                                       from_f16_loop, from_bf16_loop,     to_bf16_loop};
