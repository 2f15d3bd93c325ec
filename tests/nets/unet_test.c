/* SPDX-License-Identifier: Apache-2.0 */
/* The U-Net against diffusers' UNet2DModel: names and shapes of every parameter, and forward
   pass, loss and gradients of configurations of all kinds; see tests/data/README.md. */
#include <json-c/json.h>

#include "trial.h"

static const double TOLERANCE = 1e-4;

static json_object *read_data(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
    json_object *data = json_object_from_file(path);
    if (!data) fail_msg("%s: cannot be read", path);
    return data;
}

static json_object *get(json_object *object, const char *key)
{
    return json_object_object_get(object, key);
}

static double number(json_object *object, const char *key)
{
    return json_object_get_double(get(object, key));
}

/* ---- names and shapes ---- */

/* Puts the reference's names and shapes into `weights`, without memory for values. */
static void expect_weights(sumi_weights *weights, json_object *tensors)
{
    int64_t count = json_object_object_length(tensors);
    weights->items =
        context_allocate_zeroed(weights->context, (size_t)count, sizeof(struct weight));
    weights->capacity = count;
    json_object_object_foreach(tensors, name, size)
    {
        struct weight *weight = &weights->items[weights->count++];
        weight->name = context_copy_text(weights->context, name);
        weight->shape.rank = (int)json_object_array_length(size);
        for (int i = 0; i < weight->shape.rank; i++) {
            weight->shape.size[i] =
                json_object_get_int64(json_object_array_get_idx(size, (size_t)i));
        }
    }
}

static void check_names(const char *id, json_object *row)
{
    trial t;
    json_object *tensors = get(row, "tensors");
    trial_parse(&t, json_object_to_json_string(get(row, "config")));
    expect_weights(t.weights, tensors);
    int64_t size = json_object_get_int64(get(get(row, "config"), "sample_size"));
    trial_build(&t, (int64_t[]){1, size, size, 3}); /* fails where a shape differs */
    if (sumi_weights_count(t.weights) != json_object_object_length(tensors)) {
        fail_msg("%s: \"%s\" is not a parameter of diffusers'", id,
                 t.weights->items[t.weights->count - 1].name);
    }
    int used = 0;
    for (sumi_node n = 0; n < t.graph->count; n++) used += graph_node(t.graph, n)->op == &op_weight;
    assert_int_equal(used, json_object_object_length(tensors));
    trial_release(&t);
}

static void parameters_have_the_names_and_shapes_of_diffusers(void **state)
{
    (void)state;
    json_object *rows = read_data("unet2d_names.json");
    json_object_object_foreach(rows, id, row) check_names(id, row);
    json_object_put(rows);
}

/* ---- values ---- */

static int compare_weights(const void *left, const void *right)
{
    const struct weight *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

/* The fill rule of tests/data/README.md. */
static void fill_weights(sumi_weights *weights)
{
    struct weight *sorted[TRIAL_LEAVES];
    int64_t count = weights->count;
    for (int64_t i = 0; i < count; i++) sorted[i] = &weights->items[i];
    qsort(sorted, (size_t)count, sizeof *sorted, compare_weights);
    for (int64_t n = 0; n < count; n++) {
        struct weight *weight = sorted[n];
        int64_t size = shape_count(&weight->shape);
        size_t length = strlen(weight->name);
        bool scale = length > 7 && strcmp(weight->name + length - 7, ".weight") == 0;
        double fan = sqrt((double)(size / weight->shape.size[0]));
        for (int64_t j = 0; j < size; j++) {
            double s = sin(0.7071 * (double)j + 1.3 * (double)n);
            if (weight->shape.rank >= 2) s /= fan;
            else s = scale ? 1 + 0.1 * s : 0.1 * s;
            weight->data[j] = (float)s;
        }
    }
}

/* Place of element j of an array [n,c,h,w] in the same array [n,h,w,c]. */
static int64_t channels_last(const struct shape *shape, int64_t j)
{
    int64_t h = shape->size[1], w = shape->size[2], c = shape->size[3];
    int64_t column = j % w, row = j / w % h, channel = j / (w * h) % c, item = j / (w * h * c);
    return ((item * h + row) * w + column) * c + channel;
}

static void fill_inputs(trial *t, json_object *row)
{
    const struct shape *shape = graph_shape(t->graph, t->inputs.at[NET_X]);
    json_object *times = get(row, "times"), *labels = get(row, "labels");
    for (int64_t j = 0; j < shape_count(shape); j++) {
        t->x[channels_last(shape, j)] = (float)cos(0.3 * (double)j);
    }
    for (int64_t i = 0; i < shape->size[0]; i++) {
        t->times[i] = (float)json_object_get_double(json_object_array_get_idx(times, (size_t)i));
    }
    if (t->inputs.at[TRIAL_CONDITION] < 0) return;
    for (int64_t i = 0; i < trial_count(t, t->inputs.at[TRIAL_CONDITION]); i++) {
        t->condition[i] =
            t->net->inputs[TRIAL_CONDITION].rank == 2
                ? (float)cos(0.1 * (double)i)
                : (float)json_object_get_double(json_object_array_get_idx(labels, (size_t)i));
    }
}

static void check(const char *id, const char *what, double actual, double expected, double scale)
{
    if (fabs(actual - expected) <= TOLERANCE * fmax(fabs(expected), scale)) return;
    fail_msg("%s: %s is %.9g, expected %.9g", id, what, actual, expected);
}

static void check_output(trial *t, const char *id, json_object *row, const double *output)
{
    const struct shape *shape = graph_shape(t->graph, t->output);
    int64_t count = shape_count(shape);
    double sum = 0, sum_abs = 0, mean = number(row, "output_sum_abs") / (double)count;
    for (int64_t j = 0; j < count; j++) {
        sum += output[j];
        sum_abs += fabs(output[j]);
    }
    check(id, "sum of the output", sum, number(row, "output_sum"), sum_abs / 100);
    check(id, "sum of the output's magnitudes", sum_abs, number(row, "output_sum_abs"), 0);
    for (int64_t j = 0; j < 8; j++) {
        double expected =
            json_object_get_double(json_object_array_get_idx(get(row, "first8"), (size_t)j));
        check(id, "output", output[channels_last(shape, j)], expected, mean);
    }
    for (int64_t j = 0; j < 2; j++) {
        double expected =
            json_object_get_double(json_object_array_get_idx(get(row, "last2"), (size_t)j));
        check(id, "output", output[channels_last(shape, count - 2 + j)], expected, mean);
    }
}

static void check_gradient(const char *id, const struct weight *weight, const double *gradient,
                           json_object *expected)
{
    int64_t count = shape_count(&weight->shape);
    double sum_abs = 0, mean = number(expected, "sum_abs") / (double)count;
    char what[256];
    snprintf(what, sizeof what, "gradient of %s", weight->name);
    for (int64_t j = 0; j < count; j++) sum_abs += fabs(gradient[j]);
    check(id, what, sum_abs, number(expected, "sum_abs"), 0);
    json_object *first = get(expected, "first3");
    for (size_t j = 0; j < json_object_array_length(first); j++) {
        check(id, what, gradient[j], json_object_get_double(json_object_array_get_idx(first, j)),
              mean);
    }
}

static void check_gradients(trial *t, const char *id, json_object *row, double *const *gradients)
{
    double squares = 0;
    int found = 0;
    for (int leaf = 0; leaf < t->leaf_count; leaf++) {
        const struct weight *weight = trial_weight(t, leaf);
        json_object *expected = get(get(row, "grads"), weight->name);
        for (int64_t j = 0; j < shape_count(&weight->shape); j++) {
            squares += gradients[leaf][j] * gradients[leaf][j];
        }
        if (!expected) continue;
        check_gradient(id, weight, gradients[leaf], expected);
        found++;
    }
    check(id, "norm of the gradient", sqrt(squares), number(row, "grad_l2_norm"), 0);
    assert_int_equal(found, json_object_object_length(get(row, "grads")));
}

/* The row's x_shape [n,c,h,w] as [n,h,w,c]. */
static void read_shape(json_object *row, int64_t shape[4])
{
    static const size_t places[4] = {0, 2, 3, 1};
    for (int i = 0; i < 4; i++) {
        shape[i] = json_object_get_int64(json_object_array_get_idx(get(row, "x_shape"), places[i]));
    }
}

static void check_row(json_object *row, trial_evaluator evaluate)
{
    trial t;
    int64_t shape[4], parameters = 0;
    const char *id = json_object_get_string(get(row, "id"));
    double *results[TRIAL_LEAVES + 2] = {NULL};
    sumi_node nodes[TRIAL_LEAVES + 2];
    trial_parse(&t, json_object_to_json_string(get(row, "config")));
    read_shape(row, shape);
    trial_build(&t, shape);
    fill_weights(t.weights);
    fill_inputs(&t, row);
    trial_differentiate(&t);
    for (int64_t i = 0; i < t.weights->count; i++) {
        parameters += shape_count(&t.weights->items[i].shape);
    }
    assert_int_equal(t.weights->count, json_object_get_int64(get(row, "num_tensors")));
    assert_int_equal(parameters, json_object_get_int64(get(row, "param_count")));
    nodes[0] = t.output;
    nodes[1] = t.loss;
    memcpy(nodes + 2, t.gradients, (size_t)t.leaf_count * sizeof *nodes);
    evaluate(&t, t.leaf_count + 2, nodes, results);
    check_output(&t, id, row, results[0]);
    check(id, "loss", *results[1], number(row, "loss_mean_sq"), 0);
    check_gradients(&t, id, row, results + 2);
    for (int i = 0; i < t.leaf_count + 2; i++) free(results[i]);
    trial_release(&t);
}

static void check_file(const char *name, trial_evaluator evaluate)
{
    json_object *data = read_data(name), *rows = get(data, "models");
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        check_row(json_object_array_get_idx(rows, i), evaluate);
    }
    json_object_put(data);
}

static void reference_kernels_give_the_published_values(void **state)
{
    (void)state;
    check_file("models.json", trial_interpret);
}

static void reference_kernels_give_the_values_of_every_kind_of_configuration(void **state)
{
    (void)state;
    check_file("models_more.json", trial_interpret);
}

static void plans_give_the_published_values(void **state)
{
    (void)state;
    check_file("models.json", trial_plan);
}

static void plans_give_the_values_of_every_kind_of_configuration(void **state)
{
    (void)state;
    check_file("models_more.json", trial_plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_have_the_names_and_shapes_of_diffusers),
        cmocka_unit_test(reference_kernels_give_the_published_values),
        cmocka_unit_test(reference_kernels_give_the_values_of_every_kind_of_configuration),
        cmocka_unit_test(plans_give_the_published_values),
        cmocka_unit_test(plans_give_the_values_of_every_kind_of_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
