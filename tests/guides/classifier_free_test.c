/* SPDX-License-Identifier: Apache-2.0 */
/* Classifier-free guidance of a perfect denoiser of a mixture of Gaussians, whose guided score,
   samples and densities are known. */
#include "guides/classes.h"

#include "measure/likelihood.h"

enum { ROWS = 5 };

static const double STEP = 1e-5; /* of differences in double */

static const char *const paths[][2] = {
    {"ddim", "{\"prediction_type\": \"epsilon\"}"},
    {"ddim", "{\"prediction_type\": \"sample\"}"},
    {"ddim", "{\"prediction_type\": \"v_prediction\"}"},
    {"euler", "{\"path\": \"ve\", \"sigma_max\": 50, \"prediction_type\": \"score\"}"},
    {"euler", "{\"path\": \"edm\"}"},
    {"flow-euler", "{}"},
    {"flow-euler", "{\"prediction_type\": \"velocity\"}"}};
enum { PATHS = sizeof paths / sizeof *paths };

/* States and times, from little noise to much, on the network's scale. */
static void fill_states(const struct noise_path *path, double states[2 * ROWS], float *x,
                        float *times)
{
    for (int i = 0; i < ROWS; i++) {
        double least = log(path_least(path) + 0.05), most = log(fmin(path_most(path), 20));
        double sigma = exp(least + (most - least) * i / ROWS);
        times[i] = (float)path_time(path, sigma);
        struct noise_level level = mixture_level(path, times[i]);
        for (int k = 0; k < 2; k++) {
            double state = level.signal * 0.7 * sin(3 * i + k) + level.noise * cos(5 * i + 2 * k);
            x[2 * i + k] = (float)(path_input_scale(path, &level) * state);
            states[2 * i + k] = x[2 * i + k] / path_input_scale(path, &level);
        }
    }
}

/* log of p(x) p(class | x)^scale at a level of noise, but for a constant. */
static double log_guided(const struct classes *c, const struct noise_level *level, int32_t class,
                         double scale, const double x[2])
{
    const double nowhere[2] = {0};
    struct mixture part = classes_of(c, class);
    double whole = mixture_look(&c->mixture, level, x, nowhere).log_density;
    return whole + scale * (mixture_look(&part, level, x, nowhere).log_density - whole);
}

/* s times the score of a prediction of a state. */
static double score_of(const struct classes *c, const struct noise_level *level, double state,
                       double prediction)
{
    struct prediction_map map = path_map(c->mixture.path, c->mixture.prediction, level);
    return -(map.noise_state * state + map.noise_prediction * prediction);
}

static void the_score_is_that_of_the_density_times_the_class_to_the_power_of_the_scale(void **state)
{
    scratch *room = *state;
    static const double scales[] = {0, 1, 2.5, -0.5};
    for (int n = 0; n < PATHS * 4; n++) {
        struct guided g;
        double states[2 * ROWS];
        float x[2 * ROWS], times[ROWS], output[2 * ROWS];
        guided_begin(room->context, &three_parts, paths[n / 4][0], paths[n / 4][1], 1, &g);
        CHECK_OK(room->context, sumi_guide_set_number(g.guide, "scale", scales[n % 4]));
        fill_states(g.classes.mixture.path, states, x, times);
        CHECK_OK(room->context, g.whole.predict(g.whole.user, ROWS, 2, 2, x, times, output));
        for (int i = 0; i < 2 * ROWS; i++) {
            struct noise_level level = mixture_level(g.classes.mixture.path, times[i / 2]);
            double at[2][2], h = STEP * level.noise;
            for (int side = 0; side < 2; side++) {
                memcpy(at[side], states + i / 2 * 2, sizeof at[side]);
                at[side][i % 2] += side ? h : -h;
            }
            double truth = (log_guided(&g.classes, &level, 1, scales[n % 4], at[1])
                            - log_guided(&g.classes, &level, 1, scales[n % 4], at[0]))
                           / (2 * h) * level.noise;
            double score = score_of(&g.classes, &level, states[i], output[i]);
            if (!(fabs(score - truth) < 2e-4 * (1 + fabs(truth))))
                fail_msg("%s, scale %g: %g is not %g", paths[n / 4][1], scales[n % 4], score,
                         truth);
        }
        guided_end(&g);
    }
}

/* ---- Interval ---- */

static void
outside_the_interval_the_prediction_is_the_conditional_one_and_the_null_is_not_asked(void **state)
{
    scratch *room = *state;
    struct guided g;
    double states[2 * ROWS];
    float x[2 * ROWS], times[ROWS], everywhere[2 * ROWS], plain[2 * ROWS], output[2 * ROWS];
    guided_begin(room->context, &three_parts, "euler", "{\"path\": \"edm\"}", 0, &g);
    fill_states(g.classes.mixture.path, states, x, times);
    CHECK_OK(room->context, g.whole.predict(g.whole.user, ROWS, 2, 2, x, times, plain));
    assert_int_equal(g.classes.rows, ROWS); /* the scale is 1 at first */
    CHECK_OK(room->context, sumi_guide_set(g.guide, "scale", "3"));
    CHECK_OK(room->context, g.whole.predict(g.whole.user, ROWS, 2, 2, x, times, everywhere));
    assert_int_equal(g.classes.rows, 3 * ROWS);
    CHECK_OK(room->context, sumi_guide_set(g.guide, "sigma_low", "0.2"));
    CHECK_OK(room->context, sumi_guide_set(g.guide, "sigma_high", "3"));
    CHECK_OK(room->context, g.whole.predict(g.whole.user, ROWS, 2, 2, x, times, output));
    int guided = 0;
    for (int i = 0; i < ROWS; i++) {
        double sigma = exp(4 * (double)times[i]);
        bool inside = sigma >= 0.2 && sigma <= 3;
        guided += inside;
        assert_memory_equal(output + 2 * i, (inside ? everywhere : plain) + 2 * i,
                            2 * sizeof *output);
    }
    assert_true(guided > 0 && guided < ROWS);
    assert_int_equal(g.classes.rows, 4 * ROWS + guided);
    guided_end(&g);
}

/* ---- Products ---- */

/* The guided prediction of a state in double: its scale, and the share that is rescaled. */
static void predict_in_double(const struct classes *c, const struct noise_level *level,
                              int32_t class, double scale, double phi, const double x[2],
                              double z[2])
{
    const double nowhere[2] = {0};
    struct prediction_target target = path_target(c->mixture.path, c->mixture.prediction, level);
    double both[2][2], deviation[2];
    for (int k = 0; k < 2; k++) {
        struct mixture part = classes_of(c, k ? c->mixture.parts : class);
        struct mixture_view view = mixture_look(&part, level, x, nowhere);
        for (int i = 0; i < 2; i++)
            both[k][i] =
                target.of_clean * view.clean[i] - target.of_noise * level->noise * view.score[i];
    }
    for (int i = 0; i < 2; i++) z[i] = both[1][i] + scale * (both[0][i] - both[1][i]);
    deviation[0] = fabs(both[0][0] - both[0][1]) / sqrt(2); /* of two numbers, divisor 1 */
    deviation[1] = fabs(z[0] - z[1]) / sqrt(2);
    for (int i = 0; i < 2; i++) z[i] *= phi * deviation[0] / deviation[1] + 1 - phi;
}

static void check_products(scratch *room, struct guided *g, double scale, double phi)
{
    const struct noise_path *path = g->classes.mixture.path;
    double states[2 * ROWS];
    float x[2 * ROWS], times[ROWS], vectors[2 * ROWS], output[2 * ROWS], products[2 * ROWS];
    fill_states(path, states, x, times);
    for (int i = 0; i < 2 * ROWS; i++) vectors[i] = (float)cos(2.0 * i + 1);
    CHECK_OK(room->context,
             g->whole.product(g->whole.user, ROWS, 2, 2, x, times, vectors, output, products));
    for (int i = 0; i < 2 * ROWS; i++) {
        struct noise_level level = mixture_level(path, times[i / 2]);
        double unit = path_input_scale(path, &level), h = STEP * level.noise, z[3][2];
        for (int side = 0; side < 3; side++) {
            double at[2] = {states[i / 2 * 2], states[i / 2 * 2 + 1]};
            at[i % 2] += (side - 1) * h;
            predict_in_double(&g->classes, &level, 2, scale, phi, at, z[side]);
        }
        double truth = 0;
        for (int k = 0; k < 2; k++)
            truth += (double)vectors[i / 2 * 2 + k] * (z[2][k] - z[0][k]) / (2 * h) / unit;
        CHECK_CLOSE(output[i], z[1][i % 2], 1e-4 * (1 + fabs(z[1][i % 2])));
        if (!(fabs(products[i] - truth) < 1e-3 * (1 + fabs(truth))))
            fail_msg("scale %g, phi %g: %g is not %g", scale, phi, (double)products[i], truth);
    }
}

static void products_are_the_differences_of_the_guided_prediction(void **state)
{
    scratch *room = *state;
    static const double cases[][2] = {{1, 0}, {3, 0}, {0.3, 0}, {3, 0.7}, {2, 1}};
    for (int n = 0; n < PATHS * 5; n++) {
        struct guided g;
        const double *now = cases[n % 5];
        guided_begin(room->context, &three_parts, paths[n / 5][0], paths[n / 5][1], 2, &g);
        CHECK_OK(room->context, sumi_guide_set_number(g.guide, "scale", now[0]));
        CHECK_OK(room->context, sumi_guide_set_number(g.guide, "rescale", now[1]));
        check_products(room, &g, now[0], now[1]);
        guided_end(&g);
    }
}

/* ---- What a guided model generates ---- */

/* Two classes of equal deviation. The null class is class 1 here, so that the guided score is that
   of a Gaussian whose mean is moved on by the scale. */
static const struct mixture two_parts = {
    .parts = 2, .weights = {0.5, 0.5}, .means = {{0.4, 0.1}, {-0.2, 0.3}}, .variance = 0.09};
enum { SCALE = 2 };

static void begin_moved(scratch *room, const char *solver, const char *configuration,
                        struct guided *g)
{
    guided_begin(room->context, &two_parts, solver, configuration, 0, g);
    const int32_t other = 1;
    CHECK_OK(room->context,
             sumi_condition_set_integers(g->null, "class", 1, &(int64_t){1}, &other));
    CHECK_OK(room->context, sumi_guide_set_number(g->guide, "scale", SCALE));
}

static double moved_mean(int k)
{
    return SCALE * two_parts.means[0][k] + (1 - SCALE) * two_parts.means[1][k];
}

static void samples_have_the_mean_and_deviation_of_the_guided_density(void **state)
{
    scratch *room = *state;
    enum { ITEMS = 4000 };
    static float x[2 * ITEMS];
    struct guided g;
    begin_moved(room, "dpmpp-2m", "{\"path\": \"vp\", \"clip_sample\": false}", &g);
    CHECK_OK(room->context, sumi_solver_set(g.solver, "steps", "60"));
    CHECK_OK(room->context, solver_path(g.solver, &g.classes.mixture.path));
    CHECK_OK(room->context, sumi_solver_start(g.solver, 2, (int64_t[]){ITEMS, 2}, x));
    CHECK_OK(room->context, sumi_solver_run(g.solver, g.whole.predict, g.whole.user, 2,
                                            (int64_t[]){ITEMS, 2}, x, NULL, NULL));
    for (int k = 0; k < 2; k++) {
        double mean = 0, squares = 0;
        for (int i = 0; i < ITEMS; i++) mean += x[2 * i + k] / ITEMS;
        for (int i = 0; i < ITEMS; i++) squares += pow(x[2 * i + k] - mean, 2) / ITEMS;
        CHECK_CLOSE(mean, moved_mean(k), 0.02);
        CHECK_CLOSE(sqrt(squares), 0.3, 0.02);
    }
    guided_end(&g);
}

static void the_density_along_the_guided_flow_is_that_of_the_guided_gaussian(void **state)
{
    scratch *room = *state;
    struct guided g;
    sumi_likelihood *likelihood = NULL;
    enum { POINTS = 6 };
    float points[2 * POINTS];
    double bits[POINTS];
    begin_moved(room, "flow-euler", "{}", &g);
    for (int i = 0; i < 2 * POINTS; i++)
        points[i] = (float)(moved_mean(i % 2) + 0.4 * sin(4.0 * i));
    CHECK_OK(room->context, sumi_likelihood_create(room->context, g.solver, &likelihood));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "tolerance", "1e-8"));
    CHECK_OK(room->context, density_measure(likelihood, &g.whole, 2, (int64_t[]){POINTS, 2}, points,
                                            bits, NULL, NULL));
    for (int i = 0; i < POINTS; i++) {
        double squares = 0;
        for (int k = 0; k < 2; k++) squares += pow(points[2 * i + k] - moved_mean(k), 2);
        double truth = -squares / 2 / two_parts.variance - log(2 * acos(-1) * two_parts.variance);
        CHECK_CLOSE(-bits[i] * log(2), truth, 1e-4);
    }
    sumi_likelihood_free(likelihood);
    guided_end(&g);
}

/* ---- Stacks ---- */

/* g = n + w (c - n) twice: the outer compares the inner's prediction under both conditions, and the
   inner's of the null condition is the null condition's. */
static void one_guide_around_another_multiplies_the_scales(void **state)
{
    scratch *room = *state;
    struct guided g, once;
    double states[2 * ROWS];
    sumi_guide *outer = NULL;
    float x[2 * ROWS], times[ROWS], twice[2 * ROWS], output[2 * ROWS];
    guided_begin(room->context, &three_parts, "ddim", "{}", 1, &g);
    guided_begin(room->context, &three_parts, "ddim", "{}", 1, &once);
    fill_states(g.classes.mixture.path, states, x, times);
    CHECK_OK(room->context, guide_create(room->context, "classifier-free", &outer));
    CHECK_OK(room->context, guide_add(&g.stack, outer));
    CHECK_OK(room->context, sumi_guide_set(g.guide, "scale", "2"));
    CHECK_OK(room->context, sumi_guide_set(outer, "scale", "1.5"));
    CHECK_OK(room->context, sumi_guide_set(once.guide, "scale", "3"));
    const struct denoising whole = guide_stack_denoising(&g.stack);
    for (int round = 0; round < 2; round++) {
        CHECK_OK(room->context, whole.predict(whole.user, ROWS, 2, 2, x, times, twice));
        CHECK_OK(room->context, once.whole.predict(once.whole.user, ROWS, 2, 2, x, times, output));
        for (int i = 0; i < 2 * ROWS; i++)
            CHECK_CLOSE(twice[i], output[i], 1e-5 * (1 + fabs(output[i])));
    }
    assert_non_null(whole.product);
    guide_free(outer);
    guided_end(&g);
    guided_end(&once);
}

/* ---- Refusals ---- */

static void check_call_refused(scratch *room, struct guided *g, const char *part)
{
    float x[2] = {0}, time = 10, output[2];
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, part,
                g->whole.predict(g->whole.user, 1, 2, 2, x, &time, output));
}

/* Sets pairs of option and value, and expects that the last is refused and changes nothing. */
static void check_last_refused(scratch *room, sumi_guide *guide, const char *const pairs[][2],
                               const char *part)
{
    char before[OPTION_WORD_SIZE];
    for (; pairs[1][0]; pairs++)
        CHECK_OK(room->context, sumi_guide_set(guide, pairs[0][0], pairs[0][1]));
    snprintf(before, sizeof before, "%s", sumi_guide_get(guide, pairs[0][0]));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, part,
                sumi_guide_set(guide, pairs[0][0], pairs[0][1]));
    assert_string_equal(sumi_guide_get(guide, pairs[0][0]), before);
}

static void an_option_without_effect_or_meaning_is_refused_when_it_is_set(void **state)
{
    scratch *room = *state;
    static const struct {
        const char *pairs[5][2], *part;
    } cases[] = {
        {{{"rescale", "0.5"}}, "reads \"rescale\" only with scale other than 1"},
        {{{"scale", "2"}, {"sigma_low", "2"}, {"scale", "1"}},
         "reads \"sigma_low\" only with scale other than 1"},
        {{{"scale", "3"}, {"channels", "2"}, {"channels", "3"}}, "channels = 3, but an item has 2"},
        {{{"scale", "3"}, {"sigma_low", "4"}, {"sigma_high", "2"}},
         "sigma_low = 4 is above sigma_high = 2"},
        {{{"scale", "3"}, {"rescale", "2"}}, "must be a number from 0 to 1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guided g;
        guided_begin(room->context, &three_parts, "ddim", "{}", 0, &g);
        check_last_refused(room, g.guide, cases[i].pairs, cases[i].part);
        CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "did you mean \"scale\"?",
                    sumi_guide_set(g.guide, "scales", "3"));
        guided_end(&g);
    }
}

static void options_that_the_denoiser_cannot_have_are_refused_when_they_are_set(void **state)
{
    scratch *room = *state;
    struct guided g;
    sumi_guide *guide = NULL;
    guided_begin(room->context, &three_parts, "ddim", "{}", 0, &g);
    struct denoising core = g.stack.core;
    core.item_size = 1; /* and no path */
    struct guide_stack stack = guide_stack_of(room->context, &core, NULL);
    CHECK_OK(room->context, guide_create(room->context, "classifier-free", &guide));
    CHECK_OK(room->context, guide_add(&stack, guide));
    CHECK_OK(room->context, sumi_guide_set(guide, "scale", "3"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "determines the noise level of a time",
                sumi_guide_set(guide, "sigma_high", "2"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "rescale needs items of two numbers or more",
                sumi_guide_set(guide, "rescale", "0.5"));
    guide_free(guide);
    guided_end(&g);
}

static void a_guide_whose_options_do_not_fit_a_stack_is_not_added(void **state)
{
    scratch *room = *state;
    struct guided g;
    sumi_guide *guide = NULL;
    guided_begin(room->context, &three_parts, "ddim", "{}", 0, &g);
    CHECK_OK(room->context, guide_create(room->context, "classifier-free", &guide));
    CHECK_OK(room->context, sumi_guide_set(guide, "scale", "3"));
    CHECK_OK(room->context, sumi_guide_set(guide, "channels", "3")); /* there is no item yet */
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "channels = 3, but an item has 2",
                guide_add(&g.stack, guide));
    assert_int_equal(g.stack.count, 1);
    guide_free(guide);
    guided_end(&g);
}

static void conditions_that_cannot_be_compared_are_refused(void **state)
{
    scratch *room = *state;
    struct guided g;
    const float number = 1;
    sumi_condition *numbers = NULL;
    guided_begin(room->context, &three_parts, "ddim", "{}", 0, &g);
    CHECK_OK(room->context, sumi_guide_set(g.guide, "scale", "3"));
    g.stack.null = NULL;
    check_call_refused(room, &g, "there is no null condition");
    g.stack.null = g.null;
    CHECK_OK(room->context, sumi_condition_set(g.null, "more", 1, &(int64_t){1}, &number));
    check_call_refused(room, &g, "the null condition has \"more\", but the condition has not");
    g.stack.null = g.condition;
    CHECK_OK(room->context, g.whole.set_condition(g.whole.user, g.null));
    check_call_refused(room, &g, "has \"more\", but the null condition has not");
    CHECK_OK(room->context, sumi_condition_create(room->context, &numbers));
    CHECK_OK(room->context, sumi_condition_set(numbers, "class", 1, &(int64_t){1}, &number));
    CHECK_OK(room->context, g.whole.set_condition(g.whole.user, numbers));
    check_call_refused(room, &g,
                       "\"class\" of the null condition has items of another shape or type");
    CHECK_OK(room->context, g.whole.set_condition(g.whole.user, NULL));
    check_call_refused(room, &g, "there is no condition to compare");
    sumi_condition_free(numbers);
    guided_end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_score_is_that_of_the_density_times_the_class_to_the_power_of_the_scale),
        SCRATCH_TEST(
            outside_the_interval_the_prediction_is_the_conditional_one_and_the_null_is_not_asked),
        SCRATCH_TEST(products_are_the_differences_of_the_guided_prediction),
        SCRATCH_TEST(samples_have_the_mean_and_deviation_of_the_guided_density),
        SCRATCH_TEST(the_density_along_the_guided_flow_is_that_of_the_guided_gaussian),
        SCRATCH_TEST(one_guide_around_another_multiplies_the_scales),
        SCRATCH_TEST(an_option_without_effect_or_meaning_is_refused_when_it_is_set),
        SCRATCH_TEST(options_that_the_denoiser_cannot_have_are_refused_when_they_are_set),
        SCRATCH_TEST(a_guide_whose_options_do_not_fit_a_stack_is_not_added),
        SCRATCH_TEST(conditions_that_cannot_be_compared_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
