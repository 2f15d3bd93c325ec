/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of guides around a denoiser of the caller: classes that are the parts of a mixture of
   Gaussians, whose scores are known. */
#include "guides/classes.h"

enum { ROWS = 4, ALL = 2 * ROWS };

/* A denoiser of class `class` with guides; the null condition is the whole mixture. */
struct trial {
    sumi_context *context;
    struct classes classes;
    sumi_solver *solver;
    sumi_condition *condition, *null;
    sumi_guided *guided;
    float x[ALL], times[ROWS];
};

static sumi_own_denoiser own_of(struct classes *classes)
{
    return (sumi_own_denoiser){.size = sizeof(sumi_own_denoiser),
                               .user = classes,
                               .predict = classes_predict,
                               .product = classes_product,
                               .set_condition = classes_go_by,
                               .channels = 2};
}

static void trial_begin(sumi_context *context, const char *configuration, int32_t class,
                        struct trial *t)
{
    const int32_t null = three_parts.parts;
    *t = (struct trial){.context = context, .classes = {.mixture = three_parts}};
    CHECK_OK(context, sumi_solver_create(context, "ddim", &t->solver));
    CHECK_OK(context, sumi_solver_configure(t->solver, configuration));
    CHECK_OK(context, solver_path(t->solver, &t->classes.mixture.path));
    t->classes.mixture.prediction =
        (enum prediction_type)solver_options(t->solver)->prediction_type;
    CHECK_OK(context, once_condition(context, 1, &class, &t->condition));
    CHECK_OK(context, once_condition(context, 1, &null, &t->null));
    const sumi_own_denoiser own = own_of(&t->classes);
    CHECK_OK(context,
             sumi_guided_create(context, &own, t->solver, t->condition, t->null, &t->guided));
    for (int i = 0; i < ALL; i++) t->x[i] = (float)sin(1 + 2.3 * i);
    for (int i = 0; i < ROWS; i++) t->times[i] = (float)(100 + 250 * i);
}

static void trial_end(struct trial *t)
{
    sumi_guided_free(t->guided);
    sumi_condition_free(t->condition);
    sumi_condition_free(t->null);
    sumi_solver_free(t->solver);
}

static sumi_guide *add(struct trial *t, const char *name, const char *option, double value)
{
    sumi_guide *guide = NULL;
    CHECK_OK(t->context, sumi_guided_add(t->guided, name, &guide));
    if (option) CHECK_OK(t->context, sumi_guide_set_number(guide, option, value));
    return guide;
}

static void predict(struct trial *t, float *output)
{
    CHECK_OK(t->context, sumi_guided_denoiser(t->guided, ROWS, 2, 2, t->x, t->times, output));
}

/* What the network predicts of a class, without guides. */
static void plain(const struct trial *t, int32_t class, float *output)
{
    for (int i = 0; i < ROWS; i++) {
        struct mixture part = classes_of(&t->classes, class);
        mixture_product(&part, 1, 2, 2, t->x + 2 * i, t->times + i, NULL, output + 2 * i, NULL);
    }
}

static const char *const paths[] = {"{}", "{\"prediction_type\": \"v_prediction\"}",
                                    "{\"prediction_type\": \"sample\"}"};
enum { PATHS = 3 };

/* ---- The kinds ---- */

static void an_interval_bypasses_the_guides_before_it_outside(void **state)
{
    scratch *room = *state;
    for (int p = 0; p < PATHS; p++) {
        struct trial t;
        float output[ALL], one[ALL], null[ALL];
        trial_begin(room->context, paths[p], 1, &t);
        add(&t, "classifier-free", "scale", 3);
        sumi_guide *interval = add(&t, "interval", "sigma_high", 2);
        CHECK_OK(room->context, sumi_guide_set(interval, "sigma_low", "0.5"));
        predict(&t, output);
        plain(&t, 1, one);
        plain(&t, 3, null);
        int inside = 0;
        for (int i = 0; i < ALL; i++) {
            struct noise_level level = path_level(t.classes.mixture.path, t.times[i / 2]);
            double sigma = level.noise / level.signal;
            bool guided = sigma >= 0.5 && sigma <= 2;
            inside += guided;
            CHECK_CLOSE(output[i], guided ? null[i] + 3 * ((double)one[i] - null[i]) : one[i],
                        1e-5 * (1 + fabs(output[i])));
        }
        assert_true(inside > 0 && inside < ALL);
        trial_end(&t);
    }
}

static void a_rescale_after_a_guide_is_that_within_it(void **state)
{
    scratch *room = *state;
    struct trial apart, within;
    float output[ALL], expected[ALL];
    trial_begin(room->context, "{}", 1, &apart);
    trial_begin(room->context, "{}", 1, &within);
    add(&apart, "classifier-free", "scale", 4);
    add(&apart, "rescale", "phi", 0.6);
    sumi_guide *both = add(&within, "classifier-free", "scale", 4);
    CHECK_OK(room->context, sumi_guide_set(both, "rescale", "0.6"));
    predict(&apart, output);
    predict(&within, expected);
    for (int i = 0; i < ALL; i++) CHECK_CLOSE(output[i], expected[i], 1e-5);
    trial_end(&apart);
    trial_end(&within);
}

static void a_negative_condition_stands_for_the_null_condition(void **state)
{
    scratch *room = *state;
    for (int p = 0; p < PATHS; p++) {
        struct trial t;
        const int32_t other = 2;
        sumi_condition *negative = NULL;
        float output[ALL], one[ALL], two[ALL];
        trial_begin(room->context, paths[p], 1, &t);
        CHECK_OK(room->context, once_condition(room->context, 1, &other, &negative));
        sumi_guide *guide = add(&t, "negative", "scale", 2.5);
        CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "there is no negative condition",
                    sumi_guided_denoiser(t.guided, ROWS, 2, 2, t.x, t.times, output));
        CHECK_OK(room->context, sumi_guide_set_condition(guide, negative));
        sumi_condition_free(negative);
        predict(&t, output);
        plain(&t, 1, one);
        plain(&t, 2, two);
        for (int i = 0; i < ALL; i++)
            CHECK_CLOSE(output[i], two[i] + 2.5 * ((double)one[i] - two[i]),
                        1e-5 * (1 + fabs(output[i])));
        trial_end(&t);
    }
}

static void autoguidance_goes_away_from_the_weak_denoiser(void **state)
{
    scratch *room = *state;
    struct trial t;
    struct classes weak;
    float output[ALL], strong[ALL], expected[ALL];
    trial_begin(room->context, "{}", 1, &t);
    weak = t.classes;
    weak.mixture.variance = 0.3; /* blurred */
    sumi_guide *guide = add(&t, "autoguidance", "scale", 1.8);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "there is no weak denoiser",
                sumi_guided_denoiser(t.guided, ROWS, 2, 2, t.x, t.times, output));
    const sumi_own_denoiser own = own_of(&weak);
    CHECK_OK(room->context, sumi_guide_set_denoiser(guide, &own));
    predict(&t, output);
    plain(&t, 1, strong);
    struct trial blurred = t;
    blurred.classes = weak;
    plain(&blurred, 1, expected);
    for (int i = 0; i < ALL; i++)
        CHECK_CLOSE(output[i], expected[i] + 1.8 * ((double)strong[i] - expected[i]), 1e-5);
    trial_end(&t);
}

/* The gradient of log p(class | x) is the score of the class less that of the mixture, here by the
   network's input. */
static sumi_status exact_gradient(void *user, int64_t count, int64_t item_size, const float *x,
                                  const float *times, float *log_likelihoods, float *gradients)
{
    const struct classes *classes = user;
    (void)item_size;
    for (int64_t n = 0; n < count; n++) {
        const double v[2] = {0}, at[2] = {x[2 * n], x[2 * n + 1]};
        struct noise_level level = mixture_level(classes->mixture.path, times[n]);
        const struct mixture one = classes_of(classes, 1);
        struct mixture_view part = mixture_look(&one, &level, at, v);
        struct mixture_view whole = mixture_look(&classes->mixture, &level, at, v);
        log_likelihoods[n] =
            (float)(log(classes->mixture.weights[1]) + part.log_density - whole.log_density);
        for (int i = 0; i < 2; i++) gradients[2 * n + i] = (float)(part.score[i] - whole.score[i]);
    }
    return SUMI_OK;
}

static void an_exact_classifier_makes_the_prediction_of_its_class(void **state)
{
    scratch *room = *state;
    for (int p = 0; p < PATHS; p++) {
        struct trial t;
        float output[ALL], one[ALL];
        trial_begin(room->context, paths[p], 3, &t); /* the whole mixture */
        sumi_guide *guide = add(&t, "classifier", NULL, 0);
        CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "there is no classifier",
                    sumi_guided_denoiser(t.guided, ROWS, 2, 2, t.x, t.times, output));
        CHECK_OK(room->context, sumi_guide_set_likelihood(guide, exact_gradient, &t.classes));
        predict(&t, output);
        plain(&t, 1, one);
        for (int i = 0; i < ALL; i++) CHECK_CLOSE(output[i], one[i], 1e-4 * (1 + fabs(one[i])));
        CHECK_FAILS(room->context, SUMI_ERROR_UNSUPPORTED, "the classifier has no",
                    sumi_guided_product(t.guided, ROWS, 2, 2, t.x, t.times, one, output, output));
        trial_end(&t);
    }
}

/* By hand: x' = a' x0hat(n + w (c - n)) + s' e(n), on the path of noise predictions. */
static void cfg_plus_plus_by_hand(const struct trial *t, int64_t count, const double *times,
                                  double w, double x[2])
{
    const struct mixture one = classes_of(&t->classes, 1);
    for (int64_t k = 0; k < count; k++) {
        const double v[2] = {0};
        struct noise_level level = path_level(t->classes.mixture.path, times[k]),
                           next = {.signal = 1};
        if (k + 1 < count) next = path_level(t->classes.mixture.path, times[k + 1]);
        struct mixture_view c = mixture_look(&one, &level, x, v);
        struct mixture_view n = mixture_look(&t->classes.mixture, &level, x, v);
        for (int i = 0; i < 2; i++) {
            double ec = -level.noise * c.score[i], en = -level.noise * n.score[i];
            double clean = (x[i] - level.noise * (en + w * (ec - en))) / level.signal;
            x[i] = next.signal * clean + next.noise * en;
        }
    }
}

static void cfg_plus_plus_guides_the_data_and_not_the_noise(void **state)
{
    scratch *room = *state;
    enum { STEPS = 8 };
    struct trial t;
    double times[STEPS], expected[2] = {0.3, -1.1};
    float x[2] = {0.3F, -1.1F}, output[ALL];
    trial_begin(room->context,
                "{\"clip_sample\": false, \"timestep_spacing\": \"trailing\", "
                "\"prediction_type\": \"epsilon\"}",
                1, &t);
    CHECK_OK(room->context, sumi_solver_set(t.solver, "steps", "8"));
    sumi_guide *guide = add(&t, "cfg++", "scale", 0.7);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "levels that the solver visits are not known",
                sumi_guided_denoiser(t.guided, ROWS, 2, 2, t.x, t.times, output));
    CHECK_OK(room->context, sumi_guide_follow(guide, t.solver));
    CHECK_OK(room->context, solver_path(t.solver, &t.classes.mixture.path));
    assert_int_equal(sumi_solver_times(t.solver, times, STEPS), STEPS);
    CHECK_OK(room->context, sumi_solver_run(t.solver, sumi_guided_denoiser, t.guided, 2,
                                            (int64_t[]){1, 2}, x, NULL, NULL));
    cfg_plus_plus_by_hand(&t, STEPS, times, 0.7, expected);
    for (int i = 0; i < 2; i++) CHECK_CLOSE(x[i], expected[i], 1e-3);
    trial_end(&t);
}

/* ---- Products ---- */

static void products_are_the_differences_of_the_predictions(void **state)
{
    scratch *room = *state;
    static const double STEP = 1e-2;
    struct trial t;
    float vectors[ALL], output[ALL], products[ALL], plus[ALL], minus[ALL];
    trial_begin(room->context, "{}", 1, &t);
    add(&t, "classifier-free", "scale", 2);
    add(&t, "rescale", "phi", 0.5);
    sumi_guide *interval = add(&t, "interval", "sigma_high", 5);
    CHECK_OK(room->context, sumi_guide_set(interval, "sigma_low", "0.3"));
    for (int i = 0; i < ALL; i++) vectors[i] = (float)cos(0.4 + 1.9 * i);
    CHECK_OK(room->context,
             sumi_guided_product(t.guided, ROWS, 2, 2, t.x, t.times, vectors, output, products));
    for (int i = 0; i < ALL; i++) {
        float at = t.x[i];
        t.x[i] = at + (float)STEP;
        predict(&t, plus);
        t.x[i] = at - (float)STEP;
        predict(&t, minus);
        t.x[i] = at;
        double along = 0;
        for (int k = i / 2 * 2; k < i / 2 * 2 + 2; k++)
            along += vectors[k] * ((double)plus[k] - minus[k]) / (2 * STEP);
        CHECK_CLOSE(products[i], along, 0.02 * (1 + fabs(along)));
    }
    trial_end(&t);
}

/* ---- Refusals ---- */

static void guides_refuse_what_they_have_no_use_for(void **state)
{
    scratch *room = *state;
    struct trial t;
    trial_begin(room->context, "{}", 1, &t);
    sumi_guide *guide = add(&t, "classifier-free", "scale", 2);
    const sumi_own_denoiser own = own_of(&t.classes);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "has no use for another denoiser",
                sumi_guide_set_denoiser(guide, &own));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "has no use for a likelihood",
                sumi_guide_set_likelihood(guide, exact_gradient, NULL));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "has no use for a condition of its own",
                sumi_guide_set_condition(guide, t.null));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "has no use for the levels of a solver",
                sumi_guide_follow(guide, t.solver));
    sumi_guide *interval = add(&t, "interval", "sigma_low", 3);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "is above sigma_high",
                sumi_guide_set(interval, "sigma_high", "2"));
    sumi_guided *without = NULL;
    sumi_own_denoiser bare = own;
    bare.set_condition = NULL;
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "needs the function \"set_condition\"",
                sumi_guided_create(room->context, &bare, NULL, t.condition, NULL, &without));
    CHECK_OK(room->context, sumi_guided_create(room->context, &bare, NULL, NULL, NULL, &without));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "determines the noise level of a time",
                sumi_guided_add(without, "interval", NULL));
    sumi_guided_free(without);
    trial_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_interval_bypasses_the_guides_before_it_outside),
        SCRATCH_TEST(a_rescale_after_a_guide_is_that_within_it),
        SCRATCH_TEST(a_negative_condition_stands_for_the_null_condition),
        SCRATCH_TEST(autoguidance_goes_away_from_the_weak_denoiser),
        SCRATCH_TEST(an_exact_classifier_makes_the_prediction_of_its_class),
        SCRATCH_TEST(cfg_plus_plus_guides_the_data_and_not_the_noise),
        SCRATCH_TEST(products_are_the_differences_of_the_predictions),
        SCRATCH_TEST(guides_refuse_what_they_have_no_use_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
