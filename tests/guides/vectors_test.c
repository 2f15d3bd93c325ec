/* SPDX-License-Identifier: Apache-2.0 */
/* Guidance in numbers that another program measured: rows of building_blocks.json for its rescale
   (Lin et al. 2023) and for DiT, which guides the first channels of the prediction and leaves the
   others and the variance. The path of another such file may be given as argument. */
#include <json-c/json.h>

#include "guides/classes.h"

enum { POSITIONS = 16, MOST = 256, ROWS_MOST = 4 };

/* ---- Numbers by formula ---- */

static uint32_t hash(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352dU;
    x = (x ^ x >> 15) * 0x846ca68bU;
    return x ^ x >> 16;
}

static float mix(uint32_t n, uint32_t j)
{
    return (float)(sqrt(3) * (2 * (hash(n * 0x9E3779B9U + j) + 0.5) / 0x1p32 - 1));
}

/* ---- A denoiser that says what the file says ---- */

/* Rows [channels, POSITIONS] as the file has them: item i under its class i, and then as many under
   the null class, which is class 9. */
struct script {
    uint32_t condition, null; /* numbers n of the two fills, and where item 0 begins in each */
    uint32_t null_first;
    int64_t width;
    const sumi_condition *set;
};

static sumi_status say(void *user, int64_t count, int64_t item_size, int64_t output_size,
                       const float *x, const float *times, float *output)
{
    const struct script *s = user;
    const struct condition_entry *entry = condition_find(s->set, "class");
    (void)item_size, (void)x, (void)times;
    for (int64_t i = 0; i < count; i++) {
        int32_t class = ((const int32_t *)entry->values)[i % entry->shape[0]];
        int64_t items = entry->shape[0] / 2, item = class == 9 ? i - items : class;
        uint32_t first = (uint32_t)(item * output_size) + (class == 9 ? s->null_first : 0);
        for (int64_t k = 0; k < output_size; k++) {
            uint32_t j = (uint32_t)(k % s->width * POSITIONS + k / s->width);
            output[i * output_size + k] = mix(class == 9 ? s->null : s->condition, first + j);
        }
    }
    return SUMI_OK;
}

static sumi_status go_by(void *user, const sumi_condition *condition)
{
    ((struct script *)user)->set = condition;
    return SUMI_OK;
}

/* The guided outputs of `items` items of `channels`, as the file lays them out. */
static void run_guided(sumi_context *context, struct script *script, int64_t items,
                       int64_t channels, const char *const (*options)[2], float *result)
{
    static const int32_t classes[] = {0, 1, 2, 3}, null_class = 9;
    static float x[MOST], times[ROWS_MOST];
    float output[MOST];
    sumi_condition *condition = NULL, *null = NULL;
    sumi_guide *guide = NULL;
    int64_t size = POSITIONS * channels, out = POSITIONS * script->width;
    CHECK_OK(context, once_condition(context, items, classes, &condition));
    CHECK_OK(context, once_condition(context, 1, &null_class, &null));
    const struct denoising core = {.user = script,
                                   .predict = say,
                                   .set_condition = go_by,
                                   .condition = condition,
                                   .channels = channels};
    struct guide_stack stack = guide_stack_of(context, &core, NULL);
    stack.null = null;
    CHECK_OK(context, guide_create(context, "classifier-free", &guide));
    CHECK_OK(context, guide_add(&stack, guide));
    for (; (*options)[0]; options++)
        CHECK_OK(context, sumi_guide_set(guide, (*options)[0], (*options)[1]));
    const struct denoising whole = guide_stack_denoising(&stack);
    CHECK_OK(context, whole.predict(whole.user, items, size, out, x, times, output));
    for (int64_t k = 0; k < items * out; k++) {
        int64_t item = k / out, place = k % out;
        int64_t j = place % script->width * POSITIONS + place / script->width;
        result[item * out + j] = output[k];
    }
    guide_free(guide);
    sumi_condition_free(condition);
    sumi_condition_free(null);
}

/* ---- Rows of the file ---- */

static double number(json_object *object, const char *key)
{
    return json_object_get_double(json_object_object_get(object, key));
}

/* The largest difference of some numbers from a list. */
static double list_error(json_object *list, const float *values)
{
    double worst = 0;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        double truth = json_object_get_double(json_object_array_get_idx(list, i));
        worst = fmax(worst, fabs(values[i] - truth));
    }
    return worst;
}

/* The error of values[count] against the figures of a record, in parts of its rms. */
static double figures_error(json_object *figures, int64_t count, const float *values)
{
    double sum = 0, absolute = 0, squares = 0, rms = number(figures, "rms");
    for (int64_t i = 0; i < count; i++) {
        sum += values[i];
        absolute += fabs(values[i]) / (double)count;
        squares += (double)values[i] * values[i] / (double)count;
    }
    double worst = fabs(sum - number(figures, "sum")) / (double)count;
    worst = fmax(worst, fabs(absolute - number(figures, "mean_abs")));
    worst = fmax(worst, fabs(sqrt(squares) - rms));
    worst = fmax(worst, list_error(json_object_object_get(figures, "first8"), values));
    json_object *last = json_object_object_get(figures, "last2");
    return fmax(worst, list_error(last, values + count - 2)) / rms;
}

static uint32_t fill_of(json_object *row, const char *key)
{
    unsigned n = 0;
    if (sscanf(json_object_get_string(json_object_object_get(row, key)), "mix(%u)", &n) != 1)
        fail_msg("\"%s\" is not mix(n)", key);
    return n;
}

static double check_rescale(sumi_context *context, json_object *row)
{
    enum { ITEMS = 2, CHANNELS = 4, COUNT = ITEMS * CHANNELS * POSITIONS };
    struct script script = {
        .condition = fill_of(row, "cond"), .null = fill_of(row, "uncond"), .width = CHANNELS};
    char scale[32], phi[32];
    float plain[COUNT], rescaled[COUNT];
    snprintf(scale, sizeof scale, "%.17g", number(row, "guidance_scale"));
    snprintf(phi, sizeof phi, "%.17g", number(row, "guidance_rescale"));
    const char *const options[][2] = {{"scale", scale}, {"rescale", phi}, {NULL, NULL}};
    const char *const without[][2] = {{"scale", scale}, {NULL, NULL}};
    run_guided(context, &script, ITEMS, CHANNELS, without, plain);
    run_guided(context, &script, ITEMS, CHANNELS, options, rescaled);
    return fmax(figures_error(json_object_object_get(row, "plain"), COUNT, plain),
                figures_error(json_object_object_get(row, "rescaled"), COUNT, rescaled));
}

/* The file's second row is what was asked with the null class, its guided channels those of the
   first. */
static double check_dit(sumi_context *context, json_object *row)
{
    enum { CHANNELS = 4, WIDTH = 8, COUNT = WIDTH * POSITIONS };
    uint32_t n = fill_of(row, "model_output");
    struct script script = {.condition = n, .null = n, .null_first = COUNT, .width = WIDTH};
    char scale[32], channels[32];
    float both[2 * COUNT];
    int64_t guided = json_object_get_int64(json_object_object_get(row, "channels_guided"));
    snprintf(scale, sizeof scale, "%.17g", number(row, "scale"));
    snprintf(channels, sizeof channels, "%d", (int)guided);
    const char *const options[][2] = {{"scale", scale}, {"channels", channels}, {NULL, NULL}};
    run_guided(context, &script, 1, CHANNELS, options, both);
    for (int64_t j = 0; j < COUNT; j++)
        both[COUNT + j] =
            j < guided * POSITIONS ? both[j] : mix(n, (uint32_t)(COUNT + j)); /* its own */
    json_object *fourth = json_object_object_get(row, "row0_channel3_first4");
    return fmax(figures_error(json_object_object_get(row, "output"), 2 * COUNT, both),
                list_error(fourth, both + 3 * POSITIONS));
}

static const struct {
    const char *kind;
    double (*check)(sumi_context *context, json_object *row);
} kinds[] = {{"guidance rescale", check_rescale}, {"DiT guidance", check_dit}};

static const char *file;

static void guidance_has_the_numbers_of_diffusers(void **state)
{
    scratch *room = *state;
    int passed = 0, failed = 0;
    json_object *whole = json_object_from_file(file);
    assert_non_null(whole);
    json_object *rows = json_object_object_get(whole, "rows");
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        json_object *row = json_object_array_get_idx(rows, i);
        const char *id = json_object_get_string(json_object_object_get(row, "id"));
        const char *kind = json_object_get_string(json_object_object_get(row, "kind"));
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            if (strcmp(kind, kinds[k].kind) != 0) continue;
            double error = kinds[k].check(room->context, row);
            bool agrees = error < 2e-6;
            passed += agrees;
            failed += !agrees;
            if (agrees) printf("%s agrees\n", id);
            else printf("%s is off by %.3g of the rms\n", id, error);
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    json_object_put(whole);
    assert_int_equal(failed, 0);
    assert_true(passed > 0);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {SCRATCH_TEST(guidance_has_the_numbers_of_diffusers)};
    file = count > 1 ? arguments[1] : TEST_DATA "/guidance.json";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
