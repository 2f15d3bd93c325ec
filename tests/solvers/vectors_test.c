/* SPDX-License-Identifier: Apache-2.0 */
/* Whole loops against numbers measured with diffusers (tests/data/schedulers.json), through the
   public calls: its own tests' rows within its own tolerances, and a wider grid with a nonlinear
   model, step by step. */
#include "check.h"

#include <json-c/json.h>

#include "configure.h"
#include "solvers/solver.h"

enum { MOST_COUNT = 768, BATCH = 4, MOST_STEPS = 1000 };

/* A state of diffusers' tests: [4,3,8,8] or, for a few, [4,3,8]. */
struct sample {
    int rank;
    int64_t shape[4], count;
    float x[MOST_COUNT];
};

/* Element (b,c,h,w) of diffusers' dummy sample: the batch is the fastest index of the counter. */
static int64_t counter(int64_t count, int64_t index)
{
    int64_t item = count / BATCH;
    return index % item * BATCH + index / item;
}

static void fill_sample(struct sample *sample, int rank)
{
    *sample = (struct sample){.rank = rank, .shape = {BATCH, 3, 8, 8}, .count = 1};
    for (int axis = 0; axis < rank; axis++) sample->count *= sample->shape[axis];
    for (int64_t i = 0; i < sample->count; i++)
        sample->x[i] = (float)counter(sample->count, i) / (float)sample->count;
}

/* What a test's loop does about the input of the network, beside giving it as it should be. */
struct loop {
    float *overwritten;       /* the caller's state, which becomes the scaled input */
    const float *bare;        /* the caller's state, which the network gets unscaled */
    json_object *time_inputs; /* time inputs of the network instead, two calls each, or NULL */
    size_t calls;
};

/* The network x t / (t + 1) of diffusers' own tests. */
static sumi_status fading_model(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                const float *x, const float *times, float *output)
{
    (void)output_size;
    struct loop *loop = user;
    float given = 0;
    if (loop->time_inputs)
        given = (float)json_object_get_double(
            json_object_array_get_idx(loop->time_inputs, loop->calls++ / 2));
    if (loop->overwritten) memcpy(loop->overwritten, x, (size_t)(count * item_size) * sizeof *x);
    if (loop->bare) x = loop->bare;
    for (int64_t i = 0; i < count * item_size; i++) {
        float time = loop->time_inputs ? given : times[i / item_size];
        output[i] = x[i] * time / (time + 1);
    }
    return SUMI_OK;
}

/* 0.7 tanh(x) + 0.05 cos(0.01 t); with `user` a second half of channels 0.5 sin(x). */
static sumi_status nonlinear_model(void *user, int64_t count, int64_t item_size,
                                   int64_t output_size, const float *x, const float *times,
                                   float *output)
{
    (void)output_size;
    int64_t stride = user ? 2 * item_size : item_size;
    for (int64_t item = 0; item < count; item++) {
        for (int64_t i = 0; i < item_size; i++) {
            float value = x[item * item_size + i];
            float *to = output + item * stride + i;
            to[0] = 0.7f * tanhf(value) + 0.05f * cosf(0.01f * times[item]);
            if (user) to[item_size] = 0.5f * sinf(value);
        }
    }
    return SUMI_OK;
}

/* The score of data of deviation 1/2; the time input is sigma. */
static sumi_status gaussian_score(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                  const float *x, const float *times, float *output)
{
    (void)user, (void)output_size;
    for (int64_t i = 0; i < count * item_size; i++)
        output[i] = -x[i] / (0.25f + times[i / item_size] * times[i / item_size]);
    return SUMI_OK;
}

static double magnitude(const float *x, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += fabs(x[i]);
    return sum;
}

struct record {
    int64_t steps, count;
    double times[MOST_STEPS], sums[MOST_STEPS];
};

static bool remember(void *user, int64_t step, int64_t steps, double time, const float *x,
                     const float *clean)
{
    (void)clean;
    struct record *record = user;
    assert_int_equal(step, record->steps);
    assert_true(step < steps);
    record->times[step] = time;
    record->sums[step] = magnitude(x, record->count);
    record->steps++;
    return true;
}

static json_object *member(json_object *object, const char *name)
{
    return json_object_object_get(object, name);
}

static double number(json_object *object, const char *name)
{
    assert_non_null(member(object, name));
    return json_object_get_double(member(object, name));
}

static sumi_solver *make_solver(sumi_context *context, json_object *row, const char *config)
{
    sumi_solver *solver = NULL;
    const char *name = solver_name_for_class(json_object_get_string(member(row, "scheduler")));
    assert_non_null(name);
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    CHECK_OK(context,
             sumi_solver_configure(solver, json_object_to_json_string(member(row, config))));
    CHECK_OK(context, sumi_solver_set(solver, "rng", "torch"));
    CHECK_OK(context, sumi_solver_set(solver, "seed", "0"));
    CHECK_OK(context, sumi_solver_set(solver, "channels", "first"));
    json_object *compat = member(row, "compat"), *start = member(row, "start_index");
    if (compat)
        CHECK_OK(context, sumi_solver_set(solver, "compat", json_object_get_string(compat)));
    if (start)
        CHECK_OK(context, sumi_solver_set(solver, "start_index", json_object_get_string(start)));
    return solver;
}

static void set_members(sumi_context *context, sumi_solver *solver, json_object *options)
{
    if (!options) return;
    json_object_object_foreach(options, name, value)
    {
        if (strcmp(name, "num_inference_steps") == 0) name = "steps";
        if (value)
            CHECK_OK(context, sumi_solver_set(solver, name, json_object_to_json_string(value)));
    }
}

static void check_ends(json_object *row, const float *x, int64_t count, double relative)
{
    for (int i = 0; i < 8; i++) {
        double expected =
            json_object_get_double(json_object_array_get_idx(member(row, "first8"), (size_t)i));
        CHECK_CLOSE(x[i], expected, relative * (1 + fabs(expected)));
    }
    for (int i = 0; i < 2; i++) {
        double expected =
            json_object_get_double(json_object_array_get_idx(member(row, "last2"), (size_t)i));
        CHECK_CLOSE(x[count - 2 + i], expected, relative * (1 + fabs(expected)));
    }
}

static void check_sums(json_object *sums, const struct record *record, int64_t stride)
{
    size_t count = json_object_array_length(sums);
    for (size_t i = 0; i < count; i++) {
        int64_t step =
            (int64_t)i * stride < record->steps ? (int64_t)i * stride : record->steps - 1;
        double expected = json_object_get_double(json_object_array_get_idx(sums, i));
        CHECK_CLOSE(record->sums[step], expected, 1e-4 * expected);
    }
}

static void check_times(json_object *times, const struct record *record, int64_t start)
{
    if (!json_object_is_type(times, json_type_array)) return;
    for (int64_t i = 0; i < record->steps; i++) {
        int64_t place = start + i;
        double expected = json_object_get_double(json_object_array_get_idx(times, (size_t)place));
        CHECK_CLOSE(record->times[i], expected, 2e-3); /* those between whole times are float32 */
    }
}

/* Begins late, from the sample with the dummy noise, the sample counted down. */
static int64_t begin_late(sumi_context *context, sumi_solver *solver, json_object *late,
                          struct sample *sample)
{
    float noise[MOST_COUNT];
    int64_t count = sample->count;
    for (int64_t i = 0; i < count; i++)
        noise[i] = (float)(count - 1 - counter(count, i)) / (float)count;
    CHECK_OK(context, sumi_solver_add_noise(solver, count, sample->x, noise,
                                            number(late, "timestep"), sample->x));
    CHECK_OK(context, sumi_solver_set(solver, "start_index",
                                      json_object_get_string(member(late, "t_start_index"))));
    return (int64_t)number(late, "t_start_index");
}

static void scale_start(sumi_solver *solver, json_object *row, struct sample *sample)
{
    if (!member(row, "init_noise_sigma")) return;
    double sigma = number(row, "init_noise_sigma");
    sumi_solver_times(solver, NULL, 0);
    CHECK_CLOSE(sumi_solver_initial_sigma(solver), sigma, 1e-4 * sigma);
    for (int64_t i = 0; i < sample->count; i++)
        sample->x[i] = (float)(sample->x[i] * sumi_solver_initial_sigma(solver));
}

static void run_peer_test(sumi_context *context, json_object *row)
{
    static struct record record;
    struct sample sample;
    struct loop loop = {.time_inputs = member(row, "told")};
    sumi_solver *solver = make_solver(context, row, "config_given");
    json_object *steps = member(row, "num_inference_steps"), *late = member(row, "add_noise");
    json_object *shape = member(row, "sample_shape"), *kind = member(row, "loop");
    print_message("%s\n", json_object_get_string(member(row, "id")));
    if (steps) CHECK_OK(context, sumi_solver_set(solver, "steps", json_object_get_string(steps)));
    set_members(context, solver, member(row, "step_extras"));
    fill_sample(&sample, shape ? (int)json_object_array_length(shape) : 4);
    if (kind && strstr(json_object_get_string(kind), "overwritten")) loop.overwritten = sample.x;
    if (kind && strstr(json_object_get_string(kind), "input x passed")) loop.bare = sample.x;
    scale_start(solver, row, &sample);
    json_object *skipped = member(row, "start_index");
    int64_t start = skipped ? json_object_get_int64(skipped) : 0;
    if (late) start = begin_late(context, solver, late, &sample);
    record.steps = 0;
    record.count = sample.count;
    CHECK_OK(context, sumi_solver_run(solver, fading_model, &loop, sample.rank, sample.shape,
                                      sample.x, remember, &record));
    double sum = magnitude(sample.x, sample.count);
    if (member(row, "expected_sum"))
        CHECK_CLOSE(sum, number(row, "expected_sum"), number(row, "tol_sum"));
    double mean = sum / (double)sample.count;
    CHECK_CLOSE(mean, number(row, "expected_mean"), number(row, "tol_mean"));
    json_object *measured = member(row, "measured");
    check_sums(member(measured, "step_sum_abs"), &record,
               (int64_t)number(measured, "step_sum_abs_stride"));
    check_times(member(row, "timesteps"), &record, start);
    check_ends(measured, sample.x, sample.count, 1e-4);
    sumi_solver_free(solver);
}

/* Of a corrector's and a predictor's step the row has one sum; of the last, the one with the noise
   that the end result leaves out. */
static void merge_pairs(struct record *record, double end, json_object *row)
{
    CHECK_CLOSE(end, number(row, "final_sum_abs"), 1e-4 * end);
    record->steps /= 2;
    for (int64_t i = 0; i < record->steps; i++) record->sums[i] = record->sums[2 * i + 1];
    json_object *sums = member(row, "step_sum_abs");
    size_t last = json_object_array_length(sums) - 1;
    record->sums[last] = json_object_get_double(json_object_array_get_idx(sums, last));
}

static void run_extra_vector(sumi_context *context, json_object *row)
{
    static struct record record;
    struct sample sample;
    sumi_solver *solver = make_solver(context, row, "config");
    set_members(context, solver, member(row, "set_timesteps"));
    set_members(context, solver, member(row, "step_kwargs"));
    print_message("%s\n", json_object_get_string(member(row, "id")));
    const char *model = json_object_get_string(member(row, "model"));
    bool variance = strcmp(model, "B+var") == 0, score = strncmp(model, "gaussian", 8) == 0;
    fill_sample(&sample, 4);
    for (int64_t i = 0; i < sample.count; i++) sample.x[i] = 2 * sample.x[i] - 1;
    scale_start(solver, row, &sample);
    record.steps = 0;
    record.count = sample.count;
    CHECK_OK(context, sumi_solver_run(solver, score ? gaussian_score : nonlinear_model,
                                      variance ? &variance : NULL, sample.rank, sample.shape,
                                      sample.x, remember, &record));
    if (score) merge_pairs(&record, magnitude(sample.x, sample.count), row);
    assert_int_equal(record.steps, (int64_t)number(row, "num_steps"));
    check_sums(member(row, "step_sum_abs"), &record, 1);
    json_object *start = member(row, "start_index");
    check_times(member(row, "timesteps"), &record, start ? json_object_get_int64(start) : 0);
    check_ends(row, sample.x, sample.count, 1e-4);
    sumi_solver_free(solver);
}

static void run_rows(const char *path, const char *list, void (*run)(sumi_context *, json_object *))
{
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    json_object *file = json_object_from_file(path);
    assert_non_null(file);
    json_object *rows = member(file, list);
    assert_true(json_object_array_length(rows) >= 10);
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        run(context, json_object_array_get_idx(rows, i));
    json_object_put(file);
    sumi_context_free(context);
}

/* ---- Single numbers ---- */

/* Predicts clean data 0 and, where that is asked for, 1/2 of a variance. */
static sumi_status nothing(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    (void)user, (void)x, (void)times;
    for (int64_t item = 0; item < count; item++)
        for (int64_t i = 0; i < output_size; i++)
            output[item * output_size + i] = i < item_size ? 0 : 0.5f;
    return SUMI_OK;
}

/* The deviation of the noise that the first of a list of steps adds: from no data and no state
   nothing else is left. Torch's first draw is known. */
static double deviation_of_step(sumi_context *context, json_object *row, const char *times,
                                double drawn)
{
    static struct record record;
    struct sample sample = {.rank = 4, .shape = {BATCH, 3, 8, 8}, .count = MOST_COUNT};
    sumi_solver *solver = make_solver(context, row, "config");
    CHECK_OK(context, sumi_solver_set(solver, "prediction_type", "sample"));
    configure(context, solver, "eta", "1");
    CHECK_OK(context, sumi_solver_set(solver, "timesteps", times));
    record.steps = 0;
    record.count = sample.count;
    CHECK_OK(context, sumi_solver_run(solver, nothing, NULL, sample.rank, sample.shape, sample.x,
                                      remember, &record));
    sumi_solver_free(solver);
    return record.sums[0] / drawn;
}

static void check_variances(sumi_context *context, json_object *file, json_object *row)
{
    json_object *zero = member(member(file, "torch_cpu_rng_vectors"), "0");
    json_object *draw = member(zero, "randn768_first4_last2_sumabs");
    double drawn = json_object_get_double(json_object_array_get_idx(draw, 6));
    const char *check = json_object_get_string(member(row, "check"));
    bool deviation = strstr(check, "deviation") != NULL, logarithm = strstr(check, "log v") != NULL;
    json_object_object_foreach(member(row, "values"), key, value)
    {
        char times[40];
        int time = atoi(key), next = strchr(key, ',') ? atoi(strchr(key, ',') + 1) : time - 1;
        if (next < 0 || next == time) snprintf(times, sizeof times, "[%d]", time);
        else snprintf(times, sizeof times, "[%d,%d]", time, next);
        double variance = deviation_of_step(context, row, times, drawn);
        if (!deviation) variance = logarithm ? 2 * log(variance) : variance * variance;
        CHECK_CLOSE(variance, json_object_get_double(value), number(row, "tol"));
    }
}

/* Times of `values`, counted in the sigmas of a straight path where they are below 1. */
static void check_visits(sumi_context *context, json_object *row)
{
    double times[64], expected, signal, noise;
    json_object *values = member(row, "values");
    const char *check = json_object_get_string(member(row, "check"));
    bool next = strstr(check, "previous") != NULL, sigmas = strstr(check, "sigmas") != NULL;
    size_t count = json_object_array_length(values) - (next || sigmas); /* less the end */
    sumi_solver *solver = make_solver(context, row, "config");
    const char *bracket = strchr(check, next ? '[' : '(');
    char given[40];
    snprintf(given, sizeof given, "%s", next ? bracket : bracket + 1);
    if (!next) given[strcspn(given, ")")] = 0;
    CHECK_OK(context, sumi_solver_set(solver, next ? "timesteps" : "steps", given));
    assert_int_equal(sumi_solver_times(solver, times, 64), count + next);
    for (size_t i = 0; i < count; i++) {
        expected = json_object_get_double(json_object_array_get_idx(values, i));
        if (sigmas) {
            CHECK_OK(context, sumi_solver_level(solver, times[i], &signal, &noise));
            CHECK_CLOSE(noise, expected, 1e-6);
        }
        assert_true(times[i + next] == (sigmas ? floor(1000 * expected) : expected));
    }
    sumi_solver_free(solver);
}

static void single_numbers_of_the_peers_tests_agree(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    json_object *file = json_object_from_file(TEST_DATA "/schedulers.json");
    assert_non_null(file);
    json_object *rows = member(file, "scalar_checks");
    assert_int_equal(json_object_array_length(rows), 9);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        json_object *row = json_object_array_get_idx(rows, i);
        const char *check = json_object_get_string(member(row, "check"));
        print_message("%s %s\n", json_object_get_string(member(row, "scheduler")), check);
        if (strstr(check, "variance")) check_variances(context, file, row);
        else check_visits(context, row);
    }
    json_object_put(file);
    sumi_context_free(context);
}

static void loops_of_the_peers_tests_end_within_its_tolerances(void **state)
{
    (void)state;
    run_rows(TEST_DATA "/schedulers.json", "tests", run_peer_test);
}

static void every_step_of_the_wider_grid_agrees_with_the_peer(void **state)
{
    (void)state;
    run_rows(TEST_DATA "/schedulers.json", "extra_vectors", run_extra_vector);
}

static void every_step_of_rarer_options_agrees_with_the_peer(void **state)
{
    (void)state;
    run_rows(TEST_DATA "/schedulers_more.json", "extra_vectors", run_extra_vector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_of_the_peers_tests_end_within_its_tolerances),
        cmocka_unit_test(every_step_of_the_wider_grid_agrees_with_the_peer),
        cmocka_unit_test(single_numbers_of_the_peers_tests_agree),
        cmocka_unit_test(every_step_of_rarer_options_agrees_with_the_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
