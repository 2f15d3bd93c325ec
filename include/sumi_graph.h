/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_graph.h: your own networks and objectives, on top of sumi.h. Everything here is experimental
   and may change in any version.

   A graph is built once for given shapes, differentiated into more nodes, planned, and then run
   many times without allocation. Results of builders need not be checked one by one: a failed call
   returns -1, every later call on -1 returns -1, and sumi_graph_status() is the first failure.
   Arrays are float32 unless stated otherwise, row-major, channels last, as in sumi.h. */
#ifndef SUMI_GRAPH_H
#define SUMI_GRAPH_H

#include "sumi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Graphs, and the weights that they share ------------------------------------------------- */

typedef struct sumi_graph sumi_graph;
typedef struct sumi_weights sumi_weights;
typedef struct sumi_plan sumi_plan;
typedef int32_t sumi_node; /* a value in a graph; -1 after a failure */

/* Creates a set of named weights, which graphs share: a training graph and a sampling graph use the
   same memory. `seed` keys the initial values. */
SUMI_API sumi_status sumi_weights_create(sumi_context *context, uint64_t seed,
                                         sumi_weights **weights);
SUMI_API void sumi_weights_free(sumi_weights *weights);
SUMI_API int64_t sumi_weights_count(const sumi_weights *weights);
SUMI_API bool sumi_weights_get(const sumi_weights *weights, int64_t number, sumi_weight *weight);

/* Creates an empty graph over `weights` (NULL for none). `training` enables dropout. */
SUMI_API sumi_status sumi_graph_create(sumi_context *context, sumi_weights *weights, bool training,
                                       sumi_graph **graph);
SUMI_API void sumi_graph_free(sumi_graph *graph);
SUMI_API sumi_status sumi_graph_status(const sumi_graph *graph);
/* The shape of a node; returns its rank, or -1 for a node that does not exist. */
SUMI_API int sumi_graph_shape(const sumi_graph *graph, sumi_node node,
                              int64_t shape[SUMI_MAX_RANK]);

/* ---- Leaves ---------------------------------------------------------------------------------- */

SUMI_API sumi_node sumi_graph_input(sumi_graph *graph, const char *name, int rank,
                                    const int64_t *shape);
/* The same for elements of another type: float32 or int32. Whole numbers such as labels and tokens
   are int32; only the indices of gather take them. */
SUMI_API sumi_node sumi_graph_typed_input(sumi_graph *graph, const char *name, sumi_element element,
                                          int rank, const int64_t *shape);
SUMI_API sumi_node sumi_graph_constant(sumi_graph *graph, int rank, const int64_t *shape,
                                       const float *values);           /* copied */
SUMI_API sumi_node sumi_graph_number(sumi_graph *graph, double value); /* rank 0 */
/* The initial values of a new weight. FAN_IN is torch's default for convolutions and linear layers:
   uniform within 1/sqrt(fan), where `scale` is the fan (inputs to one output); NORMAL has standard
   deviation `scale`; FIXED is NORMAL and is not trained. */
typedef enum sumi_start {
    SUMI_START_ZERO,
    SUMI_START_ONE,
    SUMI_START_FAN_IN,
    SUMI_START_NORMAL,
    SUMI_START_FIXED
} sumi_start;
/* The weight of that name: creates it if it is new, else checks its shape. */
SUMI_API sumi_node sumi_graph_weight(sumi_graph *graph, const char *name, int rank,
                                     const int64_t *shape, sumi_start start, double scale);

/* ---- Ops ------------------------------------------------------------------------------------- */

/* Element-wise; shapes broadcast as in numpy. */
SUMI_API sumi_node sumi_op_add(sumi_graph *graph, sumi_node a, sumi_node b);
SUMI_API sumi_node sumi_op_subtract(sumi_graph *graph, sumi_node a, sumi_node b);
SUMI_API sumi_node sumi_op_multiply(sumi_graph *graph, sumi_node a, sumi_node b);
SUMI_API sumi_node sumi_op_divide(sumi_graph *graph, sumi_node a, sumi_node b);
/* scale * x + shift */
SUMI_API sumi_node sumi_op_affine(sumi_graph *graph, sumi_node x, double scale, double shift);
SUMI_API sumi_node sumi_op_exp(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_log(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_sqrt(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_sin(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_cos(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_sigmoid(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_tanh(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_silu(sumi_graph *graph, sumi_node x);     /* x sigmoid(x) */
SUMI_API sumi_node sumi_op_softplus(sumi_graph *graph, sumi_node x); /* log(1 + exp x) */
SUMI_API sumi_node sumi_op_mish(sumi_graph *graph, sumi_node x);     /* x tanh(softplus x) */
SUMI_API sumi_node sumi_op_erf(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_gelu(sumi_graph *graph, sumi_node x); /* x (1 + erf(x/sqrt 2)) / 2 */
/* GELU by its two usual approximations: x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)) and
   x sigmoid(1.702 x). */
SUMI_API sumi_node sumi_op_gelu_tanh(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_gelu_quick(sumi_graph *graph, sumi_node x);
/* x[..., 2 d] as values, then gates: value gelu(gate), [..., d] (Shazeer 2020). */
SUMI_API sumi_node sumi_op_geglu(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_relu(sumi_graph *graph, sumi_node x);
SUMI_API sumi_node sumi_op_step(sumi_graph *graph, sumi_node x); /* 1 where x > 0, else 0 */

/* Shape. Axes count from 0. */
SUMI_API sumi_node sumi_op_reshape(sumi_graph *graph, sumi_node x, int rank, const int64_t *shape);
SUMI_API sumi_node sumi_op_permute(sumi_graph *graph, sumi_node x, const int *axes);
SUMI_API sumi_node sumi_op_broadcast(sumi_graph *graph, sumi_node x, int rank,
                                     const int64_t *shape);
/* The sum over the axes whose bit is set in `axes` (1 << axis); they remain with size 1. */
SUMI_API sumi_node sumi_op_sum(sumi_graph *graph, sumi_node x, unsigned axes);
SUMI_API sumi_node sumi_op_mean(sumi_graph *graph, sumi_node x, unsigned axes);
SUMI_API sumi_node sumi_op_slice(sumi_graph *graph, sumi_node x, int axis, int64_t first,
                                 int64_t count);
/* Pads an axis with zeros before and after. */
SUMI_API sumi_node sumi_op_pad(sumi_graph *graph, sumi_node x, int axis, int64_t before,
                               int64_t after);
SUMI_API sumi_node sumi_op_concat(sumi_graph *graph, sumi_node a, sumi_node b, int axis);

/* Products. a[..., m, k] b[..., k, n], either transposed; equal leading dimensions. */
SUMI_API sumi_node sumi_op_matmul(sumi_graph *graph, sumi_node a, sumi_node b, bool transpose_a,
                                  bool transpose_b);
/* x[..., in] by weight[out, in] (torch's layout) plus bias[out] (-1 for none): [..., out]. */
SUMI_API sumi_node sumi_op_linear(sumi_graph *graph, sumi_node x, sumi_node weight, sumi_node bias);
/* x[n,h,w,in], weight[out,in,kh,kw], bias[out] or -1; symmetric or one-sided zero padding. */
typedef struct sumi_convolution {
    int64_t stride[2];           /* down, across */
    int64_t before[2], after[2]; /* padding at the top and left, at the bottom and right */
} sumi_convolution;
SUMI_API sumi_node sumi_op_convolution(sumi_graph *graph, sumi_node x, sumi_node weight,
                                       sumi_node bias, const sumi_convolution *geometry);
/* The transposed convolution: from y[n,oh,ow,out] to [n,height,width,in]. */
SUMI_API sumi_node sumi_op_convolution_transposed(sumi_graph *graph, sumi_node y, sumi_node weight,
                                                  const sumi_convolution *geometry, int64_t height,
                                                  int64_t width);

/* Group normalisation of x[n, ..., c] with scale and shift [c] or [n, c], then SiLU if `silu`. */
SUMI_API sumi_node sumi_op_group_norm(sumi_graph *graph, sumi_node x, sumi_node scale,
                                      sumi_node shift, int64_t groups, double epsilon, bool silu);
/* Layer normalisation of x[n, ..., d] along the last axis with scale and shift [d] or, for each
   item, [n, d]; either may be -1 for none. */
SUMI_API sumi_node sumi_op_layer_norm(sumi_graph *graph, sumi_node x, sumi_node scale,
                                      sumi_node shift, double epsilon);
/* The same without subtracting the mean: x / sqrt(mean(x^2) + epsilon) times the scale. */
SUMI_API sumi_node sumi_op_rms_norm(sumi_graph *graph, sumi_node x, sumi_node scale,
                                    double epsilon);
SUMI_API sumi_node sumi_op_softmax(sumi_graph *graph, sumi_node x); /* along the last axis */
/* softmax(q k^T scale) v for each head: q[n,l,heads*d], k and v[n,m,heads*d] to [n,l,heads*d]. */
SUMI_API sumi_node sumi_op_attention(sumi_graph *graph, sumi_node q, sumi_node k, sumi_node v,
                                     int64_t heads, double scale);
/* softmax(q k^T scale + bias) v. The bias (-1: none) is [n, heads, queries, keys], where all but
   the keys may be 1 and repeat; a large negative number hides a key. Each query must see at least
   one key. With `causal`, query i sees only keys 0 to i, and there are as many queries as keys. */
SUMI_API sumi_node sumi_op_attention_masked(sumi_graph *graph, sumi_node q, sumi_node k,
                                            sumi_node v, sumi_node bias, bool causal, int64_t heads,
                                            double scale);
/* The patches of x[n,height,width,c] as rows: [n, height/down * width/across, down*across*c],
   patches row by row and the numbers of each in the order of the picture; and back. */
SUMI_API sumi_node sumi_op_patchify(sumi_graph *graph, sumi_node x, int64_t down, int64_t across);
SUMI_API sumi_node sumi_op_unpatchify(sumi_graph *graph, sumi_node patches, int64_t height,
                                      int64_t width, int64_t down, int64_t across);
/* Rotary position embedding (Su et al. 2021): rotates each pair of neighbouring numbers of x[n,
   length, heads*2*pairs] by the angle whose cosine and sine are in the tables [length, pairs]. The
   tables get no derivative. */
SUMI_API sumi_node sumi_op_rotary(sumi_graph *graph, sumi_node x, sumi_node cosine, sumi_node sine,
                                  int64_t heads);
/* Repeats each pixel of x[n,h,w,c]; and the sum over blocks, its transpose. */
SUMI_API sumi_node sumi_op_upsample(sumi_graph *graph, sumi_node x, int64_t down, int64_t across);
SUMI_API sumi_node sumi_op_block_sum(sumi_graph *graph, sumi_node x, int64_t down, int64_t across);
/* Rows of table[rows, d] by indices[n], int32 or whole numbers as float32: [n, d]. An index out of
   range means the nearest row. */
SUMI_API sumi_node sumi_op_gather(sumi_graph *graph, sumi_node table, sumi_node indices);
/* Zeroes elements with the given probability and scales the rest; identity unless training. */
SUMI_API sumi_node sumi_op_dropout(sumi_graph *graph, sumi_node x, double probability);

/* ---- Derivatives ----------------------------------------------------------------------------- */

/* Ends a segment of the graph here and begins the next. Networks call it after each of their
   layers; see sumi_graph_set_recompute. */
SUMI_API void sumi_graph_mark(sumi_graph *graph);

/* Trades time for memory in derivatives that are added later: of a segment between two marks, only
   values that are read outside it are stored for the derivatives; all others are recomputed shortly
   before they are needed (Chen et al. 2016, section 4). The derivatives are the same to the bit.
   Initially false. */
SUMI_API void sumi_graph_set_recompute(sumi_graph *graph, bool recompute);

/* Adds the derivatives of `loss` (one element) by each of wrt[count] to the graph; gradients[i] is
   a node of the shape of wrt[i], zero where the loss does not depend on it. It can be applied to
   its own results. */
SUMI_API sumi_status sumi_graph_gradients(sumi_graph *graph, sumi_node loss, int count,
                                          const sumi_node *wrt, sumi_node *gradients);

/* ---- Plans ----------------------------------------------------------------------------------- */

/* Sets how later plans store activations: "float32", or "bf16" for the results of convolutions and
   what is computed from them; see sumi_session_set. */
SUMI_API sumi_status sumi_graph_set_precision(sumi_graph *graph, const char *precision);

/* Plans the computation of `outputs` from the current graph: memory, kernels, order. */
SUMI_API sumi_status sumi_plan_create(sumi_graph *graph, int count, const sumi_node *outputs,
                                      sumi_plan **plan);
SUMI_API void sumi_plan_free(sumi_plan *plan);
/* The memory of an input (to be filled before a run) or of an output (to be read after it),
   float32. */
SUMI_API float *sumi_plan_data(sumi_plan *plan, sumi_node node);
/* The same for a node with elements of type `element`; NULL if its elements have another type. */
SUMI_API void *sumi_plan_typed_data(sumi_plan *plan, sumi_node node, sumi_element element);
/* Runs a plan. `seed` and `step` key the dropout masks. */
SUMI_API sumi_status sumi_plan_run(sumi_plan *plan, uint64_t seed, uint64_t step);

/* ---- Training and sampling ----------------------------------------------------------- */

/* A training objective: `build` adds its inputs and a loss of one element to a graph (over the
   trainer's weights) and returns the loss; `feed` fills the inputs for a step through
   sumi_plan_data. Steps count from 0. With train.accumulate = N, a step averages the gradients of N
   feeds, and `feed` gets the number of the feed: step s consists of feeds N s to N s + N - 1. */
typedef struct sumi_objective {
    size_t size; /* sizeof(sumi_objective) */
    void *user;
    sumi_node (*build)(void *user, sumi_graph *graph);
    sumi_status (*feed)(void *user, sumi_plan *plan, int64_t step);
} sumi_objective;

/* Creates a trainer for the caller's own objective, which runs the same loop as for models. Only
   the section [train] of the recipe is read. Its keys of the library's own objectives, such as
   train.objective and train.label_dropout, are refused unless they have their defaults. All
   sumi_trainer_... calls apply; the weights are trained in place, and sumi_trainer_run saves
   checkpoints and losses but no model. */
SUMI_API sumi_status sumi_trainer_create_custom(sumi_context *context, const sumi_recipe *recipe,
                                                sumi_weights *weights,
                                                const sumi_objective *objective,
                                                sumi_trainer **trainer);

/* The caller's own network as a diffusion model: `build` gets a node for each of its inputs, x[n,
   item] and times[n] first (-1 for an omitted optional one), and returns the prediction, of x's
   shape. It is called for each shape of inputs, as long as the model exists. The model can be
   trained, sampled and evaluated like any other. It has no configuration file (sumi_model_config
   returns NULL and sumi_model_save fails), so save its weights. */
typedef struct sumi_network {
    size_t size; /* sizeof(sumi_network) */
    void *user;
    int rank; /* of an item, channels last */
    int64_t shape[SUMI_MAX_RANK];
    int input_count;          /* beside x and times */
    const sumi_input *inputs; /* copied, except the names, which must live as long as the model */
    sumi_node (*build)(void *user, sumi_graph *graph, const sumi_node *inputs);
} sumi_network;
SUMI_API sumi_status sumi_model_compose(sumi_context *context, const sumi_network *network,
                                        uint64_t seed, sumi_model **model);

#ifdef __cplusplus
}
#endif

#endif
