/* SPDX-License-Identifier: Apache-2.0 */
/* Householder's reflections reduce the matrix to a tridiagonal one with the same eigenvalues (Golub
   & Van Loan, section 8.3.1). Each of these is then found by bisection: as many eigenvalues are
   below x as there are negative pivots in the elimination of T - x (section 8.4.1). */
#include "quality/eigenvalues.h"

#include <float.h>
#include <math.h>

#include "base/team.h"

/* A symmetric tridiagonal matrix. */
struct tridiagonal {
    int64_t n;
    double *diagonal, *beside; /* [n]; the last of `beside` is 0 */
};

/* ---- Reduction ---- */

/* The trailing block, from row and column `first` on, of a matrix that is being reduced. */
struct block {
    int64_t n, first;
    double *matrix;    /* [n, n] */
    double *normal;    /* [n - first]: of the plane of the reflection */
    double *direction; /* [n - first] */
};

/* direction = block normal */
static void multiply_block(const struct block *b)
{
    int64_t size = b->n - b->first;
#pragma omp for
    for (int64_t i = 0; i < size; i++) {
        const double *row = b->matrix + (b->first + i) * b->n + b->first;
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < size; j++) sum += row[j] * b->normal[j];
        b->direction[i] = sum;
    }
}

/* block -= normal direction^T + direction normal^T */
static void update_block(const struct block *b)
{
    int64_t size = b->n - b->first;
#pragma omp for
    for (int64_t i = 0; i < size; i++) {
        double *row = b->matrix + (b->first + i) * b->n + b->first;
        double normal = b->normal[i], direction = b->direction[i];
#pragma omp simd
        for (int64_t j = 0; j < size; j++)
            row[j] -= normal * b->direction[j] + direction * b->normal[j];
    }
}

/* The reflection that maps x[size] to a multiple of the first axis: its normal, scaled to the
   length sqrt(2), in place of x. Returns that multiple; `flat` where x is one already. */
static double reflect(int64_t size, double *x, bool *flat)
{
    double most = 0, squares = 0;
    for (int64_t i = 1; i < size; i++) most = fmax(most, fabs(x[i]));
    *flat = most == 0;
    if (*flat) return x[0];
    most = fmax(most, fabs(x[0]));
    for (int64_t i = 0; i < size; i++) squares += (x[i] / most) * (x[i] / most);
    double length = most * sqrt(squares), image = x[0] > 0 ? -length : length;
    double gap = fabs(x[0]) + length; /* |x0 - image| */
    x[0] -= image;
    double scale = 1 / sqrt(gap) / sqrt(length); /* |normal|^2 = 2 length gap */
    for (int64_t i = 0; i < size; i++) x[i] *= scale;
    return image;
}

/* Reflects the block at the plane: H A H with H = 1 - v v^T and |v|^2 = 2. */
static void reflect_block(int threads, const struct block *b)
{
    int64_t size = b->n - b->first;
    double along = 0;
    threads = worthwhile_threads(threads, size * size);
    BY_TEAM(threads, multiply_block(b));
    for (int64_t i = 0; i < size; i++) along += b->direction[i] * b->normal[i];
    for (int64_t i = 0; i < size; i++) b->direction[i] -= along / 2 * b->normal[i];
    BY_TEAM(threads, update_block(b));
}

static void reduce(int threads, double *matrix, double *scratch, struct tridiagonal *t)
{
    int64_t n = t->n;
    for (int64_t k = 0; k + 1 < n; k++) {
        struct block b = {n, k + 1, matrix, scratch, scratch + n};
        bool flat = true;
        for (int64_t i = k + 1; i < n; i++) b.normal[i - k - 1] = matrix[k * n + i];
        t->diagonal[k] = matrix[k * n + k];
        t->beside[k] = reflect(n - k - 1, b.normal, &flat);
        if (!flat) reflect_block(threads, &b);
    }
    t->diagonal[n - 1] = matrix[n * n - 1];
    t->beside[n - 1] = 0;
}

/* ---- Bisection ---- */

/* The number of eigenvalues below x. */
static int64_t count_below(const struct tridiagonal *t, double x, double tiny)
{
    int64_t count = 0;
    double pivot = 1, square = 0;
    for (int64_t i = 0; i < t->n; i++) {
        pivot = t->diagonal[i] - x - square / pivot;
        if (fabs(pivot) < tiny) pivot = -tiny;
        count += pivot < 0;
        square = t->beside[i] * t->beside[i];
    }
    return count;
}

/* Gershgorin's bounds of all eigenvalues. */
static void bound(const struct tridiagonal *t, double *low, double *high)
{
    double before = 0;
    *low = INFINITY, *high = -INFINITY;
    for (int64_t i = 0; i < t->n; i++) {
        double radius = before + fabs(t->beside[i]);
        *low = fmin(*low, t->diagonal[i] - radius);
        *high = fmax(*high, t->diagonal[i] + radius);
        before = fabs(t->beside[i]);
    }
}

/* Eigenvalue `number` in ascending order, between low and high. */
static double bisect(const struct tridiagonal *t, int64_t number, double low, double high)
{
    double most = fmax(fabs(low), fabs(high)), tiny = most * DBL_EPSILON * DBL_EPSILON + DBL_MIN;
    while (high - low > 2 * DBL_EPSILON * most) {
        double middle = low + (high - low) / 2;
        if (count_below(t, middle, tiny) > number) high = middle;
        else low = middle;
    }
    return low + (high - low) / 2;
}

static void bisect_all(int threads, const struct tridiagonal *t, double *values)
{
    double low, high;
    bound(t, &low, &high);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < t->n; i++) values[i] = bisect(t, i, low, high);
}

sumi_status eigenvalues_find(sumi_context *context, int64_t n, double *matrix, double *values)
{
    if (n == 0) return SUMI_OK;
    double *scratch = context_allocate(context, (size_t)n, 4 * sizeof *scratch);
    if (!scratch) return SUMI_ERROR_MEMORY;
    struct tridiagonal t = {n, scratch, scratch + n};
    reduce(context->threads, matrix, scratch + 2 * n, &t);
    double low, high;
    bound(&t, &low, &high);
    sumi_status status = SUMI_OK;
    if (isfinite(low) && isfinite(high))
        bisect_all(worthwhile_threads(context->threads, n * n), &t, values);
    else
        status = context_fail(context, SUMI_ERROR_NUMBER,
                              "the eigenvalues of a covariance are not finite");
    context_release(context, scratch);
    return status;
}
