/* SPDX-License-Identifier: Apache-2.0 */
/* Sliced score matching: its loss is that of implicit score matching on average, its optimum the
   true score, and its gradient, which differentiates a derivative, that of difference quotients. */
#include "learn/noised.h"
#include "learn/training.h"

static const char ONE_LEVEL[] = "{\"path\": \"ve\", \"prediction_type\": \"score\","
                                " \"sigma_min\": 0.5, \"sigma_max\": 0.5001,"
                                " \"num_train_timesteps\": 2, \"clip_sample\": false}";
static const char *const SETTINGS[] = {"train.objective=sliced", "train.times=whole",
                                       "train.learning_rate=0.05", "train.warmup=0", NULL};

/* s = w x has ds/dx = w I, so that every direction gives the same. */
static void the_loss_of_a_linear_score_is_exact(void **state)
{
    scratch *room = *state;
    struct training t;
    training_begin(room->context, SETTINGS, ONE_LEVEL, &t);
    *scale_of(&t) = -1.3f;
    loss_of(room->context, &t, 2);
    const float *x = fed(&t, "x"), *losses = item_losses(&t);
    for (int i = 0; i < BATCH; i++) {
        double square = pow(x[i * SIZE], 2) + pow(x[i * SIZE + 1], 2);
        double implicit = -1.3 * SIZE + 0.5 * 1.3 * 1.3 * square; /* tr(ds/dx) + |s|^2 / 2 */
        CHECK_CLOSE(losses[i], 0.25 * implicit / SIZE, 1e-4 * (1 + fabs(implicit)));
    }
    training_end(&t);
}

/* The score of any prediction counts: here e = w x, so that s = -w x / 0.5. */
static void the_score_is_read_from_what_is_predicted(void **state)
{
    scratch *room = *state;
    struct training t;
    training_begin(room->context, SETTINGS,
                   "{\"path\": \"ve\", \"prediction_type\": \"epsilon\", \"sigma_min\": 0.5,"
                   " \"sigma_max\": 0.500001, \"num_train_timesteps\": 2, \"clip_sample\": false}",
                   &t);
    *scale_of(&t) = 0.4f;
    loss_of(room->context, &t, 2);
    const float *x = fed(&t, "x"), *losses = item_losses(&t);
    for (int i = 0; i < BATCH; i++) {
        double square = pow(x[i * SIZE], 2) + pow(x[i * SIZE + 1], 2);
        double implicit = -0.8 * SIZE + 0.5 * 0.8 * 0.8 * square;
        CHECK_CLOSE(losses[i], 0.25 * implicit / SIZE, 1e-4 * (1 + fabs(implicit)));
    }
    training_end(&t);
}

/* s = M x: the mean over directions of v' M v is the trace of M. */
static sumi_node build_matrix(void *user, sumi_graph *graph, const sumi_node *inputs)
{
    (void)user;
    const int64_t shape[] = {SIZE, SIZE};
    return sumi_op_linear(graph, inputs[0],
                          sumi_graph_weight(graph, "matrix", 2, shape, SUMI_START_ZERO, 0), -1);
}

static void its_mean_is_implicit_score_matching(void **state)
{
    scratch *room = *state;
    struct training t;
    enum { STEPS = 300 };
    const sumi_network network = {
        .size = sizeof network, .rank = 1, .shape = {SIZE}, .build = build_matrix};
    const float matrix[4] = {-1, 0.7f, 0.4f, -2};
    double mean = 0, wanted = 0;
    training_open(room->context, SETTINGS, &t);
    CHECK_OK(room->context, sumi_model_compose(room->context, &network, 1, &t.model));
    CHECK_OK(room->context, sumi_model_set_scheduler(t.model, ONE_LEVEL));
    CHECK_OK(room->context,
             sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer));
    memcpy(scale_of(&t), matrix, sizeof matrix);
    for (int64_t step = 0; step < STEPS; step++) {
        mean += loss_of(room->context, &t, step) / STEPS;
        const float *x = fed(&t, "x");
        for (int i = 0; i < BATCH; i++) {
            double first = matrix[0] * x[i * SIZE] + matrix[1] * x[i * SIZE + 1];
            double second = matrix[2] * x[i * SIZE] + matrix[3] * x[i * SIZE + 1];
            double implicit = -3 + 0.5 * (first * first + second * second);
            wanted += 0.25 * implicit / SIZE / (STEPS * BATCH);
        }
    }
    /* v' M v is the trace +- 1.1, each as often */
    CHECK_CLOSE(mean, wanted, 4 * 0.25 * 1.1 / SIZE / sqrt(STEPS * BATCH));
    training_end(&t);
}

/* The best linear score of data of variance c under noise of variance 0.25 is -x / (c + 0.25), for
   sliced and for denoising score matching alike. Both coordinates of the eight Gaussians have
   c = 0.75^2 / 2 + 0.05^2. */
static void training_finds_the_true_score(void **state)
{
    scratch *room = *state;
    static const char *const denoising[] = {"train.weighting=sigma2", "train.times=whole",
                                            "train.learning_rate=0.05", "train.warmup=0", NULL};
    const double wanted = -1 / (0.75 * 0.75 / 2 + 0.05 * 0.05 + 0.25);
    const char *const *settings[] = {SETTINGS, denoising};
    for (int i = 0; i < 2; i++) {
        struct training t;
        training_begin(room->context, settings[i], ONE_LEVEL, &t);
        for (int step = 0; step < 600; step++) {
            CHECK_OK(room->context, sumi_trainer_step(t.trainer, NULL));
        }
        CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, true));
        CHECK_CLOSE(*scale_of(&t), wanted, 0.03 * fabs(wanted));
        training_end(&t);
    }
}

/* The loss in double by the reference kernels, with one weight changed. */
static double loss_in_double(const struct training *t, int64_t weight, int64_t element,
                             double change)
{
    sumi_graph *graph = t->trainer->plans->graph;
    size_t count = (size_t)graph->count;
    double **values = calloc(count, sizeof *values), *given[32];
    bool *owned = calloc(count, sizeof *owned);
    const struct run_key key = {0};
    int used = 0;
    for (sumi_node n = 0; n < graph->count; n++) {
        const struct node *node = graph_node(graph, n);
        bool changed = node->op == &op_weight && node->weight == weight;
        if (node->op != &op_input && !changed) continue;
        int64_t size = shape_count(&node->shape);
        const float *from = changed ? t->model->weights->items[weight].data
                                    : sumi_plan_data(t->trainer->plans->plan, n);
        if (!from) continue;
        values[n] = given[used++] = malloc((size_t)size * sizeof **values);
        for (int64_t i = 0; i < size; i++) values[n][i] = from[i];
        if (changed) values[n][element] += change;
    }
    CHECK_OK(graph->context,
             interpret(graph, 1, &t->trainer->plans->losses[0], values, owned, &key));
    double loss = *values[t->trainer->plans->losses[0]];
    interpret_release(graph, values, owned);
    for (int i = 0; i < used; i++) free(given[i]);
    free(values);
    free(owned);
    return loss;
}

static void gradients_through_the_derivative_agree_with_difference_quotients(void **state)
{
    scratch *room = *state;
    struct training t;
    static const char config[] = "{\"_class_name\": \"SumiMLPModel\", \"in_channels\": 2,"
                                 " \"width\": 6, \"depth\": 2}";
    training_open(room->context, SETTINGS, &t);
    CHECK_OK(room->context, sumi_model_create(room->context, config, 3, &t.model));
    CHECK_OK(room->context, sumi_model_set_scheduler(t.model, ONE_LEVEL));
    CHECK_OK(room->context,
             sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer));
    CHECK_CLOSE(loss_of(room->context, &t, 0), loss_in_double(&t, 0, 0, 0), 1e-5);
    for (int64_t weight = 0; weight < t.model->weights->count; weight++) {
        const float *gradient = t.trainer->plans->gradients[weight];
        if (!gradient) continue;
        double slope =
            (loss_in_double(&t, weight, 0, 1e-4) - loss_in_double(&t, weight, 0, -1e-4)) / 2e-4;
        CHECK_CLOSE(gradient[0], slope, 1e-5 + 1e-3 * fabs(slope));
    }
    training_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_loss_of_a_linear_score_is_exact),
        SCRATCH_TEST(the_score_is_read_from_what_is_predicted),
        SCRATCH_TEST(its_mean_is_implicit_score_matching),
        SCRATCH_TEST(training_finds_the_true_score),
        SCRATCH_TEST(gradients_through_the_derivative_agree_with_difference_quotients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
