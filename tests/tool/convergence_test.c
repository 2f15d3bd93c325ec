/* SPDX-License-Identifier: Apache-2.0 */
/* The orders that the command measures are those that the methods have. */
#include <json-c/json.h>

#include "arrays.h"

/* The slope that the answer has of a solver; NAN where it is not in the answer. */
static double slope_of(struct json_object *all, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct json_object *one = json_object_array_get_idx(all, i);
        if (strcmp(json_object_get_string(json_object_object_get(one, "name")), name) == 0)
            return json_object_get_double(json_object_object_get(one, "slope"));
    }
    return NAN;
}

static void check_slopes(place *here, const char *const *names, const double *orders)
{
    struct json_object *all = json_tokener_parse(here->out);
    assert_non_null(all);
    for (int i = 0; names[i]; i++) {
        double slope = slope_of(all, names[i]);
        if (!(fabs(slope - orders[i]) < 0.15))
            fail_msg("%s has order %.2f, not %g", names[i], slope, orders[i]);
    }
    json_object_put(all);
}

static void solvers_have_their_order_on_a_mixture_of_gaussians(void **state)
{
    place *here = *state;
    static const char *const names[] = {
        "ddim",     "euler",    "flow-euler", "edm-euler",      "heun", "midpoint", "dpm2",
        "dpmpp-2s", "dpmpp-2m", "edm-dpmpp",  "flow-heun",      "deis", "pndm",     "ipndm",
        "dpmpp-3m", "unipc",    "rk4",        "cogvideox-ddim", NULL};
    static const double orders[] = {1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 1};
    run(here, "sumi convergence --json");
    CHECK_DONE(here);
    check_slopes(here, names, orders);
    run(here, "sumi convergence deis --set solver_order=3 --json");
    CHECK_DONE(here);
    check_slopes(here, (const char *const[]){"deis", NULL}, (const double[]){3});
    run(here, "sumi convergence unipc dpmpp-2m --set solver_order=1 --json");
    CHECK_DONE(here);
    check_slopes(here, (const char *const[]){"unipc", "dpmpp-2m", NULL}, (const double[]){2, 1});
}

/* Its corrector raises the order by one; without it, the order is solver_order. */
static void unip_has_its_solver_order(void **state)
{
    place *here = *state;
    for (int order = 1; order <= 3; order++) {
        double slope = order;
        char line[128];
        snprintf(line, sizeof line,
                 "sumi convergence unipc --json --set solver_order=%d --set "
                 "\"disable_corrector=[$(seq -s, 0 300)]\"",
                 order);
        run(here, line);
        CHECK_DONE(here);
        check_slopes(here, (const char *const[]){"unipc", NULL}, &slope);
    }
}

/* Pixels that differ between two pictures of one size. */
static int64_t count_differences(const sumi_array *some, const sumi_array *others)
{
    int64_t count = 0;
    for (int i = 0; i < 3; i++) assert_int_equal(some->shape[i], others->shape[i]);
    for (int64_t i = 0; i < sumi_array_count(some); i++)
        count += fabsf(some->data[i] - others->data[i]) > 0.1F;
    return count;
}

/* A line for each solver: with another one the picture has other lines. */
static void the_errors_of_each_solver_are_drawn(void **state)
{
    place *here = *state;
    run(here, "sumi convergence euler rk4 -o both.png && sumi convergence euler heun -o other.png "
              "&& sumi convergence euler rk4 -o again.png && cmp both.png again.png");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "slope");
    sumi_array both = read_array(here, "both.png"), other = read_array(here, "other.png");
    assert_int_equal(both.rank, 3);
    assert_true(count_differences(&both, &other) > 100);
    free(both.data);
    free(other.data);
}

static void solvers_without_an_order_are_refused(void **state)
{
    place *here = *state;
    run(here, "sumi convergence ddpm");
    CHECK_FAILED(here, 2,
                 "sumi: convergence: ddpm adds noise, adapts its steps or runs from data to noise, "
                 "so its order cannot be measured");
    run(here, "sumi convergence eular");
    CHECK_FAILED(here, 2, "sumi: convergence: not all of these are solvers; see `sumi solvers`");
}

/* The number of evaluations that the last run printed. */
static int64_t evaluations_of(const place *here)
{
    const char *number = strstr(here->out, " evaluations of the network for each sample");
    assert_non_null(number);
    while (number > here->out && number[-1] >= '0' && number[-1] <= '9') number--;
    return strtoll(number, NULL, 10);
}

static void evaluations_are_printed_that_tolerances_and_steps_take(void **state)
{
    place *here = *state;
    run(here,
        POINTS "sumi sample points --solver rk45 --set rtol=0.1 atol=0.1 -n 4 --steps 1 -o r.npy");
    CHECK_DONE(here);
    int64_t few = evaluations_of(here);
    run(here, "sumi sample points --solver rk45 --set rtol=1e-5 atol=1e-5 -n 4 --steps 1 -o r.npy");
    CHECK_DONE(here);
    assert_true(few > 0 && evaluations_of(here) > few);
    run(here, "sumi sample points --solver heun -n 4 --steps 10 -o heun.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "4 samples of 2 in 10 steps");
    CHECK_HOLDS(here->out, "19 evaluations of the network for each sample");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(solvers_have_their_order_on_a_mixture_of_gaussians),
        PLACE_TEST(unip_has_its_solver_order),
        PLACE_TEST(the_errors_of_each_solver_are_drawn),
        PLACE_TEST(solvers_without_an_order_are_refused),
        PLACE_TEST(evaluations_are_printed_that_tolerances_and_steps_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
