/* SPDX-License-Identifier: Apache-2.0 */
/* Couplings of noise and data: the optimal one moves noise less far and changes no noise; the pairs
   of reflow are both ends of the teacher's flow. */
#include "learn/coupling.h"

#include "learn/noised.h"
#include "learn/training.h"

static const char FLOW[] = "{\"path\": \"flow\", \"prediction_type\": \"flow_prediction\","
                           " \"clip_sample\": false}";

static const struct noised *noised_of(const struct training *t)
{
    return t->trainer->plans->objective.user;
}

/* Mean over the batch of |x - e|^2. */
static double transport_cost(const struct noised *noised)
{
    double sum = 0;
    for (int i = 0; i < BATCH * SIZE; i++) {
        sum += pow((double)noised->clean[i] - noised->noise[i], 2) / BATCH;
    }
    return sum;
}

/* The number of the row in rows[BATCH, SIZE] that is equal, or -1. */
static int find_row(const float *rows, const float *row)
{
    for (int i = 0; i < BATCH; i++) {
        if (memcmp(rows + i * SIZE, row, SIZE * sizeof *row) == 0) return i;
    }
    return -1;
}

static void optimal_transport_deals_the_same_noise_at_less_cost(void **state)
{
    scratch *room = *state;
    struct training alone, matched;
    static const char *const independent[] = {NULL};
    static const char *const optimal[] = {"train.coupling=optimal", NULL};
    training_begin(room->context, independent, FLOW, &alone);
    training_begin(room->context, optimal, FLOW, &matched);
    double costs[2] = {0};
    for (int64_t step = 0; step < 20; step++) {
        bool seen[BATCH] = {false};
        feed(room->context, &alone, step);
        feed(room->context, &matched, step);
        const struct noised *given = noised_of(&alone), *dealt = noised_of(&matched);
        assert_memory_equal(dealt->clean, given->clean, BATCH * SIZE * sizeof(float));
        for (int i = 0; i < BATCH; i++) {
            int from = find_row(given->noise, dealt->noise + i * SIZE);
            assert_true(from >= 0 && !seen[from]);
            seen[from] = true;
        }
        assert_true(transport_cost(dealt) < transport_cost(given));
        costs[0] += transport_cost(given) / 20;
        costs[1] += transport_cost(dealt) / 20;
    }
    /* independent: E|e|^2 + E|x|^2 = 2 + 0.75^2 + 2 * 0.05^2; the other could fall to the squared
       Wasserstein distance, which is far below half of that */
    CHECK_CLOSE(costs[0], 2.5675, 0.2);
    assert_true(costs[1] < 0.5 * costs[0]);
    training_end(&matched);
    training_end(&alone);
}

/* Two neighbours that exchange their noise would not lower the cost: a necessary condition. */
static void no_exchange_of_two_lowers_the_cost(void **state)
{
    scratch *room = *state;
    struct training t;
    static const char *const settings[] = {"train.coupling=optimal", NULL};
    training_begin(room->context, settings, FLOW, &t);
    feed(room->context, &t, 3);
    const float *x = noised_of(&t)->clean, *e = noised_of(&t)->noise;
    for (int i = 0; i < BATCH; i++) {
        for (int j = 0; j < i; j++) {
            double gain = 0; /* of (x_i - x_j)(e_i - e_j) */
            for (int k = 0; k < SIZE; k++) {
                gain += ((double)x[i * SIZE + k] - x[j * SIZE + k])
                        * ((double)e[i * SIZE + k] - e[j * SIZE + k]);
            }
            assert_true(gain > -1e-5);
        }
    }
    training_end(&t);
}

/* A teacher whose velocity is the same everywhere: its last layer has a bias only. */
static void save_teacher(sumi_context *context, const char *folder)
{
    static const char config[] = "{\"_class_name\": \"SumiMLPModel\", \"in_channels\": 2,"
                                 " \"width\": 4, \"depth\": 1}";
    sumi_model *model = NULL;
    CHECK_OK(context, sumi_model_create(context, config, 1, &model));
    CHECK_OK(context, sumi_model_set_scheduler(model, FLOW));
    struct weight *items = model->weights->items;
    float *weight = items[weights_find(model->weights, "linear_out.weight")].data;
    float *bias = items[weights_find(model->weights, "linear_out.bias")].data;
    for (int i = 0; i < 2 * 4; i++) weight[i] = 0;
    bias[0] = 0.5f;
    bias[1] = -0.25f;
    CHECK_OK(context, sumi_model_save(model, folder));
    sumi_model_free(model);
}

static void reflow_pairs_are_both_ends_of_the_teachers_flow(void **state)
{
    scratch *room = *state;
    struct training t, again;
    char teacher[600];
    const char *const settings[] = {teacher, "train.coupling=reflow", "train.pairs=256",
                                    "train.teacher_steps=10", NULL};
    save_teacher(room->context, scratch_path(room, "teacher"));
    snprintf(teacher, sizeof teacher, "train.teacher=%s", scratch_path(room, "teacher"));
    training_begin(room->context, settings, FLOW, &t);
    training_begin(room->context, settings, FLOW, &again);
    double sum = 0, squares = 0;
    for (int64_t step = 0; step < 4; step++) { /* every pair once */
        feed(room->context, &t, step);
        feed(room->context, &again, step);
        const struct noised *noised = noised_of(&t);
        assert_memory_equal(fed(&again, "x"), fed(&t, "x"), BATCH * SIZE * sizeof(float));
        for (int i = 0; i < BATCH * SIZE; i++) {
            double velocity = i % 2 ? -0.25 : 0.5;
            CHECK_CLOSE(noised->noise[i] - noised->clean[i], velocity, 1e-5);
            CHECK_CLOSE(fed(&t, "target")[i], velocity, 1e-5);
            sum += noised->noise[i];
            squares += noised->noise[i] * noised->noise[i];
        }
    }
    enum { COUNT = 4 * BATCH * SIZE };
    CHECK_CLOSE(sum / COUNT, 0, 4 / sqrt(COUNT));
    CHECK_CLOSE(squares / COUNT, 1, 4 * sqrt(2.0 / COUNT));
    training_end(&again);
    training_end(&t);
}

static void reflow_without_a_fitting_teacher_is_refused(void **state)
{
    scratch *room = *state;
    struct training t;
    static const char *const settings[] = {NULL};
    const char *message = sumi_context_message(room->context);
    char teacher[600];
    training_begin(room->context, settings, FLOW, &t);
    sumi_trainer_free(t.trainer);
    CHECK_OK(room->context, sumi_recipe_set(t.recipe, "train.coupling=reflow"));
    assert_int_equal(sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(message, "train.teacher"));
    save_teacher(room->context, scratch_path(room, "teacher"));
    snprintf(teacher, sizeof teacher, "train.teacher=%s", scratch_path(room, "teacher"));
    CHECK_OK(room->context, sumi_recipe_set(t.recipe, teacher));
    CHECK_OK(room->context, sumi_recipe_set(t.recipe, "train.teacher_solver=ddpm"));
    assert_int_equal(sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(message, "adds noise"));
    training_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(optimal_transport_deals_the_same_noise_at_less_cost),
        SCRATCH_TEST(no_exchange_of_two_lowers_the_cost),
        SCRATCH_TEST(reflow_pairs_are_both_ends_of_the_teachers_flow),
        SCRATCH_TEST(reflow_without_a_fitting_teacher_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
