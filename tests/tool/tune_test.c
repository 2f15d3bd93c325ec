/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of algorithms by the command: training gives about the same results with any
   choice. */
#include "tool/running.h"

/* A training that leaves its losses in NAME, with choices remembered in the folder itself. */
#define TRAIN(NAME, TUNE)                                                                          \
    "export XDG_CACHE_HOME=$PWD/cache; sumi train digits --tune " TUNE                             \
    " -q --set data.count=128 --set model.channels=32,64 --set train.batch=8 "                     \
    "--set train.steps=30 --set train.warmup=0 --set sample.solver=ddim --set sample.steps=2 "     \
    "--set sample.count=1 --out " NAME " && "
/* Writes the way of every convolution of 3x3 over in the file of choices. */
#define REWRITE(WAY) "sed -i '/k3x3 s1x1/s/\t.*/\t" WAY "/' cache/sumi/tune/*.txt && "

/* The largest relative difference between the losses of two runs that lie in folders a and b. */
static double largest_difference(const place *here)
{
    char *left = read_whole(here, "a/losses.csv"), *right = read_whole(here, "b/losses.csv");
    char *rest_left = NULL, *rest_right = NULL;
    char *a = strtok_r(left, "\n", &rest_left), *b = strtok_r(right, "\n", &rest_right);
    double largest = 0;
    int steps = 0;
    for (; a && b; steps++) {
        double x = atof(strchr(a, ',') + 1), y = atof(strchr(b, ',') + 1);
        largest = fmax(largest, fabs(x - y) / fabs(x));
        a = strtok_r(NULL, "\n", &rest_left);
        b = strtok_r(NULL, "\n", &rest_right);
    }
    free(left);
    free(right);
    assert_int_equal(steps, 30);
    assert_true(!a && !b);
    return largest;
}

static void winograd_does_not_move_a_training_curve(void **state)
{
    place *here = *state;
    run(here, TRAIN("scratch", "on") REWRITE("direct") TRAIN("a", "on") REWRITE("winograd-32")
                  TRAIN("b", "on") "cat cache/sumi/tune/*.txt | grep -c winograd");
    if (here->code != 0) fail_msg("exit code %d: %s", here->code, here->err);
    assert_true(atoi(here->out) > 10);
    double difference = largest_difference(here);
    assert_true(difference > 0); /* else both went the same way */
    if (!(difference < 1e-3)) fail_msg("losses differ by %.2g", difference);
}

static void without_tuning_nothing_is_remembered(void **state)
{
    place *here = *state;
    run(here, TRAIN("a", "off") "test ! -e cache/sumi/tune");
    assert_int_equal(here->code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(winograd_does_not_move_a_training_curve, place_set_up,
                                        place_tear_down),
        cmocka_unit_test_setup_teardown(without_tuning_nothing_is_remembered, place_set_up,
                                        place_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
