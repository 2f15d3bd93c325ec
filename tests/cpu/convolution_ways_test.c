/* SPDX-License-Identifier: Apache-2.0 */
/* Every way of computing a convolution or one of its gradients, against the definition: the sum
   over taps in double, with the epilogue behind it. */
#include "base/philox.h"
#include "check.h"
#include "cpu/onednn.h"
#include "cpu/tune.h"
#include "ops/epilogue.h"

struct sizes {
    int64_t n, height, width, in, out, kernel, stride, before, after;
    bool line; /* a kernel of one row, and no padding or stride across rows */
};

static const struct sizes problems[] = {
    {2, 8, 8, 16, 32, 3, 1, 1, 1, false},  /* whole tiles */
    {3, 9, 14, 48, 16, 3, 1, 1, 1, false}, /* tiles that stick out */
    {1, 5, 6, 20, 33, 3, 1, 1, 1, false},  /* channels that fill no vector */
    {2, 7, 10, 32, 17, 3, 1, 0, 0, false}, /* no padding */
    {2, 6, 6, 16, 16, 3, 1, 2, 0, false},  /* padding on one side */
    {2, 4, 9, 16, 16, 3, 1, 0, 2, false},
    {5, 1, 1, 18, 16, 3, 1, 1, 1, false}, /* a single pixel */
    {2, 9, 9, 16, 24, 3, 2, 1, 1, false},
    {2, 8, 8, 32, 16, 1, 1, 0, 0, false},
    {3, 20, 23, 16, 16, 3, 1, 1, 1, false},  /* more than one block of tiles */
    {2, 22, 25, 128, 16, 3, 1, 1, 1, false}, /* the library's products as well as our own */
    {2, 11, 13, 16, 128, 3, 1, 1, 1, false},
    {2, 7, 8, 140, 150, 3, 1, 1, 1, false}, /* panels, the last of them thin */
    {2, 11, 7, 3, 5, 5, 1, 2, 2, false},
    {2, 3, 12, 16, 32, 3, 1, 1, 1, true}, /* lines: whole tiles */
    {3, 2, 13, 17, 9, 3, 1, 1, 1, true},  /* tiles that stick out, channels that fill no vector */
    {2, 1, 10, 8, 40, 3, 1, 0, 0, true},  /* no padding */
    {2, 1, 11, 12, 8, 3, 1, 2, 0, true},  /* padding on one side */
    {2, 1, 9, 12, 8, 3, 1, 0, 2, true},
    {40, 2, 33, 16, 48, 3, 1, 1, 1, true}, /* many blocks of tiles */
    {20, 3, 33, 24, 48, 1, 1, 0, 0, true}, /* many blocks of pixels */
    {2, 1, 12, 16, 8, 3, 2, 1, 1, true},
};

struct fixture {
    sumi_context *context;
    void *library;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (!f || sumi_context_create(NULL, &f->context) != SUMI_OK) return -1;
    return onednn_open(f->context, &f->library) == SUMI_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    onednn_close(f->context, f->library);
    sumi_context_free(f->context);
    free(f);
    return 0;
}

static float *draw(int64_t count, uint64_t seed)
{
    float *values = malloc((size_t)count * sizeof *values);
    philox_stream stream = {seed, PURPOSE_DATA, 0};
    philox_normal(&stream, 0, count, values);
    return values;
}

static struct convolution_problem pose(const struct sizes *s, int direction, int threads,
                                       bool epilogue)
{
    struct convolution_problem p = {.direction = (enum convolution_direction)direction,
                                    .batch = s->n,
                                    .height = s->height,
                                    .width = s->width,
                                    .in = s->in,
                                    .out = s->out,
                                    .threads = threads};
    p.out_height = (s->height + s->before + s->after - s->kernel) / s->stride + 1;
    p.out_width = (s->width + s->before + s->after - s->kernel) / s->stride + 1;
    const int64_t sizes[2] = {s->height, s->width}, results[2] = {p.out_height, p.out_width};
    for (int i = 0; i < 2; i++) {
        p.kernel[i] = s->kernel;
        p.stride[i] = s->stride;
        p.before[i] = s->before;
        p.after[i] = (results[i] - 1) * s->stride + s->kernel - sizes[i] - s->before;
    }
    if (s->line) {
        p.out_height = s->height;
        p.kernel[0] = p.stride[0] = 1;
        p.before[0] = p.after[0] = 0;
    }
    if (epilogue && direction != CONVOLUTION_WEIGHT_GRADIENT) {
        p.epilogue = EPILOGUE_BIAS | EPILOGUE_ITEM | EPILOGUE_RESIDUAL;
    }
    return p;
}

/* Numbers that a bfloat16 can hold, so that only results are rounded. */
static float *draw_for(const struct convolution_problem *p, int64_t count, uint64_t seed)
{
    float *values = draw(count, seed);
    for (int64_t i = 0; i < count && p->bf16; i++) {
        values[i] = bfloat16_to_float(bfloat16_from_float(values[i]));
    }
    return values;
}

/* The three operands, the addends, and the exact result. */
struct case_data {
    float *x, *weight, *y, *bias, *item, *residual, *result;
    double *expected;
    int64_t count, channels;
};

/* Calls for every tap that falls on the image: elements of x, weight and y that meet there. */
static void sum_taps(const struct convolution_problem *p, struct case_data *d)
{
    for (int64_t n = 0; n < p->batch; n++)
        for (int64_t oy = 0; oy < p->out_height; oy++)
            for (int64_t ox = 0; ox < p->out_width; ox++)
                for (int64_t ky = 0; ky < p->kernel[0]; ky++)
                    for (int64_t kx = 0; kx < p->kernel[1]; kx++) {
                        int64_t row = oy * p->stride[0] - p->before[0] + ky;
                        int64_t column = ox * p->stride[1] - p->before[1] + kx;
                        if (row < 0 || row >= p->height || column < 0 || column >= p->width)
                            continue;
                        int64_t x = ((n * p->height + row) * p->width + column) * p->in;
                        int64_t y = ((n * p->out_height + oy) * p->out_width + ox) * p->out;
                        for (int64_t o = 0; o < p->out; o++) {
                            for (int64_t i = 0; i < p->in; i++) {
                                int64_t w =
                                    ((o * p->in + i) * p->kernel[0] + ky) * p->kernel[1] + kx;
                                if (p->direction == CONVOLUTION_FORWARD) {
                                    d->expected[y + o] += (double)d->x[x + i] * d->weight[w];
                                } else if (p->direction == CONVOLUTION_DATA_GRADIENT) {
                                    d->expected[x + i] += (double)d->y[y + o] * d->weight[w];
                                } else {
                                    d->expected[w] += (double)d->y[y + o] * d->x[x + i];
                                }
                            }
                        }
                    }
}

static struct case_data make_case(const struct convolution_problem *p)
{
    struct case_data d = {0};
    int64_t x = p->batch * p->height * p->width * p->in;
    int64_t y = p->batch * p->out_height * p->out_width * p->out;
    int64_t w = p->out * p->in * p->kernel[0] * p->kernel[1];
    bool forward = p->direction == CONVOLUTION_FORWARD;
    d.x = draw_for(p, x, 1);
    d.weight = draw_for(p, w, 2);
    d.y = draw_for(p, y, 3);
    d.result = forward ? d.y : p->direction == CONVOLUTION_DATA_GRADIENT ? d.x : d.weight;
    d.count = forward ? y : p->direction == CONVOLUTION_DATA_GRADIENT ? x : w;
    d.channels = forward ? p->out : p->in;
    d.expected = calloc((size_t)d.count, sizeof *d.expected);
    sum_taps(p, &d);
    if (!p->epilogue) return d;
    d.bias = draw(d.channels, 4);
    d.item = draw(p->batch * d.channels, 5);
    d.residual = draw_for(p, d.count, 6);
    for (int64_t i = 0; i < d.count; i++) {
        int64_t item = i / (d.count / p->batch), c = i % d.channels;
        d.expected[i] += (double)d.bias[c] + d.item[item * d.channels + c] + d.residual[i];
        d.expected[i] *= 0.5;
    }
    return d;
}

static void free_case(struct case_data *d)
{
    float *arrays[] = {d->x, d->weight, d->y, d->bias, d->item, d->residual};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
    free(d->expected);
}

static double error_of(const struct case_data *d)
{
    double error = 0, largest = 0;
    for (int64_t i = 0; i < d->count; i++) {
        error = fmax(error, fabs(d->result[i] - d->expected[i]));
        largest = fmax(largest, fabs(d->expected[i]));
    }
    return error / largest;
}

/* An image as the problem has it: the floats themselves, or new memory with them as bfloat16. */
static void *image_of(const struct convolution_problem *p, float *values, int64_t count)
{
    if (!p->bf16 || !values) return values;
    bfloat16 *image = malloc((size_t)count * sizeof *image);
    for (int64_t i = 0; i < count; i++) image[i] = bfloat16_from_float(values[i]);
    return image;
}

/* Gives the image's memory back, its numbers to the floats. */
static void image_done(const struct convolution_problem *p, bfloat16 *image, float *values,
                       int64_t count)
{
    if (!p->bf16 || !values) return;
    for (int64_t i = 0; i < count; i++) values[i] = bfloat16_to_float(image[i]);
    free(image);
}

/* Runs a way some times into a result full of rubbish; whether there is such a way. */
static bool run_way(struct fixture *f, const struct convolution_way *way,
                    const struct convolution_problem *p, struct case_data *d)
{
    struct convolution_ready ready;
    if (!way->suits(p, way->variant)) return false;
    /* the library, slow at low instruction sets, is not what is tested here with several threads */
    if (p->threads > 1 && strchr("dl", way->name[0])) return false;
    sumi_status status = convolution_prepare(f->context, f->library, way, p, &ready);
    if (status == SUMI_ERROR_BACKEND && way != tune_way(0)) return false;
    CHECK_OK(f->context, status);
    void *memory = aligned_alloc(64, (ready.scratch + 127) / 64 * 64);
    memset(memory, 0x7f, ready.scratch);
    int64_t x = p->batch * p->height * p->width * p->in;
    int64_t y = p->batch * p->out_height * p->out_width * p->out;
    struct convolution_operands operands = {
        .x = image_of(p, d->x, x),
        .weight = d->weight,
        .y = image_of(p, d->y, y),
        .epilogue = {.pixels = d->count / p->batch / d->channels,
                     .channels = d->channels,
                     .bias = d->bias,
                     .item = d->item,
                     .residual = image_of(p, d->residual, d->count),
                     .scale = p->epilogue ? 0.5f : 1,
                     .bf16 = p->bf16}};
    void *result = d->result == d->x ? operands.x : d->result == d->y ? operands.y : d->weight;
    size_t element = p->bf16 && result != d->weight ? sizeof(bfloat16) : sizeof(float);
    int64_t weights = p->out * p->in * p->kernel[0] * p->kernel[1];
    /* where weights last: first with other weights, then twice with the same */
    for (int run = p->constant_weights ? 0 : 2; run < 3; run++) {
        operands.version = run < 1 ? 1 : 2;
        if (p->constant_weights && run < 2) {
            for (int64_t i = 0; i < weights; i++) d->weight[i] = -d->weight[i];
        }
        memset(result, 0x7f, (size_t)d->count * element);
        CHECK_OK(f->context, convolution_run(&ready, &operands, memory));
    }
    convolution_release(&ready);
    image_done(p, (void *)operands.epilogue.residual, d->residual, d->count);
    image_done(p, operands.x, d->x, x);
    image_done(p, operands.y, d->y, y);
    free(memory);
    return true;
}

static void every_way_computes_the_sum_over_taps(void **state)
{
    struct fixture *f = *state;
    int done[32] = {0};
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        for (int variation = 0; variation < 3 * 2 * 2; variation++) {
            struct convolution_problem p =
                pose(&problems[i], variation % 3, variation / 3 % 2 ? 3 : 1, variation / 6);
            p.constant_weights = variation / 6 && p.direction != CONVOLUTION_WEIGHT_GRADIENT;
            struct case_data d = make_case(&p);
            CHECK_OK(f->context, sumi_context_set_threads(f->context, p.threads));
            for (int number = 0; tune_way(number); number++) {
                if (!run_way(f, tune_way(number), &p, &d)) continue;
                done[number]++;
                if (!(error_of(&d) < 2e-5)) {
                    fail_msg("%s, problem %d, direction %d, %d threads: relative error %.3g",
                             tune_way(number)->name, (int)i, (int)p.direction, p.threads,
                             error_of(&d));
                }
            }
            free_case(&d);
        }
    }
    for (int number = 0; tune_way(number); number++) {
        const char *name = tune_way(number)->name;
        bool own = strncmp(name, "winograd", 8) == 0 || strcmp(name, "direct") == 0;
        if (own && !done[number]) fail_msg("%s never ran", name);
    }
}

/* Results are rounded once, by 2^-8 of themselves at most; the library's are again when the
   epilogue is added to them. Gradients by weight are float32. */
static void every_way_takes_images_of_bfloat16(void **state)
{
    struct fixture *f = *state;
    bool native = false;
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        for (int variation = 0; variation < 3 * 2; variation++) {
            struct convolution_problem p =
                pose(&problems[i], variation % 3, i % 2 ? 3 : 1, variation / 3);
            p.bf16 = true;
            bool weights = p.direction == CONVOLUTION_WEIGHT_GRADIENT;
            struct case_data d = make_case(&p);
            CHECK_OK(f->context, sumi_context_set_threads(f->context, p.threads));
            for (int number = 0; tune_way(number); number++) {
                const struct convolution_way *way = tune_way(number);
                if (!run_way(f, way, &p, &d)) continue;
                native |= way->bf16;
                bool twice = p.epilogue && strcmp(way->name, "direct-bf16") == 0;
                double bound = 2e-5 + (weights ? 0 : twice ? ldexp(1, -7) : ldexp(1, -8));
                if (error_of(&d) < bound) continue;
                fail_msg("%s, problem %d, direction %d, %d threads: relative error %.3g", way->name,
                         (int)i, (int)p.direction, p.threads, error_of(&d));
            }
            free_case(&d);
        }
    }
    assert_true(native);
}

/* The bound on U-Net shapes, where sums are longer and errors larger. */
static void winograd_is_within_1e_4_on_the_shapes_of_a_u_net(void **state)
{
    struct fixture *f = *state;
    const struct sizes s = {1, 16, 16, 256, 64, 3, 1, 1, 1, false};
    for (int direction = 0; direction < 3; direction++) {
        struct convolution_problem p = pose(&s, direction, 1, false);
        struct case_data d = make_case(&p);
        for (int number = 0; tune_way(number); number++) {
            if (run_way(f, tune_way(number), &p, &d)) assert_true(error_of(&d) < 1e-4);
        }
        free_case(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_way_computes_the_sum_over_taps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_way_takes_images_of_bfloat16, set_up, tear_down),
        cmocka_unit_test_setup_teardown(winograd_is_within_1e_4_on_the_shapes_of_a_u_net, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
