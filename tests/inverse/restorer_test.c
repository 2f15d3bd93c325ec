/* SPDX-License-Identifier: Apache-2.0 */
/* Restorers: options by name, what is refused, and runs that are stopped or cannot work. */
#include "inverse/gaussian.h"

struct restoring {
    struct gaussian gaussian;
    sumi_operator *operator;
    sumi_solver *solver;
    sumi_restorer *restorer;
    sumi_array measured;
};

static void restoring_begin(scratch *room, const char *name, const char *method,
                            struct restoring *r)
{
    *r = (struct restoring){.gaussian = even_gaussian(1)};
    int64_t shape[1 + SUMI_MAX_RANK] = {2};
    CHECK_OK(room->context, sumi_operator_create(room->context, name, 2, item_shape, &r->operator));
    CHECK_OK(room->context, sumi_solver_create(room->context, "ddim", &r->solver));
    CHECK_OK(room->context, sumi_solver_set(r->solver, "steps", "20"));
    CHECK_OK(room->context, sumi_solver_set(r->solver, "clip_sample", "false"));
    CHECK_OK(room->context, solver_path(r->solver, &r->gaussian.path));
    CHECK_OK(room->context, sumi_restorer_create(room->context, r->operator, method, &r->restorer));
    int rank = sumi_operator_measured(r->operator, shape + 1);
    CHECK_OK(room->context, sumi_array_create(room->context, 1 + rank, shape, &r->measured));
}

static void restoring_end(scratch *room, struct restoring *r)
{
    sumi_array_release(room->context, &r->measured);
    sumi_restorer_free(r->restorer);
    sumi_solver_free(r->solver);
    sumi_operator_free(r->operator);
}

static sumi_status restore(struct restoring *r, int64_t draws, sumi_solver_watcher watcher,
                           sumi_array *samples)
{
    const sumi_own_denoiser denoiser = gaussian_denoiser(&r->gaussian);
    return sumi_restore(r->restorer, r->solver, &denoiser, &r->measured, draws, watcher, NULL,
                        samples);
}

static void check_refused(scratch *room, struct restoring *r, sumi_status status, const char *part)
{
    sumi_array samples = {0};
    CHECK_FAILS(room->context, status, part, restore(r, 3, NULL, &samples));
    assert_null(samples.data);
    assert_int_equal(r->gaussian.predictions + r->gaussian.products, 0); /* before the first step */
}

static void methods_are_listed_and_options_set_by_name(void **state)
{
    scratch *room = *state;
    struct restoring r;
    sumi_method_info info = {.size = sizeof info};
    int count = 0;
    for (; sumi_method_describe(count, &info); count++) {
        assert_true(info.paper[0] && info.evaluations > 0);
        restoring_begin(room, "down:2", info.name, &r);
        assert_string_equal(sumi_restorer_get(r.restorer, "method"), info.name);
        restoring_end(room, &r);
    }
    assert_int_equal(count, 6);
    restoring_begin(room, "down:2", NULL, &r);
    assert_string_equal(sumi_restorer_get(r.restorer, "method"), "pigdm");
    CHECK_OK(room->context, sumi_restorer_set(r.restorer, "noise", "0.25"));
    assert_string_equal(sumi_restorer_get(r.restorer, "noise"), "0.25");
    assert_null(sumi_restorer_get(r.restorer, "loudness"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "did you mean \"noise\"?",
                sumi_restorer_set(r.restorer, "nois", "1"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "must be a number",
                sumi_restorer_set(r.restorer, "noise", "-1"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "must be",
                sumi_restorer_set(r.restorer, "method", "magic"));
    restoring_end(room, &r);
}

static void options_that_the_method_does_not_read_are_refused(void **state)
{
    scratch *room = *state;
    struct restoring r;
    restoring_begin(room, "down:2", "pigdm", &r);
    CHECK_OK(room->context, sumi_restorer_set(r.restorer, "zeta", "2"));
    check_refused(room, &r, SUMI_ERROR_ARGUMENT, "reads \"zeta\" only with method = dps");
    restoring_end(room, &r);
}

static void methods_that_the_operator_or_the_denoiser_does_not_allow_are_refused(void **state)
{
    scratch *room = *state;
    struct restoring r;
    sumi_array samples = {0};
    restoring_begin(room, "down:2", "smc", &r);
    check_refused(room, &r, SUMI_ERROR_ARGUMENT, "needs a noise above 0");
    CHECK_OK(room->context, sumi_restorer_set(r.restorer, "method", "pigdm"));
    sumi_own_denoiser denoiser = gaussian_denoiser(&r.gaussian);
    denoiser.product = NULL;
    CHECK_FAILS(
        room->context, SUMI_ERROR_UNSUPPORTED, "needs vector-Jacobian products",
        sumi_restore(r.restorer, r.solver, &denoiser, &r.measured, 1, NULL, NULL, &samples));
    denoiser.predict = NULL;
    CHECK_FAILS(
        room->context, SUMI_ERROR_ARGUMENT, "needs the function \"predict\"",
        sumi_restore(r.restorer, r.solver, &denoiser, &r.measured, 1, NULL, NULL, &samples));
    sumi_solver *bits = NULL;
    denoiser = gaussian_denoiser(&r.gaussian);
    CHECK_OK(room->context, sumi_solver_create(room->context, "binomial", &bits));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "flips bits",
                sumi_restore(r.restorer, bits, &denoiser, &r.measured, 1, NULL, NULL, &samples));
    sumi_solver_free(bits);
    restoring_end(room, &r);
}

static sumi_status copy(void *user, const float *x, float *y)
{
    (void)user;
    memcpy(y, x, SIZE * sizeof *y);
    return SUMI_OK;
}

static void a_method_without_a_pseudo_inverse_is_refused_and_others_do_without(void **state)
{
    scratch *room = *state;
    static const char *const methods[] = {"ddnm", "repaint", "pigdm", "dps", "product"};
    const sumi_own_operator own = {
        .size = sizeof own, .measured = SIZE, .apply = copy, .adjoint = copy};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct restoring r;
        sumi_array samples = {0};
        sumi_operator *operator= NULL;
        restoring_begin(room, "identity", NULL, &r);
        CHECK_OK(room->context,
                 sumi_operator_create_own(room->context, 2, item_shape, &own, &operator));
        sumi_operator_free(r.operator);
        sumi_restorer_free(r.restorer);
        r.operator= operator;
        CHECK_OK(room->context,
                 sumi_restorer_create(room->context, operator, methods[i], &r.restorer));
        if (i < 2) {
            check_refused(room, &r, SUMI_ERROR_UNSUPPORTED,
                          "needs the pseudo-inverse of the operator");
        } else {
            CHECK_OK(room->context, sumi_restorer_set(r.restorer, "noise", "0.1"));
            CHECK_OK(room->context, restore(&r, 1, NULL, &samples));
            sumi_array_release(room->context, &samples);
        }
        restoring_end(room, &r);
    }
}

static void measurements_of_the_wrong_size_or_with_nan_are_refused(void **state)
{
    scratch *room = *state;
    struct restoring r;
    sumi_array samples = {0};
    restoring_begin(room, "down:2", NULL, &r);
    r.measured.data[1] = NAN;
    check_refused(room, &r, SUMI_ERROR_NUMBER, "number 1 of the measurements is not finite");
    r.measured.data[1] = 0;
    r.measured.shape[0] = 4; /* four of one number */
    r.measured.shape[1] = 1;
    check_refused(room, &r, SUMI_ERROR_ARGUMENT,
                  "measures 2 numbers of an item, but a measurement has 1");
    r.measured.shape[0] = 2;
    r.measured.shape[1] = 2;
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "at least one measurement and one draw",
                restore(&r, 0, NULL, &samples));
    restoring_end(room, &r);
}

static bool stop_at_once(void *user, int64_t step, int64_t steps, double time, const float *x,
                         const float *clean)
{
    (void)user, (void)step, (void)steps, (void)time, (void)x, (void)clean;
    return false;
}

static void a_run_that_is_stopped_leaves_its_samples_and_the_solver_as_it_was(void **state)
{
    scratch *room = *state;
    sumi_method_info info = {.size = sizeof info};
    for (int i = 0; sumi_method_describe(i, &info); i++) {
        struct restoring r;
        sumi_array samples = {0};
        restoring_begin(room, "down:2", info.name, &r);
        CHECK_OK(room->context, sumi_restorer_set(r.restorer, "noise", "0.1"));
        assert_int_equal(restore(&r, 2, stop_at_once, &samples), SUMI_STOPPED);
        assert_non_null(samples.data);
        sumi_array_release(room->context, &samples);
        assert_null(r.solver->shift);
        assert_null(r.solver->correction);
        assert_int_equal(solver_options(r.solver)->start_index, 0);
        assert_int_equal(solver_options(r.solver)->seed, 0);
        restoring_end(room, &r);
    }
}

/* The same seed gives the same samples, and items do not depend on each other. */
static void samples_depend_on_the_seed_and_on_their_own_measurement(void **state)
{
    scratch *room = *state;
    sumi_method_info info = {.size = sizeof info};
    for (int i = 0; sumi_method_describe(i, &info); i++) {
        struct restoring r;
        sumi_array first = {0}, second = {0};
        restoring_begin(room, "down:2", info.name, &r);
        for (int k = 0; k < 4; k++) r.measured.data[k] = 0.2f * (float)k;
        CHECK_OK(room->context, sumi_restorer_set(r.restorer, "noise", "0.1"));
        CHECK_OK(room->context, restore(&r, 2, NULL, &first));
        r.measured.data[2] = 1.5f; /* of the second item */
        CHECK_OK(room->context, restore(&r, 2, NULL, &second));
        assert_memory_equal(first.data, second.data, SIZE * sizeof(float));
        assert_memory_not_equal(first.data + SIZE, second.data + SIZE, SIZE * sizeof(float));
        sumi_array_release(room->context, &first);
        sumi_array_release(room->context, &second);
        restoring_end(room, &r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(methods_are_listed_and_options_set_by_name),
        SCRATCH_TEST(options_that_the_method_does_not_read_are_refused),
        SCRATCH_TEST(methods_that_the_operator_or_the_denoiser_does_not_allow_are_refused),
        SCRATCH_TEST(a_method_without_a_pseudo_inverse_is_refused_and_others_do_without),
        SCRATCH_TEST(measurements_of_the_wrong_size_or_with_nan_are_refused),
        SCRATCH_TEST(a_run_that_is_stopped_leaves_its_samples_and_the_solver_as_it_was),
        SCRATCH_TEST(samples_depend_on_the_seed_and_on_their_own_measurement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
