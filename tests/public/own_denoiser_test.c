/* SPDX-License-Identifier: Apache-2.0 */
/* examples/own_denoiser.c, built unchanged: the moments that it prints agree with the exact
   ones. */
#include "check.h"

enum { COUNT = 10000 }; /* of its samples */

static void the_example_finds_the_moments_of_its_two_clusters(void **state)
{
    (void)state;
    double mean[2], deviation[2], exact_mean[2], exact_deviation[2];
    FILE *stream = popen("'" OWN_DENOISER "'", "r");
    assert_non_null(stream);
    assert_int_equal(fscanf(stream, "mean %lf %lf (exact %lf %lf)", &mean[0], &mean[1],
                            &exact_mean[0], &exact_mean[1]),
                     4);
    assert_int_equal(fscanf(stream, " deviation %lf %lf (exact %lf %lf)", &deviation[0],
                            &deviation[1], &exact_deviation[0], &exact_deviation[1]),
                     4);
    assert_int_equal(pclose(stream), 0);
    /* Clusters of deviation 0.2 about (-1, 0) and (1, 0.5), as likely as each other. */
    CHECK_CLOSE(exact_mean[0], 0, 0);
    CHECK_CLOSE(exact_mean[1], 0.25, 0);
    CHECK_CLOSE(exact_deviation[0], sqrt(1 + 0.04), 5e-4);
    CHECK_CLOSE(exact_deviation[1], sqrt(0.0625 + 0.04), 5e-4);
    for (int i = 0; i < 2; i++) { /* four standard errors, and 0.02 for a hundred steps of DDIM */
        double error = 4 * exact_deviation[i] / sqrt(COUNT);
        CHECK_CLOSE(mean[i], exact_mean[i], error);
        CHECK_CLOSE(deviation[i], exact_deviation[i], 0.02);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_finds_the_moments_of_its_two_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
