/* SPDX-License-Identifier: Apache-2.0 */
/* The static graph: nodes in the order of their creation, in which they can be computed. An op is
   the type of a node; this header has its interface, and src/ops/ the ops. Shapes are channels
   last. */
#ifndef SUMI_GRAPH_GRAPH_H
#define SUMI_GRAPH_GRAPH_H

#include <stdatomic.h>

#include "base/element.h"
#include "base/profile.h"
#include "sumi_graph.h"

enum { MAX_INPUTS = 10 };

/* More elements than fit in any memory: larger results are refused, so that no product of sizes
   overflows. */
#define ELEMENT_LIMIT ((int64_t)1 << 40)

struct shape {
    int rank;
    int64_t size[SUMI_MAX_RANK];
};

/* The attributes of a node. Each op reads and sets only the member of its name. */
struct attributes {
    struct {
        double scale, shift;
    } affine;
    struct {
        double probability;
        uint64_t stream; /* its number in the graph */
    } dropout_mask;
    struct {
        int64_t groups;
        double epsilon;
        bool silu;
    } norm; /* group norm, its parts and gradients */
    struct {
        double epsilon;
        bool rms; /* the mean is not subtracted */
    } layer_norm; /* and its gradient */
    struct {
        int activation; /* an enum activation_form */
    } activate;         /* and gated units */
    struct {
        int64_t heads;
        bool inverse; /* rotate backwards */
    } rotary;
    struct {
        int64_t heads;
        double scale;
        bool biased, causal;
    } attention; /* and its gradient */
    struct {
        int64_t height, width; /* of the picture, in pixels */
        int64_t down, across;  /* of a patch */
    } patches;
    struct {
        bool transpose_a, transpose_b;
        bool activations; /* of a linear layer over positions: stored as bfloat16 */
    } matmul;             /* and linear layers */
    struct {
        unsigned parts; /* which of its optional inputs a fused op has */
        double scale;   /* factor of the result, applied last */
    } epilogue;
    struct {
        int axis;
        int64_t first, end; /* range of the axis */
    } slice;
    struct {
        int axis;
        int64_t before, after; /* zeros */
    } pad;
    struct {
        int axis;
    } concat;
    struct {
        int64_t first; /* element of the input */
    } view;
    struct {
        unsigned axes;
    } sum;
    struct {
        int order[SUMI_MAX_RANK];
    } permute;
    struct {
        int64_t factor[2];
    } upsample;                   /* and block sum */
    sumi_convolution convolution; /* and its two gradients */
    struct {
        bool largest;      /* else the mean */
        int64_t window[2]; /* down, across */
        sumi_convolution geometry;
    } pool;
    struct shape shape; /* the result's, where the inputs do not determine it */
};

struct node;

/* The key of the random numbers of a run. A step may be computed in equal parts, one run for each,
   which together draw the same numbers as a single run of all items. */
struct run_key {
    uint64_t seed, step, part;
};

/* How an op's result is stored where a graph is planned in bfloat16. */
enum op_storage {
    /* Like the operands of its size: bfloat16 where one is, unless another that is computed or an
       input is float32. Small operands, weights and constants do not count. */
    STORAGE_AS_OPERANDS,
    STORAGE_BFLOAT16, /* products, for any operands */
    STORAGE_FLOAT32   /* sums and statistics; do not count as operands */
};

/* An op: its shape rule, its gradient rule and the kernel that defines it. */
struct op {
    const char *name;
    int min_inputs, max_inputs;

    /* Checks the inputs and sets node->shape. On failure returns the status of graph_fail. */
    sumi_status (*infer)(sumi_graph *graph, struct node *node);

    /* Given d(loss)/d(node), writes d(loss)/d(input i) to gradients[i], or leaves it at -1 where
       the loss does not depend on that input. It appends nodes to the graph. */
    void (*gradient)(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS]);

    /* For fused ops without a gradient rule: the same value built from elementary ops, which is
       then differentiated instead. */
    sumi_node (*expand)(sumi_graph *graph, sumi_node node);

    /* The definition: output from inputs, row-major, in double, in plain loops. NULL for leaves. */
    void (*reference)(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key);

    /* Element-wise ops whose definition is unary_reference or binary_reference: the function of one
       element of each input. */
    double (*of_one)(double);
    double (*of_two)(double, double);

    /* The least cost of the node, where it is not what graph_cost assumes: one operation for each
       element of the result, every input read once and the result written once. *cost has these
       values on entry. */
    void (*cost)(const sumi_graph *graph, const struct node *node, struct cost *cost);

    bool view; /* the output is input 0's memory, from element attributes.view.first on */
    /* Bit i: input i may be int32. All others are floating-point, but views take any. */
    unsigned integer_inputs;
    bool in_place; /* output element i depends on input 0 only through its element i */
    enum op_storage storage;
};

struct node {
    const struct op *op;
    int input_count;
    sumi_node inputs[MAX_INPUTS];
    struct shape shape;
    sumi_element element; /* of its values; floating-point values may be planned as bfloat16 */
    struct attributes attributes;
    int64_t weight;  /* of weight leaves: number in graph->weights */
    float *constant; /* of constant leaves, owned */
    char *name;      /* of input leaves, owned */
};

struct sumi_graph {
    sumi_context *context;
    sumi_weights *weights;
    bool training;
    bool bfloat16;      /* whether plans store activations as bfloat16 */
    sumi_status status; /* the first failure */
    struct node *nodes;
    int32_t count, capacity;
    uint64_t masks;   /* number of dropout masks so far */
    sumi_node *marks; /* starts of segments, in ascending order (segment.c) */
    int32_t mark_count, mark_capacity;
    /* Bytes that the kernels of a plan may keep of what they compute from weights, which then
       rarely change; 0 for none. */
    int64_t keep_most;
    bool recompute; /* differentiate with the values inside segments recomputed */
    /* Goes before the names of weights, so that two networks can be in one graph; NULL for none. */
    const char *prefix;
    /* A plan that never runs at the same time as those of this graph, which outlives them and whose
       memory they use where it suffices; NULL for none. */
    const sumi_plan *lender;
};

/* Leaves (src/graph/leaf.c); they have no inputs and no reference kernel. A side output is memory
   for a second result of an op: the op has the side output as an input and writes to it, and later
   nodes read it. Only fusion creates side outputs. */
extern const struct op op_input, op_constant, op_weight, op_side_output;

/* Appends a node; -1 if an input is -1, or on failure (recorded in the graph). `attributes` may be
   NULL for all zero. Inputs beyond the op's min_inputs that are -1 are omitted. */
sumi_node graph_append(sumi_graph *graph, const struct op *op, int input_count,
                       const sumi_node *inputs, const struct attributes *attributes);

/* A table that is kept with the weights but not trained, such as one of positions: the weight of
   that name, which starts with values[shape] where it is new (src/graph/leaf.c). */
sumi_node graph_table(sumi_graph *graph, const char *name, int rank, const int64_t *shape,
                      const float *values);

/* Records a failure in the graph and its context: SUMI_ERROR_ARGUMENT with a sentence. */
sumi_status graph_fail(sumi_graph *graph, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Records a failure whose message the context already has. Both return the graph's first
   failure. */
sumi_status graph_fail_with(sumi_graph *graph, sumi_status status);

/* A node or its shape. The pointers are valid until the next append. */
static inline const struct node *graph_node(const sumi_graph *graph, sumi_node node)
{
    return &graph->nodes[node];
}
static inline const struct shape *graph_shape(const sumi_graph *graph, sumi_node node)
{
    return &graph->nodes[node].shape;
}
static inline const struct shape *input_shape(const sumi_graph *graph, const struct node *node,
                                              int input)
{
    return &graph->nodes[node->inputs[input]].shape;
}

/* The segment of node n: the nodes from *first up to before *end. False before the first mark and
   after the last (src/graph/segment.c). */
bool graph_find_segment(const sumi_graph *graph, sumi_node n, sumi_node *first, sumi_node *end);

int64_t shape_count(const struct shape *shape); /* number of elements */
bool shape_equal(const struct shape *left, const struct shape *right);
/* Product of the sizes from axis `first` up to before axis `end`. */
int64_t shape_span(const struct shape *shape, int first, int end);
/* Writes "[2, 3, 4]" to text[SHAPE_TEXT]. */
enum { SHAPE_TEXT = 192 };
const char *shape_text(const struct shape *shape, char text[SHAPE_TEXT]);

/* The least cost of computing a node, by its op's cost rule. */
struct cost graph_cost(const sumi_graph *graph, const struct node *node);
/* The cost rule of ops that only move numbers: no operations. */
void cost_of_moving(const sumi_graph *graph, const struct node *node, struct cost *cost);
/* The cost rule of sums: one operation for each element of input 0. */
void cost_of_summing(const sumi_graph *graph, const struct node *node, struct cost *cost);

/* ---- weights (src/graph/weights.c) ---- */

struct weight {
    char *name;
    struct shape shape;
    float *data;          /* its own values, or NULL where they are read in place from the source */
    const void *mapped;   /* the values in the source, read-only */
    sumi_element element; /* of the values */
    atomic_bool known_finite; /* mapped values are checked when a plan first needs them */
    bool trainable;
};

/* Where new weights come from instead of their initial values. */
struct weight_source {
    void *user;
    /* Checks that there is a weight of that name and shape, before memory is allocated for it;
     *place receives its index. */
    sumi_status (*find)(void *user, const char *name, const struct shape *shape, size_t *place);
    /* Reads its values to data[shape]. */
    sumi_status (*read)(void *user, size_t place, float *data);
    /* Its values in place, as float32, bfloat16 or float16, valid until `release` of the weights'
       backing; NULL where that is not possible. The member may be NULL. */
    const void *(*map)(void *user, size_t place, sumi_element *element);
};

/* What owns the memory of mapped weights. */
struct weight_backing {
    void *user;
    char *name; /* for messages: the file */
    /* Fails if the values have changed; `context` is that of the calling thread. */
    sumi_status (*check)(sumi_context *context, void *user);
    void (*release)(void *user);
};

struct sumi_weights {
    sumi_context *context;
    const struct weight_source *source; /* NULL: new weights get their initial values */
    struct weight_backing backing;      /* owned; name from the context's allocator */
    int64_t mapped;                     /* how many items have no values of their own */
    uint64_t layout;                    /* changes whenever values move in memory */
    uint64_t seed;
    _Atomic uint64_t version; /* changes whenever values change; never 0 */
    struct weight *items;     /* in the order of creation */
    int64_t count, capacity;
};

/* Copies a mapped weight to its own float32 memory, so that it can be written; plans that read it
   become stale (plan_is_stale). The second does so for all weights. */
sumi_status weights_own(sumi_weights *weights, int64_t number);
sumi_status weights_own_all(sumi_weights *weights);
/* The values, of type weight.element. */
static inline const void *weight_values(const struct weight *weight)
{
    return weight->data ? weight->data : weight->mapped;
}
/* Copies the values to float32 output[shape]. */
sumi_status weight_read(const sumi_weights *weights, const struct weight *weight, float *output);
/* The same for elements first ... first + count - 1 alone. */
sumi_status weight_read_part(const sumi_weights *weights, const struct weight *weight,
                             int64_t first, int64_t count, float *output);
/* weight_begin allocates a weight's own values and sets *values to where to write them: there, or
   host memory that weight_end uploads, unless `status` is a failure. */
sumi_status weight_begin(const sumi_weights *weights, struct weight *weight, float **values);
sumi_status weight_end(const sumi_weights *weights, struct weight *weight, float *values,
                       sumi_status status);
/* Fails if the file of mapped weights was truncated or written to after it was opened. Call it
   before they are read and after, before the results are used. `context` is that of the calling
   thread. */
sumi_status weights_check_backing(sumi_context *context, const sumi_weights *weights);
/* Refuses a mapped weight with NaN or infinity. `context` is that of the calling thread. */
sumi_status weights_check_finite(sumi_context *context, sumi_weights *weights, int64_t number);

/* Call it after values were written: discards what was computed from them. */
void weights_changed(sumi_weights *weights);

/* The index of the weight of that name, or -1. */
int64_t weights_find(const sumi_weights *weights, const char *name);
/* What a new weight starts with: drawn, or `table`, the values of its shape. */
struct weight_start {
    sumi_start kind;
    double scale;
    const float *table; /* NULL for none */
};
/* Adds a weight with its initial values, or those of the source; *number receives its index. */
sumi_status weights_add(sumi_weights *weights, const char *name, const struct shape *shape,
                        const struct weight_start *start, int64_t *number);

/* ---- evaluation in double by the reference kernels (src/graph/interpret.c) ---- */

/* Computes all nodes that `outputs` need. `values` has graph->count pointers: the caller sets those
   of the input leaves, and of weights it wants to override, to arrays of its own, all others to
   NULL. On success it also has the arrays of the computed nodes; interpret_release releases these,
   but not the caller's. */
sumi_status interpret(sumi_graph *graph, int count, const sumi_node *outputs, double **values,
                      bool *owned, const struct run_key *key);
void interpret_release(sumi_graph *graph, double **values, const bool *owned);

#endif
