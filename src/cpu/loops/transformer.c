/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of transformer.h, in plain C that compilers turn into vector code; each is compiled for
   float32 and for bfloat16. */
#include "cpu/loops/transformer.h"

#include "base/bfloat16.h"
#include "cpu/loops/functions.h"
#include "ops/activation.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define ALWAYS_INLINE inline __attribute__((always_inline))
/* The iterations of the loop that follows are independent, also where an output is an input. */
#define VECTOR _Pragma("omp simd")

static ALWAYS_INLINE float get(const void *data, int64_t i, bool bf16)
{
    return bf16 ? bfloat16_to_float(((const bfloat16 *)data)[i]) : ((const float *)data)[i];
}

static ALWAYS_INLINE void put(void *data, int64_t i, bool bf16, float value)
{
    if (bf16) ((bfloat16 *)data)[i] = bfloat16_from_float(value);
    else ((float *)data)[i] = value;
}

/* ---- layer normalisation ---- */

struct moments {
    float mean, inverse;
};

/* Of d numbers from place `at`: the mean first, then the squares of what is left. */
static ALWAYS_INLINE struct moments find_moments(const struct layer_norm_rows *k, bool bf16,
                                                 const void *x, int64_t at)
{
    const int64_t d = k->d;
    float sum = 0, square = 0;
    if (!k->rms) {
        _Pragma("omp simd reduction(+ : sum)") for (int64_t i = 0; i < d; i++)
        {
            sum += get(x, at + i, bf16);
        }
    }
    float mean = sum / (float)d;
    _Pragma("omp simd reduction(+ : square)") for (int64_t i = 0; i < d; i++)
    {
        float centred = get(x, at + i, bf16) - mean;
        square += centred * centred;
    }
    return (struct moments){mean, 1.0f / sqrtf(square / (float)d + k->epsilon)};
}

static ALWAYS_INLINE void normalize(const struct layer_norm_rows *k, bool bf16, int64_t rows,
                                    const void *x, void *out)
{
    const float *scale = k->scale, *shift = k->shift;
    for (int64_t at = 0; at < rows * k->d; at += k->d) {
        struct moments m = find_moments(k, bf16, x, at);
        VECTOR for (int64_t i = 0; i < k->d; i++)
        {
            float y = (get(x, at + i, bf16) - m.mean) * m.inverse;
            if (scale) y *= scale[i];
            if (shift) y += shift[i];
            put(out, at + i, bf16, y);
        }
    }
}

static void layer_norm(const struct layer_norm_rows *k, int64_t rows, const void *x, void *out)
{
    if (k->bf16) normalize(k, true, rows, x, out);
    else normalize(k, false, rows, x, out);
}

/* The means of g = scale dy and of g xhat over a row. */
static ALWAYS_INLINE void mean_slopes(const struct layer_norm_rows *k, bool bf16, struct moments m,
                                      const void *x, const void *dy, int64_t at, float *mean,
                                      float *product)
{
    const float *scale = k->scale;
    float sum = 0, products = 0;
    _Pragma("omp simd reduction(+ : sum, products)") for (int64_t i = 0; i < k->d; i++)
    {
        float g = get(dy, at + i, bf16) * (scale ? scale[i] : 1.0f);
        sum += g;
        products += g * ((get(x, at + i, bf16) - m.mean) * m.inverse);
    }
    *mean = k->rms ? 0 : sum / (float)k->d;
    *product = products / (float)k->d;
}

static ALWAYS_INLINE void slopes(const struct layer_norm_rows *k, bool bf16, int64_t rows,
                                 const void *x, const void *dy, void *dx, float *restrict sums)
{
    const float *scale = k->scale;
    for (int64_t at = 0; at < rows * k->d; at += k->d) {
        struct moments m = find_moments(k, bf16, x, at);
        if (sums) {
            VECTOR for (int64_t i = 0; i < k->d; i++)
            {
                float d = get(dy, at + i, bf16);
                sums[i] += d;
                sums[k->d + i] += d * ((get(x, at + i, bf16) - m.mean) * m.inverse);
            }
        }
        if (!dx) continue;
        float mean, product;
        mean_slopes(k, bf16, m, x, dy, at, &mean, &product);
        VECTOR for (int64_t i = 0; i < k->d; i++)
        {
            float g = get(dy, at + i, bf16) * (scale ? scale[i] : 1.0f);
            float xhat = (get(x, at + i, bf16) - m.mean) * m.inverse;
            put(dx, at + i, bf16, m.inverse * (g - mean - xhat * product));
        }
    }
}

static void layer_norm_gradient(const struct layer_norm_rows *k, int64_t rows, const void *x,
                                const void *dy, void *dx, float *sums)
{
    if (k->bf16) slopes(k, true, rows, x, dy, dx, sums);
    else slopes(k, false, rows, x, dy, dx, sums);
}

/* ---- activations: y = x s(x) ---- */

static ALWAYS_INLINE float sigmoid_argument(int form, float x)
{
    if (form == ACTIVATION_GELU_TANH) return 1.595769122f * (x + 0.044715f * x * x * x);
    return form == ACTIVATION_GELU_QUICK ? 1.702f * x : x;
}

static ALWAYS_INLINE float value_of(int form, float x)
{
    if (form != ACTIVATION_GELU) return x * fast_sigmoid(sigmoid_argument(form, x));
    float bell, tail = normal_tail(x, &bell);
    return x * (x > 0 ? 1.0f - tail : tail);
}

static ALWAYS_INLINE float slope_of(int form, float x)
{
    if (form == ACTIVATION_GELU) {
        float bell, tail = normal_tail(x, &bell);
        return (x > 0 ? 1.0f - tail : tail) + 0.398942280f * x * bell;
    }
    /* The smaller of the share and its complement, so that neither loses digits. */
    float argument = sigmoid_argument(form, x), less = fast_sigmoid(-fabsf(argument));
    float share = argument > 0 ? 1.0f - less : less;
    float slope = form == ACTIVATION_GELU_TANH ? 1.595769122f * (1.0f + 0.134145f * x * x)
                                               : sigmoid_argument(form, 1.0f);
    return share + x * slope * less * (1.0f - less);
}

/* Calls FUNCTION(BF16, FORM, ...) compiled for each of both. */
#define BY_FORM(BF16, FORM, FUNCTION, ...)                                                         \
    do {                                                                                           \
        switch (FORM) {                                                                            \
        case ACTIVATION_GELU: FUNCTION(BF16, ACTIVATION_GELU, __VA_ARGS__); break;                 \
        case ACTIVATION_GELU_TANH: FUNCTION(BF16, ACTIVATION_GELU_TANH, __VA_ARGS__); break;       \
        case ACTIVATION_GELU_QUICK: FUNCTION(BF16, ACTIVATION_GELU_QUICK, __VA_ARGS__); break;     \
        default: FUNCTION(BF16, ACTIVATION_SILU, __VA_ARGS__);                                     \
        }                                                                                          \
    } while (0)
#define BY_TYPE_AND_FORM(BF16, FORM, FUNCTION, ...)                                                \
    do {                                                                                           \
        if (BF16) BY_FORM(true, FORM, FUNCTION, __VA_ARGS__);                                      \
        else BY_FORM(false, FORM, FUNCTION, __VA_ARGS__);                                          \
    } while (0)

static ALWAYS_INLINE void activate_all(bool bf16, int form, int64_t n, const void *x, void *out)
{
    VECTOR for (int64_t i = 0; i < n; i++) put(out, i, bf16, value_of(form, get(x, i, bf16)));
}

static void activate(bool bf16, int form, int64_t n, const void *x, void *out)
{
    BY_TYPE_AND_FORM(bf16, form, activate_all, n, x, out);
}

static ALWAYS_INLINE void differentiate_all(bool bf16, int form, int64_t n, const void *x,
                                            const void *dy, void *dx)
{
    VECTOR for (int64_t i = 0; i < n; i++)
    {
        put(dx, i, bf16, get(dy, i, bf16) * slope_of(form, get(x, i, bf16)));
    }
}

static void activate_gradient(bool bf16, int form, int64_t n, const void *x, const void *dy,
                              void *dx)
{
    BY_TYPE_AND_FORM(bf16, form, differentiate_all, n, x, dy, dx);
}

static ALWAYS_INLINE void gate_all(bool bf16, int form, int64_t rows, int64_t d, const void *x,
                                   void *out)
{
    for (int64_t row = 0; row < rows; row++) {
        const int64_t at = 2 * row * d, to = row * d;
        VECTOR for (int64_t i = 0; i < d; i++)
        {
            float y = get(x, at + i, bf16) * value_of(form, get(x, at + d + i, bf16));
            put(out, to + i, bf16, y);
        }
    }
}

static void gate(bool bf16, int form, int64_t rows, int64_t d, const void *x, void *out)
{
    BY_TYPE_AND_FORM(bf16, form, gate_all, rows, d, x, out);
}

static ALWAYS_INLINE void differentiate_gates(bool bf16, int form, int64_t rows, int64_t d,
                                              const void *x, const void *dy, void *dx)
{
    for (int64_t row = 0; row < rows; row++) {
        const int64_t at = 2 * row * d, from = row * d;
        VECTOR for (int64_t i = 0; i < d; i++)
        {
            float value = get(x, at + i, bf16), opening = get(x, at + d + i, bf16);
            float upstream = get(dy, from + i, bf16);
            put(dx, at + i, bf16, upstream * value_of(form, opening));
            put(dx, at + d + i, bf16, upstream * value * slope_of(form, opening));
        }
    }
}

static void gate_gradient(bool bf16, int form, int64_t rows, int64_t d, const void *x,
                          const void *dy, void *dx)
{
    BY_TYPE_AND_FORM(bf16, form, differentiate_gates, rows, d, x, dy, dx);
}

/* ---- rotary positions ---- */

static ALWAYS_INLINE void turn(bool bf16, int64_t pairs, const void *x, const float *cosine,
                               const float *sine, float direction, void *out)
{
    VECTOR for (int64_t i = 0; i < pairs; i++)
    {
        float a = get(x, 2 * i, bf16), b = get(x, 2 * i + 1, bf16), s = direction * sine[i];
        put(out, 2 * i, bf16, a * cosine[i] - b * s);
        put(out, 2 * i + 1, bf16, b * cosine[i] + a * s);
    }
}

static void rotary(bool bf16, int64_t pairs, const void *x, const float *cosine, const float *sine,
                   float direction, void *out)
{
    if (bf16) turn(true, pairs, x, cosine, sine, direction, out);
    else turn(false, pairs, x, cosine, sine, direction, out);
}

extern const struct transformer_loops JOIN(transformer_loops_, SUMI_LEVEL);
const struct transformer_loops JOIN(transformer_loops_, SUMI_LEVEL) = {
    layer_norm, layer_norm_gradient, activate, activate_gradient, gate, gate_gradient, rotary};
