/* SPDX-License-Identifier: Apache-2.0 */
/* Spectra of waves of known power, of fields and of signals. */
#include "quality/spectrum.h"

#include "quality/sets.h"

static const double PI = 3.14159265358979323846;

static void a_wave_has_its_power_in_its_ring(void **state)
{
    (void)state;
    enum { HEIGHT = 12, WIDTH = 20, RINGS = 6 };
    double field[HEIGHT * WIDTH], modes[RINGS], waves[RINGS], sums[3 * RINGS] = {0};
    struct spectrum *spectrum = NULL;
    for (int i = 0; i < HEIGHT * WIDTH; i++) {
        double x = (double)(i % WIDTH) / WIDTH, y = (double)(i / WIDTH) / HEIGHT;
        field[i] = 5 + 3 * cos(2 * PI * (4 * x - 3 * y) + 0.4);
    }
    CHECK_OK(context, spectrum_create(context, HEIGHT, WIDTH, &spectrum));
    assert_int_equal(spectrum_rings(spectrum), RINGS);
    spectrum_modes(spectrum, modes, waves);
    const struct ring_sums to = {sums, sums + RINGS, sums + 2 * RINGS};
    spectrum_add(spectrum, field, field, &to);
    for (int i = 0; i < RINGS; i++) {
        CHECK_CLOSE(sums[i], i == 4 ? 4.5 : 0, 1e-12); /* |k| = 5; the variance is 3^2 / 2 */
        CHECK_CLOSE(sums[2 * RINGS + i], sums[i], 1e-12);
    }
    assert_true(modes[0] == 8); /* (1,0), (0,1), (1,1) with all signs */
    CHECK_CLOSE(waves[0], (4 + 4 * sqrt(2)) / 8, 1e-14);
    spectrum_free(spectrum);
}

static void the_density_of_a_signal_integrates_to_its_variance(void **state)
{
    (void)state;
    enum { LENGTH = 90 };
    double signal[LENGTH], density[LENGTH / 2 + 1], variance = 0, mean = 0, sum = 0;
    for (int i = 0; i < LENGTH; i++) signal[i] = sin(0.01 * i * i) + 2;
    for (int i = 0; i < LENGTH; i++) mean += signal[i] / LENGTH;
    for (int i = 0; i < LENGTH; i++) variance += (signal[i] - mean) * (signal[i] - mean) / LENGTH;
    CHECK_OK(context, signal_density(context, LENGTH, signal, 44.1, LENGTH, false, density));
    for (int k = 0; k <= LENGTH / 2; k++) sum += density[k] * 44.1 / LENGTH;
    CHECK_CLOSE(sum, variance, 1e-12);
    CHECK_CLOSE(density[0], 0, 1e-20);
}

static void paired_fields_that_are_equal_cohere(void **state)
{
    (void)state;
    const int64_t shape[] = {3, 8, 8, 2};
    sumi_array a = normal_array(1, 4, shape), b = normal_array(2, 4, shape);
    sumi_measure *measure = NULL;
    CHECK_OK(context, sumi_measure_create(context, "coherence", &measure));
    CHECK_OK(context, sumi_measure_run(measure, &a, &a, NULL, NULL));
    CHECK_CLOSE(result_of(measure, "mean"), 1, 1e-12);
    CHECK_OK(context, sumi_measure_run(measure, &a, &b, NULL, NULL));
    assert_true(fabs(result_of(measure, "mean")) < 0.5);
    sumi_measure_free(measure);
    sumi_array_release(context, &a);
    sumi_array_release(context, &b);
}

static void twice_the_field_has_four_times_the_power(void **state)
{
    (void)state;
    const int64_t shape[] = {5, 9, 7, 1};
    sumi_array a = normal_array(1, 4, shape), b = normal_array(1, 4, shape);
    sumi_measure *measure = NULL;
    for (int64_t i = 0; i < sumi_array_count(&b); i++) b.data[i] *= 2;
    CHECK_OK(context, sumi_measure_create(context, "power-spectrum", &measure));
    CHECK_OK(context, sumi_measure_run(measure, &b, &a, NULL, NULL));
    CHECK_CLOSE(result_of(measure, "log10_difference"), log10(4), 1e-12);
    sumi_measure_free(measure);
    sumi_array_release(context, &a);
    sumi_array_release(context, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(a_wave_has_its_power_in_its_ring),
        CONTEXT_TEST(the_density_of_a_signal_integrates_to_its_variance),
        CONTEXT_TEST(paired_fields_that_are_equal_cohere),
        CONTEXT_TEST(twice_the_field_has_four_times_the_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
