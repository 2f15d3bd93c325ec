/* SPDX-License-Identifier: Apache-2.0 */
/* Models whose weights stay in their file: opening makes no copy, evaluations agree with float32,
   and writes to weights go to copies. SUMI_TEST_GIGABYTE=1 makes the file of the first test 1.07 GB
   instead of 6 MB. */
#include "base/float16.h"
#include "base/profile.h"
#include "models/session.h"
#include "models/twins.h"

#define WIDER_MLP "{\"_class_name\": \"SumiMLPModel\", \"width\": 768, \"depth\": 2}"
#define GIGABYTE_MLP "{\"_class_name\": \"SumiMLPModel\", \"width\": 4096, \"depth\": 2}"
/* Convolutions and attention of more than 64 KiB. */
#define WIDE_UNET                                                                                  \
    "{\"_class_name\": \"UNet2DModel\", \"sample_size\": 8, \"in_channels\": 1,"                   \
    " \"out_channels\": 1, \"block_out_channels\": [64, 192], \"layers_per_block\": 1,"            \
    " \"norm_num_groups\": 32, \"down_block_types\": [\"DownBlock2D\","                            \
    " \"AttnDownBlock2D\"], \"up_block_types\": [\"AttnUpBlock2D\", \"UpBlock2D\"]}"

/* Bytes of memory in use whose kind begins so: "Private_" is what no other process shares,
   "Anonymous" what lies in no file. */
static long memory_of(const char *kind)
{
    char line[256];
    long total = 0, part;
    FILE *stream = fopen("/proc/self/smaps_rollup", "r");
    if (!stream) skip();
    while (fgets(line, sizeof line, stream)) {
        bool wanted = strncmp(line, kind, strlen(kind)) == 0;
        if (wanted && sscanf(line, "%*[^:]: %ld kB", &part) == 1) total += part * 1024;
    }
    fclose(stream);
    return total;
}

static void expect_close(const float *output, const float *expected, int64_t count,
                         double tolerance)
{
    double largest = 0, error = 0;
    for (int64_t i = 0; i < count; i++) {
        assert_true(isfinite(output[i]));
        largest = fmax(largest, fabs(expected[i]));
        error = fmax(error, fabs(output[i] - expected[i]));
    }
    assert_true(largest > 0);
    if (error > tolerance * largest) fail_msg("error %.3g of %.3g", error, largest);
}

/* Weights of 64 KiB and more in a file where each number takes so many bytes. */
static int large_weights(const sumi_model *model, size_t bytes)
{
    int count = 0;
    for (int64_t i = 0; i < model->weights->count; i++) {
        count += (size_t)shape_count(&model->weights->items[i].shape) * bytes >= 1 << 16;
    }
    return count;
}

/* What a first evaluation of a file of so many bytes takes beside the file. */
static void check_evaluation(scratch *room, const sumi_model *model, off_t size, bool print)
{
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    long before = memory_of("Anonymous");
    free(predict_by(room, session, model));
    long grown = memory_of("Anonymous") - before;
    if (print) print_message("evaluated with %.2f MB of new memory\n", (double)grown * 1e-6);
    assert_true(grown < 20000000 && grown < size / 2);
    sumi_session_free(session);
}

static void opening_takes_no_copy_and_evaluates_like_float32(void **state)
{
    scratch *room = *state;
    const bool large = getenv("SUMI_TEST_GIGABYTE") != NULL;
    struct stat file;
    make_twins(room, large ? GIGABYTE_MLP : WIDE_MLP);
    sumi_model_free(open_folder(room, "f16")); /* what is allocated once and for all */
    long before = memory_of("Private_");
    double begin = profile_clock();
    sumi_model *model = open_folder(room, "f16");
    double seconds = profile_clock() - begin;
    long grown = memory_of("Private_") - before;
    assert_int_equal(stat(scratch_path(room, "f16/diffusion_pytorch_model.safetensors"), &file), 0);
    if (large) {
        print_message("%.3f GB opened in %.1f ms, %.2f MB of new private memory\n",
                      (double)file.st_size * 1e-9, seconds * 1e3, (double)grown * 1e-6);
    }
    assert_true(grown < 20000000 && grown < file.st_size / 4);
    assert_int_equal(mapped_weights(model, SUMI_FLOAT16), large_weights(model, sizeof(float16)));
    assert_true(large_weights(model, sizeof(float16)) > 1);
    check_evaluation(room, model, file.st_size, large);
    sumi_model *twin = open_folder(room, "f32");
    float *output = tiny_predict(room, model, 3), *expected = tiny_predict(room, twin, 3);
    expect_close(output, expected, 3 * tiny_size(model), 1e-3);
    free(output);
    free(expected);
    sumi_model_free(model);
    sumi_model_free(twin);
}

static void networks_of_every_type_evaluate_alike(void **state)
{
    scratch *room = *state;
    static const char *const folders[] = {"f32", "f16", "bf16"};
    static const sumi_element elements[] = {SUMI_FLOAT32, SUMI_FLOAT16, SUMI_BFLOAT16};
    make_twins(room, WIDE_UNET);
    for (int bf16 = 0; bf16 < 2; bf16++) {
        float *expected = NULL;
        for (int i = 0; i < 3; i++) {
            sumi_model *model = open_folder(room, folders[i]);
            sumi_session *session = NULL;
            assert_true(mapped_weights(model, elements[i]) > 8);
            CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
            CHECK_OK(room->context,
                     sumi_session_set(session, "precision", bf16 ? "bf16" : "float32"));
            for (int run = 0; run < 2; run++) { /* what kernels keep of the weights serves again */
                float *output = predict_by(room, session, model);
                if (expected) expect_close(output, expected, tiny_size(model), 1e-5);
                if (expected) free(output);
                else expected = output;
            }
            sumi_session_free(session);
            sumi_model_free(model);
        }
        free(expected);
    }
}

/* A matrix of 768x768 is 2.25 MiB in float32. */
static void linear_layers_widen_a_panel_of_their_weights_at_a_time(void **state)
{
    scratch *room = *state;
    static const char *const folders[] = {"f16", "bf16"};
    make_twins(room, WIDER_MLP);
    CHECK_OK(room->context, sumi_context_set_threads(room->context, 2));
    for (int i = 0; i < 4; i++) {
        sumi_model *model = open_folder(room, folders[i / 2]);
        sumi_session *session = NULL;
        CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
        CHECK_OK(room->context, sumi_session_set(session, "precision", i % 2 ? "bf16" : "float32"));
        free(predict_by(room, session, model));
        sumi_plan_info plan = {.size = sizeof plan};
        assert_true(sumi_session_plan(session, 0, &plan));
        if (plan.bytes > 256 << 10)
            fail_msg("a plan of %s takes %lld bytes", folders[i / 2], (long long)plan.bytes);
        sumi_session_free(session);
        sumi_model_free(model);
    }
}

static void requested_weights_are_copies_that_may_be_written(void **state)
{
    scratch *room = *state;
    sumi_weight weight = {.size = sizeof weight};
    make_twins(room, WIDE_MLP);
    sumi_model *model = open_folder(room, "f16");
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    float *first = predict_by(room, session, model);
    for (int64_t i = 0; sumi_model_weight(model, i, &weight); i++) {
        assert_true(weight.data[0] >= -0.0625F && weight.data[0] <= 0.0625F);
        for (int64_t k = 0; k < tiny_count(weight.shape, weight.rank); k++) weight.data[k] *= 0.5F;
    }
    float *second = predict_by(room, session, model);
    sumi_session_free(session);
    sumi_model_free(model);
    model = open_folder(room, "f16");
    float *third = tiny_predict(room, model, 1);
    assert_memory_not_equal(first, second, 2 * sizeof *first);
    assert_memory_equal(first, third, 2 * sizeof *first);
    free(first);
    free(second);
    free(third);
    sumi_model_free(model);
}

static void a_model_is_saved_over_the_file_that_it_lies_in(void **state)
{
    scratch *room = *state;
    make_twins(room, WIDE_MLP);
    sumi_model *model = open_folder(room, "f16");
    float *first = tiny_predict(room, model, 1);
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "m")));
    sumi_model *saved = open_folder(room, "m");
    assert_true(mapped_weights(saved, SUMI_FLOAT32) > 8);
    CHECK_OK(room->context, sumi_model_save(saved, scratch_path(room, "m")));
    float *second = tiny_predict(room, saved, 1);
    expect_close(second, first, 2, 1e-6);
    free(first);
    free(second);
    sumi_model_free(saved);
    sumi_model_free(model);
}

static void training_leaves_the_file_alone(void **state)
{
    scratch *room = *state;
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_trainer *trainer = NULL;
    double loss = 0;
    make_twins(room, WIDE_MLP);
    sumi_model *model = open_folder(room, "f16");
    float *first = tiny_predict(room, model, 1);
    CHECK_OK(room->context, sumi_recipe_open(room->context, "points", &recipe));
    CHECK_OK(room->context, sumi_recipe_set(recipe, "train.batch=4"));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    CHECK_OK(room->context, sumi_trainer_create(room->context, recipe, model, data, &trainer));
    assert_int_equal(mapped_weights(model, SUMI_FLOAT16), 0);
    CHECK_OK(room->context, sumi_trainer_step(trainer, &loss));
    float *second = tiny_predict(room, model, 1);
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    model = open_folder(room, "f16");
    float *third = tiny_predict(room, model, 1);
    assert_memory_not_equal(first, second, 2 * sizeof *first);
    assert_memory_equal(first, third, 2 * sizeof *first);
    free(first);
    free(second);
    free(third);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

static void what_is_not_finite_is_refused_when_it_is_first_needed(void **state)
{
    scratch *room = *state;
    safetensors_entry entries[TINY_TENSORS];
    sumi_model *model = tiny_create(room, WIDE_MLP);
    size_t count = tiny_entries(model, NUMBER_F32, entries), large = 0;
    while (tiny_count(entries[large].shape, entries[large].rank) < 1 << 19) large++;
    char name[256], sentence[512];
    snprintf(name, sizeof name, "%s", entries[large].name);
    ((float *)entries[large].data)[70007] = -INFINITY;
    ((float *)entries[large].data)[70009] = NAN;
    fill_folder(room, "f16", WIDE_MLP, NUMBER_F16, entries, count);
    sumi_model_free(model);
    model = open_folder(room, "f16");
    float x[2] = {0.5F, 0.25F}, time = 3, output[2];
    snprintf(sentence, sizeof sentence, "\"%s\" holds infinity at element 70007", name);
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, sentence,
                once_predict(room->context, model, 1, x, &time, NULL, output));
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(opening_takes_no_copy_and_evaluates_like_float32),
        SCRATCH_TEST(networks_of_every_type_evaluate_alike),
        SCRATCH_TEST(linear_layers_widen_a_panel_of_their_weights_at_a_time),
        SCRATCH_TEST(requested_weights_are_copies_that_may_be_written),
        SCRATCH_TEST(a_model_is_saved_over_the_file_that_it_lies_in),
        SCRATCH_TEST(training_leaves_the_file_alone),
        SCRATCH_TEST(what_is_not_finite_is_refused_when_it_is_first_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
