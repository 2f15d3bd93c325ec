/* SPDX-License-Identifier: Apache-2.0 */
/* Methods for inverse problems on Gaussian data, where the posterior is known: pigdm and smc reach
   it, and the bias of the others is as docs/theory.md has it. */
#include "inverse/gaussian.h"

/* Mean within 2 %, covariance within 5 % of the exact ones. */
static const double MEAN_SHARE = 0.02, COVARIANCE_SHARE = 0.05;
static const double NOISE = 0.3;
static const float SEEN[SIZE] = {0.9f, -0.2f, 0.9f, 0.3f}; /* y, as many as are measured */

/* A solver on a path. */
struct way {
    const char *solver, *path, *prediction, *steps;
};

struct trial {
    sumi_context *context;
    struct gaussian gaussian;
    sumi_operator *operator;
    sumi_solver *solver;
    sumi_restorer *restorer;
};

static void trial_begin(sumi_context *context, const struct gaussian *gaussian, const char *name,
                        const struct way *way, const char *method, struct trial *t)
{
    *t = (struct trial){.context = context, .gaussian = *gaussian};
    const char *const options[][2] = {{"path", way->path},
                                      {"prediction_type", way->prediction},
                                      {"clip_sample", "false"},
                                      {"timestep_spacing", "linspace"},
                                      {"steps", way->steps}};
    CHECK_OK(context, sumi_operator_create(context, name, 2, item_shape, &t->operator));
    CHECK_OK(context, sumi_solver_create(context, way->solver, &t->solver));
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        CHECK_OK(context, sumi_solver_set(t->solver, options[i][0], options[i][1]));
    CHECK_OK(context, solver_path(t->solver, &t->gaussian.path));
    t->gaussian.prediction = (enum prediction_type)solver_options(t->solver)->prediction_type;
    CHECK_OK(context, sumi_restorer_create(context, t->operator, method, &t->restorer));
    CHECK_OK(context, sumi_restorer_set_number(t->restorer, "noise", NOISE));
}

static void trial_end(struct trial *t)
{
    sumi_restorer_free(t->restorer);
    sumi_solver_free(t->solver);
    sumi_operator_free(t->operator);
}

/* Samples for `items` times the same measurement. */
static void trial_run(struct trial *t, int64_t items, int64_t draws, sumi_array *samples)
{
    int64_t size = t->operator->measured_size, shape[2] = {items, size};
    sumi_array measured;
    const sumi_own_denoiser denoiser = gaussian_denoiser(&t->gaussian);
    CHECK_OK(t->context, sumi_array_create(t->context, 2, shape, &measured));
    for (int64_t i = 0; i < items * size; i++) measured.data[i] = SEEN[i % size];
    CHECK_OK(t->context, sumi_restore(t->restorer, t->solver, &denoiser, &measured, draws, NULL,
                                      NULL, samples));
    sumi_array_release(t->context, &measured);
}

/* Noise of a state that is zero, and then one number of it after the other. */
static void units(void *user, int64_t draw, int64_t count, float *noise)
{
    (void)user, (void)draw;
    for (int64_t i = 0; i < count; i++) noise[i] = i / SIZE == i % SIZE + 1 ? 1 : 0;
}

/* The mean and the covariance of the samples of a deterministic solver, which are an affine map of
   the initial noise: c + M z has the mean c and the covariance M M^T. */
static struct restored affine_posterior(struct trial *t)
{
    struct restored p = {.log_evidence = 0};
    sumi_array samples;
    sumi_solver_set_noise(t->solver, units, NULL);
    trial_run(t, 1, SIZE + 1, &samples);
    for (int i = 0; i < SIZE; i++) p.mean[i] = samples.data[i];
    for (int i = 0; i < SIZE; i++)
        for (int k = 0; k < SIZE; k++)
            for (int n = 1; n <= SIZE; n++)
                p.covariance[i][k] += (samples.data[n * SIZE + i] - p.mean[i])
                                      * (samples.data[n * SIZE + k] - p.mean[k]);
    sumi_array_release(t->context, &samples);
    return p;
}

/* ---- pigdm ---- */

static const struct way deterministic[] = {{"ddim", "table", "epsilon", "500"},
                                           {"ddim", "vp", "v_prediction", "300"},
                                           {"dpmpp-2m", "vp", "sample", "100"},
                                           {"unipc", "table", "v_prediction", "100"},
                                           {"heun", "ve", "score", "100"},
                                           {"heun", "edm", "epsilon", "60"},
                                           {"flow-euler", "flow", "velocity", "400"},
                                           {"rk4", "flow", "flow_prediction", "100"},
                                           {"dpmpp-3m", "cosine", "v_prediction", "100"}};
static const char *const operators[] = {"identity", "down:2", "blur:0.6"};

static void pigdm_with_the_true_variance_reaches_the_posterior_by_any_solver(void **state)
{
    scratch *room = *state;
    const struct gaussian gaussian = even_gaussian(0.6);
    for (size_t w = 0; w < sizeof deterministic / sizeof *deterministic; w++) {
        for (size_t o = 0; o < sizeof operators / sizeof *operators; o++) {
            struct trial t;
            trial_begin(room->context, &gaussian, operators[o], &deterministic[w], "pigdm", &t);
            CHECK_OK(room->context, sumi_restorer_set_number(t.restorer, "variance", 0.6));
            const struct restored got = affine_posterior(&t);
            const struct restored true_one = exact_posterior(&t.gaussian, t.operator, SEEN, NOISE);
            double mean = mean_error(&got, &true_one), cov = covariance_error(&got, &true_one);
            if (!(mean < MEAN_SHARE && cov < COVARIANCE_SHARE))
                fail_msg("%s, %s on %s: mean off by %.4f, covariance by %.4f", operators[o],
                         deterministic[w].solver, deterministic[w].path, mean, cov);
            trial_end(&t);
        }
    }
}

/* ---- smc ---- */

static void smc_of_a_thousand_particles_reaches_the_posterior_and_the_evidence(void **state)
{
    scratch *room = *state;
    enum { ITEMS = 10, PARTICLES = 1000 };
    static const struct way ways[] = {{"ddim", "vp", "epsilon", "600"},
                                      {"flow-euler", "flow", "velocity", "400"}};
    const struct gaussian gaussian = smooth_gaussian(0.8, 0.6);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        struct trial t;
        sumi_array samples;
        sumi_evidence evidence = {.size = sizeof evidence};
        double mean_evidence = 0;
        trial_begin(room->context, &gaussian, "down:2", &ways[w], "smc", &t);
        CHECK_OK(room->context, sumi_restorer_set_number(t.restorer, "particles", PARTICLES));
        trial_run(&t, ITEMS, PARTICLES, &samples);
        const struct restored got = measured_posterior(ITEMS * PARTICLES, samples.data);
        const struct restored true_one = exact_posterior(&t.gaussian, t.operator, SEEN, NOISE);
        double mean = mean_error(&got, &true_one), cov = covariance_error(&got, &true_one);
        for (int i = 0; i < ITEMS; i++) {
            assert_true(sumi_restorer_evidence(t.restorer, i, &evidence));
            assert_true(evidence.effective > 1 && evidence.effective <= PARTICLES);
            mean_evidence += exp(evidence.log_evidence) / ITEMS; /* each is unbiased */
        }
        assert_false(sumi_restorer_evidence(t.restorer, ITEMS, &evidence));
        if (!(mean < MEAN_SHARE && cov < COVARIANCE_SHARE))
            fail_msg("%s: mean off by %.4f, covariance by %.4f", ways[w].path, mean, cov);
        CHECK_CLOSE(log(mean_evidence), true_one.log_evidence, 0.03);
        sumi_array_release(room->context, &samples);
        trial_end(&t);
    }
}

/* ---- The others ---- */

/* The errors of the mean and of the covariance, as docs/theory.md has them, each within a fifth.
   The solver adds noise, as those of the papers. */
static void the_bias_of_the_other_methods_is_as_documented(void **state)
{
    scratch *room = *state;
    enum { DRAWS = 3000 };
    static const struct {
        const char *method, *solver, *option, *value;
        double mean, covariance;
    } cases[] = {{"pigdm", "ddpm", "variance", "0.8", 0.037, 0.13},
                 {"dps", "ddpm", "zeta", "0.1", 0.24, 0.46},
                 {"dps", "ddpm", "zeta", "0.3", 0.27, 0.40},
                 {"dps", "ddpm", "zeta", "1", 0.28, 0.70},
                 {"ddnm", "ddpm", NULL, NULL, 0.21, 0.41},
                 {"product", "ddpm", NULL, NULL, 0.082, 0.15},
                 {"product", "ddim", NULL, NULL, 0.14, 0.13},
                 {"repaint", "ddpm", "resample", "1", 0.063, 0.10},
                 {"repaint", "ddpm", "resample", "4", 0.047, 0.13}};
    const struct gaussian gaussian = smooth_gaussian(0.8, 0.6);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const struct way way = {cases[c].solver, "vp", "epsilon", "100"};
        struct trial t;
        sumi_array samples;
        trial_begin(room->context, &gaussian, "down:2", &way, cases[c].method, &t);
        if (cases[c].option)
            CHECK_OK(room->context, sumi_restorer_set(t.restorer, cases[c].option, cases[c].value));
        trial_run(&t, 1, DRAWS, &samples);
        const struct restored got = measured_posterior(DRAWS, samples.data);
        const struct restored true_one = exact_posterior(&t.gaussian, t.operator, SEEN, NOISE);
        double mean = mean_error(&got, &true_one), cov = covariance_error(&got, &true_one);
        if (fabs(mean - cases[c].mean) > 0.2 * cases[c].mean
            || fabs(cov - cases[c].covariance) > 0.2 * cases[c].covariance)
            fail_msg("%s %s by %s: mean off by %.4f, covariance by %.4f", cases[c].method,
                     cases[c].value ? cases[c].value : "", cases[c].solver, mean, cov);
        sumi_array_release(room->context, &samples);
        trial_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(pigdm_with_the_true_variance_reaches_the_posterior_by_any_solver),
        SCRATCH_TEST(smc_of_a_thousand_particles_reaches_the_posterior_and_the_evidence),
        SCRATCH_TEST(the_bias_of_the_other_methods_is_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
