/* The product itself: columns of b are copied into a panel of two vectors' width that stays in the
   first cache, and blocks of c as large as the registers hold are summed along it. */
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
enum { WIDTH = 2 * LANE_COUNT, DEPTH = 256 };

/* Without a panel b is read where it is: for few rows, for which copying would take longer than
   multiplying, or where its rows are so close that they do not fall on the same lines of a cache. */
enum { FEW_ROWS = 4, CLOSE_ROWS = 128 };

/* Part of a product: `depth` of the k, columns of b that start at `b`, rows of them b_step apart. */
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
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = (lanes){0};
    }
    const float *b = s->b;
    for (int64_t l = 0; l < s->depth; l++, b += s->b_step, a += p->a_column) {
        lanes of_b[2];
        UNROLL for (int v = 0; v < vectors; v++) {
            of_b[v] = lanes_load(b + v * LANE_COUNT, LANE_COUNT);
        }
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int v = 0; v < vectors; v++) sums[i][v] += a[i * p->a_row] * of_b[v];
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) {
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

/* Copies b[depth, columns] into panel[depth, WIDTH], with zeros behind its columns. */
static void fill_panel(const struct product *p, const float *b, int64_t depth, int64_t columns,
                       float *panel)
{
    if (columns < WIDTH) memset(panel, 0, (size_t)(depth * WIDTH) * sizeof *panel);
    if (p->b_column != 1) {
        for (int64_t j = 0; j < columns; j++) {
            for (int64_t l = 0; l < depth; l++) panel[l * WIDTH + j] = b[l + j * p->b_column];
        }
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

static void product_loop(const struct product *p)
{
    float panel[DEPTH * WIDTH] __attribute__((aligned(64)));
    for (int64_t first = 0; first < p->n; first += WIDTH) {
        int64_t columns = p->n - first < WIDTH ? p->n - first : WIDTH;
        for (int64_t from = 0; from < p->k; from += DEPTH) {
            int64_t depth = p->k - from < DEPTH ? p->k - from : DEPTH;
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

extern const struct product_loops JOIN(product_loops_, SUMI_LEVEL);
const struct product_loops JOIN(product_loops_, SUMI_LEVEL) = {product_loop};
