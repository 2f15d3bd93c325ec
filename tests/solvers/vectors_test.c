/* Whole loops against numbers measured with diffusers (tests/data/schedulers.json), through the
   public calls: its own tests' rows within its own tolerances, and a wider grid with a nonlinear
   model, step by step. */
#include "check.h"

#include <json-c/json.h>

enum { COUNT = 768, BATCH = 4, ITEM = COUNT / BATCH, MOST_STEPS = 1000 };
static const int64_t shape[] = {4, 3, 8, 8};

/* Element (b,c,h,w) of diffusers' dummy sample: the batch is the fastest index of the counter. */
static float dummy(int64_t index)
{
    return (float)(index % ITEM * BATCH + index / ITEM) / COUNT;
}

/* The network x t / (t + 1) of diffusers' own tests. */
static sumi_status fading_model(void *user, int64_t count, int64_t item_size,
                                int64_t output_size, const float *x, const float *times,
                                float *output)
{
    (void)output_size;
    (void)user;
    for (int64_t i = 0; i < count * item_size; i++)
        output[i] = x[i] * times[i / item_size] / (times[i / item_size] + 1);
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

static double magnitude(const float *x)
{
    double sum = 0;
    for (int i = 0; i < COUNT; i++) sum += fabs(x[i]);
    return sum;
}

struct record {
    int64_t steps;
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
    record->sums[step] = magnitude(x);
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
    bool ddpm = strncmp(json_object_get_string(member(row, "scheduler")), "DDPM", 4) == 0;
    CHECK_OK(context, sumi_solver_create(context, ddpm ? "ddpm" : "ddim", &solver));
    CHECK_OK(context,
             sumi_solver_configure(solver, json_object_to_json_string(member(row, config))));
    CHECK_OK(context, sumi_solver_set(solver, "rng", "torch"));
    CHECK_OK(context, sumi_solver_set(solver, "seed", "0"));
    CHECK_OK(context, sumi_solver_set(solver, "channels", "first"));
    return solver;
}

static void set_members(sumi_context *context, sumi_solver *solver, json_object *options)
{
    if (!options) return;
    json_object_object_foreach(options, name, value) {
        if (strcmp(name, "num_inference_steps") == 0) name = "steps";
        if (value)
            CHECK_OK(context, sumi_solver_set(solver, name, json_object_to_json_string(value)));
    }
}

static void check_ends(json_object *row, const float *x, double relative)
{
    for (int i = 0; i < 8; i++) {
        double expected =
            json_object_get_double(json_object_array_get_idx(member(row, "first8"), (size_t)i));
        CHECK_CLOSE(x[i], expected, relative * (1 + fabs(expected)));
    }
    for (int i = 0; i < 2; i++) {
        double expected =
            json_object_get_double(json_object_array_get_idx(member(row, "last2"), (size_t)i));
        CHECK_CLOSE(x[COUNT - 2 + i], expected, relative * (1 + fabs(expected)));
    }
}

static void check_sums(json_object *sums, const struct record *record, int64_t stride)
{
    size_t count = json_object_array_length(sums);
    for (size_t i = 0; i < count; i++) {
        int64_t step = (int64_t)i * stride < record->steps ? (int64_t)i * stride
                                                           : record->steps - 1;
        double expected = json_object_get_double(json_object_array_get_idx(sums, i));
        CHECK_CLOSE(record->sums[step], expected, 1e-4 * expected);
    }
}

static void check_times(json_object *times, const struct record *record, int64_t start)
{
    if (!json_object_is_type(times, json_type_array)) return;
    for (int64_t i = 0; i < record->steps; i++) {
        int64_t place = start + i;
        assert_true(record->times[i]
                    == json_object_get_double(json_object_array_get_idx(times, (size_t)place)));
    }
}

static void run_peer_test(sumi_context *context, json_object *row)
{
    static struct record record;
    float x[COUNT], noise[COUNT];
    int64_t start = 0;
    sumi_solver *solver = make_solver(context, row, "config_given");
    json_object *steps = member(row, "num_inference_steps"), *late = member(row, "add_noise");
    print_message("%s\n", json_object_get_string(member(row, "id")));
    if (steps) CHECK_OK(context, sumi_solver_set(solver, "steps", json_object_get_string(steps)));
    set_members(context, solver, member(row, "step_extras"));
    for (int i = 0; i < COUNT; i++) x[i] = dummy(i);
    if (late) {
        for (int i = 0; i < COUNT; i++)
            noise[i] = (float)(COUNT - 1 - (i % ITEM * BATCH + i / ITEM)) / COUNT;
        CHECK_OK(context, sumi_solver_add_noise(solver, COUNT, x, noise, number(late, "timestep"),
                                                x));
        start = (int64_t)number(late, "t_start_index");
        CHECK_OK(context, sumi_solver_set(solver, "start_index",
                                          json_object_get_string(member(late, "t_start_index"))));
    }
    record.steps = 0;
    CHECK_OK(context, sumi_solver_run(solver, fading_model, NULL, 4, shape, x, remember, &record));
    CHECK_CLOSE(magnitude(x), number(row, "expected_sum"), number(row, "tol_sum"));
    CHECK_CLOSE(magnitude(x) / COUNT, number(row, "expected_mean"), number(row, "tol_mean"));
    json_object *measured = member(row, "measured");
    check_sums(member(measured, "step_sum_abs"), &record,
               (int64_t)number(measured, "step_sum_abs_stride"));
    check_times(member(row, "timesteps"), &record, start);
    check_ends(measured, x, 1e-4);
    sumi_solver_free(solver);
}

static void run_extra_vector(sumi_context *context, json_object *row)
{
    static struct record record;
    float x[COUNT];
    sumi_solver *solver = make_solver(context, row, "config");
    set_members(context, solver, member(row, "set_timesteps"));
    set_members(context, solver, member(row, "step_kwargs"));
    print_message("%s\n", json_object_get_string(member(row, "id")));
    bool variance = strcmp(json_object_get_string(member(row, "model")), "B+var") == 0;
    for (int i = 0; i < COUNT; i++) x[i] = 2 * dummy(i) - 1;
    record.steps = 0;
    CHECK_OK(context, sumi_solver_run(solver, nonlinear_model, variance ? &variance : NULL, 4,
                                      shape, x, remember, &record));
    assert_int_equal(record.steps, (int64_t)number(row, "num_steps"));
    check_sums(member(row, "step_sum_abs"), &record, 1);
    check_times(member(row, "timesteps"), &record, 0);
    check_ends(row, x, 1e-4);
    sumi_solver_free(solver);
}

static void run_rows(const char *list, void (*run)(sumi_context *, json_object *))
{
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    json_object *file = json_object_from_file(TEST_DATA "/schedulers.json");
    assert_non_null(file);
    json_object *rows = member(file, list);
    assert_true(json_object_array_length(rows) >= 10);
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        run(context, json_object_array_get_idx(rows, i));
    json_object_put(file);
    sumi_context_free(context);
}

static void loops_of_the_peers_tests_end_within_its_tolerances(void **state)
{
    (void)state;
    run_rows("tests", run_peer_test);
}

static void every_step_of_the_wider_grid_agrees_with_the_peer(void **state)
{
    (void)state;
    run_rows("extra_vectors", run_extra_vector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_of_the_peers_tests_end_within_its_tolerances),
        cmocka_unit_test(every_step_of_the_wider_grid_agrees_with_the_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
