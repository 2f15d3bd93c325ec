/* SPDX-License-Identifier: Apache-2.0 */
/* A record's network planned with its loss and gradients, run with each fill of the weights, and
   compared. The tolerances are those of the second set's README. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/ops.h"
#include "vectors/network_inside.h"

static const double SMALLEST_TOLERANCE = 2e-5; /* of outputs, of their rms */

/* ---- The loss and its gradients ---- */

/* What is planned: outputs, then the loss and the gradients by weights and by inputs. */
struct planned {
    struct network *network;
    sumi_plan *plan;
    sumi_node loss;
    int64_t leaf_count;
    sumi_node *leaves, *gradients; /* of weights that are trained, then of all inputs */
};

/* The fill whose record has a loss, or NULL. */
static json_object *fill_with_loss(const struct network *network)
{
    json_object *fills = vectors_get(network->row->record, "fills");
    if (!json_object_is_type(fills, json_type_object)) return NULL;
    json_object_object_foreach(fills, name, fill)
    {
        (void)name;
        if (vectors_get(fill, "loss")) return fill;
    }
    return NULL;
}

/* The sum of the means of the squares of all outputs of the record that count. */
static bool add_loss(struct planned *planned, json_object *outputs)
{
    sumi_graph *graph = planned->network->graph;
    planned->loss = -1;
    if (!json_object_is_type(outputs, json_type_object)) return true;
    json_object_object_foreach(outputs, name, figures)
    {
        (void)figures;
        if (*name == '~') continue;
        const struct network_value *output = network_find_output(planned->network, name);
        if (!output) return false;
        unsigned all = (1u << graph_shape(graph, output->node)->rank) - 1;
        sumi_node mean =
            sumi_op_mean(graph, sumi_op_multiply(graph, output->node, output->node), all);
        mean = sumi_op_reshape(graph, mean, 1, (int64_t[]){1});
        planned->loss = planned->loss < 0 ? mean : sumi_op_add(graph, planned->loss, mean);
    }
    return true;
}

/* The leaf of a weight; -1 where the graph does not read it. */
static sumi_node weight_leaf(const sumi_graph *graph, int64_t number)
{
    for (sumi_node n = 0; n < graph->count; n++) {
        if (graph_node(graph, n)->op == &op_weight && graph_node(graph, n)->weight == number)
            return n;
    }
    return -1;
}

static bool add_gradients(struct planned *planned)
{
    struct network *network = planned->network;
    sumi_graph *graph = network->graph;
    int64_t count = network->weights->count + network->input_count;
    planned->leaves = calloc((size_t)count + 1, sizeof *planned->leaves);
    planned->gradients = calloc((size_t)count + 1, sizeof *planned->gradients);
    if (!planned->leaves || !planned->gradients) return vectors_fail(network->row, "out of memory");
    for (int64_t i = 0; i < network->weights->count; i++) {
        sumi_node leaf = weight_leaf(graph, i);
        if (leaf >= 0 && network->weights->items[i].trainable)
            planned->leaves[planned->leaf_count++] = leaf;
    }
    for (int i = 0; i < network->input_count; i++) {
        sumi_node input = network->inputs[i].node;
        if (input >= 0 && graph_node(graph, input)->element == SUMI_FLOAT32)
            planned->leaves[planned->leaf_count++] = input;
    }
    return sumi_graph_gradients(graph, planned->loss, (int)planned->leaf_count, planned->leaves,
                                planned->gradients)
               == SUMI_OK
           || network_fail(network);
}

static bool make_plan(struct planned *planned)
{
    struct network *network = planned->network;
    int64_t count = 0, most = network->output_count + 1 + planned->leaf_count;
    sumi_node *wanted = calloc((size_t)most, sizeof *wanted);
    if (!wanted) return vectors_fail(network->row, "out of memory");
    for (int i = 0; i < network->output_count; i++) wanted[count++] = network->outputs[i].node;
    if (planned->loss >= 0) {
        wanted[count++] = planned->loss;
        for (int64_t i = 0; i < planned->leaf_count; i++) wanted[count++] = planned->gradients[i];
    }
    sumi_status status = sumi_plan_create(network->graph, (int)count, wanted, &planned->plan);
    free(wanted);
    return status == SUMI_OK || network_fail(network);
}

/* ---- Comparing ---- */

static bool compare_output(struct planned *planned, const char *fill, const char *name,
                           json_object *expected, double tolerance)
{
    struct network *network = planned->network;
    struct network_value *output = network_find_output(network, name);
    if (!output) return false;
    struct figures_layout layout = output->layout;
    struct shape own = {0};
    const struct shape *shape = graph_shape(network->graph, output->node);
    char have[SHAPE_TEXT], want[SHAPE_TEXT], what[128];
    layout.rank = own.rank = vectors_shape(vectors_get(expected, "shape"), layout.size);
    if (layout.rank >= 0) figures_own_shape(&layout, own.size);
    if (!shape_equal(shape, &own))
        return vectors_fail(network->row, "output \"%s\" is of shape %s, expected %s", name,
                            shape_text(shape, have), shape_text(&own, want));
    snprintf(what, sizeof what, "%s: %s", fill, name);
    if (strcmp(network_plain_name(name), "indices") == 0) tolerance = 0;
    return figures_compare(network->row, what, expected, &layout,
                           sumi_plan_data(planned->plan, output->node), tolerance);
}

/* What is compared of the gradients of one fill. */
struct expected_gradients {
    const char *fill;
    json_object *record;
    double total; /* grad_l2_norm */
};

/* The gradient of one leaf: its norm where the record has it, or NULL, and its first elements.
   `layout` is that of an input, NULL for weights, which have the record's own. Returns the square
   of its norm. */
static double compare_gradient(struct planned *planned, const struct expected_gradients *expected,
                               int64_t leaf, const char *name, json_object *norm,
                               const struct figures_layout *layout)
{
    struct vectors_row *row = planned->network->row;
    const float *gradient = sumi_plan_data(planned->plan, planned->gradients[leaf]);
    int64_t count = shape_count(graph_shape(planned->network->graph, planned->gradients[leaf]));
    json_object *some = vectors_get(vectors_get(expected->record, "grads"), name);
    json_object *first = vectors_get(some, "first3");
    double squares = 0, magnitudes = 0, sum_abs = vectors_number(some, "sum_abs");
    for (int64_t j = 0; j < count; j++) {
        squares += (double)gradient[j] * gradient[j];
        magnitudes += fabs(gradient[j]);
    }
    double scale = norm ? json_object_get_double(norm) : sum_abs / sqrt((double)count);
    double tolerance = 2e-4 * scale + (norm ? 1e-5 * expected->total : 0);
    if (norm)
        vectors_compare(row, sqrt(squares), scale, tolerance, "%s: gradient's norm of %s",
                        expected->fill, name);
    if (!some) return squares;
    vectors_compare(row, magnitudes, sum_abs, tolerance * sqrt((double)count),
                    "%s: magnitudes of the gradient of %s", expected->fill, name);
    for (int64_t j = 0; first && j < (int64_t)json_object_array_length(first); j++)
        vectors_compare(row, gradient[layout ? figures_place(layout, j) : j],
                        vectors_number_at(first, j), tolerance, "%s: gradient of %s, element %lld,",
                        expected->fill, name, (long long)j);
    return squares;
}

/* The leaf of weight or input number `node`; -1 where it has no gradient. */
static int64_t find_leaf(const struct planned *planned, sumi_node node)
{
    for (int64_t i = 0; i < planned->leaf_count; i++)
        if (planned->leaves[i] == node) return i;
    return -1;
}

static bool compare_weight_gradients(struct planned *planned, struct weight *const *sorted,
                                     const struct expected_gradients *expected)
{
    struct network *network = planned->network;
    json_object *norms = vectors_get(expected->record, "grad_norms");
    int64_t count = network->weights->count;
    double squares = 0;
    if (norms && (int64_t)json_object_array_length(norms) != count)
        return vectors_fail(network->row, "the record has %zu norms of gradients for %lld weights",
                            json_object_array_length(norms), (long long)count);
    for (int64_t n = 0; n < count; n++) {
        json_object *norm = norms ? json_object_array_get_idx(norms, (size_t)n) : NULL;
        int64_t leaf =
            find_leaf(planned, weight_leaf(network->graph, sorted[n] - network->weights->items));
        if (leaf >= 0)
            squares += compare_gradient(planned, expected, leaf, sorted[n]->name, norm, NULL);
        else if (norm && json_object_get_double(norm) != 0)
            return vectors_fail(network->row, "\"%s\" has no gradient", sorted[n]->name);
    }
    double share = vectors_number(vectors_get(expected->record, "float32_noise"), "gradients");
    return vectors_compare(network->row, sqrt(squares), expected->total,
                           fmax(1e-4, 20 * share) * expected->total, "%s: norm of all gradients",
                           expected->fill);
}

/* `name` is "input:NAME", or a weight's, which must be there. */
static void compare_input_gradient(struct planned *planned,
                                   const struct expected_gradients *expected, const char *name)
{
    struct network *network = planned->network;
    if (strncmp(name, "input:", 6) != 0) {
        if (weights_find(network->weights, name) < 0)
            vectors_fail(network->row, "there is no weight \"%s\"", name);
        return;
    }
    for (int i = 0; i < network->input_count; i++) {
        const struct network_value *input = &network->inputs[i];
        int64_t leaf = find_leaf(planned, input->node);
        if (strcmp(input->name, name + 6) != 0 || leaf < 0) continue;
        compare_gradient(planned, expected, leaf, name, NULL, &input->layout);
        return;
    }
    vectors_fail(network->row, "there is no gradient of \"%s\"", name);
}

static void compare_input_gradients(struct planned *planned,
                                    const struct expected_gradients *expected)
{
    json_object *grads = vectors_get(expected->record, "grads");
    if (!json_object_is_type(grads, json_type_object)) return;
    json_object_object_foreach(grads, name, figures)
    {
        (void)figures;
        compare_input_gradient(planned, expected, name);
    }
}

static bool compare_outputs(struct planned *planned, const char *name, json_object *fill,
                            double tolerance)
{
    json_object *outputs = vectors_get(fill, "outputs");
    if (!json_object_is_type(outputs, json_type_object))
        return vectors_fail(planned->network->row, "the fill \"%s\" has no outputs", name);
    json_object_object_foreach(outputs, output, figures)
    {
        if (!compare_output(planned, name, output, figures, tolerance)
            && planned->network->row->failed)
            return false;
    }
    return true;
}

/* Runs the plan with one fill of the weights and compares all that the record has of it. */
static bool check_fill(struct planned *planned, struct weight *const *sorted, const char *name,
                       json_object *fill)
{
    struct network *network = planned->network;
    double noise = vectors_number(vectors_get(fill, "float32_noise"), "outputs");
    double tolerance = fmax(SMALLEST_TOLERANCE, 20 * noise);
    if (!network_fill_weights(network, sorted, name)) return false;
    for (int i = 0; i < network->input_count; i++)
        if (!network_fill_input(network, planned->plan, &network->inputs[i])) return false;
    if (sumi_plan_run(planned->plan, 1, 0) != SUMI_OK) return network_fail(network);
    if (!compare_outputs(planned, name, fill, tolerance)) return false;
    if (!vectors_get(fill, "loss")) return true;
    double loss = vectors_number(fill, "loss");
    struct expected_gradients expected = {name, fill, vectors_number(fill, "grad_l2_norm")};
    vectors_compare(network->row, *sumi_plan_data(planned->plan, planned->loss), loss,
                    2 * tolerance * loss, "%s: loss", name);
    compare_weight_gradients(planned, sorted, &expected);
    compare_input_gradients(planned, &expected);
    return true;
}

static void check_fills(struct planned *planned)
{
    struct network *network = planned->network;
    struct weight **sorted = network_sort_weights(network->weights);
    json_object *fills = vectors_get(network->row->record, "fills");
    if (!sorted || !json_object_is_type(fills, json_type_object)) {
        vectors_fail(network->row, "the record has no fills");
    } else {
        json_object_object_foreach(fills, name, fill)
        {
            if (!check_fill(planned, sorted, name, fill)) break;
        }
    }
    free(sorted);
}

/* ---- All of it ---- */

void network_compare(struct network *network)
{
    struct planned planned = {.network = network, .loss = -1};
    bool ready = network_check_weights(network)
                 && add_loss(&planned, vectors_get(fill_with_loss(network), "outputs"))
                 && (planned.loss < 0 || add_gradients(&planned)) && make_plan(&planned);
    if (ready) check_fills(&planned);
    sumi_plan_free(planned.plan);
    free(planned.leaves);
    free(planned.gradients);
}
