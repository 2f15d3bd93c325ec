/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures cut into patches, each a row of numbers, and put together again (Dosovitskiy et al.
   2021, 3.1). Each of the two ops is the other's gradient. */
#include "ops/check.h"
#include "ops/patches.h"

static bool divides(int64_t part, int64_t whole)
{
    return part > 0 && whole % part == 0;
}

struct patch_runs patch_runs_of(const struct attributes *attributes, int64_t channels)
{
    int64_t columns = attributes->patches.width / attributes->patches.across;
    return (struct patch_runs){
        .run = attributes->patches.across * channels,
        .columns = columns,
        .down = attributes->patches.down,
    };
}

int64_t patch_run_place(const struct patch_runs *runs, int64_t number)
{
    int64_t column = number % runs->columns, line = number / runs->columns;
    int64_t row = line / runs->down; /* of patches, over all items */
    return (row * runs->columns + column) * runs->down + line % runs->down;
}

/* ---- picture to patches ---- */

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    int64_t down = node->attributes.patches.down, across = node->attributes.patches.across;
    TRY(ops_rank_expect(graph, node, 0, "the picture [n, height, width, c]", 4));
    if (!divides(down, x->size[1]) || !divides(across, x->size[2])) {
        char text[SHAPE_TEXT];
        return graph_fail(graph, "patchify: patches of %lldx%lld do not divide %s", (long long)down,
                          (long long)across, shape_text(x, text));
    }
    node->attributes.patches.height = x->size[1];
    node->attributes.patches.width = x->size[2];
    node->shape = (struct shape){
        3, {x->size[0], x->size[1] / down * (x->size[2] / across), down * across * x->size[3]}};
    return SUMI_OK;
}

/* Copies every run of numbers that stay together; `inverse` is from patches to picture. */
static void copy_runs(const struct patch_runs *runs, int64_t count, bool inverse,
                      const double *from, double *to)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t other = patch_run_place(runs, i);
        const double *source = from + (inverse ? other : i) * runs->run;
        double *target = to + (inverse ? i : other) * runs->run;
        for (int64_t j = 0; j < runs->run; j++) target[j] = source[j];
    }
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    const struct shape *x = input_shape(graph, node, 0);
    struct patch_runs runs = patch_runs_of(&node->attributes, x->size[3]);
    copy_runs(&runs, shape_count(x) / runs.run, false, inputs[0], output);
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct attributes attributes = graph_node(graph, node)->attributes;
    gradients[0] =
        sumi_op_unpatchify(graph, upstream, attributes.patches.height, attributes.patches.width,
                           attributes.patches.down, attributes.patches.across);
}

const struct op op_patchify = {.name = "patchify",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = reference,
                               .cost = cost_of_moving};

sumi_node sumi_op_patchify(sumi_graph *graph, sumi_node x, int64_t down, int64_t across)
{
    struct attributes attributes = {.patches = {.down = down, .across = across}};
    return graph_append(graph, &op_patchify, 1, &x, &attributes);
}

/* ---- patches to picture ---- */

static sumi_status infer_back(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    const struct attributes *a = &node->attributes;
    int64_t height = a->patches.height, width = a->patches.width;
    int64_t down = a->patches.down, across = a->patches.across;
    bool fits = x->rank == 3 && height > 0 && width > 0 && divides(down, height)
                && divides(across, width) && height / down <= x->size[1]
                && x->size[1] == height / down * (width / across)
                && divides(down * across, x->size[2]);
    if (!fits) {
        char text[SHAPE_TEXT];
        return graph_fail(graph,
                          "unpatchify: %s does not make a picture of %lldx%lld out of patches of "
                          "%lldx%lld",
                          shape_text(x, text), (long long)height, (long long)width, (long long)down,
                          (long long)across);
    }
    node->shape = (struct shape){4, {x->size[0], height, width, x->size[2] / (down * across)}};
    return SUMI_OK;
}

static void reference_back(const sumi_graph *graph, const struct node *node,
                           const double *const *inputs, double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    struct patch_runs runs = patch_runs_of(&node->attributes, node->shape.size[3]);
    copy_runs(&runs, shape_count(&node->shape) / runs.run, true, inputs[0], output);
}

static void gradient_back(sumi_graph *graph, sumi_node node, sumi_node upstream,
                          sumi_node gradients[MAX_INPUTS])
{
    struct attributes attributes = graph_node(graph, node)->attributes;
    gradients[0] =
        sumi_op_patchify(graph, upstream, attributes.patches.down, attributes.patches.across);
}

const struct op op_unpatchify = {.name = "unpatchify",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .infer = infer_back,
                                 .gradient = gradient_back,
                                 .reference = reference_back,
                                 .cost = cost_of_moving};

sumi_node sumi_op_unpatchify(sumi_graph *graph, sumi_node patches, int64_t height, int64_t width,
                             int64_t down, int64_t across)
{
    struct attributes attributes = {.patches = {height, width, down, across}};
    return graph_append(graph, &op_unpatchify, 1, &patches, &attributes);
}
