/* SPDX-License-Identifier: Apache-2.0 */
/* Fourier transforms of any length against their definition. */
#include "quality/fourier.h"

#include "one_context.h"

static double complex by_definition(int64_t n, const double complex *x, int64_t k)
{
    double complex sum = 0;
    for (int64_t j = 0; j < n; j++)
        sum += x[j] * cexp(-2 * I * 3.14159265358979323846 * (double)(j * k % n) / (double)n);
    return sum;
}

static void transforms_of_any_length_are_the_sums_that_define_them(void **state)
{
    (void)state;
    static const int64_t lengths[] = {1, 2, 3, 4, 5, 7, 12, 16, 30, 64, 97, 100, 101, 256, 360};
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        int64_t n = lengths[l];
        double complex x[360], given[360];
        struct fourier *fourier = NULL;
        CHECK_OK(context, fourier_create(context, n, &fourier));
        for (int64_t i = 0; i < n; i++)
            x[i] = given[i] = sin(1.3 * (double)i * (double)i) + I * cos(0.7 * (double)i);
        fourier_transform(fourier, x);
        for (int64_t k = 0; k < n; k++)
            CHECK_CLOSE(cabs(x[k] - by_definition(n, given, k)), 0, 1e-11);
        fourier_free(fourier);
    }
}

static void a_plan_can_be_used_again(void **state)
{
    (void)state;
    double complex x[6] = {1, 2, 3, 4, 5, 6}, y[6] = {1, 2, 3, 4, 5, 6};
    struct fourier *fourier = NULL;
    CHECK_OK(context, fourier_create(context, 6, &fourier));
    fourier_transform(fourier, x);
    fourier_transform(fourier, y);
    assert_memory_equal(x, y, sizeof x);
    fourier_free(fourier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(transforms_of_any_length_are_the_sums_that_define_them),
        CONTEXT_TEST(a_plan_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
