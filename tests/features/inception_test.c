/* SPDX-License-Identifier: Apache-2.0 */
/* Inception-v3 against torch-fidelity's network with the same weights (tests/data/features.json),
   and the files that it refuses. The tensors of the file are those that the network asks for; their
   numbers depend on their names, so that a wrong name has wrong numbers. */
#include <json-c/json.h>

#include "features/features.h"
#include "scratch.h"
#include "vectors/formula.h"

enum { TENSORS = 512 };

/* The tensors of a file that is written. */
struct tensors {
    safetensors_entry entries[TENSORS];
    size_t count;
};

static uint32_t hash_name(const char *name)
{
    uint32_t value = 0x811C9DC5;
    for (; *name; name++) value = (value ^ (uint8_t)*name) * 0x01000193;
    return value;
}

static bool ends(const char *name, const char *ending)
{
    size_t length = strlen(name), size = strlen(ending);
    return length >= size && strcmp(name + length - size, ending) == 0;
}

/* Adds a tensor of that name unless it is there. */
static void add(struct tensors *tensors, const char *name, int rank, const int64_t *shape)
{
    for (size_t i = 0; i < tensors->count; i++)
        if (strcmp(tensors->entries[i].name, name) == 0) return;
    assert_true(tensors->count < TENSORS);
    int64_t count = 1;
    for (int i = 0; i < rank; i++) count *= shape[i];
    float *data = malloc((size_t)count * sizeof *data);
    double inputs = (double)(count / shape[0]), factor = 0.1, shift = 0;
    if (ends(name, "bn.weight") || ends(name, "running_var")) shift = 1;
    else if (ends(name, "conv.weight")) factor = sqrt(2 / inputs);
    else if (ends(name, "fc.weight")) factor = 1 / sqrt(inputs);
    uint32_t n = hash_name(name);
    for (int64_t j = 0; j < count; j++)
        data[j] = (float)(shift + factor * formula_mix(n, (uint32_t)j));
    safetensors_entry *entry = &tensors->entries[tensors->count++];
    *entry =
        (safetensors_entry){.name = strdup(name), .type = NUMBER_F32, .rank = rank, .data = data};
    memcpy(entry->shape, shape, (size_t)rank * sizeof *shape);
}

/* A weight that the network asks for: the convolution and its norm, or the weight itself. */
static sumi_status record(void *user, const char *name, const struct shape *shape, size_t *place)
{
    static const char *const parts[] = {"bn.weight", "bn.bias", "bn.running_mean",
                                        "bn.running_var"};
    const char *end = strstr(name, ".conv.bias");
    char part[256];
    *place = 0;
    if (!end) add(user, name, shape->rank, shape->size);
    for (int i = 0; i < 4 && end; i++) {
        snprintf(part, sizeof part, "%.*s.%s", (int)(end - name), name, parts[i]);
        add(user, part, shape->rank, shape->size);
    }
    return SUMI_OK;
}

static sumi_status leave(void *user, size_t place, float *data)
{
    (void)user, (void)place, (void)data;
    return SUMI_OK;
}

/* The tensors of Inception-v3. */
static struct tensors *make_tensors(sumi_context *context)
{
    struct tensors *tensors = calloc(1, sizeof *tensors);
    const struct weight_source source = {tensors, record, leave, NULL};
    sumi_features features = {.context = context, .options = {.output = FEATURE_LOGITS}};
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    CHECK_OK(context, sumi_weights_create(context, 0, &weights));
    weights->source = &source;
    CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
    int64_t shape[] = {1, 299, 299, 3};
    feature_inception.build(&features, graph, sumi_graph_input(graph, "pictures", 4, shape));
    CHECK_OK(context, sumi_graph_status(graph));
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    return tensors;
}

static void free_tensors(struct tensors *tensors)
{
    for (size_t i = 0; i < tensors->count; i++) {
        free((void *)tensors->entries[i].name);
        free((void *)tensors->entries[i].data);
    }
    free(tensors);
}

/* Pictures whose byte j is round(255 (1 + cos(0.11 j)) / 2). */
static sumi_array make_pictures(sumi_context *context, int64_t height, int64_t width)
{
    sumi_array pictures = {0};
    CHECK_OK(context, sumi_array_create(context, 4, (int64_t[]){2, height, width, 3}, &pictures));
    for (int64_t j = 0; j < sumi_array_count(&pictures); j++)
        pictures.data[j] = (float)(rint(255 * (0.5 + 0.5 * cos(0.11 * (double)j))) * 2 / 255 - 1);
    return pictures;
}

static double number_of(json_object *record, const char *name)
{
    json_object *value = NULL;
    assert_true(json_object_object_get_ex(record, name, &value));
    return json_object_get_double(value);
}

static void compare(json_object *row, const char *name, const sumi_array *rows)
{
    json_object *expected = NULL, *first = NULL;
    assert_true(json_object_object_get_ex(row, name, &expected));
    assert_true(json_object_object_get_ex(expected, "first8", &first));
    double sum = 0, absolute = 0, squares = 0, count = (double)sumi_array_count(rows);
    double rms = number_of(expected, "rms"), mean = number_of(expected, "mean_abs");
    for (int64_t i = 0; i < sumi_array_count(rows); i++) {
        sum += rows->data[i];
        absolute += fabs((double)rows->data[i]) / count;
        squares += (double)rows->data[i] * rows->data[i] / count;
    }
    for (int i = 0; i < 8; i++) {
        double value = json_object_get_double(json_object_array_get_idx(first, (size_t)i));
        CHECK_CLOSE(rows->data[i] / rms, value / rms, 2e-5);
    }
    CHECK_CLOSE(sqrt(squares) / rms, 1, 2e-5);
    CHECK_CLOSE(absolute / mean, 1, 2e-5);
    CHECK_CLOSE(sum / (mean * count), number_of(expected, "sum") / (mean * count), 2e-5);
}

static void compare_row(sumi_context *context, sumi_features *features, json_object *row)
{
    json_object *resize = NULL;
    sumi_array rows = {0}, pictures = make_pictures(context, (int64_t)number_of(row, "height"),
                                                    (int64_t)number_of(row, "width"));
    assert_true(json_object_object_get_ex(row, "resize", &resize));
    CHECK_OK(context, sumi_features_set(features, "resize", json_object_get_string(resize)));
    static const char *const outputs[] = {"features", "logits"};
    for (int i = 0; i < 2; i++) {
        CHECK_OK(context, sumi_features_set(features, "output", outputs[i]));
        CHECK_OK(context, sumi_features_measure(features, &pictures, NULL, NULL, &rows));
        compare(row, outputs[i], &rows);
        sumi_array_release(context, &rows);
    }
    sumi_array_release(context, &pictures);
}

static void features_and_logits_are_those_of_torch_fidelity(void **state)
{
    scratch *room = *state;
    sumi_features *features = NULL;
    sumi_features_info info = {.size = sizeof info};
    json_object *file = json_object_from_file(TEST_DATA "/features.json"), *rows = NULL;
    struct tensors *tensors = make_tensors(room->context);
    const char *path = scratch_path(room, "model.safetensors");
    CHECK_OK(room->context,
             safetensors_write(room->context, path, tensors->entries, tensors->count, NULL, 0));
    free_tensors(tensors);
    CHECK_OK(room->context, sumi_features_open(room->context, room->folder, &features));
    assert_true(sumi_features_describe(features, &info));
    assert_string_equal(info.name, "inception-v3");
    assert_true(info.count == 2048 && info.classes == 1008 && info.side == 299);
    CHECK_OK(room->context, sumi_features_set(features, "batch", "2"));
    assert_true(json_object_object_get_ex(file, "rows", &rows));
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        compare_row(room->context, features, json_object_array_get_idx(rows, i));
    sumi_features_free(features);
    json_object_put(file);
}

static void assert_refused(scratch *room, const char *words)
{
    sumi_features *features = NULL;
    const char *path = scratch_path(room, "model.safetensors");
    assert_int_not_equal(sumi_features_open(room->context, path, &features), SUMI_OK);
    assert_null(features);
    if (!strstr(sumi_context_message(room->context), words))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(room->context), words);
}

static void write_tensors(scratch *room, const struct tensors *tensors)
{
    const char *path = scratch_path(room, "model.safetensors");
    CHECK_OK(room->context,
             safetensors_write(room->context, path, tensors->entries, tensors->count, NULL, 0));
}

/* The norm after the first convolution. */
static void add_norm(struct tensors *tensors)
{
    static const int64_t out[] = {32};
    add(tensors, "Conv2d_1a_3x3.bn.weight", 1, out);
    add(tensors, "Conv2d_1a_3x3.bn.bias", 1, out);
    add(tensors, "Conv2d_1a_3x3.bn.running_mean", 1, out);
    add(tensors, "Conv2d_1a_3x3.bn.running_var", 1, out);
}

/* Files with only the first tensors, which are refused before the others are missed. */
static void files_of_other_networks_and_damaged_ones_are_refused(void **state)
{
    scratch *room = *state;
    static const int64_t first[] = {32, 3, 3, 3}, wide[] = {32, 3, 5, 5};
    static const int64_t head[] = {1000, 2048};
    struct tensors *tensors = calloc(1, sizeof *tensors);
    add(tensors, "features.0.weight", 4, first);
    write_tensors(room, tensors);
    assert_refused(room, "neither Inception-v3");
    add(tensors, "Conv2d_1a_3x3.conv.weight", 4, first);
    write_tensors(room, tensors);
    assert_refused(room, "\"Conv2d_1a_3x3.bn.weight\" is missing");
    add_norm(tensors);
    ((float *)tensors->entries[5].data)[3] = -1;
    write_tensors(room, tensors);
    assert_refused(room, "variance");
    ((float *)tensors->entries[5].data)[3] = NAN;
    write_tensors(room, tensors);
    assert_refused(room, "not finite");
    add(tensors, "fc.weight", 2, head);
    write_tensors(room, tensors);
    assert_refused(room, "1000 rows");
    free_tensors(tensors);
    tensors = calloc(1, sizeof *tensors);
    add(tensors, "Conv2d_1a_3x3.conv.weight", 4, wide);
    add_norm(tensors);
    write_tensors(room, tensors);
    assert_refused(room, "has the shape [32, 3, 5, 5], expected [32, 3, 3, 3]");
    free_tensors(tensors);
}

static void a_folder_without_weights_is_refused_with_what_to_do(void **state)
{
    scratch *room = *state;
    sumi_features *features = NULL;
    assert_int_equal(sumi_features_open(room->context, room->folder, &features), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "safetensors.torch.save_file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(features_and_logits_are_those_of_torch_fidelity),
        SCRATCH_TEST(files_of_other_networks_and_damaged_ones_are_refused),
        SCRATCH_TEST(a_folder_without_weights_is_refused_with_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
