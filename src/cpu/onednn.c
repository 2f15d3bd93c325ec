/* oneDNN 2.x and 3.x behind one interface; see onednn.h. The two versions differ in how memory
   and primitive descriptors are made, and in nothing else that is used here. */
#include "cpu/onednn.h"

#include <oneapi/dnnl/dnnl.h>
#include <string.h>

struct engine {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

static const char *status_text(dnnl_status_t status)
{
    switch (status) {
    case dnnl_out_of_memory: return "out of memory";
    case dnnl_invalid_arguments: return "invalid arguments";
    case dnnl_unimplemented: return "not implemented";
    default: return "runtime error";
    }
}

static sumi_status kind_of(dnnl_status_t status)
{
    if (status == dnnl_success) return SUMI_OK;
    return status == dnnl_out_of_memory ? SUMI_ERROR_MEMORY : SUMI_ERROR_BACKEND;
}

static sumi_status check(sumi_context *context, dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return SUMI_OK;
    return context_fail(context, kind_of(status), "oneDNN could not %s: %s", what,
                        status_text(status));
}

void onednn_close(sumi_context *context, void *shared)
{
    struct engine *engine = shared;
    if (!engine) return;
    if (engine->stream) dnnl_stream_destroy(engine->stream);
    if (engine->engine) dnnl_engine_destroy(engine->engine);
    context_release(context, engine);
}

sumi_status onednn_open(sumi_context *context, void **shared)
{
    struct engine *engine = context_allocate_zeroed(context, 1, sizeof *engine);
    if (!engine) return SUMI_ERROR_MEMORY;
    sumi_status status = check(context, dnnl_engine_create(&engine->engine, dnnl_cpu, 0),
                               "open the CPU engine");
    if (status == SUMI_OK) {
        status = check(context, dnnl_stream_create(&engine->stream, engine->engine,
                                                   dnnl_stream_default_flags),
                       "open a stream");
    }
    if (status == SUMI_OK) {
        *shared = engine;
    } else {
        onednn_close(context, engine);
    }
    return status;
}

/* ---- memory descriptors ---- */

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t description;

static dnnl_status_t describe(description *d, int rank, const dnnl_dim_t *sizes,
                              dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(d, rank, sizes, dnnl_f32, tag);
}
static void forget(description *d)
{
    if (*d) dnnl_memory_desc_destroy(*d);
    *d = NULL;
}
static const_dnnl_memory_desc_t query(dnnl_primitive_desc_t primitive, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(primitive, what, 0);
}
typedef const_dnnl_memory_desc_t found;
#define HANDLE(d) (*(d))
#else
typedef dnnl_memory_desc_t description;

static dnnl_status_t describe(description *d, int rank, const dnnl_dim_t *sizes,
                              dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(d, rank, sizes, dnnl_f32, tag);
}
static void forget(description *d)
{
    (void)d;
}
static const dnnl_memory_desc_t *query(dnnl_primitive_desc_t primitive, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(primitive, what, 0);
}
typedef const dnnl_memory_desc_t *found;
#define HANDLE(d) (d)
#endif

/* ---- convolutions ---- */

struct onednn_convolution {
    sumi_context *context;
    struct engine *engine;
    enum onednn_direction direction;
    bool bias;
    dnnl_primitive_t primitive, reorder;        /* reorder: of the weights, NULL if not needed */
    dnnl_memory_t x, weight, bias_memory, y;    /* as the primitive wants them */
    dnnl_memory_t plain_weight;                 /* the weights in torch's layout */
    dnnl_memory_t work;                         /* the primitive's own scratch */
    size_t weight_bytes;                        /* of the reordered weights, in our scratch */
};

/* The descriptions of the three operands and the bias, and the geometry in the library's type. */
struct operands {
    description x, weight, plain_weight, bias, y;
    dnnl_dims_t stride, before, after;
};

static void forget_operands(struct operands *o)
{
    forget(&o->x);
    forget(&o->weight);
    forget(&o->plain_weight);
    forget(&o->bias);
    forget(&o->y);
}

static dnnl_status_t describe_operands(const struct onednn_problem *p, struct operands *o)
{
    for (int i = 0; i < 2; i++) {
        o->stride[i] = p->stride[i];
        o->before[i] = p->before[i];
        o->after[i] = p->after[i];
    }
    const dnnl_dims_t bias = {p->channels_out};
    const dnnl_dims_t x = {p->batch, p->channels_in, p->height, p->width};
    const dnnl_dims_t weight = {p->channels_out, p->channels_in, p->kernel[0], p->kernel[1]};
    const dnnl_dims_t y = {p->batch, p->channels_out, p->out_height, p->out_width};
    dnnl_status_t status = describe(&o->x, 4, x, dnnl_nhwc);
    if (status == dnnl_success) status = describe(&o->weight, 4, weight, dnnl_format_tag_any);
    if (status == dnnl_success) status = describe(&o->plain_weight, 4, weight, dnnl_oihw);
    if (status == dnnl_success) status = describe(&o->bias, 1, bias, dnnl_a);
    if (status == dnnl_success) status = describe(&o->y, 4, y, dnnl_nhwc);
    return status;
}

#if DNNL_VERSION_MAJOR >= 3
static dnnl_status_t make_descriptor(struct engine *e, const struct onednn_problem *p,
                                     struct operands *o, dnnl_primitive_attr_t attributes,
                                     dnnl_primitive_desc_t *result)
{
    const dnnl_dims_t dilation = {0, 0};
    dnnl_primitive_desc_t hint = NULL;
    bool forward = p->direction == ONEDNN_FORWARD;
    dnnl_status_t status = dnnl_convolution_forward_primitive_desc_create(
        forward ? result : &hint, e->engine,
        forward ? dnnl_forward_inference : dnnl_forward_training, dnnl_convolution_direct, o->x,
        o->weight, p->bias ? o->bias : NULL, o->y, o->stride, dilation, o->before, o->after,
        forward ? attributes : NULL);
    if (forward || status != dnnl_success) return status;
    if (p->direction == ONEDNN_DATA_GRADIENT) {
        status = dnnl_convolution_backward_data_primitive_desc_create(
            result, e->engine, dnnl_convolution_direct, o->x, o->weight, o->y, o->stride, dilation,
            o->before, o->after, hint, attributes);
    } else {
        status = dnnl_convolution_backward_weights_primitive_desc_create(
            result, e->engine, dnnl_convolution_direct, o->x, o->weight, NULL, o->y, o->stride,
            dilation, o->before, o->after, hint, attributes);
    }
    dnnl_primitive_desc_destroy(hint);
    return status;
}
#else
static dnnl_status_t make_descriptor(struct engine *e, const struct onednn_problem *p,
                                     struct operands *o, dnnl_primitive_attr_t attributes,
                                     dnnl_primitive_desc_t *result)
{
    dnnl_convolution_desc_t forward, chosen;
    dnnl_primitive_desc_t hint = NULL;
    bool backward = p->direction != ONEDNN_FORWARD;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &forward, backward ? dnnl_forward_training : dnnl_forward_inference,
        dnnl_convolution_direct, &o->x, &o->weight, p->bias ? &o->bias : NULL, &o->y, o->stride,
        o->before, o->after);
    if (status != dnnl_success) return status;
    if (!backward) return dnnl_primitive_desc_create(result, &forward, attributes, e->engine, NULL);
    status = dnnl_primitive_desc_create(&hint, &forward, NULL, e->engine, NULL);
    if (status != dnnl_success) return status;
    if (p->direction == ONEDNN_DATA_GRADIENT) {
        status = dnnl_convolution_backward_data_desc_init(&chosen, dnnl_convolution_direct, &o->x,
                                                          &o->weight, &o->y, o->stride, o->before,
                                                          o->after);
    } else {
        status = dnnl_convolution_backward_weights_desc_init(&chosen, dnnl_convolution_direct,
                                                             &o->x, &o->weight, NULL, &o->y,
                                                             o->stride, o->before, o->after);
    }
    if (status == dnnl_success) {
        status = dnnl_primitive_desc_create(result, &chosen, attributes, e->engine, hint);
    }
    dnnl_primitive_desc_destroy(hint);
    return status;
}
#endif

/* Makes the memory objects, and the reorder between torch's weight layout and the primitive's. */
static dnnl_status_t make_memories(struct onednn_convolution *c, struct operands *o,
                                   dnnl_primitive_desc_t descriptor, size_t *work_bytes)
{
    dnnl_engine_t engine = c->engine->engine;
    bool gradient = c->direction == ONEDNN_WEIGHT_GRADIENT;
    found weight = query(descriptor, gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md);
    found work = query(descriptor, dnnl_query_scratchpad_md);
    *work_bytes = dnnl_memory_desc_get_size(work);
    dnnl_status_t status = dnnl_memory_create(&c->x, HANDLE(&o->x), engine, DNNL_MEMORY_NONE);
    if (!status) status = dnnl_memory_create(&c->y, HANDLE(&o->y), engine, DNNL_MEMORY_NONE);
    if (!status) status = dnnl_memory_create(&c->weight, weight, engine, DNNL_MEMORY_NONE);
    if (!status) status = dnnl_memory_create(&c->work, work, engine, DNNL_MEMORY_NONE);
    if (!status) {
        status = dnnl_memory_create(&c->bias_memory, HANDLE(&o->bias), engine, DNNL_MEMORY_NONE);
    }
    if (!status) {
        status = dnnl_memory_create(&c->plain_weight, HANDLE(&o->plain_weight), engine,
                                    DNNL_MEMORY_NONE);
    }
    if (status || dnnl_memory_desc_equal(weight, HANDLE(&o->plain_weight))) return status;
    c->weight_bytes = dnnl_memory_desc_get_size(weight);
    dnnl_primitive_desc_t reorder = NULL;
    found plain = HANDLE(&o->plain_weight);
    status = dnnl_reorder_primitive_desc_create(&reorder, gradient ? weight : plain, engine,
                                                gradient ? plain : weight, engine, NULL);
    if (!status) status = dnnl_primitive_create(&c->reorder, reorder);
    if (reorder) dnnl_primitive_desc_destroy(reorder);
    return status;
}

static dnnl_status_t make_primitive(struct onednn_convolution *c, const struct onednn_problem *p,
                                    size_t *work_bytes)
{
    struct operands operands;
    memset(&operands, 0, sizeof operands);
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = describe_operands(p, &operands);
    if (!status) status = dnnl_primitive_attr_create(&attributes);
    if (!status) {
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    }
    if (!status) status = make_descriptor(c->engine, p, &operands, attributes, &descriptor);
    if (!status) status = dnnl_primitive_create(&c->primitive, descriptor);
    if (!status) status = make_memories(c, &operands, descriptor, work_bytes);
    if (descriptor) dnnl_primitive_desc_destroy(descriptor);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    forget_operands(&operands);
    return status;
}

static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

sumi_status onednn_convolution_create(sumi_context *context, void *shared,
                                      const struct onednn_problem *problem,
                                      struct onednn_convolution **convolution, size_t *scratch)
{
    struct onednn_convolution *c = context_allocate_zeroed(context, 1, sizeof *c);
    if (!c) return SUMI_ERROR_MEMORY;
    c->context = context;
    c->engine = shared;
    c->direction = problem->direction;
    c->bias = problem->bias;
    size_t work_bytes = 0;
    sumi_status status = check(context, make_primitive(c, problem, &work_bytes),
                               "prepare a convolution");
    if (status != SUMI_OK) {
        onednn_convolution_free(c);
        return status;
    }
    *scratch = rounded(c->weight_bytes) + rounded(work_bytes);
    *convolution = c;
    return SUMI_OK;
}

void onednn_convolution_free(struct onednn_convolution *c)
{
    if (!c) return;
    dnnl_memory_t memories[] = {c->x, c->weight, c->bias_memory, c->y, c->plain_weight, c->work};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    }
    if (c->primitive) dnnl_primitive_destroy(c->primitive);
    if (c->reorder) dnnl_primitive_destroy(c->reorder);
    context_release(c->context, c);
}

static dnnl_status_t reorder_weights(struct onednn_convolution *c)
{
    bool gradient = c->direction == ONEDNN_WEIGHT_GRADIENT;
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_FROM, gradient ? c->weight : c->plain_weight},
        {DNNL_ARG_TO, gradient ? c->plain_weight : c->weight},
    };
    return dnnl_primitive_execute(c->reorder, c->engine->stream, 2, arguments);
}

static dnnl_status_t execute(struct onednn_convolution *c)
{
    dnnl_exec_arg_t arguments[5];
    int count = 0;
    bool data = c->direction == ONEDNN_DATA_GRADIENT, forward = c->direction == ONEDNN_FORWARD;
    bool gradient = c->direction == ONEDNN_WEIGHT_GRADIENT;
    arguments[count++] = (dnnl_exec_arg_t){data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, c->x};
    arguments[count++] =
        (dnnl_exec_arg_t){gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, c->weight};
    arguments[count++] = (dnnl_exec_arg_t){forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, c->y};
    arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, c->work};
    if (c->bias) arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, c->bias_memory};
    return dnnl_primitive_execute(c->primitive, c->engine->stream, count, arguments);
}

sumi_status onednn_convolution_run(struct onednn_convolution *c, float *x, float *weight,
                                   const float *bias, float *y, void *scratch)
{
    char *room = scratch;
    bool gradient = c->direction == ONEDNN_WEIGHT_GRADIENT;
    dnnl_status_t status = dnnl_memory_set_data_handle(c->x, x);
    if (!status) status = dnnl_memory_set_data_handle(c->y, y);
    if (!status) status = dnnl_memory_set_data_handle(c->plain_weight, weight);
    if (!status) {
        status = dnnl_memory_set_data_handle(c->weight, c->reorder ? (void *)room : weight);
    }
    if (!status) status = dnnl_memory_set_data_handle(c->work, room + rounded(c->weight_bytes));
    if (!status && c->bias) status = dnnl_memory_set_data_handle(c->bias_memory, (void *)bias);
    if (!status && c->reorder && !gradient) status = reorder_weights(c);
    if (!status) status = execute(c);
    if (!status && c->reorder && gradient) status = reorder_weights(c);
    if (!status) status = dnnl_stream_wait(c->engine->stream);
    return check(c->context, status, "run a convolution");
}

sumi_status onednn_product(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                           const float *a, int64_t stride_a, const float *b, int64_t stride_b,
                           float *c, int64_t stride_c)
{
    return kind_of(dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0f, a,
                              stride_a, b, stride_b, 0.0f, c, stride_c));
}

sumi_status onednn_explain_product(sumi_context *context, sumi_status status)
{
    if (status == SUMI_OK) return SUMI_OK;
    return context_fail(context, status, "oneDNN could not multiply matrices: %s",
                        status == SUMI_ERROR_MEMORY ? "out of memory" : "runtime error");
}
