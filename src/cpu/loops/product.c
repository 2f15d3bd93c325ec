/* SPDX-License-Identifier: Apache-2.0 */
/* The product itself: columns of b are copied into a panel of two vectors' width that stays in the
   first cache, and blocks of c as large as the registers hold are summed along it, for as many rows
   of a as stay in the second. Where rows of a lie so far apart that a block of them falls on the
   same lines of a cache, they are copied too, if there is workspace. (The order of the loops is
   that of Goto and van de Geijn 2008.)

   16-bit numbers are widened where they are copied (packing.h). The copy of this file that is
   compiled for processors with a fast instruction for it multiplies bfloat16 by bfloat16 in pairs
   along k: each word of its panels holds two numbers, and all else is the same. */
#include "cpu/loops/product.h"

#include "cpu/loops/packing.h"
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
/* DEPTH is in words. A copied block of HEIGHT rows stays in the second cache, of which processors
   with AVX-512 have a mebibyte or more. */
#if defined(__AVX512F__)
enum { WIDTH = 2 * LANE_COUNT, DEPTH = 384, HEIGHT = 516 };
#else
enum { WIDTH = 2 * LANE_COUNT, DEPTH = 256, HEIGHT = 240 };
#endif
_Static_assert(PRODUCT_PANEL % WIDTH == 0, "a panel is whole strips");
_Static_assert(PRODUCT_WORKSPACE >= DEPTH * HEIGHT, "the rows of a block are copied at once");

/* How many rows are few, and how close rows of b are close; see is_near. */
enum { FEW_ROWS = 4, CLOSE_ROWS = 128 };

/* How rows of a are read. */
enum form {
    STORED, /* where they are, float32 */
    COPIED, /* from the workspace */
    PAIRED  /* from the workspace, pairs of bfloat16, as those of b are then */
};

static enum form form_of(const struct product *p)
{
#if defined(__AVX512BF16__)
    const bool a = p->a_element == SUMI_BFLOAT16, b = p->b_element == SUMI_BFLOAT16;
    const bool rounds = p->rounds && p->workspace && !p->b_panel;
    if ((a && b) || (rounds && a && p->b_element == SUMI_FLOAT32)
        || (rounds && b && p->a_element == SUMI_FLOAT32)) {
        return PAIRED;
    }
#endif
    return p->workspace ? COPIED : STORED;
}

/* sum + a b of a word of a with each word of b. */
static ALWAYS_INLINE lanes add_words(lanes sum, const float *a, lanes b, enum form form)
{
#if defined(__AVX512BF16__)
    if (form == PAIRED) {
        int32_t pair;
        memcpy(&pair, a, sizeof pair);
        return (lanes)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(pair), (__m512bh)b);
    }
#endif
    (void)form;
    return sum + *a * b;
}

/* Part of a product: `depth` words of the k, columns of b that start at `b`, rows of them b_step
   apart. Meanwhile what the next strip is made of is fetched, `next`, or nothing if that is NULL:
   by the first rows, a row of two vectors for each word, rows next_step bytes apart; or by all
   rows, `lines` of line_bytes that lie so far apart. */
struct strip {
    int64_t depth, b_step, columns;
    const float *b;
    const char *next;
    int64_t next_step, lines, line_bytes;
    bool add; /* to what c has already */
};

/* Rows of a, as they are stored or as they were copied. */
struct rows {
    const float *a;
    int64_t row, column;
};

/* c[rows, columns] for constant `rows`, `vectors`, `form` and `fetch`. */
static ALWAYS_INLINE void block(const struct strip *s, struct rows r, float *c, int64_t c_row,
                                int rows, int vectors, enum form form, bool fetch)
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
    const float *a = r.a, *b = s->b;
    const char *next = s->next;
    for (int64_t l = 0; l < s->depth; l++, b += s->b_step, a += r.column) {
        lanes of_b[2];
        UNROLL for (int v = 0; v < vectors; v++)
        {
            if (fetch) __builtin_prefetch(next + v * (int)sizeof(lanes));
            of_b[v] = lanes_load(b + v * LANE_COUNT, LANE_COUNT);
        }
        if (fetch) next += s->next_step;
        UNROLL for (int i = 0; i < rows; i++)
        {
            UNROLL for (int v = 0; v < vectors; v++)
            {
                sums[i][v] = add_words(sums[i][v], a + i * r.row, of_b[v], form);
            }
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

/* Fetches lines `first` to `end` of the next strip into the second cache, where the panels are. */
static void fetch_lines(const struct strip *s, int64_t first, int64_t end)
{
    enum { CACHE_LINE = 64 };
    for (; first < end; first++) {
        const char *line = s->next + first * s->next_step;
        for (int64_t i = 0; i < s->line_bytes; i += CACHE_LINE) __builtin_prefetch(line + i, 0, 2);
    }
}

/* How many rows to take at a time where so many are left. */
static ALWAYS_INLINE int64_t some_rows(int64_t left)
{
    return left >= ROWS ? ROWS : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/* All rows of a strip; those that were copied lie in panels [some_rows][depth]. */
static ALWAYS_INLINE void all_rows(const struct product *p, const struct strip *s, const float *a,
                                   float *c, int vectors, enum form form)
{
    for (int64_t i = 0; i < p->m;) {
        int64_t some = some_rows(p->m - i);
        struct rows r = {a + i * p->a_row, p->a_row, p->a_column};
        if (form != STORED) r = (struct rows){a + i * s->depth, 1, some};
        float *to = c + i * p->c_row;
        const bool fetch = s->next && !s->lines;
        if (s->lines) fetch_lines(s, s->lines * i / p->m, s->lines * (i + some) / p->m);
        if (some == ROWS && i == 0 && fetch) block(s, r, to, p->c_row, ROWS, vectors, form, true);
        else if (some == ROWS) block(s, r, to, p->c_row, ROWS, vectors, form, false);
        else if (some == 4) block(s, r, to, p->c_row, 4, vectors, form, false);
        else if (some == 2) block(s, r, to, p->c_row, 2, vectors, form, false);
        else block(s, r, to, p->c_row, 1, vectors, form, false);
        i += some;
    }
}

static ALWAYS_INLINE void multiply_strip(const struct product *p, const struct strip *s,
                                         const float *a, float *c, enum form form)
{
    const bool wide = s->columns > LANE_COUNT;
#if defined(__AVX512BF16__)
    if (form == PAIRED) {
        if (wide) all_rows(p, s, a, c, 2, PAIRED);
        else all_rows(p, s, a, c, 1, PAIRED);
        return;
    }
#endif
    if (form == COPIED && wide) all_rows(p, s, a, c, 2, COPIED);
    else if (form == COPIED) all_rows(p, s, a, c, 1, COPIED);
    else if (wide) all_rows(p, s, a, c, 2, STORED);
    else all_rows(p, s, a, c, 1, STORED);
}

/* ---- Copies ---- */

/* Copies b[depth, columns] into panel[words][WIDTH], with zeros behind its columns. */
static ALWAYS_INLINE void fill_panel(const struct product *p, const void *b, int64_t depth,
                                     int64_t columns, enum packing packing, float *panel)
{
    const int64_t numbers = packed_numbers(packing), words = (depth + numbers - 1) / numbers;
    if (columns < WIDTH) memset(panel, 0, (size_t)(words * WIDTH) * sizeof *panel);
    if (p->b_column != 1) {
        pack_lines(packing, b, p->b_column, depth, columns, panel, WIDTH);
        return;
    }
    for (int64_t l = 0; l < words; l++) {
        const void *row = packed_at(b, packing, l * numbers * p->b_row);
        const int64_t below = (l + 1) * numbers <= depth ? p->b_row : 0;
        if (columns == WIDTH) pack_row(packing, row, below, WIDTH, panel + l * WIDTH);
        else pack_row(packing, row, below, columns, panel + l * WIDTH);
    }
}

static void fill_panel_of(const struct product *p, const void *b, int64_t depth, int64_t columns,
                          enum form form, float *panel)
{
    const bool float32 = p->b_element == SUMI_FLOAT32;
    if (form == PAIRED && float32) fill_panel(p, b, depth, columns, PACK_ROUNDED, panel);
    else if (form == PAIRED) fill_panel(p, b, depth, columns, PACK_PAIRS, panel);
    else if (p->b_element == SUMI_BFLOAT16) fill_panel(p, b, depth, columns, PACK_BFLOAT16, panel);
    else if (p->b_element == SUMI_FLOAT16) fill_panel(p, b, depth, columns, PACK_FLOAT16, panel);
    else fill_panel(p, b, depth, columns, PACK_FLOAT32, panel);
}

/* Copies a[m, depth], the rows of which lie next to each other, into panels [some_rows][words]. A
   few of the words at a time, for which the lines of a cache last from one panel to the next. */
static ALWAYS_INLINE void copy_columns(const struct product *p, const void *a, int64_t depth,
                                       enum packing packing, float *workspace)
{
    enum { AT_A_TIME = 8 };
    const int64_t numbers = packed_numbers(packing), words = (depth + numbers - 1) / numbers;
    for (int64_t from = 0; from < words; from += AT_A_TIME) {
        int64_t end = from + AT_A_TIME < words ? from + AT_A_TIME : words;
        for (int64_t i = 0; i < p->m;) {
            int64_t some = some_rows(p->m - i);
            float *to = workspace + i * words;
            for (int64_t l = from; l < end; l++) {
                const void *column = packed_at(a, packing, l * numbers * p->a_column + i);
                const int64_t below = (l + 1) * numbers <= depth ? p->a_column : 0;
                if (some == ROWS) pack_row(packing, column, below, ROWS, to + l * ROWS);
                else pack_row(packing, column, below, some, to + l * some);
            }
            i += some;
        }
    }
}

/* The same for any a. */
static ALWAYS_INLINE void copy_rows(const struct product *p, const void *a, int64_t depth,
                                    enum packing packing, float *workspace)
{
    const int64_t numbers = packed_numbers(packing), words = (depth + numbers - 1) / numbers;
    if (p->a_column != 1) {
        copy_columns(p, a, depth, packing, workspace);
        return;
    }
    for (int64_t i = 0; i < p->m;) {
        int64_t some = some_rows(p->m - i);
        const void *from = packed_at(a, packing, i * p->a_row);
        float *to = workspace + i * words;
        if (some == ROWS) pack_lines(packing, from, p->a_row, depth, ROWS, to, ROWS);
        else pack_lines(packing, from, p->a_row, depth, some, to, some);
        i += some;
    }
}

static void copy_rows_of(const struct product *p, const void *a, int64_t depth, enum form form)
{
    const bool float32 = p->a_element == SUMI_FLOAT32;
    if (form == PAIRED && float32) copy_rows(p, a, depth, PACK_ROUNDED, p->workspace);
    else if (form == PAIRED) copy_rows(p, a, depth, PACK_PAIRS, p->workspace);
    else if (p->a_element == SUMI_BFLOAT16) copy_rows(p, a, depth, PACK_BFLOAT16, p->workspace);
    else if (p->a_element == SUMI_FLOAT16) copy_rows(p, a, depth, PACK_FLOAT16, p->workspace);
    else copy_rows(p, a, depth, PACK_FLOAT32, p->workspace);
}

/* ---- Products of very few rows ---- */

/* Part of the rows of a, float32, `row` apart, and where along k it begins. */
struct stretch {
    const float *a;
    int64_t row, first, count;
};

/* Adds row `i` of a times columns of b that are stored one after the other to c[columns], or writes
   it there: up to four at a time, each summed by lanes. */
static ALWAYS_INLINE void dot_columns(const struct product *p, const struct stretch *s, int64_t i,
                                      int64_t column, sumi_element element, bool add, int columns)
{
    const int64_t at = column * p->b_column + s->first;
    const float *a = s->a + i * s->row;
    float *c = (float *)p->c + i * p->c_row + column;
    lanes sums[4] = {{0}};
    int64_t l = 0;
    for (; l + LANE_COUNT <= s->count; l += LANE_COUNT) {
        lanes of_a = lanes_load(a + l, LANE_COUNT);
        for (int j = 0; j < columns; j++) {
            sums[j] += of_a * lanes_widen(p->b, element, at + j * p->b_column + l, LANE_COUNT);
        }
    }
    for (int j = 0; j < columns; j++) {
        float sum = add ? c[j] : 0;
        for (int lane = 0; lane < LANE_COUNT; lane++) sum += sums[j][lane];
        for (int64_t rest = l; rest < s->count; rest++) {
            sum += a[rest] * widened(p->b, element, at + j * p->b_column + rest);
        }
        c[j] = sum;
    }
}

/* Columns by all rows before the next ones, for which they are still in the first cache. */
static ALWAYS_INLINE void dot_rows(const struct product *p, const struct stretch *s,
                                   sumi_element element, bool add)
{
    int64_t j = 0;
    for (; j + 4 <= p->n; j += 4) {
        for (int64_t i = 0; i < p->m; i++) dot_columns(p, s, i, j, element, add, 4);
    }
    for (; j < p->n; j++) {
        for (int64_t i = 0; i < p->m; i++) dot_columns(p, s, i, j, element, add, 1);
    }
}

/* A part of the rows of a that are not float32, widened in the panel. */
static void widen_rows(const struct product *p, struct stretch *s, float *panel)
{
    s->a = panel;
    s->row = s->count;
    for (int64_t i = 0; i < p->m; i++) {
        const void *a = element_address(p->a, p->a_element, i * p->a_row + s->first);
        float *to = panel + i * s->row;
        if (p->a_element == SUMI_BFLOAT16) pack_row(PACK_BFLOAT16, a, 0, s->count, to);
        else pack_row(PACK_FLOAT16, a, 0, s->count, to);
    }
}

/* A product both factors of which are stored along k: turning b would take longer than
   multiplying. */
static void dot_product(const struct product *p, float *panel)
{
    const bool wide = p->a_element == SUMI_FLOAT32;
    const int64_t most = wide ? p->k : DEPTH * WIDTH / FEW_ROWS;
    for (int64_t first = 0; first < p->k; first += most) {
        struct stretch s = {p->a, p->a_row, first, p->k - first < most ? p->k - first : most};
        const bool add = p->add || first > 0;
        if (!wide) widen_rows(p, &s, panel);
        if (p->b_element == SUMI_BFLOAT16) dot_rows(p, &s, SUMI_BFLOAT16, add);
        else if (p->b_element == SUMI_FLOAT16) dot_rows(p, &s, SUMI_FLOAT16, add);
        else dot_rows(p, &s, SUMI_FLOAT32, add);
    }
}

/* ---- Products ---- */

/* Where columns of b, from row `row` on, and of c begin. */
static const void *columns_of_b(const struct product *p, int64_t first, int64_t row)
{
    int64_t at = first * p->b_column;
    if (p->b_panel) at = first / PRODUCT_PANEL * p->b_panel + first % PRODUCT_PANEL;
    return element_address(p->b, p->b_element, at + row * p->b_row);
}

static float *columns_of_c(const struct product *p, int64_t first)
{
    if (!p->c_panel) return (float *)p->c + first;
    return (float *)p->c + first / PRODUCT_PANEL * p->c_panel + first % PRODUCT_PANEL;
}

/* Whether columns of b are read where they are: from panels, for few rows, for which copying would
   take longer than multiplying, or where its rows are so close that they do not fall on the same
   lines of a cache. */
static bool is_near(const struct product *p, int64_t columns)
{
    bool close = p->b_panel || p->m <= FEW_ROWS || p->b_row <= CLOSE_ROWS;
    return close && p->b_element == SUMI_FLOAT32 && p->b_column == 1 && columns == WIDTH;
}

/* The strip of columns from `first` on, and of the k from `from` on. */
static struct strip strip_of(const struct product *p, enum form form, int64_t from, int64_t depth,
                             int64_t first, float *panel)
{
    int64_t columns = p->n - first < WIDTH ? p->n - first : WIDTH;
    const void *b = columns_of_b(p, first, from);
    struct strip s = {depth, WIDTH, columns, panel, .add = p->add || from > 0};
    if (form != PAIRED && is_near(p, columns)) {
        s.b = b;
        s.b_step = p->b_row;
    } else {
        fill_panel_of(p, b, depth, columns, form, panel);
    }
    const int64_t size = (int64_t)element_size(p->b_element);
    if (form == PAIRED) s.depth = (depth + 1) / 2;
    const bool more = first + WIDTH < p->n;
    const int64_t after = more ? first + WIDTH : 0;
    if (!more && from + depth >= p->k) return s;
    s.next = columns_of_b(p, after, more ? from : from + depth);
    s.next_step = (p->b_column == 1 ? p->b_row : p->b_column) * size;
    if (p->b_column != 1) {
        s.lines = p->n - after < WIDTH ? p->n - after : WIDTH;
        s.line_bytes = depth * size;
    } else if (form == PAIRED) {
        s.lines = depth;
        s.line_bytes = WIDTH * size;
    }
    return s;
}

/* A product of few rows. */
static void low_product(const struct product *p, float *panel)
{
    const enum form form = form_of(p);
    const int64_t most = form == PAIRED ? 2 * DEPTH : DEPTH;
    for (int64_t from = 0; from < p->k; from += most) {
        int64_t depth = p->k - from < most ? p->k - from : most;
        const void *a = element_address(p->a, p->a_element, from * p->a_column);
        if (form != STORED) {
            copy_rows_of(p, a, depth, form);
            a = p->workspace;
        }
        for (int64_t first = 0; first < p->n; first += WIDTH) {
            struct strip s = strip_of(p, form, from, depth, first, panel);
            multiply_strip(p, &s, a, columns_of_c(p, first), form);
        }
    }
}

static void product_loop(const struct product *p)
{
    float panel[DEPTH * WIDTH] __attribute__((aligned(64)));
    if (p->m <= FEW_ROWS && p->a_column == 1 && p->b_column != 1) {
        dot_product(p, panel);
        return;
    }
    /* blocks of about as many rows, for a strip is packed once for each */
    const int64_t blocks = (p->m + HEIGHT - 1) / HEIGHT;
    const int64_t height = (p->m + blocks * ROWS - 1) / (blocks * ROWS) * ROWS;
    for (int64_t row = 0; row < p->m; row += height) {
        struct product low = *p;
        low.m = p->m - row < height ? p->m - row : height;
        low.a = element_address(p->a, p->a_element, row * p->a_row);
        low.c = (float *)p->c + row * p->c_row;
        if (!product_wants_workspace(&low)) low.workspace = NULL;
        low_product(&low, panel);
    }
}

extern const struct product_loops JOIN(product_loops_, SUMI_LEVEL);
const struct product_loops JOIN(product_loops_, SUMI_LEVEL) = {product_loop};
