/* SPDX-License-Identifier: Apache-2.0 */
/* The trainer over objectives of a test's own, where the answer is known in closed form. */
#include "learn/regression.h"
#include "scratch.h"
#include "sumi_graph.h"

enum { UNKNOWNS = REGRESSION_COLUMNS + 1 };

/* Least squares by the normal equations, in double, eliminated in place. */
static void solve_least_squares(const struct regression *r, double solution[UNKNOWNS])
{
    double m[UNKNOWNS][UNKNOWNS + 1] = {{0}};
    for (int i = 0; i < REGRESSION_ROWS; i++) {
        double row[UNKNOWNS + 1] = {r->x[i][0], r->x[i][1], r->x[i][2], 1, r->y[i]};
        for (int a = 0; a < UNKNOWNS; a++) {
            for (int b = 0; b <= UNKNOWNS; b++) m[a][b] += row[a] * row[b];
        }
    }
    for (int pivot = 0; pivot < UNKNOWNS; pivot++) {
        for (int a = 0; a < UNKNOWNS; a++) {
            double share = m[a][pivot] / m[pivot][pivot];
            for (int b = 0; b <= UNKNOWNS && a != pivot; b++) m[a][b] -= share * m[pivot][b];
        }
    }
    for (int a = 0; a < UNKNOWNS; a++) solution[a] = m[a][UNKNOWNS] / m[a][a];
}

static double mean_squared_error(const struct regression *r, const float *w)
{
    double total = 0;
    for (int i = 0; i < REGRESSION_ROWS; i++) {
        double error = w[0] * r->x[i][0] + w[1] * r->x[i][1] + w[2] * r->x[i][2] + w[3] - r->y[i];
        total += error * error / REGRESSION_ROWS;
    }
    return total;
}

static void regression_reaches_the_least_squares_solution(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    const char *const settings[] = {"train.steps=800", "train.learning_rate=0.05",
                                    "train.decay=cosine", "train.warmup=0", NULL};
    double expected[UNKNOWNS];
    float found[UNKNOWNS];
    regression_begin(room->context, 0, settings, &t);
    solve_least_squares(&t.regression, expected);
    regression_steps(room->context, &t, 800);
    regression_weights(&t, found);
    for (int i = 0; i < UNKNOWNS; i++) CHECK_CLOSE(found[i], expected[i], 1e-5);
    regression_end(&t);
}

static void each_step_records_the_loss_before_it(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    const char *const settings[] = {"train.learning_rate=0.05", NULL};
    float before[UNKNOWNS];
    const float *losses = NULL;
    regression_begin(room->context, 0, settings, &t);
    assert_int_equal(sumi_trainer_losses(t.trainer, &losses), 0);
    for (int step = 0; step < 1500; step++) { /* more than are reserved at first */
        double loss = 0;
        regression_weights(&t, before);
        CHECK_OK(room->context, sumi_trainer_step(t.trainer, &loss));
        assert_int_equal(sumi_trainer_steps_done(t.trainer), step + 1);
        assert_int_equal(sumi_trainer_losses(t.trainer, &losses), step + 1);
        CHECK_CLOSE(loss, mean_squared_error(&t.regression, before), 1e-6);
        assert_true((double)losses[step] == loss);
    }
    regression_end(&t);
}

static void averages_go_in_and_out_without_a_bit_changed(void **state)
{
    scratch *room = *state;
    static struct regression_training t, plain;
    const char *const settings[] = {"train.learning_rate=0.05", "train.ema=0.9",
                                    "train.ema_warmup=no", NULL};
    float start[UNKNOWNS], raw[UNKNOWNS], average[UNKNOWNS], now[UNKNOWNS];
    double expected[UNKNOWNS];
    regression_begin(room->context, 0, settings, &t);
    regression_begin(room->context, 0, settings, &plain);
    regression_weights(&t, start);
    for (int i = 0; i < UNKNOWNS; i++) expected[i] = start[i];
    for (int step = 0; step < 30; step++) {
        regression_steps(room->context, &t, 1);
        regression_weights(&t, raw);
        for (int i = 0; i < UNKNOWNS; i++) expected[i] = 0.9 * expected[i] + 0.1 * raw[i];
    }
    for (int round = 0; round < 3; round++) {
        CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, true));
        CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, true)); /* already there */
        regression_weights(&t, average);
        for (int i = 0; i < UNKNOWNS; i++) CHECK_CLOSE(average[i], expected[i], 1e-6);
        CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, false));
        regression_weights(&t, now);
        assert_memory_equal(now, raw, sizeof raw);
    }
    CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, true));
    regression_steps(room->context, &t, 5); /* goes on from the raw weights */
    regression_steps(room->context, &plain, 35);
    regression_weights(&t, now);
    regression_weights(&plain, raw);
    assert_memory_equal(now, raw, sizeof raw);
    regression_end(&plain);
    regression_end(&t);
}

static void a_loss_that_is_not_finite_names_the_step_and_changes_nothing(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    const char *const settings[] = {"train.learning_rate=0.05", NULL};
    float before[UNKNOWNS], after[UNKNOWNS];
    regression_begin(room->context, 0, settings, &t);
    t.regression.bad_step = 3;
    regression_steps(room->context, &t, 3);
    regression_weights(&t, before);
    assert_int_equal(sumi_trainer_step(t.trainer, NULL), SUMI_ERROR_NUMBER);
    assert_non_null(strstr(sumi_context_message(room->context), "step 3"));
    regression_weights(&t, after);
    assert_memory_equal(after, before, sizeof after);
    assert_int_equal(sumi_trainer_steps_done(t.trainer), 3);
    t.regression.bad_step = -1;
    regression_steps(room->context, &t, 1);
    regression_end(&t);
}

/* ---- Objectives of other shapes ---- */

/* loss = (2 w - 6)^2 where w is named twice, as w + w. */
static sumi_node build_twice(void *user, sumi_graph *graph)
{
    (void)user;
    const int64_t one = 1;
    sumi_node first = sumi_graph_weight(graph, "w", 1, &one, SUMI_START_ZERO, 0);
    sumi_node second = sumi_graph_weight(graph, "w", 1, &one, SUMI_START_ZERO, 0);
    sumi_node error = sumi_op_affine(graph, sumi_op_add(graph, first, second), 1, -6);
    return sumi_op_multiply(graph, error, error);
}

static sumi_node build_nothing(void *user, sumi_graph *graph)
{
    (void)user, (void)graph;
    return -1;
}

static sumi_node build_vector(void *user, sumi_graph *graph)
{
    (void)user;
    const int64_t two = 2;
    return sumi_graph_weight(graph, "w", 1, &two, SUMI_START_ZERO, 0);
}

static sumi_status feed_nothing(void *user, sumi_plan *plan, int64_t step)
{
    (void)user, (void)plan, (void)step;
    return SUMI_OK;
}

static sumi_status feed_refusal(void *user, sumi_plan *plan, int64_t step)
{
    (void)user, (void)plan;
    return step == 2 ? SUMI_STOPPED : SUMI_OK;
}

struct plain {
    sumi_recipe *recipe;
    sumi_weights *weights;
    sumi_trainer *trainer;
};

static sumi_status plain_begin(sumi_context *context, sumi_node (*build)(void *, sumi_graph *),
                               sumi_status (*feed)(void *, sumi_plan *, int64_t), struct plain *p)
{
    sumi_objective objective = {.size = sizeof objective, .build = build, .feed = feed};
    memset(p, 0, sizeof *p);
    CHECK_OK(context, sumi_recipe_open(context, "points", &p->recipe));
    CHECK_OK(context, sumi_recipe_set(p->recipe, "train.learning_rate=0.1"));
    CHECK_OK(context, sumi_recipe_set(p->recipe, "train.warmup=0"));
    CHECK_OK(context, sumi_weights_create(context, 1, &p->weights));
    return sumi_trainer_create_custom(context, p->recipe, p->weights, &objective, &p->trainer);
}

static void plain_end(struct plain *p)
{
    sumi_trainer_free(p->trainer);
    sumi_weights_free(p->weights);
    sumi_recipe_free(p->recipe);
}

static void a_weight_used_twice_is_one_weight_with_one_gradient(void **state)
{
    scratch *room = *state;
    struct plain p;
    sumi_weight w = {.size = sizeof w};
    CHECK_OK(room->context, plain_begin(room->context, build_twice, feed_nothing, &p));
    assert_int_equal(sumi_weights_count(p.weights), 1);
    for (int i = 0; i < 500; i++) CHECK_OK(room->context, sumi_trainer_step(p.trainer, NULL));
    assert_true(sumi_weights_get(p.weights, 0, &w));
    CHECK_CLOSE(w.data[0], 3, 1e-3);
    plain_end(&p);
}

static void weights_made_after_the_trainer_are_left_alone(void **state)
{
    scratch *room = *state;
    struct plain p;
    sumi_graph *graph = NULL;
    sumi_weight later = {.size = sizeof later};
    CHECK_OK(room->context, plain_begin(room->context, build_twice, feed_nothing, &p));
    CHECK_OK(room->context, sumi_graph_create(room->context, p.weights, false, &graph));
    for (int i = 0; i < 100; i++) { /* the list of weights grows and moves */
        char name[16];
        const int64_t one = 1;
        snprintf(name, sizeof name, "later.%d", i);
        assert_true(sumi_graph_weight(graph, name, 1, &one, SUMI_START_ONE, 0) >= 0);
    }
    CHECK_OK(room->context, sumi_trainer_step(p.trainer, NULL));
    CHECK_OK(room->context, sumi_trainer_use_average(p.trainer, true));
    CHECK_OK(room->context, sumi_trainer_save(p.trainer, scratch_path(room, "c.safetensors")));
    CHECK_OK(room->context, sumi_trainer_load(p.trainer, scratch_path(room, "c.safetensors")));
    assert_true(sumi_weights_get(p.weights, 100, &later));
    assert_true(later.data[0] == 1);
    sumi_graph_free(graph);
    plain_end(&p);
}

static void objectives_without_a_single_loss_are_refused(void **state)
{
    scratch *room = *state;
    sumi_node (*const builds[])(void *, sumi_graph *) = {build_nothing, build_vector};
    for (int i = 0; i < 2; i++) {
        struct plain p;
        assert_int_equal(plain_begin(room->context, builds[i], feed_nothing, &p),
                         SUMI_ERROR_ARGUMENT);
        assert_null(p.trainer);
        assert_non_null(strstr(sumi_context_message(room->context), "one element"));
        plain_end(&p);
    }
}

static void keys_that_only_built_in_objectives_read_are_refused(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {"train.label_dropout=0.5", "train.objective=variational",
                                           "train.weighting=min_snr", "train.times=uniform",
                                           "train.coupling=optimal",  "train.pairs=7"};
    const sumi_objective objective = {
        .size = sizeof objective, .build = build_twice, .feed = feed_nothing};
    struct plain p;
    CHECK_OK(room->context, plain_begin(room->context, build_twice, feed_nothing, &p));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        sumi_recipe *recipe = NULL;
        sumi_trainer *trainer = NULL;
        CHECK_OK(room->context, sumi_recipe_open(room->context, "points", &recipe));
        CHECK_OK(room->context, sumi_recipe_set(recipe, settings[i]));
        assert_int_equal(
            sumi_trainer_create_custom(room->context, recipe, p.weights, &objective, &trainer),
            SUMI_ERROR_ARGUMENT);
        assert_null(trainer);
        const char *message = sumi_context_message(room->context);
        assert_memory_equal(message, settings[i], strcspn(settings[i], "="));
        assert_non_null(strstr(message, "an objective of the caller's own does not read it"));
        sumi_recipe_free(recipe);
    }
    plain_end(&p);
}

static void what_feeding_answers_ends_the_step(void **state)
{
    scratch *room = *state;
    struct plain p;
    CHECK_OK(room->context, plain_begin(room->context, build_twice, feed_refusal, &p));
    CHECK_OK(room->context, sumi_trainer_step(p.trainer, NULL));
    CHECK_OK(room->context, sumi_trainer_step(p.trainer, NULL));
    assert_int_equal(sumi_trainer_step(p.trainer, NULL), SUMI_STOPPED);
    assert_int_equal(sumi_trainer_steps_done(p.trainer), 2);
    plain_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(regression_reaches_the_least_squares_solution),
        SCRATCH_TEST(each_step_records_the_loss_before_it),
        SCRATCH_TEST(averages_go_in_and_out_without_a_bit_changed),
        SCRATCH_TEST(a_loss_that_is_not_finite_names_the_step_and_changes_nothing),
        SCRATCH_TEST(a_weight_used_twice_is_one_weight_with_one_gradient),
        SCRATCH_TEST(weights_made_after_the_trainer_are_left_alone),
        SCRATCH_TEST(objectives_without_a_single_loss_are_refused),
        SCRATCH_TEST(keys_that_only_built_in_objectives_read_are_refused),
        SCRATCH_TEST(what_feeding_answers_ends_the_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
