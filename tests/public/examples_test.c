/* SPDX-License-Identifier: Apache-2.0 */
/* examples/memory.c and examples/own_data.c, built unchanged. */
#include <string.h>

#include "one_context.h"

/* Programs under the address sanitizer, or that count their lines for scripts/coverage, do not run
   where no file may be written. */
#if defined(__SANITIZE_ADDRESS__) || defined(SUMI_COVERAGE)
#define NO_FILES ""
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NO_FILES ""
#endif
#endif
#ifndef NO_FILES
#define NO_FILES "ulimit -f 0 && "
#endif

/* A process that may write no file at all still gives its picture to a pipe. */
static void a_model_in_memory_gives_a_png_without_a_file(void **state)
{
    (void)state;
    static char bytes[1 << 16];
    sumi_array picture = {0};
    FILE *stream = popen(NO_FILES "exec '" EXAMPLE_MEMORY "'", "r");
    assert_non_null(stream);
    size_t size = fread(bytes, 1, sizeof bytes, stream);
    assert_int_equal(pclose(stream), 0);
    assert_memory_equal(bytes, "\x89PNG", 4);
    CHECK_OK(context, sumi_array_read_memory(context, bytes, size, "sample", &picture));
    assert_int_equal(picture.rank, 3);
    assert_true(picture.shape[0] > 2 * 16); /* two rows and columns of four samples */
    assert_int_equal(picture.shape[1], picture.shape[0]);
    assert_int_equal(picture.shape[2], 3);
    sumi_array_release(context, &picture);
}

static void a_model_trained_on_a_circle_in_memory_gives_points_of_it(void **state)
{
    (void)state;
    double radius = 0, deviation = 0;
    FILE *stream = popen("OMP_WAIT_POLICY=passive '" EXAMPLE_OWN_DATA "'", "r");
    assert_non_null(stream);
    assert_int_equal(fscanf(stream, "radius %lf, deviation %lf", &radius, &deviation), 2);
    assert_int_equal(pclose(stream), 0);
    /* Noise of the plane has the radius 1.25 and the deviation 0.66. */
    CHECK_CLOSE(radius, 1, 0.05);
    assert_true(deviation < 0.15);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        CONTEXT_TEST(a_model_in_memory_gives_a_png_without_a_file),
        CONTEXT_TEST(a_model_trained_on_a_circle_in_memory_gives_points_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
