/* SPDX-License-Identifier: Apache-2.0 */
/* The orders that the command measures are those that the methods have, and samples can be begun
   part-way, inverted and interpolated. */
#include <json-c/json.h>
#include <math.h>

#include "running.h"

#define POINTS                                                                                     \
    "sumi train points --threads 1 -q --set train.steps=2 --set train.batch=4 "                    \
    "--set sample.solver=ddim --set sample.steps=4 --set sample.count=3 --set data.count=64 "      \
    "--set model.width=16 --out points\n"

/* The slope that is told of a solver; NAN where it is not in the answer. */
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

/* Its corrector raises the order by one; without, it is that which solver_order asks for. */
static void unip_has_the_order_it_is_asked_for(void **state)
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

static void the_errors_are_drawn(void **state)
{
    place *here = *state;
    run(here, "sumi convergence euler rk4 -o orders.png && ls orders.png");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "slope");
    run(here, "sumi convergence ddpm");
    CHECK_FAILED(here, 2,
                 "sumi: convergence: ddpm draws noise or chooses its own steps, and has no "
                 "error that steps make smaller");
    run(here, "sumi convergence eular");
    CHECK_FAILED(here, 2, "sumi: convergence: not all of these are solvers; see `sumi solvers`");
}

static void samples_begin_part_way_and_from_inverted_items(void **state)
{
    place *here = *state;
    run(here,
        POINTS "sumi sample points -n 5 -q -o some.npy\n"
               "sumi sample points --from some.npy --strength 0.5 -q -o near.npy\n"
               "sumi sample points --from some.npy --strength 0.5 -q -o again.npy\n"
               "cmp near.npy again.npy\n"
               "sumi invert points -i some.npy --steps 10 -o noise.npy\n"
               "sumi sample points --latents noise.npy --solver ddim --steps 10 -q -o back.npy\n"
               "sumi info back.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "noise.npy: the noise that 5 items come from, by 10 evaluations");
    CHECK_HOLDS(here->out, "[5,2]");
    run(here, "sumi sample points --from some.npy --strength 2 -o x.npy");
    CHECK_FAILED(here, 2, "sumi: sample: --strength is above 0 and at most 1, not 2");
    run(here, "sumi sample points --from some.npy --strength 0 -o x.npy");
    CHECK_FAILED(here, 2, "sumi: sample: --strength is above 0 and at most 1, not 0");
    run(here, "sumi sample points -n 6 --latents noise.npy -o x.npy");
    CHECK_FAILED(here, 2, "sumi: noise.npy: holds 5 items, fewer than the 6 of --count");
    run(here, "sumi sample points --from none.npy -o x.npy");
    CHECK_FAILED(here, 1, "sumi: ./none.npy: cannot open: No such file or directory");
    run(here, "sumi sample points --from some.npy --latents noise.npy -o x.npy");
    CHECK_FAILED(here, 2, "sumi: sample begins --from items or from --latents, not both");
    run(here, "printf '1,2,3\\n' > wide.csv; sumi sample points --from wide.csv -o x.npy");
    CHECK_FAILED(here, 1, "sumi: wide.csv: its items are 3, but the model takes 2");
    run(here, "sumi sample points --strength 0.5 -o x.npy");
    CHECK_FAILED(here, 2, "sumi: sample: --strength tells how far to noise the items of --from");
}

static void what_is_known_is_kept(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 3 -q -o some.npy\n"
                     "sumi inpaint points -i some.npy --keep left --draws 2 --steps 10 -o six.npy\n"
                     "sumi info six.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "six.npy: 2 samples for each of 3 items");
    CHECK_HOLDS(here->out, "[6,2]");
    run(here, "sumi inpaint points -i some.npy --keep middle -o x.npy");
    CHECK_FAILED(here, 2, "sumi: inpaint: --keep is left, right, top or bottom, not middle");
    run(here, "sumi inpaint points -i some.npy --keep left --grey -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: inpaint: --mask, --keep and --grey each say what is known; choose one");
    run(here, "sumi inpaint points -i some.npy --grey -o x.npy");
    CHECK_FAILED(here, 2, "sumi: inpaint: --grey is for models of pictures in colour");
    run(here, "sumi inpaint points -i some.npy --keep top -o x.npy");
    CHECK_FAILED(here, 2, "sumi: inpaint: only pictures have a top; use --keep left or right");
}

static void the_ends_of_an_interpolation_are_samples(void **state)
{
    place *here = *state;
    run(here,
        POINTS "sumi sample points -n 4 -q -o some.npy\n"
               "sumi interpolate points --frames 5 --steps 4 -o way.npy && sumi info way.npy\n"
               "sumi interpolate points -n 2 --frames 3 -i some.npy --steps 4 -q -o way.png\n"
               "ls way.png");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "way.npy: 1 ways from sample to sample, in 5 frames");
    CHECK_HOLDS(here->out, "[5,2]");
    run(here, "sumi interpolate points -n 3 -i some.npy -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: some.npy: each way takes two items, and of 4 there are not enough");
    run(here, "sumi interpolate points -q --solver euler -i some.npy -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: interpolate: euler begins at another scale than that of the noise "
                 "which ddim finds for --input; choose ddim or dpmpp-2m");
    run(here, "sumi interpolate points --frames 1 -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: interpolate: --frames counts both ends and so is at least 2, not 1");
    run(here, "sumi interpolate points --solver ddpm -o x.png");
    CHECK_FAILED(here, 2,
                 "sumi: interpolate: ddpm draws noise on the way, so that a state does not "
                 "lead to one sample; choose a solver without, such as ddim");
}

static void an_adaptive_solver_tells_its_evaluations(void **state)
{
    place *here = *state;
    run(here,
        POINTS "sumi sample points --solver rk45 --set rtol=0.001 --set atol=0.001 -n 4 --steps 1 "
               "-o r.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "the network was asked ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(solvers_have_their_order_on_a_mixture_of_gaussians),
        PLACE_TEST(unip_has_the_order_it_is_asked_for),
        PLACE_TEST(the_errors_are_drawn),
        PLACE_TEST(samples_begin_part_way_and_from_inverted_items),
        PLACE_TEST(what_is_known_is_kept),
        PLACE_TEST(the_ends_of_an_interpolation_are_samples),
        PLACE_TEST(an_adaptive_solver_tells_its_evaluations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
