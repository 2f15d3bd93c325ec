/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions and their gradients by oneDNN. Images are channels last and weights in torch's
   layout; for an algorithm that needs another layout, the operand is reordered before or after. A
   primitive reads all weights at once, in a layout and type that the library chooses and does not
   describe, so they cannot be passed to it panel by panel. Weights of 16 bits are reordered from
   the type that they are stored in where the library has fast code for that. Otherwise (float16, on
   processors without float16 arithmetic) they are first widened in scratch memory: constant weights
   once, because the reordered weights are kept. */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/onednn.h"
#include "cpu/onednn_parts.h"
#include "cpu/sizes.h"
#include "ops/epilogue.h"

enum { X, WEIGHT, Y, OPERANDS };

/* An operand as it is stored, and as the primitive needs it. */
struct operand {
    onednn_layout plain_layout;
    dnnl_memory_t plain, wanted;
    dnnl_primitive_t reorder; /* between the two; NULL where they are the same */
    size_t bytes;             /* of the reordered operand, in the scratch memory */
};

struct convolution {
    sumi_context *context;
    struct onednn_engine *engine;
    enum convolution_direction direction;
    struct operand operands[OPERANDS];
    onednn_layout bias_layout;
    dnnl_memory_t bias, work; /* work: the primitive's own scratch memory */
    dnnl_primitive_t primitive;
    bool constant_weights; /* the weights */
    bool has_bias;         /* that the primitive adds; the rest of the epilogue is computed here */
    int64_t pixels;        /* of the result, through the batch */
    sumi_element weights;  /* as they are stored */
    int64_t weight_count;
    size_t widened; /* bytes of scratch memory to widen them in, 0 where the library reads them */
    int threads;
    uint64_t version; /* of the weights from which the kept ones were computed */
};

/* What a primitive descriptor is made from. */
struct request {
    const struct convolution_problem *problem;
    dnnl_engine_t engine;
    dnnl_alg_kind_t algorithm;       /* of the pass that runs */
    onednn_layout layouts[OPERANDS]; /* as requested: may be "any" */
    onednn_layout *bias;             /* NULL for none */
    dnnl_dims_t stride, before, after;
    dnnl_primitive_attr_t attributes;
};

/* The library's Winograd algorithm is fast for a small batch and large constant weights, which it
   keeps transformed. Its gradient by data is wrong where the padding differs between sides (2.6.3).
   */
static bool library_winograd_suits(const struct convolution_problem *p)
{
    return DNNL_VERSION_MAJOR < 3 && p->direction == CONVOLUTION_FORWARD && p->kernel[0] == 3
           && p->kernel[1] == 3 && p->stride[0] == 1 && p->stride[1] == 1;
}

bool onednn_suits(const struct convolution_problem *p, int variant)
{
    if (variant == ONEDNN_DIRECT) return true;
    if (variant == ONEDNN_BF16) return p->bf16;
    if (p->in < 16 || p->out < 16) return false; /* the blocks would be mostly empty */
    return variant == ONEDNN_BLOCKED || library_winograd_suits(p);
}

/* The operand that a direction computes. */
static int result_of(enum convolution_direction direction)
{
    if (direction == CONVOLUTION_FORWARD) return Y;
    return direction == CONVOLUTION_DATA_GRADIENT ? X : WEIGHT;
}

/* ---- primitive descriptors ---- */

/* Whether an implementation may be used. The JIT code of oneDNN's own matrix products, on x86-64,
   uses the stack pointer as one more register, in 2.x and 3.x, and so does every implementation
   that is built upon it: a signal during that time overwrites their memory with its frame, whatever
   handler the program has. Reference implementations take hundreds of times as long as our own
   (taps.c). */
static bool is_usable(const_dnnl_primitive_desc_t descriptor)
{
    const char *name = "";
    dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &name);
    return !strstr(name, "gemm:jit") && strncmp(name, "ref", 3) != 0;
}

#if DNNL_VERSION_MAJOR >= 3
static dnnl_status_t make_forward(const struct request *r, dnnl_prop_kind_t kind,
                                  dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *result)
{
    const dnnl_dims_t dilation = {0, 0};
    return dnnl_convolution_forward_primitive_desc_create(
        result, r->engine, kind, r->algorithm, r->layouts[X], r->layouts[WEIGHT],
        r->bias ? *r->bias : NULL, r->layouts[Y], r->stride, dilation, r->before, r->after,
        attributes);
}

static dnnl_status_t make_gradient(const struct request *r, dnnl_primitive_desc_t hint,
                                   dnnl_primitive_desc_t *result)
{
    const dnnl_dims_t dilation = {0, 0};
    if (r->problem->direction == CONVOLUTION_DATA_GRADIENT) {
        return dnnl_convolution_backward_data_primitive_desc_create(
            result, r->engine, dnnl_convolution_direct, r->layouts[X], r->layouts[WEIGHT],
            r->layouts[Y], r->stride, dilation, r->before, r->after, hint, r->attributes);
    }
    return dnnl_convolution_backward_weights_primitive_desc_create(
        result, r->engine, dnnl_convolution_direct, r->layouts[X], r->layouts[WEIGHT], NULL,
        r->layouts[Y], r->stride, dilation, r->before, r->after, hint, r->attributes);
}

static dnnl_status_t make_usable(const struct request *r, dnnl_primitive_desc_t hint,
                                 dnnl_primitive_desc_t *result)
{
    bool forward = r->problem->direction == CONVOLUTION_FORWARD;
    dnnl_status_t status = forward ? make_forward(r, dnnl_forward_inference, r->attributes, result)
                                   : make_gradient(r, hint, result);
    while (!status && !is_usable(*result)) status = dnnl_primitive_desc_next_impl(*result);
    return status == dnnl_last_impl_reached ? dnnl_unimplemented : status;
}
#else
static dnnl_status_t describe_forward(const struct request *r, dnnl_prop_kind_t kind,
                                      dnnl_convolution_desc_t *descriptor)
{
    return dnnl_convolution_forward_desc_init(descriptor, kind, r->algorithm, &r->layouts[X],
                                              &r->layouts[WEIGHT], r->bias, &r->layouts[Y],
                                              r->stride, r->before, r->after);
}

static dnnl_status_t make_forward(const struct request *r, dnnl_prop_kind_t kind,
                                  dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *result)
{
    dnnl_convolution_desc_t descriptor;
    dnnl_status_t status = describe_forward(r, kind, &descriptor);
    if (status) return status;
    return dnnl_primitive_desc_create(result, &descriptor, attributes, r->engine, NULL);
}

static dnnl_status_t describe_direction(const struct request *r,
                                        dnnl_convolution_desc_t *descriptor)
{
    switch (r->problem->direction) {
    case CONVOLUTION_DATA_GRADIENT:
        return dnnl_convolution_backward_data_desc_init(
            descriptor, dnnl_convolution_direct, &r->layouts[X], &r->layouts[WEIGHT],
            &r->layouts[Y], r->stride, r->before, r->after);
    case CONVOLUTION_WEIGHT_GRADIENT:
        return dnnl_convolution_backward_weights_desc_init(
            descriptor, dnnl_convolution_direct, &r->layouts[X], &r->layouts[WEIGHT], NULL,
            &r->layouts[Y], r->stride, r->before, r->after);
    default: return describe_forward(r, dnnl_forward_inference, descriptor);
    }
}

static dnnl_status_t make_usable(const struct request *r, dnnl_primitive_desc_t hint,
                                 dnnl_primitive_desc_t *result)
{
    dnnl_convolution_desc_t descriptor;
    dnnl_primitive_desc_iterator_t all = NULL;
    dnnl_status_t status = describe_direction(r, &descriptor);
    if (status) return status;
    status = dnnl_primitive_desc_iterator_create(&all, &descriptor, r->attributes, r->engine, hint);
    for (; !status; status = dnnl_primitive_desc_iterator_next(all)) {
        *result = dnnl_primitive_desc_iterator_fetch(all);
        if (!*result || is_usable(*result)) break;
        dnnl_primitive_desc_destroy(*result);
        *result = NULL;
    }
    if (all) dnnl_primitive_desc_iterator_destroy(all);
    if (status == dnnl_iterator_ends) return dnnl_unimplemented;
    return status || *result ? status : dnnl_out_of_memory;
}
#endif

static dnnl_status_t make_descriptor(const struct request *r, dnnl_primitive_desc_t *result)
{
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t status = dnnl_success;
    if (r->problem->direction != CONVOLUTION_FORWARD) {
        status = make_forward(r, dnnl_forward_training, NULL, &hint);
    }
    if (!status) status = make_usable(r, hint, result);
    if (hint) dnnl_primitive_desc_destroy(hint);
    return status;
}

/* ---- preparing ---- */

static void sizes_of(const struct convolution_problem *p, dnnl_dims_t sizes[OPERANDS])
{
    const dnnl_dims_t x = {p->batch, p->in, p->height, p->width};
    const dnnl_dims_t weight = {p->out, p->in, p->kernel[0], p->kernel[1]};
    const dnnl_dims_t y = {p->batch, p->out, p->out_height, p->out_width};
    memcpy(sizes[X], x, sizeof x);
    memcpy(sizes[WEIGHT], weight, sizeof weight);
    memcpy(sizes[Y], y, sizeof y);
}

static dnnl_data_type_t type_of(sumi_element element)
{
    if (element == SUMI_BFLOAT16) return dnnl_bf16;
    return element == SUMI_FLOAT16 ? dnnl_f16 : dnnl_f32;
}

static dnnl_status_t describe(struct convolution *c, int variant, struct request *r)
{
    static const dnnl_format_tag_t plain[OPERANDS] = {dnnl_nhwc, dnnl_oihw, dnnl_nhwc};
    static const dnnl_format_tag_t image[] = {[ONEDNN_DIRECT] = dnnl_nhwc,
                                              [ONEDNN_BF16] = dnnl_nhwc,
                                              [ONEDNN_BLOCKED] = dnnl_nChw16c,
                                              [ONEDNN_WINOGRAD] = dnnl_format_tag_any};
    dnnl_dims_t sizes[OPERANDS];
    sizes_of(r->problem, sizes);
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < OPERANDS && !status; i++) {
        dnnl_format_tag_t tag = i == WEIGHT ? dnnl_format_tag_any : image[variant];
        bool bf16 = variant == ONEDNN_BF16;
        bool exact = i == WEIGHT && c->direction == CONVOLUTION_WEIGHT_GRADIENT;
        dnnl_data_type_t type = bf16 && !exact ? dnnl_bf16 : dnnl_f32;
        dnnl_data_type_t plain_type = bf16 ? dnnl_bf16 : dnnl_f32;
        if (i == WEIGHT) plain_type = type_of(c->weights);
        status = onednn_describe(&r->layouts[i], 4, sizes[i], type, tag);
        if (!status) {
            status =
                onednn_describe(&c->operands[i].plain_layout, 4, sizes[i], plain_type, plain[i]);
        }
    }
    const dnnl_dims_t channels = {r->problem->out};
    if (!status && r->bias) status = onednn_describe(r->bias, 1, channels, dnnl_f32, dnnl_a);
    for (int i = 0; i < 2; i++) {
        r->stride[i] = r->problem->stride[i];
        r->before[i] = r->problem->before[i];
        r->after[i] = r->problem->after[i];
    }
    return status;
}

/* Whether the library has a specialised reorder, and not only its slow general one. */
static bool is_fast(const_dnnl_primitive_desc_t reorder)
{
    const char *name = "";
    dnnl_primitive_desc_query(reorder, dnnl_query_impl_info_str, 0, &name);
    return strncmp(name, "jit", 3) == 0;
}

static dnnl_status_t make_reorder(const struct convolution *c, int which,
                                  onednn_found_layout wanted, bool fast, struct operand *operand)
{
    dnnl_engine_t engine = c->engine->engine;
    onednn_found_layout plain = ONEDNN_LAYOUT(&operand->plain_layout);
    bool result = which == result_of(c->direction);
    dnnl_primitive_desc_t reorder = NULL;
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(
        &reorder, result ? wanted : plain, engine, result ? plain : wanted, engine, NULL);
    if (!status && fast && !is_fast(reorder)) status = dnnl_unimplemented;
    if (!status) status = dnnl_primitive_create(&operand->reorder, reorder);
    if (reorder) dnnl_primitive_desc_destroy(reorder);
    return status;
}

/* The reorder of an operand from or to its plain layout, if one is necessary. */
static dnnl_status_t join_layouts(const struct convolution *c, int which,
                                  onednn_found_layout wanted, bool fast, struct operand *operand)
{
    onednn_found_layout plain = ONEDNN_LAYOUT(&operand->plain_layout);
    if (dnnl_memory_desc_equal(wanted, plain)) return dnnl_success;
    operand->bytes = lined_bytes(dnnl_memory_desc_get_size(wanted));
    return make_reorder(c, which, wanted, fast, operand);
}

/* The same for weights of 16 bits: from widened float32 values if the library cannot read them, or
   only slowly. */
static dnnl_status_t join_weights(struct convolution *c, onednn_found_layout wanted,
                                  const struct request *r)
{
    struct operand *operand = &c->operands[WEIGHT];
    dnnl_status_t status = join_layouts(c, WEIGHT, wanted, true, operand);
    if (status != dnnl_unimplemented) return status;
    onednn_forget(&operand->plain_layout);
    operand->bytes = 0;
    c->widened = lined_bytes((size_t)c->weight_count * sizeof(float));
    dnnl_dims_t sizes[OPERANDS];
    sizes_of(r->problem, sizes);
    status = onednn_describe(&operand->plain_layout, 4, sizes[WEIGHT], dnnl_f32, dnnl_oihw);
    return status ? status : join_layouts(c, WEIGHT, wanted, false, operand);
}

static dnnl_status_t make_operand(struct convolution *c, int which, const struct request *r,
                                  dnnl_primitive_desc_t descriptor)
{
    static const dnnl_query_t ordinary[OPERANDS] = {dnnl_query_src_md, dnnl_query_weights_md,
                                                    dnnl_query_dst_md};
    static const dnnl_query_t gradient[OPERANDS] = {
        dnnl_query_diff_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md};
    struct operand *operand = &c->operands[which];
    bool difference =
        c->direction != CONVOLUTION_FORWARD && (which == Y || which == result_of(c->direction));
    onednn_found_layout wanted =
        dnnl_primitive_desc_query_md(descriptor, difference ? gradient[which] : ordinary[which], 0);
    dnnl_engine_t engine = c->engine->engine;
    dnnl_status_t status = dnnl_memory_create(&operand->wanted, wanted, engine, DNNL_MEMORY_NONE);
    if (status) return status;
    status = which == WEIGHT && c->weights != SUMI_FLOAT32
                 ? join_weights(c, wanted, r)
                 : join_layouts(c, which, wanted, false, operand);
    if (status) return status;
    return dnnl_memory_create(&operand->plain, ONEDNN_LAYOUT(&operand->plain_layout), engine,
                              DNNL_MEMORY_NONE);
}

/* Whether the reordered weights are kept; else they are scratch memory. */
static bool keeps(const struct convolution *c)
{
    return c->constant_weights && c->operands[WEIGHT].bytes;
}

static dnnl_status_t make_memories(struct convolution *c, const struct request *r,
                                   dnnl_primitive_desc_t descriptor,
                                   struct convolution_memory *memory)
{
    dnnl_engine_t engine = c->engine->engine;
    dnnl_status_t status = dnnl_success;
    onednn_found_layout work =
        dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
    memory->scratch = lined_bytes(dnnl_memory_desc_get_size(work));
    for (int i = 0; i < OPERANDS && !status; i++) {
        status = make_operand(c, i, r, descriptor);
        if (i != WEIGHT || !c->constant_weights) memory->scratch += c->operands[i].bytes;
        else memory->kept = c->operands[i].bytes;
    }
    memory->scratch += c->widened;
    if (!status) status = dnnl_memory_create(&c->work, work, engine, DNNL_MEMORY_NONE);
    if (!status && c->has_bias) {
        status =
            dnnl_memory_create(&c->bias, ONEDNN_LAYOUT(&c->bias_layout), engine, DNNL_MEMORY_NONE);
    }
    return status;
}

static dnnl_status_t make(struct convolution *c, int variant, struct request *r,
                          struct convolution_memory *memory)
{
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = describe(c, variant, r);
    if (!status) status = dnnl_primitive_attr_create(&r->attributes);
    if (!status) {
        status = dnnl_primitive_attr_set_scratchpad_mode(r->attributes, dnnl_scratchpad_mode_user);
    }
    if (!status) status = make_descriptor(r, &descriptor);
    if (!status) status = dnnl_primitive_create(&c->primitive, descriptor);
    if (!status) status = make_memories(c, r, descriptor, memory);
    if (descriptor) dnnl_primitive_desc_destroy(descriptor);
    if (r->attributes) dnnl_primitive_attr_destroy(r->attributes);
    for (int i = 0; i < OPERANDS; i++) onednn_forget(&r->layouts[i]);
    return status;
}

sumi_status onednn_prepare(sumi_context *context, void *shared, int variant,
                           const struct convolution_problem *problem, void **state,
                           struct convolution_memory *memory)
{
    struct convolution *c = context_allocate_zeroed(context, 1, sizeof *c);
    if (!c) return SUMI_ERROR_MEMORY;
    c->context = context;
    c->engine = shared;
    c->direction = problem->direction;
    c->constant_weights = problem->constant_weights;
    c->weights = problem->weights;
    c->weight_count = problem->out * problem->in * problem->kernel[0] * problem->kernel[1];
    bool forward = problem->direction == CONVOLUTION_FORWARD;
    c->has_bias = forward && problem->epilogue & EPILOGUE_BIAS;
    c->pixels =
        problem->batch
        * (forward ? problem->out_height * problem->out_width : problem->height * problem->width);
    c->threads = problem->threads;
    struct request request = {.problem = problem,
                              .engine = c->engine->engine,
                              .algorithm = variant == ONEDNN_WINOGRAD ? dnnl_convolution_winograd
                                                                      : dnnl_convolution_direct,
                              .bias = c->has_bias ? &c->bias_layout : NULL};
    sumi_status status =
        onednn_check(context, make(c, variant, &request, memory), "prepare a convolution");
    if (status == SUMI_OK) *state = c;
    else onednn_release(c);
    return status;
}

void onednn_release(void *state)
{
    struct convolution *c = state;
    if (!c) return;
    for (int i = 0; i < OPERANDS; i++) {
        struct operand *operand = &c->operands[i];
        if (operand->plain) dnnl_memory_destroy(operand->plain);
        if (operand->wanted) dnnl_memory_destroy(operand->wanted);
        if (operand->reorder) dnnl_primitive_destroy(operand->reorder);
        onednn_forget(&operand->plain_layout);
    }
    if (c->bias) dnnl_memory_destroy(c->bias);
    if (c->work) dnnl_memory_destroy(c->work);
    if (c->primitive) dnnl_primitive_destroy(c->primitive);
    onednn_forget(&c->bias_layout);
    context_release(c->context, c);
}

/* ---- running ---- */

/* Sets the addresses of the library's memories: the operands, and in the scratch memory the
   reordered operands, the widened weights (*widened) and the primitive's own scratch memory. */
static dnnl_status_t point(struct convolution *c, const struct convolution_operands *given,
                           char *scratch, float **widened)
{
    *widened = c->widened ? (float *)(void *)scratch : NULL;
    scratch += c->widened;
    void *const data[OPERANDS] = {given->x, *widened ? *widened : given->weight, given->y};
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < OPERANDS && !status; i++) {
        struct operand *operand = &c->operands[i];
        status = dnnl_memory_set_data_handle(operand->plain, data[i]);
        bool kept = i == WEIGHT && keeps(c);
        void *wanted = kept ? given->kept : operand->reorder ? scratch : data[i];
        if (!status) status = dnnl_memory_set_data_handle(operand->wanted, wanted);
        if (!kept) scratch += operand->bytes;
    }
    if (!status && c->has_bias)
        status = dnnl_memory_set_data_handle(c->bias, (void *)given->epilogue.bias);
    if (!status) status = dnnl_memory_set_data_handle(c->work, scratch);
    return status;
}

static dnnl_status_t reorder(const struct convolution *c, const struct operand *operand, bool back)
{
    if (!operand->reorder) return dnnl_success;
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_FROM, back ? operand->wanted : operand->plain},
        {DNNL_ARG_TO, back ? operand->plain : operand->wanted},
    };
    return dnnl_primitive_execute(operand->reorder, c->engine->stream, 2, arguments);
}

static dnnl_status_t execute(const struct convolution *c)
{
    dnnl_exec_arg_t arguments[5];
    int count = 0;
    bool data = c->direction == CONVOLUTION_DATA_GRADIENT;
    bool forward = c->direction == CONVOLUTION_FORWARD;
    bool gradient = c->direction == CONVOLUTION_WEIGHT_GRADIENT;
    arguments[count++] =
        (dnnl_exec_arg_t){data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, c->operands[X].wanted};
    arguments[count++] = (dnnl_exec_arg_t){gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS,
                                           c->operands[WEIGHT].wanted};
    arguments[count++] =
        (dnnl_exec_arg_t){forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, c->operands[Y].wanted};
    arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, c->work};
    if (c->has_bias) arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, c->bias};
    return dnnl_primitive_execute(c->primitive, c->engine->stream, count, arguments);
}

sumi_status onednn_run(void *state, const struct convolution_operands *operands, void *scratch)
{
    struct convolution *c = state;
    int result = result_of(c->direction);
    float *widened = NULL;
    dnnl_status_t status = point(c, operands, scratch, &widened);
    bool ready = keeps(c) && c->version == operands->version;
    if (widened && !ready)
        widen_floats(c->threads, c->weights, c->weight_count, operands->weight, widened);
    for (int i = 0; i < OPERANDS && !status; i++) {
        if (i != result && !(i == WEIGHT && ready)) {
            status = reorder(c, &c->operands[i], false);
        }
    }
    c->version = status ? 0 : operands->version;
    if (!status) status = execute(c);
    if (!status) status = reorder(c, &c->operands[result], true);
    if (!status) status = dnnl_stream_wait(c->engine->stream);
    if (status) return onednn_check(c->context, status, "run a convolution");
    if (result == WEIGHT) return SUMI_OK;
    struct epilogue epilogue = operands->epilogue;
    if (c->has_bias) epilogue.bias = NULL;
    epilogue_apply_all(&epilogue, c->threads, c->pixels, result == Y ? operands->y : operands->x);
    return SUMI_OK;
}
