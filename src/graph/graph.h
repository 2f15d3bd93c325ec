/* SPDX-License-Identifier: Apache-2.0 */
/* The static graph: nodes in the order they were made, which is an order they can be computed in.
   An op is a node's type; what an op must provide is written here, the ops themselves are in
   src/ops/. Shapes are channels last. */
#ifndef SUMI_GRAPH_GRAPH_H
#define SUMI_GRAPH_GRAPH_H

#include <stdatomic.h>

#include "base/element.h"
#include "base/profile.h"
#include "sumi_graph.h"

enum { MAX_INPUTS = 10 };

/* More elements than any memory holds: larger results are refused, so that no product of sizes
   overflows. */
#define ELEMENT_LIMIT ((int64_t)1 << 40)

struct shape {
    int rank;
    int64_t size[SUMI_MAX_RANK];
};

/* What a node needs to know beside its inputs. Each op reads the members of its name, and sets no
   others. */
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
        bool rms; /* the mean is not taken off */
    } layer_norm; /* and its gradient */
    struct {
        int activation; /* an enum activation_form */
    } activate;         /* and gated units */
    struct {
        int64_t heads;
        bool inverse; /* turn back */
    } rotary;
    struct {
        int64_t heads;
        double scale;
    } attention; /* and its gradient */
    struct {
        bool transpose_a, transpose_b;
    } matmul; /* and linear layers */
    struct {
        unsigned parts; /* which of its optional inputs a fused op has */
        double scale;   /* by which the result is multiplied at last */
    } epilogue;
    struct {
        int axis;
        int64_t first, end; /* of what is taken */
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
    struct shape shape;           /* the result's, where the inputs do not determine it */
};

struct node;

/* What keys the random numbers of a run. A step may be done in parts of equal size, one run for
   each, that together draw what a single run of all items would have drawn. */
struct run_key {
    uint64_t seed, step, part;
};

/* How an op's result is stored where a graph is planned in bfloat16. */
enum op_storage {
    /* As the operands of its size are: bfloat16 where one is and no other that was computed or is
       an input is float32. Small operands, weights and constants do not count. */
    STORAGE_AS_OPERANDS,
    STORAGE_BFLOAT16, /* products, whatever they are of */
    STORAGE_FLOAT32   /* sums and statistics; do not count as operands */
};

/* An op: its shape rule, its gradient rule and the kernel that defines it. */
struct op {
    const char *name;
    int min_inputs, max_inputs;

    /* Checks the inputs and sets node->shape. On failure returns what graph_fail gave. */
    sumi_status (*infer)(sumi_graph *graph, struct node *node);

    /* Given d(loss)/d(node), writes d(loss)/d(input i) to gradients[i], or leaves it at -1 where
       the loss does not depend on that input. It builds graph. */
    void (*gradient)(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS]);

    /* For fused ops without a gradient rule: the same value built from elementary ops, which is
       then differentiated instead. */
    sumi_node (*expand)(sumi_graph *graph, sumi_node node);

    /* The definition: output from inputs, row-major, in double, in plain loops. NULL for leaves. */
    void (*reference)(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key);

    /* What computing the node takes at least, where that is not what graph_cost assumes: one
       operation for each element of the result, every input read and the result written once. Finds
       these assumptions in *cost and corrects them. */
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
    sumi_element element; /* of its values: what is floating-point may be planned as bfloat16 */
    struct attributes attributes;
    int64_t weight;  /* of weight leaves: number in graph->weights */
    float *constant; /* of constant leaves, owned */
    char *name;      /* of input leaves, owned */
};

struct sumi_graph {
    sumi_context *context;
    sumi_weights *weights;
    bool training;
    bool bfloat16;      /* whether plans keep activations so */
    sumi_status status; /* the first failure */
    struct node *nodes;
    int32_t count, capacity;
    uint64_t masks;   /* dropout mask made so far */
    sumi_node *marks; /* where segments begin, in ascending order (segment.c) */
    int32_t mark_count, mark_capacity;
    bool
        constant_weights; /* the weights seldom change: kernels may keep what they make from them */
    bool recompute;       /* differentiate with the values inside segments computed again */
};

/* Leaves (src/graph/leaf.c); they have no inputs and no reference kernel. A side output is memory
   that an op with several results fills beside its output: it reads the side output as an input and
   writes there what later nodes find. Only fusion makes side outputs. */
extern const struct op op_input, op_constant, op_weight, op_side_output;

/* Appends a node; -1 if an input is -1, or on failure (recorded in the graph). `attributes` may be
   NULL for all zero. Inputs beyond the op's min_inputs that are -1 count as left out. */
sumi_node graph_append(sumi_graph *graph, const struct op *op, int input_count,
                       const sumi_node *inputs, const struct attributes *attributes);

/* Records a failure in the graph and its context: SUMI_ERROR_ARGUMENT with a sentence. */
sumi_status graph_fail(sumi_graph *graph, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Records a failure whose message the context has already. Both return the graph's
   first failure. */
sumi_status graph_fail_with(sumi_graph *graph, sumi_status status);

/* A node or its shape. The pointers live until the next append. */
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

/* The segment that node n lies in: those from *first up to before *end. False before the first mark
   and after the last (src/graph/segment.c). */
bool graph_find_segment(const sumi_graph *graph, sumi_node n, sumi_node *first, sumi_node *end);

int64_t shape_count(const struct shape *shape); /* number of elements */
bool shape_equal(const struct shape *left, const struct shape *right);
/* Product of the sizes from axis `first` up to before axis `end`. */
int64_t shape_span(const struct shape *shape, int first, int end);
/* "[2, 3, 4]" into text[SHAPE_TEXT]. */
enum { SHAPE_TEXT = 192 };
const char *shape_text(const struct shape *shape, char text[SHAPE_TEXT]);

/* What computing a node takes at least, by its op's cost rule. */
struct cost graph_cost(const sumi_graph *graph, const struct node *node);
/* A cost rule for ops that only move numbers: no operations. */
void cost_of_moving(const sumi_graph *graph, const struct node *node, struct cost *cost);
/* A cost rule for sums: one operation for each element of input 0. */
void cost_of_summing(const sumi_graph *graph, const struct node *node, struct cost *cost);

/* Reads the name of a precision, "float32" or "bf16": whether it is bf16 (src/graph/storage.c). */
sumi_status precision_read(sumi_context *context, const char *precision, bool *bf16);

/* ---- weights (src/graph/weights.c) ---- */

struct weight {
    char *name;
    struct shape shape;
    float *data; /* its own values, or NULL where they are read in the place of their source */
    const void *mapped;       /* those, read-only */
    sumi_element element;     /* of the values */
    atomic_bool known_finite; /* those of mapped ones are looked at when a plan needs them */
    bool trainable;
};

/* Where new weights come from instead of their initial values. */
struct weight_source {
    void *user;
    /* Checks that there is a weight of that name and shape, before memory is made for it, and
       notes its place. */
    sumi_status (*find)(void *user, const char *name, const struct shape *shape, size_t *place);
    /* Fills data[shape] from there. */
    sumi_status (*read)(void *user, size_t place, float *data);
    /* The values as they lie there, float32, bfloat16 or float16, if they can be read in place
       until `release` of the weights' backing is called; else NULL. The member may be NULL. */
    const void *(*map)(void *user, size_t place, sumi_element *element);
};

/* What mapped weights lie in. */
struct weight_backing {
    void *user;
    char *name; /* for messages: the file */
    void (*release)(void *user);
};

struct sumi_weights {
    sumi_context *context;
    const struct weight_source *source; /* NULL: new weights get their initial values */
    struct weight_backing backing;      /* taken over; name by the context's allocator */
    uint64_t layout;                    /* changes whenever values move */
    uint64_t seed;
    _Atomic uint64_t version; /* changes whenever values do; never 0 */
    struct weight *items;     /* in the order of their making */
    int64_t count, capacity;
};

/* Gives a mapped weight values of its own, float32, to be written to; all plans that read it become
   stale (plan_is_stale). The second does so for all. */
sumi_status weights_own(sumi_weights *weights, int64_t number);
sumi_status weights_own_all(sumi_weights *weights);
/* Where the values are, of weight.element. */
static inline const void *weight_values(const struct weight *weight)
{
    return weight->data ? weight->data : weight->mapped;
}
/* Copies the values to float32 output[shape]. */
sumi_status weight_read(const sumi_weights *weights, const struct weight *weight, float *output);
/* Memory for a weight's own values, and *values where to write them at first: there, or memory of
   the host whose contents weight_end brings there, unless `status` is a failure. */
sumi_status weight_begin(const sumi_weights *weights, struct weight *weight, float **values);
sumi_status weight_end(const sumi_weights *weights, struct weight *weight, float *values,
                       sumi_status status);
/* Refuses a mapped weight that holds NaN or infinity. `context` is that of the calling thread. */
sumi_status weights_check_finite(sumi_context *context, sumi_weights *weights, int64_t number);

/* To be called after values were written: nothing made from them is kept. */
void weights_changed(sumi_weights *weights);

/* Number of the weight of that name, or -1. */
int64_t weights_find(const sumi_weights *weights, const char *name);
/* Adds a weight with its initial values, or those of the source; its number to *number. */
sumi_status weights_add(sumi_weights *weights, const char *name, const struct shape *shape,
                        sumi_start start, double scale, int64_t *number);

/* ---- evaluation in double by the reference kernels (src/graph/interpret.c) ---- */

/* Computes all nodes that `outputs` need. `values` has graph->count pointers: the caller sets
   those of the input leaves, and of weights it wants to override, to arrays of its own, all others
   to NULL. On success the computed nodes' arrays are there too; interpret_release gives these
   back and leaves the caller's alone. */
sumi_status interpret(sumi_graph *graph, int count, const sumi_node *outputs, double **values,
                      bool *owned, const struct run_key *key);
void interpret_release(sumi_graph *graph, double **values, const bool *owned);

#endif
