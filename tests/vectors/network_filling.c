/* SPDX-License-Identifier: Apache-2.0 */
/* Weights and inputs of a record's network: their names and shapes, and their values by formula. */
#include <stdlib.h>
#include <string.h>

#include "vectors/formula.h"
#include "vectors/network_inside.h"

/* ---- Weights ---- */

static int compare_names(const void *left, const void *right)
{
    const struct weight *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

struct weight **network_sort_weights(const sumi_weights *weights)
{
    struct weight **sorted = calloc((size_t)weights->count + 1, sizeof *sorted);
    for (int64_t i = 0; sorted && i < weights->count; i++) sorted[i] = &weights->items[i];
    if (sorted) qsort(sorted, (size_t)weights->count, sizeof *sorted, compare_names);
    return sorted;
}

static bool check_shape(struct network *network, const struct weight *weight, json_object *expected)
{
    struct shape shape = {0};
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    if (!expected)
        return vectors_fail(network->row, "the reference has no tensor \"%s\"", weight->name);
    shape.rank = vectors_shape(expected, shape.size);
    if (shape_equal(&shape, &weight->shape)) return true;
    return vectors_fail(network->row, "tensor \"%s\" is of shape %s, expected %s", weight->name,
                        shape_text(&weight->shape, have), shape_text(&shape, want));
}

/* Names and shapes where the file of names has the record's id. */
static bool check_names(struct network *network)
{
    json_object *file = vectors_neighbour(network->row, "param_names_more.json");
    json_object *model = vectors_get(vectors_get(file, "models"), network->row->id);
    json_object *tensors = vectors_get(model, "tensors");
    bool same = true;
    for (int64_t i = 0; tensors && same && i < network->weights->count; i++) {
        const struct weight *weight = &network->weights->items[i];
        same = check_shape(network, weight, vectors_get(tensors, weight->name));
    }
    json_object_put(file);
    return same;
}

bool network_check_weights(struct network *network)
{
    json_object *record = network->row->record;
    int64_t tensors = network->weights->count, numbers = 0;
    for (int64_t i = 0; i < tensors; i++) numbers += shape_count(&network->weights->items[i].shape);
    if (!check_names(network)) return false;
    if (vectors_get(record, "num_tensors")
        && tensors != (int64_t)vectors_number(record, "num_tensors"))
        return vectors_fail(network->row, "%lld tensors, expected %.0f", (long long)tensors,
                            vectors_number(record, "num_tensors"));
    if (vectors_get(record, "param_count")
        && numbers != (int64_t)vectors_number(record, "param_count"))
        return vectors_fail(network->row, "%lld parameters, expected %.0f", (long long)numbers,
                            vectors_number(record, "param_count"));
    return true;
}

bool network_fill_weights(struct network *network, struct weight *const *sorted, const char *fill)
{
    for (int64_t n = 0; n < network->weights->count; n++) {
        struct weight *weight = sorted[n];
        struct formula_weight formula = {.name = weight->name,
                                         .number = n,
                                         .rank = weight->shape.rank,
                                         .first_size =
                                             weight->shape.rank ? weight->shape.size[0] : 1,
                                         .count = shape_count(&weight->shape)};
        if (!formula_fill(fill, &formula, weight->data))
            return vectors_fail(network->row, "there is no fill \"%s\"", fill);
    }
    weights_changed(network->weights);
    return true;
}

/* ---- Filling inputs ---- */

/* Numbers of nested lists one after another into values[count]; returns how many there are. */
static int64_t flatten(json_object *list, int64_t count, double *values, int64_t used)
{
    if (!json_object_is_type(list, json_type_array)) {
        if (used < count) values[used] = json_object_get_double(list);
        return used + 1;
    }
    for (size_t i = 0; i < json_object_array_length(list); i++)
        used = flatten(json_object_array_get_idx(list, i), count, values, used);
    return used;
}

/* The values of a record's input, in its order. */
static bool read_values(struct network *network, const char *name, int64_t count, double *values)
{
    json_object *input = network_record_input(network, name), *list = vectors_get(input, "values");
    struct formula_wave wave;
    if (list) {
        if (flatten(list, count, values, 0) == count) return true;
        return vectors_fail(network->row, "input \"%s\" should have %lld values", name,
                            (long long)count);
    }
    if (!formula_read(vectors_text(input, "formula"), &wave))
        return vectors_fail(network->row, "input \"%s\" has a formula \"%s\" that is not known",
                            name, vectors_text(input, "formula"));
    for (int64_t j = 0; j < count; j++) values[j] = formula_wave_at(&wave, j);
    return true;
}

bool network_fill_input(struct network *network, sumi_plan *plan, const struct network_value *input)
{
    int64_t count = figures_count(&input->layout);
    double *values = calloc((size_t)count, sizeof *values);
    bool filled = values && read_values(network, input->name, count, values);
    bool whole = graph_node(network->graph, input->node)->element == SUMI_INT32;
    int32_t *integers = whole ? sumi_plan_typed_data(plan, input->node, SUMI_INT32) : NULL;
    float *floats = whole ? NULL : sumi_plan_data(plan, input->node);
    for (int64_t j = 0; filled && j < count; j++) {
        int64_t place = figures_place(&input->layout, j);
        if (integers) integers[place] = (int32_t)values[j];
        if (floats) floats[place] = (float)values[j];
    }
    free(values);
    return filled;
}
