/* SPDX-License-Identifier: Apache-2.0 */
/* Products in tiles, and a Cholesky factor with pivots. LAPACK would do the same; but loading it
   takes longer than most commands, and it would be the only need of it. */
#include "quality/algebra.h"

#include <float.h>
#include <math.h>
#include <omp.h>

#include "base/team.h"
#include "quality/dot.h"
#include "quality/eigenvalues.h"

enum { TILE = 64, DEPTH = 256 };

sumi_status algebra_check(sumi_context *context, const char *measure, int64_t n)
{
    if (n <= ALGEBRA_LARGEST) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s: %lld numbers in a sample are too many for a matrix of covariances; "
                        "expected at most %d: use features of fewer numbers",
                        measure, (long long)n, ALGEBRA_LARGEST);
}

/* ---- Products ---- */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Columns first ... of matrix[rows, columns] as rows of DEPTH numbers: packed[TILE, DEPTH], with
   zeros where the matrix ends. */
static void pack(int64_t rows, int64_t columns, int64_t first, const double *matrix, double *packed)
{
    int64_t count = smaller(TILE, columns - first);
    for (int64_t i = 0; i < TILE; i++) {
        int64_t filled = i < count ? rows : 0;
        for (int64_t k = 0; k < filled; k++)
            packed[i * DEPTH + k] = matrix[k * columns + first + i];
        for (int64_t k = filled; k < DEPTH; k++) packed[i * DEPTH + k] = 0;
    }
}

/* Adds to one tile of the sum; panels[2, TILE, DEPTH] is scratch memory. */
static void add_tile(const struct algebra_product *p, int64_t row, int64_t column, double *panels)
{
    double *left = panels, *right = panels + TILE * DEPTH, out[4];
    int64_t rows = smaller(TILE, p->m - row), columns = smaller(TILE, p->n - column);
    for (int64_t first = 0; first < p->depth; first += DEPTH) {
        int64_t depth = smaller(DEPTH, p->depth - first);
        pack(depth, p->m, row, p->left + first * p->m, left);
        pack(depth, p->n, column, p->right + first * p->n, right);
        for (int64_t i = 0; i < rows; i++) {
            double *sum = p->sum + (row + i) * p->n + column;
            for (int64_t j = 0; j < columns; j += 4) {
                dot_with_four(DEPTH, left + i * DEPTH, right + j * DEPTH, out);
                for (int64_t k = 0; k < 4 && j + k < columns; k++) sum[j + k] += out[k];
            }
        }
    }
}

sumi_status algebra_add_product(sumi_context *context, const struct algebra_product *product)
{
    int64_t across = (product->n + TILE - 1) / TILE;
    int64_t tiles = (product->m + TILE - 1) / TILE * across;
    int threads = worthwhile_threads(context->threads, product->m * product->n * product->depth);
    double *panels = context_allocate(context, (size_t)threads * 2 * TILE, DEPTH * sizeof *panels);
    if (!panels) return SUMI_ERROR_MEMORY;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int64_t tile = 0; tile < tiles; tile++) {
        int64_t row = tile / across * TILE, column = tile % across * TILE;
        if (product->half && column < row) continue;
        add_tile(product, row, column, panels + omp_get_thread_num() * 2 * TILE * DEPTH);
    }
    context_release(context, panels);
    return SUMI_OK;
}

/* ---- The factor of a covariance ---- */

static double dot(int64_t count, const double *a, const double *b)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++) sum += a[i] * b[i];
    return sum;
}

/* What is left of the diagonal, left[n], -1 where a row has been the pivot. */
static int64_t largest(int64_t n, const double *left)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (left[i] > left[best]) best = i;
    return best;
}

/* Column k of the factor, of pivot row `pivot`. */
static void add_column(int threads, int64_t n, const double *matrix, int64_t k, int64_t pivot,
                       double *factor, double *left)
{
    double root = sqrt(left[pivot]);
    factor[pivot * n + k] = root;
    left[pivot] = -1;
#pragma omp parallel for num_threads(threads)
    for (int64_t i = 0; i < n; i++) {
        if (left[i] < 0) continue;
        double *row = factor + i * n;
        row[k] = (matrix[i * n + pivot] - dot(k, row, factor + pivot * n)) / root;
        left[i] = fmax(left[i] - row[k] * row[k], 0);
    }
}

/* factor[n, n] = L, zero at first, with matrix = L L^T: Cholesky's factor with the largest diagonal
   as the pivot (Golub & Van Loan, section 4.2.8), whose columns after the matrix's rank stay zero.
   Returns that rank. */
static int64_t factorise(int threads, int64_t n, const double *matrix, double *factor, double *left)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) most = fmax(most, left[i] = fmax(matrix[i * n + i], 0));
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = largest(n, left);
        if (!(left[pivot] > (double)n * DBL_EPSILON * most)) return k;
        add_column(worthwhile_threads(threads, k * n), n, matrix, k, pivot, factor, left);
    }
    return n;
}

/* ---- The trace of a root ---- */

/* The first `columns` columns of matrix[n, n] as a matrix of that width. */
static void narrow(int64_t n, int64_t columns, double *matrix)
{
    for (int64_t i = 1; i < n; i++)
        for (int64_t j = 0; j < columns; j++) matrix[i * columns + j] = matrix[i * n + j];
}

/* With a = L L^T, the eigenvalues of L^T b L are those of a^(1/2) b a^(1/2) but for zeros. */
static sumi_status trace_with(sumi_context *context, int64_t n, const double *a, const double *b,
                              double *factor, double *product, double *inner, double *values,
                              double *trace)
{
    int64_t rank = factorise(context->threads, n, a, factor, values);
    narrow(n, rank, factor);
    const struct algebra_product first = {n, n, rank, b, factor, product, false};
    const struct algebra_product second = {n, rank, rank, factor, product, inner, false};
    TRY(algebra_add_product(context, &first));
    TRY(algebra_add_product(context, &second));
    TRY(eigenvalues_find(context, rank, inner, values));
    *trace = 0;
    for (int64_t i = 0; i < rank; i++) *trace += sqrt(fmax(values[i], 0));
    return SUMI_OK;
}

sumi_status algebra_trace_of_root(sumi_context *context, int64_t n, const double *a,
                                  const double *b, double *trace)
{
    size_t size = (size_t)(n * n);
    double *factor = context_allocate_zeroed(context, size, sizeof *factor);
    double *product = context_allocate_zeroed(context, size, sizeof *product);
    double *inner = context_allocate_zeroed(context, size, sizeof *inner);
    double *values = context_allocate(context, (size_t)n, sizeof *values);
    sumi_status status = factor && product && inner && values ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK)
        status = trace_with(context, n, a, b, factor, product, inner, values, trace);
    context_release(context, factor);
    context_release(context, product);
    context_release(context, inner);
    context_release(context, values);
    return status;
}
