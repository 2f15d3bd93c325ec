/* SPDX-License-Identifier: Apache-2.0 */
/* Morlet wavelets: the formula, the ranges, and the fit that judges generated waves. */
#include "data/morlet.h"

#include "base/philox.h"
#include "opening.h"

enum { LENGTH = 128 };

static void a_wave_follows_its_formula(void **state)
{
    (void)state;
    float wave[5];
    morlet_parameters parameters = {0, 0.5, 5, 0.8, 0};
    morlet_wave(&parameters, 5, wave); /* x = -1, -0.5, 0, 0.5, 1, so u = -2, -1, 0, 1, 2 */
    CHECK_CLOSE(wave[0], 0.8 * cos(10) * exp(-2), 1e-7);
    CHECK_CLOSE(wave[1], 0.8 * cos(5) * exp(-0.5), 1e-7);
    CHECK_CLOSE(wave[2], 0.8, 1e-7);
    CHECK_CLOSE(wave[4], wave[0], 1e-7);
    parameters.phase = 1.5707963267948966;
    morlet_wave(&parameters, 5, wave);
    CHECK_CLOSE(wave[2], 0, 1e-7);
    CHECK_CLOSE(wave[3], -0.8 * sin(5) * exp(-0.5), 1e-7);
}

static void drawn_parameters_fill_their_ranges(void **state)
{
    (void)state;
    enum { COUNT = 4000 };
    double centre = 0, scale = 0, frequency = 0, amplitude = 0, phase = 0;
    for (int i = 0; i < COUNT; i++) {
        morlet_parameters p = morlet_draw(3, i);
        assert_true(p.centre > -0.5 && p.centre < 0.5 && p.scale > 0.08 && p.scale < 0.25);
        assert_true(p.frequency > 3 && p.frequency < 7 && p.amplitude > 0.5 && p.amplitude < 1);
        centre += p.centre / COUNT;
        scale += log(p.scale) / COUNT;
        frequency += p.frequency / COUNT;
        amplitude += p.amplitude / COUNT;
        phase += p.phase / COUNT;
    }
    double error = 5 / sqrt(12.0 * COUNT); /* of the mean of a uniform number of width 1 */
    CHECK_CLOSE(centre, 0, error);
    CHECK_CLOSE(scale, 0.5 * (log(0.08) + log(0.25)), log(0.25 / 0.08) * error);
    CHECK_CLOSE(frequency, 5, 4 * error);
    CHECK_CLOSE(amplitude, 0.75, 0.5 * error);
    CHECK_CLOSE(phase, 3.14159265, 6.2831853 * error);
}

static void the_fit_finds_the_parameters_of_generated_waves(void **state)
{
    (void)state;
    float wave[LENGTH];
    for (int i = 0; i < 200; i++) {
        morlet_parameters truth = morlet_draw(1, i), found;
        morlet_wave(&truth, LENGTH, wave);
        double residual = morlet_fit(wave, LENGTH, &found);
        assert_true(residual < 1e-6);
        CHECK_CLOSE(found.centre, truth.centre, 1e-5);
        CHECK_CLOSE(found.scale, truth.scale, 1e-5);
        CHECK_CLOSE(found.frequency, truth.frequency, 1e-4);
        CHECK_CLOSE(found.amplitude, truth.amplitude, 1e-5);
        CHECK_CLOSE(remainder(found.phase - truth.phase, 6.283185307179586), 0, 1e-4);
    }
}

/* Least squares leaves the noise but for the five directions that the parameters span. */
static void the_residual_of_a_noisy_wave_is_its_noise(void **state)
{
    (void)state;
    float wave[LENGTH], noise[LENGTH];
    for (int i = 0; i < 50; i++) {
        morlet_parameters truth = morlet_draw(1, i);
        philox_stream stream = {9, PURPOSE_NOISE, (uint64_t)i};
        philox_normal(&stream, 0, LENGTH, noise);
        morlet_wave(&truth, LENGTH, wave);
        double noise_energy = 0, energy = 0;
        for (int k = 0; k < LENGTH; k++) {
            wave[k] += 0.05f * noise[k];
            noise_energy += 0.0025 * noise[k] * noise[k];
            energy += (double)wave[k] * wave[k];
        }
        double residual = morlet_fit(wave, LENGTH, NULL), whole = sqrt(noise_energy / energy);
        assert_true(residual <= whole);
        assert_true(residual > 0.85 * whole);
    }
}

static void noise_is_far_from_every_wavelet(void **state)
{
    (void)state;
    float noise[LENGTH], zero[LENGTH] = {0};
    for (int i = 0; i < 50; i++) {
        philox_stream stream = {9, PURPOSE_NOISE, (uint64_t)i};
        philox_normal(&stream, 0, LENGTH, noise);
        assert_true(morlet_fit(noise, LENGTH, NULL) > 0.75);
    }
    assert_true(morlet_fit(zero, LENGTH, NULL) == 1);
}

static void the_set_gives_the_same_waves_each_time(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = morlet\ncount = 20\nlength = 64\n", NULL);
    int64_t shape[SUMI_MAX_RANK];
    assert_int_equal(sumi_data_count(data), 20);
    assert_int_equal(sumi_data_classes(data), 0);
    assert_int_equal(sumi_data_shape(data, shape), 2);
    assert_int_equal(shape[0], 64);
    assert_int_equal(shape[1], 1);
    float item[64], wave[64];
    int32_t label = 0;
    for (int i = 0; i < 20; i++) {
        morlet_parameters parameters = morlet_draw(1, i);
        morlet_wave(&parameters, 64, wave);
        read_one(data, i, item, &label);
        assert_memory_equal(item, wave, sizeof wave);
        assert_int_equal(label, -1);
        for (int k = 0; k < 64; k++) assert_true(fabsf(item[k]) <= 1);
    }
    sumi_data_free(data);
}

static void added_noise_has_the_requested_sigma(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    sumi_data *data = open_data("[data]\nkind = morlet\ncount = 500\nnoise = 0.1\n", NULL);
    float item[LENGTH], wave[LENGTH];
    double squares = 0;
    for (int i = 0; i < COUNT; i++) {
        morlet_parameters parameters = morlet_draw(1, i);
        morlet_wave(&parameters, LENGTH, wave);
        read_one(data, i, item, NULL);
        for (int k = 0; k < LENGTH; k++) {
            double noise = item[k] - wave[k];
            squares += noise * noise / (COUNT * LENGTH);
        }
    }
    CHECK_CLOSE(squares, 0.01, 5 * 0.01 * sqrt(2.0 / (COUNT * LENGTH)));
    sumi_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wave_follows_its_formula),
        cmocka_unit_test(drawn_parameters_fill_their_ranges),
        cmocka_unit_test(the_fit_finds_the_parameters_of_generated_waves),
        cmocka_unit_test(the_residual_of_a_noisy_wave_is_its_noise),
        cmocka_unit_test(noise_is_far_from_every_wavelet),
        cmocka_unit_test(the_set_gives_the_same_waves_each_time),
        cmocka_unit_test(added_noise_has_the_requested_sigma),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}
