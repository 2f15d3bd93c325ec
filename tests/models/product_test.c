/* SPDX-License-Identifier: Apache-2.0 */
/* Vector-Jacobian products of a model, against difference quotients of its outputs. */
#include "models/model.h"
#include "tiny.h"

/* sum of v * output at x + step * direction */
static double along(scratch *room, sumi_model *model, int64_t count, const float *x,
                    const float *times, const int32_t *labels, const float *v, int64_t place,
                    double step)
{
    int64_t total = count * tiny_size(model), out = count * model_output_size(model);
    float *moved = malloc((size_t)total * sizeof *moved);
    float *output = malloc((size_t)out * sizeof *output);
    double sum = 0;
    memcpy(moved, x, (size_t)total * sizeof *moved);
    moved[place] += (float)step;
    CHECK_OK(room->context,
             once_predict(room->context, model, count, moved, times, labels, output));
    for (int64_t i = 0; i < out; i++) sum += (double)v[i] * output[i];
    free(output);
    free(moved);
    return sum;
}

static void check_products(scratch *room, const char *config, int64_t count, const int32_t *labels)
{
    sumi_model *model = tiny_create(room, config);
    int64_t size = tiny_size(model), out = model_output_size(model);
    float *x = tiny_items(model, count), *times = malloc((size_t)count * sizeof *times);
    float *v = malloc((size_t)(count * out) * sizeof *v);
    float *output = malloc((size_t)(count * out) * sizeof *output);
    float *plain = malloc((size_t)(count * out) * sizeof *plain);
    float *products = malloc((size_t)(count * size) * sizeof *products);
    for (int64_t i = 0; i < count; i++) times[i] = (float)(7 * i % 100);
    for (int64_t i = 0; i < count * out; i++) v[i] = (float)cos(1.3 * (double)i);
    sumi_session *session = NULL;
    CHECK_OK(room->context, once_open(room->context, model, count, labels, &session));
    CHECK_OK(room->context,
             sumi_session_product(session, count, size, out, x, times, v, output, products));
    CHECK_OK(room->context, sumi_session_predict(session, count, x, times, plain));
    sumi_session_free(session);
    for (int64_t i = 0; i < count * out; i++) CHECK_CLOSE(output[i], plain[i], 1e-5);
    for (int64_t i = 0; i < count * size; i += 1 + count * size / 11) {
        const double step = 0x1p-6;
        double quotient = (along(room, model, count, x, times, labels, v, i, step)
                           - along(room, model, count, x, times, labels, v, i, -step))
                          / (2 * step);
        CHECK_CLOSE(products[i], quotient, 2e-3 * (1 + fabs(quotient)));
    }
    free(products);
    free(plain);
    free(output);
    free(v);
    free(times);
    free(x);
    sumi_model_free(model);
}

static void products_are_the_slopes_of_the_outputs(void **state)
{
    scratch *room = *state;
    static const int32_t labels[] = {2, 0, 1};
    check_products(room, TINY_MLP, 3, NULL);
    check_products(room, TINY_UNET, 2, NULL);
    check_products(room, TINY_CONDITIONAL, 3, labels);
}

static void more_items_than_a_plan_takes_are_done_in_parts(void **state)
{
    scratch *room = *state;
    check_products(room, TINY_MLP, 131, NULL);
}

static void the_plan_serves_smaller_calls_too(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    const float x[] = {0.1f, -0.4f, 0.7f, 0.2f}, times[] = {3, 50}, v[] = {1, 0, 0, 1};
    float output[4], products[4], alone[2], alone_products[2];
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    CHECK_OK(room->context, sumi_session_product(session, 2, 2, 2, x, times, v, output, products));
    CHECK_OK(room->context, sumi_session_product(session, 1, 2, 2, x + 2, times + 1, v + 2, alone,
                                                 alone_products));
    for (int i = 0; i < 2; i++) {
        CHECK_CLOSE(alone[i], output[2 + i], 1e-6);
        CHECK_CLOSE(alone_products[i], products[2 + i], 1e-6);
    }
    assert_int_equal(sumi_session_product(session, 1, 3, 2, x, times, v, output, products),
                     SUMI_ERROR_ARGUMENT);
    sumi_session_free(session);
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(products_are_the_slopes_of_the_outputs),
        SCRATCH_TEST(more_items_than_a_plan_takes_are_done_in_parts),
        SCRATCH_TEST(the_plan_serves_smaller_calls_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
