/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of every path, where there is no signal or hardly any noise: each objective has finite
   targets and weights there, which are the limits of their definitions, or is refused before the
   first step. */
#include <float.h>

#include "learn/training.h"
#include "learn/weighting.h"

static const char *const PREDICTIONS[] = {"epsilon", "sample",          "v_prediction",
                                          "score",   "flow_prediction", "velocity"};
static const char *const WEIGHTINGS[] = {"simple", "snr", "min_snr", "sigma2", "bound"};
static const char *const TIMES[] = {"auto", "whole", "uniform", "importance", "log_normal"};
enum { PREDICTIONS_COUNT = 6, WEIGHTINGS_COUNT = 5, TIMES_COUNT = 5 };

/* Members of a scheduler's configuration, and whether signal is lost wholly at the last time. */
static const struct kind {
    const char *path, *members;
    bool ends;
} KINDS[] = {
    {"table", "\"beta_schedule\": \"linear\"", false},
    {"table", "\"beta_schedule\": \"linear\", \"rescale_betas_zero_snr\": true", true},
    {"table", "\"beta_schedule\": \"scaled_linear\", \"rescale_betas_zero_snr\": true", true},
    {"table", "\"beta_schedule\": \"squaredcos_cap_v2\"", false},
    {"table", "\"beta_schedule\": \"sigmoid\", \"rescale_betas_zero_snr\": true", true},
    {"table", "\"beta_schedule\": \"laplace\"", false},
    {"table", "\"beta_schedule\": \"binomial\"", true},
    {"table", "\"beta_schedule\": \"geometric\"", false},
    {"vp", "\"beta_min\": 0.1", false},
    {"sub_vp", "\"beta_min\": 0.1", false},
    {"ve", "\"sigma_max\": 50", false},
    {"edm", "\"sigma_data\": 0.5", false},
    {"flow", "\"shift\": 1", true},
    {"cosine", "\"shift\": 1", true},
};
enum { KINDS_COUNT = sizeof KINDS / sizeof *KINDS };

/* One way to train, and what became of it. */
struct attempt {
    struct training training;
    sumi_status status;
};

static void attempt(sumi_context *context, const struct kind *kind, const char *prediction,
                    const char *const *settings, bool learned, struct attempt *attempt)
{
    char scheduler[512];
    struct training *t = &attempt->training;
    snprintf(scheduler, sizeof scheduler,
             "{\"path\": \"%s\", \"prediction_type\": \"%s\", \"clip_sample\": false, "
             "\"variance_type\": \"%s\", \"num_train_timesteps\": 100, %s}",
             kind->path, prediction, learned ? "learned_range" : "fixed_small", kind->members);
    training_open(context, settings, t);
    const sumi_network network = {
        .size = sizeof network, .rank = 1, .shape = {SIZE}, .build = build_scaled};
    if (learned) {
        CHECK_OK(context, sumi_recipe_set(t->recipe, "noise.variance=learned_range"));
        CHECK_OK(context, sumi_recipe_set(t->recipe, "model.width=8"));
        CHECK_OK(context, sumi_model_create_from_recipe(context, t->recipe, t->data, &t->model));
    } else {
        CHECK_OK(context, sumi_model_compose(context, &network, 1, &t->model));
    }
    CHECK_OK(context, sumi_model_set_scheduler(t->model, scheduler));
    attempt->status = sumi_trainer_create(context, t->recipe, t->model, t->data, &t->trainer);
    if (attempt->status == SUMI_OK) return;
    assert_int_equal(attempt->status, SUMI_ERROR_ARGUMENT);
    assert_true(strlen(sumi_context_message(context)) > 40);
}

/* ---- What the limit is ---- */

/* The weight by its definition, where that has no zero in a denominator. */
static double defined_weight(const struct noised *noised, const char *weighting,
                             const struct noise_level *level)
{
    double a = level->signal, s = level->noise, snr = a * a / (s * s);
    struct prediction_target wanted = path_target(noised->path, noised->prediction, level);
    double unit = a * wanted.of_noise - s * wanted.of_clean; /* by noise that is off by a */
    double data = -s / unit, noise = a / unit, score = noise / s;
    if (strcmp(weighting, "snr") == 0) return snr * data * data;
    if (strcmp(weighting, "min_snr") == 0) return fmin(snr, 5) * data * data;
    if (strcmp(weighting, "sigma2") == 0) return 0.5 * s * s * score * score;
    if (strcmp(weighting, "bound") == 0) return 0.5 * path_sde(level).diffusion * score * score;
    return 1;
}

/* The same beside a place: with a little more signal where there is none. */
static double weight_beside(const struct noised *noised, const char *weighting,
                            const struct place *place, double little)
{
    struct noise_level level = place->level;
    if (level.signal > 1e-9) return defined_weight(noised, weighting, &level);
    level.signal += little;
    return defined_weight(noised, weighting, &level);
}

static bool is_of_noise(const char *prediction)
{
    return strcmp(prediction, "epsilon") == 0 || strcmp(prediction, "score") == 0;
}

static void check_weights(const struct noised *noised, const char *weighting)
{
    struct weighting chosen = {.gamma = 5};
    for (int i = 0; i < WEIGHTINGS_COUNT; i++) {
        if (strcmp(weighting, WEIGHTINGS[i]) == 0) chosen.kind = (enum weighting_kind)i;
    }
    struct place place;
    int64_t count = 0;
    for (; times_visit(&noised->draws, count, &place); count++) {
        double found = weighting_at(&chosen, noised, &place);
        struct prediction_target wanted =
            path_target(noised->path, noised->prediction, &place.level);
        assert_true(isfinite((float)wanted.of_clean) && isfinite((float)wanted.of_noise));
        assert_true(isfinite((float)found) && found >= 0 && isfinite((float)place.time));
        bool table_bound = strcmp(weighting, "bound") == 0 && noised->path->kind == PATH_TABLE;
        if (table_bound && place.index >= 0)
            continue; /* that of the discrete steps, not of an SDE */
        double limit = weight_beside(noised, weighting, &place, 1e-7);
        CHECK_CLOSE(found, limit, 2e-6 * (1 + limit));
    }
    assert_true(count >= 100);
}

/* ---- Tests ---- */

/* Whether some weight is infinite at a drawn time: the bound's at an end without signal, with a
   prediction of noise. Uniform times never include that end. */
static bool is_infinite(const struct noised *noised, const char *weighting)
{
    struct place place;
    bool any = false;
    for (int64_t i = 0; times_visit(&noised->draws, i, &place); i++) {
        double near = weight_beside(noised, weighting, &place, 1e-5);
        any = any || weight_beside(noised, weighting, &place, 1e-8) > 100 * near;
    }
    return any;
}

static void every_weight_is_finite_and_the_limit_of_its_definition_or_is_refused(void **state)
{
    scratch *room = *state;
    char weighting[64], times[64];
    const char *const settings[] = {weighting, times, "train.batch=32", NULL};
    int refused = 0, trained = 0;
    for (int k = 0; k < KINDS_COUNT * PREDICTIONS_COUNT * WEIGHTINGS_COUNT * TIMES_COUNT; k++) {
        const struct kind *kind = &KINDS[k % KINDS_COUNT];
        const char *prediction = PREDICTIONS[k / KINDS_COUNT % PREDICTIONS_COUNT];
        int rest = k / (KINDS_COUNT * PREDICTIONS_COUNT);
        const char *name = WEIGHTINGS[rest % WEIGHTINGS_COUNT];
        const char *drawn = TIMES[rest / WEIGHTINGS_COUNT];
        snprintf(weighting, sizeof weighting, "train.weighting=%s", name);
        snprintf(times, sizeof times, "train.times=%s", drawn);
        struct attempt a;
        attempt(room->context, kind, prediction, settings, false, &a);
        bool whole = strcmp(drawn, "whole") == 0 || strcmp(drawn, "importance") == 0;
        bool reached = whole || (strcmp(kind->path, "table") == 0 && strcmp(drawn, "auto") == 0);
        bool endless =
            kind->ends && reached && strcmp(name, "bound") == 0 && is_of_noise(prediction);
        if (endless != (a.status != SUMI_OK)) {
            fail_msg("%s {%s} %s %s %s: %s", kind->path, kind->members, prediction, name, drawn,
                     endless ? "is not refused" : sumi_context_message(room->context));
        }
        if (a.status == SUMI_OK) {
            const struct noised *noised = a.training.trainer->plans->objective.user;
            assert_false(noised->path->kind != PATH_TABLE && is_infinite(noised, name));
            check_weights(noised, name);
            for (int64_t step = 0; step < 2; step++) {
                assert_true(isfinite(loss_of(room->context, &a.training, step)));
            }
            trained++;
        } else {
            refused++;
        }
        training_end(&a.training);
    }
    assert_true(trained > 2000 && refused > 0);
}

/* Hang et al. 2023: min(SNR, gamma) / SNR of the noise, which is 1 without signal; of the data
   min(SNR, gamma), which is 0. v and the velocities determine the data there. */
static void weights_without_signal_are_those_of_the_closed_form(void **state)
{
    scratch *room = *state;
    static const struct {
        const char *prediction, *weighting;
        double weight;
    } KNOWN[] = {
        {"epsilon", "snr", 1},
        {"epsilon", "min_snr", 1},
        {"epsilon", "sigma2", 0.5},
        {"score", "snr", 1},
        {"score", "min_snr", 1},
        {"score", "sigma2", 0.5},
        {"sample", "snr", 0},
        {"sample", "min_snr", 0},
        {"sample", "sigma2", 0},
        {"v_prediction", "snr", 0},
        {"v_prediction", "min_snr", 0},
        {"flow_prediction", "snr", 0},
        {"flow_prediction", "min_snr", 0},
        {"velocity", "snr", 0},
        {"velocity", "min_snr", 0},
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        char setting[64];
        const char *const settings[] = {setting, NULL};
        snprintf(setting, sizeof setting, "train.weighting=%s", KNOWN[i].weighting);
        struct attempt a;
        attempt(room->context, &KINDS[1], KNOWN[i].prediction, settings, false, &a);
        CHECK_OK(room->context, a.status);
        const struct noised *noised = a.training.trainer->plans->objective.user;
        struct weighting weighting = weighting_of(a.training.recipe);
        struct place place;
        assert_true(times_visit(&noised->draws, 99, &place));
        assert_true(place.level.signal == 0 && !times_visit(&noised->draws, 100, &place));
        CHECK_CLOSE(weighting_at(&weighting, noised, &place), KNOWN[i].weight, 0);
        training_end(&a.training);
    }
}

/* The bound and the sliced loss at each time of each table, by every prediction. */
static void the_bound_is_finite_or_refused_on_every_table(void **state)
{
    scratch *room = *state;
    static const char *const OBJECTIVES[] = {"variational", "hybrid", "sliced"};
    for (int k = 0; k < KINDS_COUNT * PREDICTIONS_COUNT * 3; k++) {
        const struct kind *kind = &KINDS[k % KINDS_COUNT];
        const char *prediction = PREDICTIONS[k / KINDS_COUNT % PREDICTIONS_COUNT];
        const char *objective = OBJECTIVES[k / (KINDS_COUNT * PREDICTIONS_COUNT)];
        char setting[64];
        const char *const settings[] = {setting, "train.batch=32", NULL};
        bool sliced = strcmp(objective, "sliced") == 0, table = strcmp(kind->path, "table") == 0;
        if (!table && (!sliced || strcmp(kind->path, "edm") == 0)) continue;
        snprintf(setting, sizeof setting, "train.objective=%s", objective);
        struct attempt a;
        attempt(room->context, kind, prediction, settings, strcmp(objective, "hybrid") == 0, &a);
        bool endless = !sliced && kind->ends && is_of_noise(prediction);
        if (endless != (a.status != SUMI_OK)) {
            fail_msg("%s {%s} %s: %s", objective, kind->members, prediction,
                     endless ? "is not refused" : sumi_context_message(room->context));
        }
        for (int64_t step = 0; step < 8 && a.status == SUMI_OK; step++) {
            assert_true(isfinite(loss_of(room->context, &a.training, step)));
        }
        training_end(&a.training);
    }
}

/* A score is infinite where nothing was added, and the logarithm of the ratio where all was. */
static void
times_without_any_noise_or_signal_are_refused_where_the_time_input_is_a_ratio(void **state)
{
    scratch *room = *state;
    static const char *const plain[] = {NULL}, *const whole[] = {"train.times=whole", NULL};
    static const struct kind tiny = {"table", "\"beta_start\": 1e-12, \"beta_end\": 1e-12", false};
    static const struct kind continuous = {"flow", "\"timestep_type\": \"continuous\"", true};
    struct attempt a;
    attempt(room->context, &tiny, "score", plain, false, &a);
    assert_int_equal(a.status, SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "almost no noise"));
    training_end(&a.training);
    attempt(room->context, &continuous, "velocity", whole, false, &a);
    assert_int_equal(a.status, SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "noise.time"));
    training_end(&a.training);
    attempt(room->context, &continuous, "velocity", plain, false, &a);
    CHECK_OK(room->context, a.status);
    training_end(&a.training);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(every_weight_is_finite_and_the_limit_of_its_definition_or_is_refused),
        SCRATCH_TEST(weights_without_signal_are_those_of_the_closed_form),
        SCRATCH_TEST(the_bound_is_finite_or_refused_on_every_table),
        SCRATCH_TEST(times_without_any_noise_or_signal_are_refused_where_the_time_input_is_a_ratio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
