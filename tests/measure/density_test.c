/* SPDX-License-Identifier: Apache-2.0 */
/* The exact density along the probability flow, where it is known in closed form. */
#include "measure/mixture.h"
#include "solvers/solver.h"
#include "one_context.h"
#include "sumi_graph.h"

enum { POINTS = 24 };

static void fill_points(float points[2 * POINTS])
{
    for (int i = 0; i < POINTS; i++) {
        points[2 * i] = (float)(1.4 * sin(2.4 * i));
        points[2 * i + 1] = (float)(1.4 * cos(1.7 * i + 1));
    }
}

struct scene {
    struct mixture mixture;
    sumi_solver *solver;
    sumi_likelihood *likelihood;
    struct noise_level data; /* where the flow begins */
};

static struct scene begin(const struct mixture *mixture, const char *name, const char *options)
{
    struct scene scene = {.mixture = *mixture};
    CHECK_OK(context, sumi_solver_create(context, name, &scene.solver));
    CHECK_OK(context, sumi_solver_configure(scene.solver, options));
    CHECK_OK(context, solver_path(scene.solver, &scene.mixture.path));
    const struct noise_path *path = scene.mixture.path;
    scene.mixture.prediction = (enum prediction_type)solver_options(scene.solver)->prediction_type;
    scene.data = path_level_at(path, path_least(path));
    bool whole = path->kind == PATH_FLOW && scene.mixture.prediction >= PREDICTION_FLOW;
    if (whole) scene.data = (struct noise_level){.signal = 1};
    CHECK_OK(context, sumi_likelihood_create(context, scene.solver, &scene.likelihood));
    CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "tolerance", "1e-8"));
    return scene;
}

static void end(struct scene *scene)
{
    sumi_likelihood_free(scene->likelihood);
    sumi_solver_free(scene->solver);
}

/* The largest difference from the truth, in nats. */
static double largest_error(struct scene *scene)
{
    float points[2 * POINTS];
    double bits[POINTS], largest = 0, mean = 0;
    const int64_t shape[] = {POINTS, 2};
    fill_points(points);
    CHECK_OK(context, sumi_likelihood_density(scene->likelihood, mixture_product, &scene->mixture,
                                              2, shape, points, bits, NULL, NULL));
    for (int i = 0; i < POINTS; i++) {
        double x[2] = {points[2 * i], points[2 * i + 1]};
        const double nowhere[2] = {0};
        double truth = mixture_look(&scene->mixture, &scene->data, x, nowhere).log_density;
        largest = fmax(largest, fabs(-bits[i] * log(2) - truth));
        mean += bits[i] / POINTS;
    }
    sumi_likelihood_term total = {.size = sizeof total};
    assert_true(sumi_likelihood_get(scene->likelihood, 0, &total));
    CHECK_CLOSE(total.bits, mean, 1e-12);
    assert_true(total.draws > 0 && !sumi_likelihood_get(scene->likelihood, 1, &total));
    return largest;
}

/* Each path goes so far that nothing of the data is left. */
static void densities_of_a_mixture_are_exact_on_every_path(void **state)
{
    (void)state;
    static const char *const paths[][2] = {
        {"euler", "{\"path\": \"ve\", \"sigma_min\": 0.01, \"sigma_max\": 5000,"
                  " \"prediction_type\": \"score\"}"},
        {"euler", "{\"path\": \"vp\", \"beta_min\": 0.1, \"beta_max\": 60}"},
        {"euler", "{\"path\": \"vp\", \"beta_min\": 0.1, \"beta_max\": 60,"
                  " \"prediction_type\": \"v_prediction\"}"},
        {"euler", "{\"path\": \"sub_vp\", \"beta_min\": 0.1, \"beta_max\": 60}"},
        {"euler", "{\"path\": \"edm\", \"sigma_max\": 5000}"},
        {"euler", "{\"path\": \"edm\", \"sigma_max\": 5000, \"prediction_type\": \"sample\"}"},
        {"flow-euler", "{}"},
        {"flow-euler", "{\"prediction_type\": \"velocity\"}"},
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct scene scene = begin(&three_parts, paths[i][0], paths[i][1]);
        double error = largest_error(&scene);
        if (!(error < 1e-5)) fail_msg("%s: the error is %g", paths[i][1], error);
        end(&scene);
    }
}

/* On a table of betas a standard normal stays what it is. */
static void the_density_of_a_standard_normal_is_exact_on_a_table(void **state)
{
    (void)state;
    static const char *const predictions[] = {"{\"prediction_type\": \"epsilon\"}",
                                              "{\"prediction_type\": \"sample\"}"};
    for (int i = 0; i < 2; i++) {
        struct scene scene = begin(&standard_normal, "ddpm", predictions[i]);
        CHECK_CLOSE(largest_error(&scene), 0, 1e-5);
        end(&scene);
    }
}

static void steps_of_equal_length_come_near_with_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *name, *steps, *twice;
        double order, variance;
    } methods[] = {{"euler", "256", "512", 1, 0.2},
                   {"midpoint", "256", "512", 2, 0.2},
                   {"heun", "128", "256", 2, 0.2},
                   {"rk4", "16", "32", 4, 0.02}};
    for (int i = 0; i < 4; i++) {
        struct mixture one = {.parts = 1, .weights = {1}, .means = {{0.5, -0.3}}};
        one.variance = methods[i].variance;
        struct scene scene = begin(&one, "flow-euler", "{}");
        CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "method", methods[i].name));
        CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "tolerance", "1e-5"));
        CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "steps", methods[i].steps));
        double coarse = largest_error(&scene);
        CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "steps", methods[i].twice));
        double fine = largest_error(&scene);
        CHECK_CLOSE(log2(coarse / fine), methods[i].order, 0.15);
        end(&scene);
    }
}

static void settings_without_effect_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][5] = {
        {"steps", "50", NULL, NULL, "reads \"steps\" only with method = euler or midpoint"},
        {"method", "heun", "tolerance", "1e-3", "reads \"tolerance\" only with method = rk45"},
        {"probe", "exact", "probes", "3", "reads \"probes\" only with probe = auto or"}};
    for (int i = 0; i < 3; i++) {
        struct scene scene = {.mixture = standard_normal};
        CHECK_OK(context, sumi_solver_create(context, "ddpm", &scene.solver));
        CHECK_OK(context, sumi_likelihood_create(context, scene.solver, &scene.likelihood));
        for (int k = 0; k < 4 && cases[i][k]; k += 2)
            CHECK_OK(context, sumi_likelihood_set(scene.likelihood, cases[i][k], cases[i][k + 1]));
        assert_int_equal(sumi_likelihood_density(scene.likelihood, mixture_product, &scene.mixture,
                                                 2, (int64_t[]){1, 2}, (float[]){0, 0}, NULL, NULL,
                                                 NULL),
                         SUMI_ERROR_ARGUMENT);
        if (!strstr(sumi_context_message(context), cases[i][4]))
            fail_msg("%s", sumi_context_message(context));
        end(&scene);
    }
}

static void settings_are_listed_and_got(void **state)
{
    (void)state;
    sumi_solver *solver = NULL;
    sumi_likelihood *likelihood = NULL;
    sumi_option option = {.size = sizeof option};
    int number = 0;
    CHECK_OK(context, sumi_solver_create(context, "ddpm", &solver));
    CHECK_OK(context, sumi_likelihood_create(context, solver, &likelihood));
    for (; sumi_likelihood_option(likelihood, number, &option); number++) {
        assert_true(option.meaning[0]);
        assert_string_equal(sumi_likelihood_setting(likelihood, option.name), option.default_value);
    }
    assert_int_equal(number, 13);
    CHECK_OK(context, sumi_likelihood_set_number(likelihood, "tolerance", 0.001));
    assert_string_equal(sumi_likelihood_setting(likelihood, "tolerance"), "0.001");
    CHECK_OK(context, sumi_likelihood_set(likelihood, "dequantise", "yes"));
    assert_string_equal(sumi_likelihood_setting(likelihood, "dequantise"), "true");
    CHECK_OK(context, sumi_likelihood_set(likelihood, "seed", "18446744073709551615"));
    assert_null(sumi_likelihood_setting(likelihood, "taste"));
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
}

static void probes_estimate_the_trace_without_bias(void **state)
{
    (void)state;
    struct scene scene = begin(&three_parts, "flow-euler", "{}");
    static const char *const probes[] = {"rademacher", "gaussian"};
    CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "tolerance", "1e-5"));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "probe", probes[i]));
        CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "probes", "1"));
        double one = largest_error(&scene);
        CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "probes", "400"));
        double many = largest_error(&scene);
        assert_true(one > 0.05 && many < 0.35 * one);
    }
    end(&scene);
    /* where all directions are alike, one sign is as good as all */
    scene = begin(&standard_normal, "ddpm", "{}");
    CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "probe", "rademacher"));
    CHECK_CLOSE(largest_error(&scene), 0, 1e-5);
    end(&scene);
}

/* A constant density over a level of a byte makes the levels' probabilities add up: the bits of a
   level are those of the density less the bits of its width. */
static void levels_of_a_byte_are_spread_over_their_width(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    static float points[2 * MANY];
    static double bits[MANY];
    const int64_t shape[] = {MANY, 2};
    double mean = 0;
    struct scene scene = begin(&standard_normal, "flow-euler", "{}");
    CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "tolerance", "1e-5"));
    CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "dequantise", "true"));
    CHECK_OK(context, sumi_likelihood_density(scene.likelihood, mixture_product, &scene.mixture, 2,
                                              shape, points, bits, NULL, NULL));
    for (int i = 0; i < MANY; i++) mean += bits[i] / MANY;
    CHECK_CLOSE(mean, log2(6.283185307179586) + 2 * log2(255.0 / 2), 1e-4);
    assert_true(bits[0] != bits[1]);
    end(&scene);
}

static sumi_node build_rest(void *user, sumi_graph *graph, const sumi_node *inputs)
{
    (void)user;
    return sumi_op_affine(graph, inputs[0], 0, 0);
}

/* A network that gives no velocity leaves the points where they are, among normal ones. */
static void the_density_of_a_model_at_rest_is_normal(void **state)
{
    (void)state;
    const sumi_network network = {
        .size = sizeof network, .rank = 1, .shape = {2}, .build = build_rest};
    const int64_t shape[] = {POINTS, 2};
    float points[2 * POINTS];
    double bits[POINTS];
    struct scene scene =
        begin(&standard_normal, "flow-euler", "{\"prediction_type\": \"velocity\"}");
    sumi_model *model = NULL;
    fill_points(points);
    CHECK_OK(context, sumi_model_compose(context, &network, 1, &model));
    sumi_session *session = NULL;
    CHECK_OK(context, sumi_session_create(context, model, &session));
    CHECK_OK(context,
             sumi_session_density(session, scene.likelihood, 2, shape, points, bits, NULL, NULL));
    sumi_session_free(session);
    for (int i = 0; i < POINTS; i++) {
        double x = points[2 * i], y = points[2 * i + 1];
        CHECK_CLOSE(bits[i], ((x * x + y * y) / 2 + log(6.283185307179586)) / log(2), 1e-6);
    }
    sumi_model_free(model);
    end(&scene);
}

static void bits_have_no_density(void **state)
{
    (void)state;
    const int64_t shape[] = {1, 2};
    const float point[2] = {1, -1};
    struct scene scene = begin(&standard_normal, "binomial", "{}");
    assert_int_equal(sumi_likelihood_density(scene.likelihood, mixture_product, &scene.mixture, 2,
                                             shape, point, NULL, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "bound"));
    end(&scene);
}

static bool stop(void *user, const sumi_progress *progress)
{
    ++*(int *)user;
    return progress->step < 8;
}

static void a_measurement_can_be_watched_and_stopped(void **state)
{
    (void)state;
    float points[2 * POINTS];
    const int64_t shape[] = {POINTS, 2};
    int calls = 0;
    struct scene scene = begin(&standard_normal, "flow-euler", "{}");
    fill_points(points);
    CHECK_OK(context, sumi_likelihood_set(scene.likelihood, "batch", "8"));
    assert_int_equal(sumi_likelihood_density(scene.likelihood, mixture_product, &scene.mixture, 2,
                                             shape, points, NULL, stop, &calls),
                     SUMI_STOPPED);
    assert_int_equal(calls, 2); /* four items take eight rows */
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(densities_of_a_mixture_are_exact_on_every_path),
        cmocka_unit_test(the_density_of_a_standard_normal_is_exact_on_a_table),
        cmocka_unit_test(steps_of_equal_length_come_near_with_their_order),
        cmocka_unit_test(probes_estimate_the_trace_without_bias),
        cmocka_unit_test(settings_without_effect_are_refused),
        cmocka_unit_test(settings_are_listed_and_got),
        cmocka_unit_test(levels_of_a_byte_are_spread_over_their_width),
        cmocka_unit_test(the_density_of_a_model_at_rest_is_normal),
        cmocka_unit_test(bits_have_no_density),
        cmocka_unit_test(a_measurement_can_be_watched_and_stopped),
    };
    return cmocka_run_group_tests(tests, make_context, leave_context);
}
