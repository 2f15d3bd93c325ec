/* SPDX-License-Identifier: Apache-2.0 */
/* The table of measures, what they refuse, and small cases in closed form of those without a test
   program of their own. */
#include "quality/matter.h"
#include "quality/sets.h"
#include "quality/sliced.h"

static sumi_measure *open_measure(const char *name)
{
    sumi_measure *measure = NULL;
    CHECK_OK(context, sumi_measure_create(context, name, &measure));
    return measure;
}

static void refuse(sumi_measure *measure, const sumi_array *samples, const sumi_array *reference,
                   const char *words)
{
    assert_int_not_equal(sumi_measure_run(measure, samples, reference, NULL, NULL), SUMI_OK);
    if (!strstr(sumi_context_message(context), words))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), words);
}

static void every_measure_of_the_table_opens_and_describes_its_options(void **state)
{
    (void)state;
    sumi_measure_info info = {.size = sizeof info};
    int count = 0;
    for (; sumi_measure_describe(count, &info); count++) {
        sumi_option option = {.size = sizeof option};
        sumi_measure *measure = open_measure(info.name);
        assert_true(*info.meaning && *info.paper && info.sets >= 1 && info.sets <= 2);
        for (int i = 0; sumi_measure_option(measure, i, &option); i++)
            assert_non_null(sumi_measure_setting(measure, option.name));
        sumi_measure_free(measure);
    }
    assert_true(count >= 15);
}

static void unknown_measures_and_options_are_refused_with_the_nearest_name(void **state)
{
    (void)state;
    sumi_measure *measure = NULL;
    assert_int_equal(sumi_measure_create(context, "frechett", &measure), SUMI_ERROR_ARGUMENT);
    assert_null(measure);
    assert_non_null(strstr(sumi_context_message(context), "\"frechet\""));
    measure = open_measure("kid");
    assert_int_equal(sumi_measure_set(measure, "degre", "2"), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "degree"));
    CHECK_OK(context, sumi_measure_set(measure, "order", "consecutive"));
    CHECK_OK(context, sumi_measure_set(measure, "subsets", "7"));
    const int64_t shape[] = {4, 2};
    sumi_array set = normal_array(1, 2, shape);
    refuse(measure, &set, &set, "subsets");
    sumi_measure_free(measure);
    sumi_array_release(context, &set);
}

static void sets_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const int64_t rows[] = {4, 6}, wider[] = {4, 7}, fewer[] = {3, 6}, signals[] = {2, 8, 1};
    sumi_array set = normal_array(1, 2, rows), wide = normal_array(2, 2, wider);
    sumi_array few = normal_array(3, 2, fewer), waves = normal_array(4, 3, signals);
    sumi_measure *energy = open_measure("energy"), *psnr = open_measure("psnr");
    sumi_measure *ssim = open_measure("ssim"), *score = open_measure("inception-score");
    refuse(energy, &set, &wide, "same shape");
    refuse(energy, &set, NULL, "reference");
    refuse(psnr, &set, &few, "as many items");
    refuse(ssim, &waves, &waves, "pictures");
    refuse(score, &set, &set, "one set");
    refuse(score, &set, NULL, "divided into 10 parts");
    set.data[5] = NAN;
    refuse(energy, &few, &set, "number 5");
    sumi_measured none = {.size = sizeof none};
    assert_false(sumi_measure_get(energy, 0, &none));
    sumi_measure_free(energy);
    sumi_measure_free(psnr);
    sumi_measure_free(ssim);
    sumi_measure_free(score);
    sumi_array_release(context, &set);
    sumi_array_release(context, &wide);
    sumi_array_release(context, &few);
    sumi_array_release(context, &waves);
}

static void one_sample_is_refused_where_pairs_are_needed(void **state)
{
    (void)state;
    const int64_t one[] = {1, 3}, many[] = {5, 3};
    sumi_array single = normal_array(1, 2, one), set = normal_array(2, 2, many);
    static const char *const names[] = {"kid", "mmd", "prdc"};
    for (int i = 0; i < 3; i++) {
        sumi_measure *measure = open_measure(names[i]);
        refuse(measure, &single, &set, "1");
        refuse(measure, &set, &single, "1");
        sumi_measure_free(measure);
    }
    sumi_measure *nearest = open_measure("nearest");
    refuse(nearest, &set, &single, "at least 2");
    sumi_measure_free(nearest);
    sumi_array_release(context, &single);
    sumi_array_release(context, &set);
}

static bool stop(void *user, const sumi_progress *progress)
{
    assert_string_equal(progress->task, "energy");
    assert_true(progress->step <= progress->steps);
    return ++*(int *)user < 2;
}

static void a_measurement_stops_when_its_caller_asks(void **state)
{
    (void)state;
    const int64_t shape[] = {3000, 2};
    int calls = 0;
    sumi_array set = normal_array(1, 2, shape);
    sumi_measure *measure = open_measure("energy");
    assert_int_equal(sumi_measure_run(measure, &set, &set, stop, &calls), SUMI_STOPPED);
    assert_int_equal(calls, 2);
    sumi_measure_free(measure);
    sumi_array_release(context, &set);
}

static void sorted_lists_are_coupled_by_their_quantiles(void **state)
{
    (void)state;
    const double x[] = {0}, y[] = {0, 1}, z[] = {-1, 2, 2.5};
    CHECK_CLOSE(sorted_transport(1, x, 2, y, 1), 0.5, 1e-15);
    CHECK_CLOSE(sorted_transport(1, x, 2, y, 2), 0.5, 1e-15);
    /* quantiles 1/3, 1/2, 2/3: 0 with -1, 0 with 2, 1 with 2, 1 with 2.5 */
    CHECK_CLOSE(sorted_transport(2, y, 3, z, 1), 1.0 / 3 + 2.0 / 6 + 1.0 / 6 + 1.5 / 3, 1e-14);
    CHECK_CLOSE(sorted_largest_difference(2, y, 3, z), 2.0 / 3, 1e-15);
}

static void a_shift_is_its_length_in_every_distance(void **state)
{
    (void)state;
    const int64_t shape[] = {50, 1};
    sumi_array a = normal_array(1, 2, shape), b = normal_array(1, 2, shape);
    for (int i = 0; i < 50; i++) a.data[i] = (float)(i % 7), b.data[i] = a.data[i] + 3;
    sumi_measure *sliced = open_measure("sliced-wasserstein"), *marginal = open_measure("marginal");
    CHECK_OK(context, sumi_measure_run(sliced, &a, &b, NULL, NULL));
    CHECK_OK(context, sumi_measure_run(marginal, &a, &b, NULL, NULL));
    CHECK_CLOSE(result_of(sliced, "distance"), 3, 1e-6);
    CHECK_CLOSE(result_of(marginal, "wasserstein1"), 3, 1e-12);
    CHECK_CLOSE(result_of(marginal, "wasserstein2"), 3, 1e-12);
    sumi_measure_free(sliced);
    sumi_measure_free(marginal);
    sumi_array_release(context, &a);
    sumi_array_release(context, &b);
}

static void certain_and_even_classes_score_their_number(void **state)
{
    (void)state;
    float logits[40 * 4] = {0};
    for (int i = 0; i < 40; i++) logits[i * 4 + i % 4] = 200;
    sumi_array set = {2, {40, 4}, logits};
    sumi_measure *measure = open_measure("inception-score");
    CHECK_OK(context, sumi_measure_run(measure, &set, NULL, NULL, NULL));
    CHECK_CLOSE(result_of(measure, "score"), 4, 1e-12);
    CHECK_CLOSE(result_of(measure, "deviation"), 0, 1e-12);
    memset(logits, 0, sizeof logits);
    CHECK_OK(context, sumi_measure_run(measure, &set, NULL, NULL, NULL));
    CHECK_CLOSE(result_of(measure, "score"), 1, 1e-12);
    sumi_measure_free(measure);
}

static void equal_pictures_are_similar_and_a_step_has_its_ratio(void **state)
{
    (void)state;
    const int64_t shape[] = {2, 12, 13, 3}, small[] = {1, 10, 12, 1};
    sumi_array a = normal_array(1, 4, shape), b = normal_array(1, 4, shape);
    sumi_array tiny = normal_array(2, 4, small);
    sumi_measure *ssim = open_measure("ssim"), *psnr = open_measure("psnr");
    CHECK_OK(context, sumi_measure_run(ssim, &a, &b, NULL, NULL));
    CHECK_CLOSE(result_of(ssim, "ssim"), 1, 1e-12);
    for (int64_t i = 0; i < sumi_array_count(&b); i++) a.data[i] = 0, b.data[i] = 0.5f;
    CHECK_OK(context, sumi_measure_run(psnr, &a, &b, NULL, NULL));
    CHECK_CLOSE(result_of(psnr, "psnr"), 20 * log10(2 / 0.5), 1e-12);
    refuse(ssim, &tiny, &tiny, "11x11");
    sumi_measure_free(ssim);
    sumi_measure_free(psnr);
    sumi_array_release(context, &a);
    sumi_array_release(context, &b);
    sumi_array_release(context, &tiny);
}

static void densities_of_numbers_integrate_to_one(void **state)
{
    (void)state;
    const int64_t shape[] = {20, 5};
    sumi_array a = normal_array(1, 2, shape), b = normal_array(2, 2, shape);
    sumi_measure *measure = open_measure("pdf");
    sumi_measured middles = {.size = sizeof middles}, density = {.size = sizeof density};
    double sum = 0;
    CHECK_OK(context, sumi_measure_run(measure, &a, &b, NULL, NULL));
    assert_true(sumi_measure_get(measure, 1, &middles) && sumi_measure_get(measure, 2, &density));
    for (int64_t i = 0; i < density.count; i++)
        sum += density.values[i] * (middles.values[1] - middles.values[0]);
    CHECK_CLOSE(sum, 1, 1e-10);
    CHECK_OK(context, sumi_measure_run(measure, &a, &a, NULL, NULL));
    assert_true(result_of(measure, "total_variation") == 0);
    sumi_measure_free(measure);
    sumi_array_release(context, &a);
    sumi_array_release(context, &b);
}

/* Twice the magnitude is 20 log10(2) dB at all frequencies; cepstra leave the loudness out. */
static void a_louder_signal_differs_in_its_spectrum_and_not_in_its_cepstra(void **state)
{
    (void)state;
    const int64_t shape[] = {2, 700, 1};
    sumi_array a = normal_array(1, 3, shape), b = normal_array(1, 3, shape);
    for (int64_t i = 0; i < 1400; i++) b.data[i] *= 2;
    sumi_measure *measure = open_measure("mel");
    CHECK_OK(context, sumi_measure_run(measure, &b, &a, NULL, NULL));
    CHECK_CLOSE(result_of(measure, "log_spectral_distance"), 20 * log10(2), 1e-9);
    CHECK_CLOSE(result_of(measure, "mel_cepstral_distance"), 0, 1e-9);
    CHECK_OK(context, sumi_measure_set(measure, "fft", "2048"));
    refuse(measure, &a, &b, "too short");
    sumi_measure_free(measure);
    sumi_array_release(context, &a);
    sumi_array_release(context, &b);
}

static void the_power_of_matter_has_its_amplitude_and_refuses_other_universes(void **state)
{
    (void)state;
    sumi_cosmology universe = {.size = sizeof universe,
                               .hubble = 70,
                               .matter = 1,
                               .baryons = 0.05,
                               .sigma8 = 0.8,
                               .tilt = 0.96,
                               .temperature = 2.7255,
                               .neutrinos = 0};
    double k = 0.1, now, then, twice;
    CHECK_OK(context, sumi_matter_power(context, &universe, 0, 1, &k, &now));
    CHECK_OK(context, sumi_matter_power(context, &universe, 3, 1, &k, &then));
    CHECK_CLOSE(then, now / 16, 1e-6 * now); /* matter alone: growth is 1 / (1 + z) */
    universe.sigma8 = 1.6;
    CHECK_OK(context, sumi_matter_power(context, &universe, 0, 1, &k, &twice));
    CHECK_CLOSE(twice, 4 * now, 1e-9 * now);
    universe.baryons = 1;
    assert_int_equal(sumi_matter_power(context, &universe, 0, 1, &k, &now), SUMI_ERROR_ARGUMENT);
    universe.baryons = 0.05;
    k = 0;
    assert_int_equal(sumi_matter_power(context, &universe, 0, 1, &k, &now), SUMI_ERROR_ARGUMENT);
}

/* Without radiation growth is the scale factor, late, early and between. */
static void matter_alone_grows_with_the_scale_factor(void **state)
{
    (void)state;
    static const double redshifts[] = {0.5, 5, 8, 12, 20, 100};
    const sumi_cosmology universe = {.hubble = 70, .matter = 1, .temperature = 1e-4};
    for (size_t i = 0; i < sizeof redshifts / sizeof *redshifts; i++) {
        double grown = matter_growth(&universe, redshifts[i]) * (1 + redshifts[i]);
        CHECK_CLOSE(grown, 1, 1e-7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(every_measure_of_the_table_opens_and_describes_its_options),
        CONTEXT_TEST(unknown_measures_and_options_are_refused_with_the_nearest_name),
        CONTEXT_TEST(sets_that_do_not_fit_are_refused),
        CONTEXT_TEST(one_sample_is_refused_where_pairs_are_needed),
        CONTEXT_TEST(a_measurement_stops_when_its_caller_asks),
        CONTEXT_TEST(sorted_lists_are_coupled_by_their_quantiles),
        CONTEXT_TEST(a_shift_is_its_length_in_every_distance),
        CONTEXT_TEST(certain_and_even_classes_score_their_number),
        CONTEXT_TEST(equal_pictures_are_similar_and_a_step_has_its_ratio),
        CONTEXT_TEST(densities_of_numbers_integrate_to_one),
        CONTEXT_TEST(a_louder_signal_differs_in_its_spectrum_and_not_in_its_cepstra),
        CONTEXT_TEST(matter_alone_grows_with_the_scale_factor),
        CONTEXT_TEST(the_power_of_matter_has_its_amplitude_and_refuses_other_universes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
