/* SPDX-License-Identifier: Apache-2.0 */
/* The product itself: columns of b are copied into a panel of two vectors' width that stays in the
   first cache, and blocks of c as large as the registers hold are summed along it, for as many rows
   of a as stay in the second. */
#include "cpu/loops/product.h"

#include "cpu/loops/vector.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/* A block of c is ROWS by WIDTH: with two vectors of b and one number of a it fills the registers,
   of which there are 32 with AVX-512 and on Arm, and 16 otherwise. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { ROWS = 12 };
#else
enum { ROWS = 6 };
#endif
enum { WIDTH = 2 * LANE_COUNT, DEPTH = 256, HEIGHT = 240 };

/* Without a panel b is read where it is: for few rows, for which copying would take longer than
   multiplying, or where its rows are so close that they do not fall on the same lines of a cache.
 */
enum { FEW_ROWS = 4, CLOSE_ROWS = 128 };

/* Part of a product: `depth` of the k, columns of b that start at `b`, rows of them b_step apart.
 */
struct strip {
    int64_t depth, b_step, columns;
    const float *b;
    bool add; /* to what c has already */
};

/* c[rows, columns] for constant `rows` and `vectors`. */
static ALWAYS_INLINE void block(const struct product *p, const struct strip *s, const float *a,
                                float *c, int rows, int vectors)
{
    lanes sums[ROWS][2];
    UNROLL for (int i = 0; i < rows; i++)
    {
        UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = (lanes){0};
    }
    const float *b = s->b;
    for (int64_t l = 0; l < s->depth; l++, b += s->b_step, a += p->a_column) {
        lanes of_b[2];
        UNROLL for (int v = 0; v < vectors; v++)
        {
            of_b[v] = lanes_load(b + v * LANE_COUNT, LANE_COUNT);
        }
        UNROLL for (int i = 0; i < rows; i++)
        {
            UNROLL for (int v = 0; v < vectors; v++) sums[i][v] += a[i * p->a_row] * of_b[v];
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
    {
        UNROLL for (int v = 0; v < vectors; v++)
        {
            int64_t left = s->columns - v * LANE_COUNT;
            float *to = c + i * p->c_row + v * LANE_COUNT;
            if (left <= 0) continue;
            if (s->add) sums[i][v] += lanes_load(to, left);
            lanes_store(to, sums[i][v], left);
        }
    }
}

static ALWAYS_INLINE void all_rows(const struct product *p, const struct strip *s, const float *a,
                                   float *c, int vectors)
{
    int64_t i = 0;
    for (; i + ROWS <= p->m; i += ROWS) {
        block(p, s, a + i * p->a_row, c + i * p->c_row, ROWS, vectors);
    }
    for (; i + 4 <= p->m; i += 4) {
        block(p, s, a + i * p->a_row, c + i * p->c_row, 4, vectors);
    }
    for (; i < p->m; i++) block(p, s, a + i * p->a_row, c + i * p->c_row, 1, vectors);
}

typedef float four __attribute__((vector_size(16)));

/* Transposes 4x4 numbers: rows of b_column apart become rows of WIDTH. */
static ALWAYS_INLINE void turn_square(const float *b, int64_t b_column, float *panel)
{
    four row[4];
    for (int j = 0; j < 4; j++) memcpy(&row[j], b + j * b_column, sizeof *row);
    for (int l = 0; l < 4; l++) {
        four turned = {row[0][l], row[1][l], row[2][l], row[3][l]};
        memcpy(panel + l * WIDTH, &turned, sizeof turned);
    }
}

/* The panel of a b whose columns are stored one after the other. */
static void turn_panel(const float *b, int64_t b_column, int64_t depth, int64_t columns,
                       float *panel)
{
    int64_t whole = columns / 4 * 4, even = depth / 4 * 4;
    for (int64_t l = 0; l < even; l += 4) {
        for (int64_t j = 0; j < whole; j += 4) {
            turn_square(b + j * b_column + l, b_column, panel + l * WIDTH + j);
        }
    }
    for (int64_t j = 0; j < columns; j++) {
        for (int64_t l = j < whole ? even : 0; l < depth; l++) {
            panel[l * WIDTH + j] = b[j * b_column + l];
        }
    }
}

/* Copies b[depth, columns] into panel[depth, WIDTH], with zeros behind its columns. */
static void fill_panel(const struct product *p, const float *b, int64_t depth, int64_t columns,
                       float *panel)
{
    if (columns < WIDTH) memset(panel, 0, (size_t)(depth * WIDTH) * sizeof *panel);
    if (p->b_column != 1) {
        turn_panel(b, p->b_column, depth, columns, panel);
    } else if (columns == WIDTH) {
        for (int64_t l = 0; l < depth; l++) {
            memcpy(panel + l * WIDTH, b + l * p->b_row, WIDTH * sizeof *panel);
        }
    } else {
        for (int64_t l = 0; l < depth; l++) {
            for (int64_t j = 0; j < columns; j++) panel[l * WIDTH + j] = b[l * p->b_row + j];
        }
    }
}

/* c[columns] of one row of a with columns of b that are stored one after the other: four at a time,
   each summed by lanes. */
static ALWAYS_INLINE void dot_columns(const struct product *p, const float *a, const float *b,
                                      float *c, int columns)
{
    lanes sums[4] = {{0}};
    int64_t l = 0;
    for (; l + LANE_COUNT <= p->k; l += LANE_COUNT) {
        lanes of_a = lanes_load(a + l, LANE_COUNT);
        for (int j = 0; j < columns; j++) {
            sums[j] += of_a * lanes_load(b + j * p->b_column + l, LANE_COUNT);
        }
    }
    for (int j = 0; j < columns; j++) {
        float sum = p->add ? c[j] : 0;
        for (int lane = 0; lane < LANE_COUNT; lane++) sum += sums[j][lane];
        for (int64_t rest = l; rest < p->k; rest++) sum += a[rest] * b[j * p->b_column + rest];
        c[j] = sum;
    }
}

/* A product of very few rows, both factors of which are stored along k: turning b would take longer
   than multiplying. */
static void dot_product(const struct product *p)
{
    for (int64_t i = 0; i < p->m; i++) {
        const float *a = p->a + i * p->a_row;
        float *c = p->c + i * p->c_row;
        int64_t j = 0;
        for (; j + 4 <= p->n; j += 4) dot_columns(p, a, p->b + j * p->b_column, c + j, 4);
        for (; j < p->n; j++) dot_columns(p, a, p->b + j * p->b_column, c + j, 1);
    }
}

/* A product of few rows. */
static void low_product(const struct product *p, float *panel)
{
    for (int64_t from = 0; from < p->k; from += DEPTH) {
        int64_t depth = p->k - from < DEPTH ? p->k - from : DEPTH;
        for (int64_t first = 0; first < p->n; first += WIDTH) {
            int64_t columns = p->n - first < WIDTH ? p->n - first : WIDTH;
            const float *a = p->a + from * p->a_column;
            const float *b = p->b + from * p->b_row + first * p->b_column;
            struct strip s = {depth, WIDTH, columns, panel, p->add || from > 0};
            bool near = p->m <= FEW_ROWS || p->b_row <= CLOSE_ROWS;
            if (near && p->b_column == 1 && columns == WIDTH) {
                s.b = b;
                s.b_step = p->b_row;
            } else {
                fill_panel(p, b, depth, columns, panel);
            }
            if (columns > LANE_COUNT) all_rows(p, &s, a, p->c + first, 2);
            else all_rows(p, &s, a, p->c + first, 1);
        }
    }
}

static void product_loop(const struct product *p)
{
    float panel[DEPTH * WIDTH] __attribute__((aligned(64)));
    if (p->m <= FEW_ROWS && p->a_column == 1 && p->b_column != 1) {
        dot_product(p);
        return;
    }
    for (int64_t row = 0; row < p->m; row += HEIGHT) {
        struct product low = *p;
        low.m = p->m - row < HEIGHT ? p->m - row : HEIGHT;
        low.a += row * p->a_row;
        low.c += row * p->c_row;
        low_product(&low, panel);
    }
}

extern const struct product_loops JOIN(product_loops_, SUMI_LEVEL);
const struct product_loops JOIN(product_loops_, SUMI_LEVEL) = {product_loop};
