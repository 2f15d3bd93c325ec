/* SPDX-License-Identifier: Apache-2.0 */
/* The optimizer against AdamW written out in double, its learning rates, its averages and its
   clipping against their formulas. */
#include "check.h"
#include "learn/optimizer.h"

enum { COUNT = 1000 };

static sumi_context *context;
static sumi_weights *weights;
static struct optimizer optimizer;

static struct optimizer_settings settings_for_test(void)
{
    return (struct optimizer_settings){.learning_rate = 0.01,
                                       .weight_decay = 0.1,
                                       .beta1 = 0.9,
                                       .beta2 = 0.99,
                                       .epsilon = 1e-8,
                                       .ema = 0.9,
                                       .steps = 100};
}

static void begin(const struct optimizer_settings *settings)
{
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_weights_create(context, 3, &weights));
    int64_t number;
    struct shape shape = {1, {COUNT}}, fixed = {1, {4}};
    CHECK_OK(context, weights_add(weights, "w", &shape,
                                  &(struct weight_start){SUMI_START_NORMAL, 1, NULL}, &number));
    CHECK_OK(context, weights_add(weights, "f", &fixed,
                                  &(struct weight_start){SUMI_START_FIXED, 1, NULL}, &number));
    CHECK_OK(context, optimizer_create(weights, settings, &optimizer));
}

static void end(void)
{
    optimizer_release(&optimizer);
    sumi_weights_free(weights);
    sumi_context_free(context);
}

/* A gradient that differs from step to step. */
static void fill_gradient(int step, float *gradient)
{
    for (int i = 0; i < COUNT; i++) gradient[i] = sinf(0.7f * (float)i + (float)step);
}

static void steps_are_those_of_adamw_in_double(void **state)
{
    (void)state;
    struct optimizer_settings s = settings_for_test();
    begin(&s);
    static double w[COUNT], m[COUNT], v[COUNT], average[COUNT];
    static float gradient[COUNT];
    for (int i = 0; i < COUNT; i++) average[i] = w[i] = weights->items[0].data[i];
    for (int step = 0; step < 20; step++) {
        double norm;
        fill_gradient(step, gradient);
        CHECK_OK(context,
                 optimizer_apply(&optimizer, step, (const float *[]){gradient, NULL}, &norm));
        for (int i = 0; i < COUNT; i++) {
            m[i] = 0.9 * m[i] + 0.1 * gradient[i];
            v[i] = 0.99 * v[i] + 0.01 * gradient[i] * gradient[i];
            double m_hat = m[i] / (1 - pow(0.9, step + 1));
            double v_hat = v[i] / (1 - pow(0.99, step + 1));
            w[i] -= 0.01 * 0.1 * w[i] + 0.01 * m_hat / (sqrt(v_hat) + 1e-8);
            average[i] = 0.9 * average[i] + 0.1 * w[i];
        }
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK_CLOSE(weights->items[0].data[i], w[i], 2e-6);
        CHECK_CLOSE(optimizer.average[0][i], average[i], 2e-6);
    }
    end();
}

static void a_long_gradient_is_clipped_to_the_given_norm(void **state)
{
    (void)state;
    struct optimizer_settings s = settings_for_test();
    s.clip = 0.5;
    begin(&s);
    static float gradient[COUNT];
    fill_gradient(0, gradient);
    double norm = 0, expected = 0;
    CHECK_OK(context, optimizer_apply(&optimizer, 0, (const float *[]){gradient, NULL}, &norm));
    for (int i = 0; i < COUNT; i++) expected += (double)gradient[i] * gradient[i];
    CHECK_CLOSE(norm, sqrt(expected), 1e-4);
    for (int i = 0; i < COUNT; i++) { /* the first moment holds a tenth of what was applied */
        CHECK_CLOSE(optimizer.first[0][i], 0.1 * gradient[i] * 0.5 / norm, 1e-7);
    }
    end();
}

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    struct optimizer_settings s = settings_for_test();
    begin(&s);
    static float gradient[COUNT], before[COUNT];
    gradient[17] = NAN;
    memcpy(before, weights->items[0].data, sizeof before);
    double norm;
    assert_int_equal(optimizer_apply(&optimizer, 4, (const float *[]){gradient, NULL}, &norm),
                     SUMI_ERROR_NUMBER);
    assert_non_null(strstr(sumi_context_message(context), "step 4"));
    assert_memory_equal(before, weights->items[0].data, sizeof before);
    end();
}

/* A step on two weights of many chunks; norm, weights and averages by one thread and by several. */
static void a_step_gives_the_same_bits_by_any_number_of_threads(void **state)
{
    (void)state;
    enum { LARGE = 300007 };
    struct optimizer_settings s = settings_for_test();
    struct shape shape = {1, {LARGE}};
    float *gradient = malloc(LARGE * sizeof *gradient), *first = malloc(LARGE * sizeof *first);
    double norms[4];
    s.clip = 0.5;
    for (int i = 0; i < LARGE; i++) gradient[i] = sinf(0.7f * (float)i);
    for (int threads = 1; threads <= 4; threads++) {
        int64_t number;
        begin(&s);
        optimizer_release(&optimizer);
        CHECK_OK(context, weights_add(weights, "l", &shape,
                                      &(struct weight_start){SUMI_START_NORMAL, 1, NULL}, &number));
        CHECK_OK(context, sumi_context_set_threads(context, threads));
        CHECK_OK(context, optimizer_create(weights, &s, &optimizer));
        CHECK_OK(context,
                 optimizer_apply(&optimizer, 0, (const float *[]){gradient, NULL, gradient},
                                 &norms[threads - 1]));
        if (threads == 1) memcpy(first, weights->items[2].data, LARGE * sizeof *first);
        assert_true(norms[threads - 1] == norms[0] && norms[0] > 100);
        assert_memory_equal(first, weights->items[2].data, LARGE * sizeof *first);
        end();
    }
    free(gradient);
    free(first);
}

static void the_rate_rises_linearly_and_falls_as_a_cosine(void **state)
{
    (void)state;
    struct optimizer_settings s = {
        .learning_rate = 2, .final_learning_rate = 1, .warmup = 10, .steps = 110, .cosine = true};
    CHECK_CLOSE(optimizer_rate(&s, 0), 0.2, 1e-12);
    CHECK_CLOSE(optimizer_rate(&s, 9), 2, 1e-12);
    CHECK_CLOSE(optimizer_rate(&s, 10), 2, 1e-12);
    CHECK_CLOSE(optimizer_rate(&s, 60), 1.5, 1e-12);
    CHECK_CLOSE(optimizer_rate(&s, 110), 1, 1e-12);
    CHECK_CLOSE(optimizer_rate(&s, 500), 1, 1e-12);
    s.cosine = false;
    CHECK_CLOSE(optimizer_rate(&s, 60), 2, 0);
}

static void the_average_remembers_less_at_the_start(void **state)
{
    (void)state;
    struct optimizer_settings s = {.ema = 0.99, .ema_warmup = true};
    CHECK_CLOSE(optimizer_average_decay(&s, 0), 0.1, 1e-12);
    CHECK_CLOSE(optimizer_average_decay(&s, 10), 0.55, 1e-12);
    CHECK_CLOSE(optimizer_average_decay(&s, 100000), 0.99, 0);
    s.ema_warmup = false;
    CHECK_CLOSE(optimizer_average_decay(&s, 0), 0.99, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_of_adamw_in_double),
        cmocka_unit_test(a_long_gradient_is_clipped_to_the_given_norm),
        cmocka_unit_test(a_step_gives_the_same_bits_by_any_number_of_threads),
        cmocka_unit_test(a_gradient_that_is_not_finite_changes_nothing),
        cmocka_unit_test(the_rate_rises_linearly_and_falls_as_a_cosine),
        cmocka_unit_test(the_average_remembers_less_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
