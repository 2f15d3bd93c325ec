/* SPDX-License-Identifier: Apache-2.0 */
/* Fast Fourier transforms. */
#include "quality/fourier.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

struct fourier {
    sumi_context *context;
    int64_t length, size;   /* size: the power of two that is computed */
    double complex *roots;  /* [size / 2]: exp(-2 pi i k / size) */
    double complex *chirp;  /* [length]: exp(-pi i k^2 / length); NULL where length is size */
    double complex *filter; /* [size]: the transform of the chirp's conjugate */
    double complex *space;  /* [size] */
};

static bool is_power(int64_t n)
{
    return (n & (n - 1)) == 0;
}

/* ---- Powers of two ---- */

static void reverse_bits(int64_t n, double complex *x)
{
    for (int64_t i = 1, j = 0; i < n; i++) {
        int64_t bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            double complex kept = x[i];
            x[i] = x[j];
            x[j] = kept;
        }
    }
}

/* Complex products written out: those of C11 check for infinities. */
static inline double complex times(double complex a, double complex b)
{
    double re = creal(a) * creal(b) - cimag(a) * cimag(b);
    return re + I * (creal(a) * cimag(b) + cimag(a) * creal(b));
}

/* Cooley and Tukey's butterflies, in place. */
static void transform_power(const struct fourier *fourier, double complex *x)
{
    int64_t n = fourier->size;
    reverse_bits(n, x);
    for (int64_t half = 1; half < n; half *= 2) {
        int64_t stride = n / (2 * half);
        for (int64_t start = 0; start < n; start += 2 * half) {
            for (int64_t k = 0; k < half; k++) {
                double complex odd = times(x[start + half + k], fourier->roots[k * stride]);
                double complex even = x[start + k];
                x[start + k] = even + odd;
                x[start + half + k] = even - odd;
            }
        }
    }
}

/* ---- Other lengths ---- */

/* x_k = chirp_k sum of (x_j chirp_j) conj(chirp_{k-j}), by j k = (j^2 + k^2 - (k-j)^2) / 2. The
   inverse transform is the conjugate of that of the conjugate, over size. */
static void transform_chirp(const struct fourier *fourier, double complex *x)
{
    int64_t n = fourier->length, size = fourier->size;
    double complex *space = fourier->space;
    for (int64_t i = 0; i < n; i++) space[i] = times(x[i], fourier->chirp[i]);
    memset(space + n, 0, (size_t)(size - n) * sizeof *space);
    transform_power(fourier, space);
    for (int64_t i = 0; i < size; i++) space[i] = conj(times(space[i], fourier->filter[i]));
    transform_power(fourier, space);
    for (int64_t i = 0; i < n; i++) x[i] = times(conj(space[i]), fourier->chirp[i]) / (double)size;
}

static void prepare_chirp(struct fourier *fourier)
{
    int64_t n = fourier->length, size = fourier->size;
    memset(fourier->filter, 0, (size_t)size * sizeof *fourier->filter);
    for (int64_t k = 0, square = 0; k < n; k++) { /* k^2 mod 2n: angles stay small */
        double angle = PI * (double)square / (double)n;
        fourier->chirp[k] = cos(angle) - I * sin(angle);
        fourier->filter[k] = conj(fourier->chirp[k]);
        if (k > 0) fourier->filter[size - k] = fourier->filter[k];
        square = (square + 2 * k + 1) % (2 * n);
    }
    transform_power(fourier, fourier->filter);
}

/* ---- Plans ---- */

static sumi_status reserve(struct fourier *fourier)
{
    sumi_context *context = fourier->context;
    size_t size = (size_t)fourier->size, item = sizeof(double complex);
    fourier->roots = context_allocate(context, size / 2 + 1, item);
    if (!fourier->roots) return SUMI_ERROR_MEMORY;
    if (fourier->size == fourier->length) return SUMI_OK;
    fourier->chirp = context_allocate(context, (size_t)fourier->length, item);
    fourier->filter = context_allocate(context, size, item);
    fourier->space = context_allocate(context, size, item);
    return fourier->chirp && fourier->filter && fourier->space ? SUMI_OK : SUMI_ERROR_MEMORY;
}

sumi_status fourier_create(sumi_context *context, int64_t length, struct fourier **fourier)
{
    *fourier = NULL;
    struct fourier *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    *made = (struct fourier){.context = context, .length = length, .size = 1};
    int64_t least = is_power(length) ? length : 2 * length - 1;
    while (made->size < least) made->size *= 2;
    sumi_status status = reserve(made);
    if (status != SUMI_OK) {
        fourier_free(made);
        return status;
    }
    for (int64_t k = 0; k < made->size / 2; k++) {
        double angle = 2 * PI * (double)k / (double)made->size;
        made->roots[k] = cos(angle) - I * sin(angle);
    }
    if (made->chirp) prepare_chirp(made);
    *fourier = made;
    return SUMI_OK;
}

void fourier_free(struct fourier *fourier)
{
    if (!fourier) return;
    context_release(fourier->context, fourier->roots);
    context_release(fourier->context, fourier->chirp);
    context_release(fourier->context, fourier->filter);
    context_release(fourier->context, fourier->space);
    context_release(fourier->context, fourier);
}

void fourier_transform(struct fourier *fourier, double complex *x)
{
    if (fourier->chirp) transform_chirp(fourier, x);
    else transform_power(fourier, x);
}
