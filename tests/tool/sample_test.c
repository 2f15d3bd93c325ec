/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling, denoising and describing by the command, with models trained for a step or two. */
#include <json-c/json.h>
#include <math.h>

#include "running.h"

#define TINY                                                                                       \
    "--threads 1 -q --set train.steps=2 --set train.batch=4 --set sample.solver=ddim "             \
    "--set sample.steps=4 --set sample.count=3 --set data.count=64 "
#define DIGITS                                                                                     \
    "sumi train digits " TINY "--set model.channels=8,16 --set data.labels=yes "                   \
    "--set model.class_conditional=yes --out digits\n"
#define WAVES                                                                                      \
    "sumi train morlet " TINY "--set model.channels=8,16 --set data.length=32 --out waves\n"
#define POINTS "sumi train points " TINY "--set model.width=16 --out points\n"

static struct json_object *parse(const place *here)
{
    struct json_object *value = json_tokener_parse(here->out);
    if (!value) fail_msg("not JSON: %s", here->out);
    return value;
}

static void samples_go_to_pictures_arrays_and_tables(void **state)
{
    place *here = *state;
    run(here, DIGITS WAVES POINTS
        "for model in digits waves points; do for file in $model.png $model.npy $model.csv; do\n"
        "sumi sample $model -n 5 -o $file -q && ls $file || exit 1; done; done");
    CHECK_DONE(here);
    assert_string_equal(here->err, "");
    run(here, "for file in digits.npy waves.npy points.npy waves.csv; do sumi info $file; done");
    CHECK_HOLDS(here->out, "[5,28,28,1]");
    CHECK_HOLDS(here->out, "[5,32,1]");
    CHECK_HOLDS(here->out, "[5,2]");
    CHECK_HOLDS(here->out, "[5,32]");
}

static void the_recipe_beside_the_model_fills_in_what_is_left_out(void **state)
{
    place *here = *state;
    run(here, DIGITS "sumi sample digits -o x.npy --json");
    CHECK_DONE(here);
    struct json_object *answer = parse(here), *value;
    assert_true(json_object_object_get_ex(answer, "steps", &value));
    assert_int_equal(json_object_get_int(value), 4);
    assert_true(json_object_object_get_ex(answer, "shape", &value));
    assert_string_equal(json_object_to_json_string_ext(value, 0), "[3,28,28,1]");
    json_object_put(answer);
    run(here, "rm digits/recipe.ini; sumi sample digits -n 2 --solver ddim --steps 2 -o y.npy");
    CHECK_HOLDS(here->err, "sample  2/2  ");
}

static void a_seed_fixes_the_samples(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 4 --seed 5 -q -o a.npy\n"
                     "sumi sample points -n 4 --seed=5 -q -o b.npy\n"
                     "sumi sample -q -n4 -o c.npy --seed 6 points\n"
                     "sumi sample points --rng torch -n 4 -q -o d.npy\n"
                     "cmp a.npy b.npy && ! cmp -s a.npy c.npy && ! cmp -s a.npy d.npy");
    CHECK_DONE(here);
}

static void a_filmstrip_and_previews_leave_no_escapes_in_pipes(void **state)
{
    place *here = *state;
    run(here, WAVES "sumi sample waves -o waves.png --filmstrip film.png && ls film.png");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "waves.png: 3 samples of 32x1 in 4 steps, ");
    CHECK_HOLDS(here->err, "sample  4/4  ");
    assert_null(strchr(here->out, '\033'));
    assert_null(strchr(here->err, '\033'));
}

static void classes_can_be_chosen(void **state)
{
    place *here = *state;
    run(here, DIGITS "sumi sample digits -n 4 --label 3 7 -q -o a.npy"
                     " && sumi sample digits -n 4 --label 3,7,3,7 -q -o b.npy && cmp a.npy b.npy");
    CHECK_DONE(here);
    run(here, "sumi sample digits --label 10 -q -o a.npy");
    CHECK_FAILED(here, 2, "sumi: \"class\" of item 0 is 10; it must be from 0 to 9");
}

static void wrong_wishes_are_refused(void **state)
{
    place *here = *state;
    run(here, "sumi sample");
    CHECK_FAILED(here, 2, "sumi: sample needs a MODEL; see `sumi sample --help`");
    run(here, "sumi sample nowhere");
    CHECK_FAILED(here, 2, "sumi: sample needs -o FILE; see `sumi sample --help`");
    run(here, "sumi sample nowhere -o x.gif");
    CHECK_FAILED(here, 2, "sumi: sample: x.gif should end in .png, .npy or .csv");
    run(here, "sumi sample nowhere -o x.png");
    CHECK_FAILED(here, 1, "sumi: nowhere: there is no such model folder");
    run(here, "sumi sample nowhere -o some/where/x.png");
    CHECK_FAILED(here, 1,
                 "sumi: some/where/x.png: cannot be written: the folder some/where: No "
                 "such file or directory");
    run(here, "sumi sample nowhere -n 0 -o x.png");
    CHECK_FAILED(here, 2,
                 "sumi: sample: --count must be a whole number from 1 to 1000000000, not "
                 "'0'");
    run(here, "sumi sample nowhere --stepps 3 -o x.png");
    CHECK_FAILED(here, 2, "sumi: sample has no option --stepps; did you mean --steps?");
    run(here, POINTS "sumi sample points --solver ddmp -o x.png");
    CHECK_FAILED(here, 2,
                 "sumi: there is no solver \"ddmp\"; did you mean \"ddpm\"? `sumi solvers` lists "
                 "all 41");
    run(here, "sumi sample points --set etta=1 -o x.png");
    CHECK_FAILED(here, 2, "sumi: there is no solver option \"etta\"; did you mean \"eta\"?");
    run(here, "sumi sample points --solver ddim --set snr=3 -o x.png");
    CHECK_FAILED(here, 2, "sumi: ddim does not read \"snr\"; pc does");
    run(here, "sumi sample points --solver ddim --set use_karras_sigmas=yes -o x.png");
    CHECK_FAILED(here, 2, "sumi: ddim reads \"use_karras_sigmas\" only with path other than table");
    run(here, "sumi sample points --solver ddim --steps 5 --set timesteps=[9,5,1] -o x.png");
    CHECK_FAILED(here, 2,
                 "sumi: steps = 5 contradicts timesteps, which lists 3 places; give one of them");
    run(here, "sumi sample points --solver ddim --set timesteps=[9,5,1] -n 2 -o x.png");
    CHECK_DONE(here);
    run(here, "sumi sample points --steps 1000 -o x.png");
    assert_int_equal(here->code, 2);
}

static void outputs_that_cannot_be_written_are_refused_before_the_work(void **state)
{
    place *here = *state;
    run(here, POINTS "mkdir folder.png; mkfifo pipe.npy");
    CHECK_DONE(here);
    run(here, "sumi sample points -o folder.png");
    CHECK_FAILED(here, 1, "sumi: folder.png: cannot be written: it is a folder");
    run(here, "sumi sample points -o pipe.npy");
    CHECK_FAILED(here, 1, "sumi: pipe.npy: cannot be written: it is a device or pipe");
    run(here, "sumi denoise points -o folder.png");
    CHECK_FAILED(here, 1, "sumi: folder.png: cannot be written: it is a folder");
}

static void too_many_threads_are_wrong_usage(void **state)
{
    place *here = *state;
    run(here, POINTS);
    CHECK_DONE(here);
#define TOO_MANY "sumi: the number of threads must be from 1 to 1024, not 1000000000"
    run(here, "sumi sample points -o x.png --threads 1000000000");
    CHECK_FAILED(here, 2, TOO_MANY);
    run(here, "sumi denoise points -o x.png --threads 1000000000");
    CHECK_FAILED(here, 2, TOO_MANY);
    run(here, "sumi train points --out other --threads 1000000000");
    CHECK_FAILED(here, 2, TOO_MANY);
#undef TOO_MANY
    run(here, "ls -d other");
    assert_int_not_equal(here->code, 0);
}

static void denoising_draws_a_table_and_prints_the_distances(void **state)
{
    place *here = *state;
    run(here, WAVES "sumi denoise waves -o a.png --noise-level 250 500 && ls a.png");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "      t     noised   denoised\n    250 ");
    CHECK_HOLDS(here->out, "\n    500 ");
    run(here, POINTS "sumi denoise points -o b.png -n 20 --json -q -t 25 -t 50,75 && ls b.png >&2");
    CHECK_DONE(here);
    struct json_object *answer = parse(here), *levels, *items;
    assert_true(json_object_object_get_ex(answer, "levels", &levels));
    assert_int_equal(json_object_array_length(levels), 3);
    assert_true(json_object_object_get_ex(answer, "items", &items));
    assert_int_equal(json_object_get_int(items), 20);
    json_object_put(answer);
}

/* At the lowest level nothing is lost: x0 + 0.01 e. */
static void hardly_noised_items_come_back(void **state)
{
    place *here = *state;
    run(here, WAVES "sumi denoise waves --steps 1000 -o a.png -t 0 --json -q");
    CHECK_DONE(here);
    struct json_object *answer = parse(here), *levels, *value;
    assert_true(json_object_object_get_ex(answer, "levels", &levels));
    struct json_object *level = json_object_array_get_idx(levels, 0);
    assert_true(json_object_object_get_ex(level, "noised", &value));
    CHECK_CLOSE(json_object_get_double(value), 0.01, 0.004);
    assert_true(json_object_object_get_ex(level, "denoised", &value));
    CHECK_CLOSE(json_object_get_double(value), 0, 0.03);
    json_object_put(answer);
}

/* x0 + sigma e, though a sampler starts from noise of the path's greatest deviation. */
static void items_are_noised_to_the_requested_level(void **state)
{
    place *here = *state;
    run(here, "sumi train points " TINY "--set model.width=16 --set noise.path=ve "
              "--set noise.time=sigma --set noise.sigma_max=20 --set noise.steps=4 --out ve\n"
              "sumi denoise ve --solver euler -o a.png -n 60 --steps 4 -t 1.6 --json -q");
    CHECK_DONE(here);
    struct json_object *answer = parse(here), *levels, *value;
    assert_true(json_object_object_get_ex(answer, "levels", &levels));
    struct json_object *level = json_object_array_get_idx(levels, 0);
    assert_true(json_object_object_get_ex(level, "t", &value));
    assert_true(json_object_get_double(value) == 1.6);
    double sigma = json_object_get_double(value);
    assert_true(json_object_object_get_ex(level, "noised", &value));
    CHECK_CLOSE(json_object_get_double(value) / sigma, 1, 0.2);
    json_object_put(answer);
}

/* Five steps visit 999, 799, 599, 399 and 199. */
static void the_requested_time_is_used(void **state)
{
    place *here = *state;
    run(here, WAVES);
    static const char *const solvers[] = {"ddim", "euler", "heun", "dpmpp-2m", "pndm"};
    for (int i = 0; i < 5; i++) {
        char line[128];
        snprintf(line, sizeof line,
                 "sumi denoise waves --solver %s --steps 5 -t 801 100 999 0 -o a.png", solvers[i]);
        run(here, line);
        if (strcmp(solvers[i], "pndm") == 0) { /* whose Runge-Kutta steps want four times */
            assert_int_equal(here->code, 2);
            continue;
        }
        CHECK_DONE(here);
        CHECK_HOLDS(here->out, "\n    801 ");
        CHECK_HOLDS(here->out, "\n    100 ");
        CHECK_HOLDS(here->out, "\n    999 ");
        CHECK_HOLDS(here->out, "\n      0 ");
    }
}

/* A network that was hardly trained moves its items all the same. */
static void strength_makes_at_least_one_step_and_prints_which(void **state)
{
    place *here = *state;
    run(here, WAVES "sumi sample waves -n 2 -q -o own.npy\n"
                    "sumi sample waves --from own.npy --strength 1 --steps 1 -o one.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "own.npy: noised to t = 999 and denoised in the last 1 of 1 steps");
    run(here, "cmp own.npy one.npy");
    assert_int_not_equal(here->code, 0);
    run(here, "sumi sample waves --from own.npy --strength 0.3 --steps 5 -o two.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "own.npy: noised to t = 399 and denoised in the last 2 of 5 steps");
    run(here, "sumi sample waves --from own.npy --strength 0.01 --steps 5 -o two.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "own.npy: noised to t = 199 and denoised in the last 1 of 5 steps");
}

static void one_s_own_items_can_be_denoised(void **state)
{
    place *here = *state;
    run(here, WAVES DIGITS
        "sumi sample waves -n 2 -q -o own.npy; sumi sample waves -n 2 -q -o own.csv\n"
        "sumi denoise waves -i own.npy -t 250 -q -o a.png && sumi denoise waves -i own.csv -t 250 "
        "-q -o b.png && cmp a.png b.png");
    CHECK_DONE(here);
    run(here, "sumi denoise digits -i own.npy -o c.png --label 1");
    CHECK_FAILED(here, 1, "sumi: own.npy: its items are 32x1x1, but the model takes 28x28x1");
    run(here, "sumi denoise digits -i a.png -o c.png -q --label 1 && ls c.png"); /* scaled */
    CHECK_DONE(here);
    run(here, "sumi denoise waves -t 1000 -o d.png");
    CHECK_FAILED(here, 2,
                 "sumi: denoise: --noise-level 1000: time 1000 is outside the times of "
                 "this model, 0 to 999");
    run(here, "sumi denoise waves -t 100.5 -o d.png");
    CHECK_FAILED(here, 2,
                 "sumi: denoise: --noise-level 100.5: this solver begins at whole times of the "
                 "schedule, not at 100.5");
}

static void a_picture_of_another_colour_model_is_converted(void **state)
{
    place *here = *state;
    run(here, DIGITS);
    sumi_context *context = NULL;
    sumi_array picture = {0};
    char path[128];
    CHECK_OK(context, sumi_context_create(NULL, &context));
    CHECK_OK(context, sumi_array_create(context, 3, (int64_t[]){28, 28, 3}, &picture));
    snprintf(path, sizeof path, "%s/own.png", here->folder);
    CHECK_OK(context, sumi_array_write(context, path, &picture));
    sumi_array_release(context, &picture);
    sumi_context_free(context);
    run(here, "sumi denoise digits -i own.png -t 250 -o a.png");
    CHECK_FAILED(here, 2,
                 "sumi: denoise: this model needs the class of each item; give it with --label");
    run(here, "sumi denoise digits -i own.png -t 250 --label 4 -o a.png -q --json");
    CHECK_DONE(here);
    json_object_put(parse(here));
}

static void info_prints_shapes_and_numbers_of_weights(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi info points; sumi info points/unet/*.safetensors");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "parameters");
    CHECK_HOLDS(here->out, "  beta_end ");
    run(here, "sumi info points --json");
    json_object_put(parse(here));
    run(here, "sumi info nowhere");
    CHECK_FAILED(here, 1, "sumi: nowhere: there is no such file or folder");
}

static double number_of(struct json_object *object, const char *name)
{
    struct json_object *value;
    assert_true(json_object_object_get_ex(object, name, &value));
    return json_object_get_double(value);
}

static void likelihoods_are_printed_term_by_term(void **state)
{
    place *here = *state;
    struct json_object *total = NULL, *prior = NULL, *data = NULL, *steps = NULL, *terms = NULL;
    run(here, POINTS
        "sumi likelihood points -n 40 --draws 10 --json -q -o terms.png && ls terms.png >&2");
    assert_int_equal(here->code, 0);
    CHECK_HOLDS(here->err, "terms.png");
    struct json_object *answer = parse(here);
    assert_true(json_object_object_get_ex(answer, "total", &total)
                && json_object_object_get_ex(answer, "prior", &prior)
                && json_object_object_get_ex(answer, "data", &data)
                && json_object_object_get_ex(answer, "steps", &steps)
                && json_object_object_get_ex(answer, "terms", &terms));
    double sum = number_of(prior, "bits") + number_of(data, "bits") + number_of(steps, "bits");
    CHECK_CLOSE(number_of(total, "bits"), sum, 1e-3 * fabs(sum));
    CHECK_CLOSE(number_of(answer, "bits_per_number"), sum / 2, 1e-3 * fabs(sum));
    assert_int_equal(json_object_array_length(terms), 99);
    json_object_put(answer);
    run(here, "sumi likelihood points -n 20 --exact --tolerance 1e-3 -q");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "density");
    CHECK_HOLDS(here->out, "-log2 p");
    run(here, "sumi likelihood points -n 5 --draws 3");
    CHECK_FAILED(here, 2,
                 "sumi: 5 items noised to 3 times each do not visit all 99 times twice;"
                 " raise \"items\" or \"draws\"");
    run(here, "sumi likelihood points --exact -o a.png");
    CHECK_FAILED(here, 2, "sumi: likelihood: the exact density has no terms to draw");
    run(here, "sumi likelihood points --map a.png");
    CHECK_FAILED(here, 2, "sumi: likelihood: --map FILE.png needs --exact");
    run(here, "sumi likelihood points -n 5 --exact --method euler --steps 2 --map map.png -q");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "map.png: the density");
    run(here, "sumi likelihood points --decoder coins");
    assert_int_equal(here->code, 2);
    run(here, "rm points/recipe.ini; sumi likelihood points");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "--data");
    run(here, "sumi likelihood points --data points --set data.count=64 -n 40 --draws 10 -q");
    CHECK_DONE(here);
}

/* What is measured, of points, of pictures, and of pictures by another last step. The error of one
   item is unknown, and null in JSON. */
static void likelihoods_are_printed_with_units_and_the_kind_of_probability(void **state)
{
    static const struct {
        const char *line, *of, *meaning;
    } cases[] = {
        {"points -n 40 --draws 10", "density", "-log2 of the density at an item; an item has 2 "},
        {"points -n 2 --exact --tolerance 1e-2", "density", "-log2 of the density at an item;"},
        {"digits -n 2 --all", "levels",
         "-log2 of the probability of an item's levels, 256 a number; an item has 784 numbers"},
        {"digits -n 2 --all --decoder gaussian", "density", "-log2 of the density at an item;"},
        {"digits -n 1 --exact --method euler --steps 1 --probe gaussian", "levels",
         "-log2 of the probability of an item's levels"},
    };
    place *here = *state;
    run(here, POINTS "sumi train digits " TINY "--set model.channels=8 --set noise.steps=20 "
                     "--out digits\n");
    CHECK_DONE(here);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        struct json_object *units = NULL, *of = NULL;
        snprintf(line, sizeof line, "sumi likelihood %s -q", cases[i].line);
        run(here, line);
        CHECK_DONE(here);
        CHECK_HOLDS(here->out, cases[i].meaning);
        CHECK_HOLDS(here->out, "   bits/item      error     bits/dim\n");
        strcat(line, " --json");
        run(here, line);
        struct json_object *answer = parse(here);
        assert_true(json_object_object_get_ex(answer, "of", &of)
                    && json_object_object_get_ex(answer, "units", &units));
        assert_string_equal(json_object_get_string(of), cases[i].of);
        assert_string_equal(json_object_to_json_string_ext(units, 0),
                            "{\"bits\":\"bits\\/item\",\"error\":\"bits\\/item\","
                            "\"bits_per_number\":\"bits\\/dim\"}");
        json_object_put(answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(samples_go_to_pictures_arrays_and_tables),
        PLACE_TEST(the_recipe_beside_the_model_fills_in_what_is_left_out),
        PLACE_TEST(a_seed_fixes_the_samples),
        PLACE_TEST(a_filmstrip_and_previews_leave_no_escapes_in_pipes),
        PLACE_TEST(classes_can_be_chosen),
        PLACE_TEST(wrong_wishes_are_refused),
        PLACE_TEST(outputs_that_cannot_be_written_are_refused_before_the_work),
        PLACE_TEST(too_many_threads_are_wrong_usage),
        PLACE_TEST(denoising_draws_a_table_and_prints_the_distances),
        PLACE_TEST(hardly_noised_items_come_back),
        PLACE_TEST(items_are_noised_to_the_requested_level),
        PLACE_TEST(the_requested_time_is_used),
        PLACE_TEST(strength_makes_at_least_one_step_and_prints_which),
        PLACE_TEST(one_s_own_items_can_be_denoised),
        PLACE_TEST(likelihoods_are_printed_term_by_term),
        PLACE_TEST(likelihoods_are_printed_with_units_and_the_kind_of_probability),
        PLACE_TEST(a_picture_of_another_colour_model_is_converted),
        PLACE_TEST(info_prints_shapes_and_numbers_of_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
