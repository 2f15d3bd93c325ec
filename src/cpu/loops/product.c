/* SPDX-License-Identifier: Apache-2.0 */
/* The product itself: columns of b are copied into a panel of two vectors' width that stays in the
   first cache, and blocks of c as large as the registers hold are summed along it, for as many rows
   of a as stay in the second. Where rows of a lie so far apart that a block of them falls on the
   same lines of a cache, they are copied too, if there is workspace. (The order of the loops is
   that of Goto and van de Geijn 2008.) */
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
_Static_assert(PRODUCT_PANEL % WIDTH == 0, "a panel is whole strips");
_Static_assert(PRODUCT_WORKSPACE >= DEPTH * HEIGHT, "the rows of a block are copied at once");

/* How many rows are few, and how close rows of b are close; see is_near. */
enum { FEW_ROWS = 4, CLOSE_ROWS = 128 };

/* Part of a product: `depth` of the k, columns of b that start at `b`, rows of them b_step apart.
   While the first rows are multiplied, what the next strip is made of is fetched: rows next_step
   apart, or nothing if `next` is NULL. */
struct strip {
    int64_t depth, b_step, columns;
    const float *b, *next;
    int64_t next_step;
    bool add; /* to what c has already */
};

/* Rows of a, as they are stored or as they were copied. */
struct rows {
    const float *a;
    int64_t row, column;
};

/* c[rows, columns] for constant `rows`, `vectors` and `fetch`. */
static ALWAYS_INLINE void block(const struct strip *s, struct rows r, float *c, int64_t c_row,
                                int rows, int vectors, bool fetch)
{
    lanes sums[ROWS][2];
    UNROLL for (int i = 0; i < rows; i++)
    {
        UNROLL for (int v = 0; v < vectors; v++)
        {
            sums[i][v] = (lanes){0};
            __builtin_prefetch(c + i * c_row + v * LANE_COUNT, 1);
        }
    }
    const float *a = r.a, *b = s->b, *next = s->next;
    for (int64_t l = 0; l < s->depth; l++, b += s->b_step, a += r.column) {
        lanes of_b[2];
        UNROLL for (int v = 0; v < vectors; v++)
        {
            if (fetch) __builtin_prefetch(next + v * LANE_COUNT);
            of_b[v] = lanes_load(b + v * LANE_COUNT, LANE_COUNT);
        }
        if (fetch) next += s->next_step;
        UNROLL for (int i = 0; i < rows; i++)
        {
            UNROLL for (int v = 0; v < vectors; v++) sums[i][v] += a[i * r.row] * of_b[v];
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
    {
        UNROLL for (int v = 0; v < vectors; v++)
        {
            int64_t left = s->columns - v * LANE_COUNT;
            float *to = c + i * c_row + v * LANE_COUNT;
            if (left <= 0) continue;
            if (s->add) sums[i][v] += lanes_load(to, left);
            lanes_store(to, sums[i][v], left);
        }
    }
}

/* How many rows to take at a time where so many are left. */
static ALWAYS_INLINE int64_t some_rows(int64_t left)
{
    return left >= ROWS ? ROWS : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/* All rows of a strip; `copied` rows lie in panels [some_rows][depth]. */
static ALWAYS_INLINE void all_rows(const struct product *p, const struct strip *s, const float *a,
                                   float *c, int vectors, bool copied)
{
    for (int64_t i = 0; i < p->m;) {
        int64_t some = some_rows(p->m - i);
        struct rows r = {a + i * p->a_row, p->a_row, p->a_column};
        if (copied) r = (struct rows){a + i * s->depth, 1, some};
        float *to = c + i * p->c_row;
        if (some == ROWS && i == 0 && s->next) block(s, r, to, p->c_row, ROWS, vectors, true);
        else if (some == ROWS) block(s, r, to, p->c_row, ROWS, vectors, false);
        else if (some == 4) block(s, r, to, p->c_row, 4, vectors, false);
        else if (some == 2) block(s, r, to, p->c_row, 2, vectors, false);
        else block(s, r, to, p->c_row, 1, vectors, false);
        i += some;
    }
}

/* ---- Copies ---- */

typedef float four __attribute__((vector_size(16)));

/* Transposes 4x4 numbers: rows of `step` apart become rows of `width`. */
static ALWAYS_INLINE void turn_square(const float *from, int64_t step, float *to, int64_t width)
{
    four row[4];
    for (int j = 0; j < 4; j++) memcpy(&row[j], from + j * step, sizeof *row);
    const four low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
    const four low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
    const four up01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
    const four up23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
    const four turned[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                            __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                            __builtin_shufflevector(up01, up23, 0, 1, 4, 5),
                            __builtin_shufflevector(up01, up23, 2, 3, 6, 7)};
    for (int l = 0; l < 4; l++) memcpy(to + l * width, &turned[l], sizeof *turned);
}

/* to[depth][width] from `count` lines of `depth` numbers, `step` apart. */
static ALWAYS_INLINE void turn(const float *from, int64_t step, int64_t depth, int64_t count,
                               float *to, int64_t width)
{
    int64_t whole = count / 4 * 4, even = depth / 4 * 4;
    for (int64_t l = 0; l < even; l += 4) {
        for (int64_t j = 0; j < whole; j += 4) {
            turn_square(from + j * step + l, step, to + l * width + j, width);
        }
    }
    for (int64_t j = 0; j < count; j++) {
        for (int64_t l = j < whole ? even : 0; l < depth; l++) {
            to[l * width + j] = from[j * step + l];
        }
    }
}

/* Copies b[depth, columns] into panel[depth, WIDTH], with zeros behind its columns. */
static void fill_panel(const struct product *p, const float *b, int64_t depth, int64_t columns,
                       float *panel)
{
    if (columns < WIDTH) memset(panel, 0, (size_t)(depth * WIDTH) * sizeof *panel);
    if (p->b_column != 1) {
        turn(b, p->b_column, depth, columns, panel, WIDTH);
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

/* Copies a[m, depth], the rows of which lie next to each other, into panels [some_rows][depth]. A
   few of the depth at a time, for which the lines of a cache last from one panel to the next. */
static void copy_columns(const struct product *p, const float *a, int64_t depth, float *workspace)
{
    enum { AT_A_TIME = 8 };
    for (int64_t from = 0; from < depth; from += AT_A_TIME) {
        int64_t end = from + AT_A_TIME < depth ? from + AT_A_TIME : depth;
        for (int64_t i = 0; i < p->m;) {
            int64_t some = some_rows(p->m - i);
            float *to = workspace + i * depth;
            for (int64_t l = from; l < end; l++) {
                const float *column = a + l * p->a_column + i;
                if (some == ROWS) memcpy(to + l * ROWS, column, ROWS * sizeof *to);
                else memcpy(to + l * some, column, (size_t)some * sizeof *to);
            }
            i += some;
        }
    }
}

/* The same for any a. */
static void copy_rows(const struct product *p, const float *a, int64_t depth, float *workspace)
{
    if (p->a_column != 1) {
        copy_columns(p, a, depth, workspace);
        return;
    }
    for (int64_t i = 0; i < p->m;) {
        int64_t some = some_rows(p->m - i);
        const float *from = a + i * p->a_row;
        if (some == ROWS) turn(from, p->a_row, depth, ROWS, workspace + i * depth, ROWS);
        else turn(from, p->a_row, depth, some, workspace + i * depth, some);
        i += some;
    }
}

/* ---- Products ---- */

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

/* Where columns of b and of c begin. */
static const float *columns_of_b(const struct product *p, int64_t first)
{
    if (!p->b_panel) return p->b + first * p->b_column;
    return p->b + first / PRODUCT_PANEL * p->b_panel + first % PRODUCT_PANEL;
}

static float *columns_of_c(const struct product *p, int64_t first)
{
    if (!p->c_panel) return p->c + first;
    return p->c + first / PRODUCT_PANEL * p->c_panel + first % PRODUCT_PANEL;
}

/* Whether columns of b are read where they are: from panels, for few rows, for which copying would
   take longer than multiplying, or where its rows are so close that they do not fall on the same
   lines of a cache. */
static bool is_near(const struct product *p, int64_t columns)
{
    bool close = p->b_panel || p->m <= FEW_ROWS || p->b_row <= CLOSE_ROWS;
    return close && p->b_column == 1 && columns == WIDTH;
}

/* The strip of columns from `first` on, and of the k from `from` on. */
static struct strip strip_of(const struct product *p, int64_t from, int64_t depth, int64_t first,
                             float *panel)
{
    int64_t columns = p->n - first < WIDTH ? p->n - first : WIDTH, after = first + WIDTH;
    const float *b = columns_of_b(p, first) + from * p->b_row;
    struct strip s = {depth, WIDTH, columns, panel, .add = p->add || from > 0};
    if (is_near(p, columns)) {
        s.b = b;
        s.b_step = p->b_row;
    } else {
        fill_panel(p, b, depth, columns, panel);
    }
    if (p->b_column != 1) return s;
    s.next_step = p->b_row;
    if (after < p->n) s.next = columns_of_b(p, after) + from * p->b_row;
    else if (from + depth < p->k) s.next = columns_of_b(p, 0) + (from + depth) * p->b_row;
    return s;
}

/* A product of few rows. */
static void low_product(const struct product *p, float *panel)
{
    for (int64_t from = 0; from < p->k; from += DEPTH) {
        int64_t depth = p->k - from < DEPTH ? p->k - from : DEPTH;
        const float *a = p->a + from * p->a_column;
        if (p->workspace) {
            copy_rows(p, a, depth, p->workspace);
            a = p->workspace;
        }
        for (int64_t first = 0; first < p->n; first += WIDTH) {
            struct strip s = strip_of(p, from, depth, first, panel);
            float *c = columns_of_c(p, first);
            if (p->workspace && s.columns > LANE_COUNT) all_rows(p, &s, a, c, 2, true);
            else if (p->workspace) all_rows(p, &s, a, c, 1, true);
            else if (s.columns > LANE_COUNT) all_rows(p, &s, a, c, 2, false);
            else all_rows(p, &s, a, c, 1, false);
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
        if (!product_wants_workspace(&low)) low.workspace = NULL;
        low_product(&low, panel);
    }
}

extern const struct product_loops JOIN(product_loops_, SUMI_LEVEL);
const struct product_loops JOIN(product_loops_, SUMI_LEVEL) = {product_loop};
