/* SPDX-License-Identifier: Apache-2.0 */
/* Prepares a way of computing a convolution for images of either type: for a way that supports only
   float32, the images of a bf16 problem are converted. */
#include "cpu/convolution.h"
#include "cpu/cpu.h"
#include "cpu/sizes.h"
#include "ops/epilogue.h"

/* Elements of the images, and which of them is the result. */
struct images {
    int64_t x, y, residual;
    bool writes_x, writes_y;
};

static struct images images_of(const struct convolution_problem *p)
{
    struct images i = {.x = p->batch * p->height * p->width * p->in,
                       .y = p->batch * p->out_height * p->out_width * p->out,
                       .writes_x = p->direction == CONVOLUTION_DATA_GRADIENT,
                       .writes_y = p->direction == CONVOLUTION_FORWARD};
    if (p->epilogue & EPILOGUE_RESIDUAL) i.residual = i.writes_x ? i.x : i.y;
    return i;
}

static bool converts(const struct convolution_ready *ready)
{
    return ready->problem.bf16 && !ready->way->bf16;
}

static size_t bytes_of(int64_t count)
{
    return lined_bytes((size_t)count * sizeof(float));
}

sumi_status convolution_prepare(sumi_context *context, void *shared,
                                const struct convolution_way *way,
                                const struct convolution_problem *problem,
                                struct convolution_ready *ready)
{
    *ready = (struct convolution_ready){.way = way, .problem = *problem, .context = context};
    struct convolution_problem posed = *problem;
    if (converts(ready)) posed.bf16 = false;
    TRY(way->prepare(context, shared, way->variant, &posed, &ready->state, &ready->memory));
    ready->own = ready->memory.scratch;
    if (!converts(ready)) return SUMI_OK;
    struct images images = images_of(problem);
    ready->own = lined_bytes(ready->own);
    ready->memory.scratch =
        ready->own + bytes_of(images.x) + bytes_of(images.y) + bytes_of(images.residual);
    return SUMI_OK;
}

sumi_status convolution_keep(struct convolution_ready *ready)
{
    if (!ready->memory.kept) return SUMI_OK;
    ready->kept = context_allocate(ready->context, ready->memory.kept, 1);
    return ready->kept ? SUMI_OK : SUMI_ERROR_MEMORY;
}

void convolution_release(struct convolution_ready *ready)
{
    if (ready->state) ready->way->release(ready->state);
    context_release(ready->context, ready->kept);
    ready->state = ready->kept = NULL;
}

static sumi_status run_converted(const struct convolution_ready *ready,
                                 const struct convolution_operands *given, char *scratch)
{
    const struct images images = images_of(&ready->problem);
    const int threads = ready->problem.threads;
    float *x = (float *)(void *)(scratch + ready->own);
    float *y = (float *)(void *)((char *)x + bytes_of(images.x));
    float *residual = (float *)(void *)((char *)y + bytes_of(images.y));
    struct convolution_operands operands = *given;
    operands.x = x;
    operands.y = y;
    operands.epilogue.bf16 = false;
    if (!images.writes_x) bfloat16_to_floats(threads, images.x, given->x, x);
    if (!images.writes_y) bfloat16_to_floats(threads, images.y, given->y, y);
    if (images.residual) {
        bfloat16_to_floats(threads, images.residual, given->epilogue.residual, residual);
        operands.epilogue.residual = residual;
    }
    TRY(ready->way->run(ready->state, &operands, scratch));
    if (images.writes_x) bfloat16_from_floats(threads, images.x, x, given->x);
    if (images.writes_y) bfloat16_from_floats(threads, images.y, y, given->y);
    return SUMI_OK;
}

sumi_status convolution_run(const struct convolution_ready *ready,
                            const struct convolution_operands *operands, void *scratch)
{
    if (converts(ready)) return run_converted(ready, operands, scratch);
    return ready->way->run(ready->state, operands, scratch);
}
