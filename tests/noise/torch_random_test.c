/* SPDX-License-Identifier: Apache-2.0 */
/* torch's CPU stream against numbers that torch printed (tests/data/schedulers.json). */
#include "check.h"

#include <json-c/json.h>

#include "noise/torch_random.h"

static void check_list(const float *actual, json_object *expected, size_t count)
{
    assert_true(json_object_array_length(expected) >= count);
    for (size_t i = 0; i < count; i++)
        CHECK_CLOSE(actual[i], json_object_get_double(json_object_array_get_idx(expected, i)),
                    2e-6);
}

static void check_seed(uint64_t seed, json_object *row)
{
    struct torch_random stream;
    float x[768];
    torch_random_seed(&stream, seed);
    torch_random_normal(&stream, 16, x);
    check_list(x, json_object_object_get(row, "randn16"), 16);

    torch_random_seed(&stream, seed);
    torch_random_normal(&stream, 5, x);
    check_list(x, json_object_object_get(row, "randn5_small_path"), 5);

    torch_random_seed(&stream, seed);
    torch_random_normal(&stream, 20, x);
    check_list(x, json_object_object_get(row, "randn20_tail"), 20);

    torch_random_seed(&stream, seed);
    torch_random_normal(&stream, 768, x);
    json_object *large = json_object_object_get(row, "randn768_first4_last2_sumabs");
    check_list(x, large, 4);
    CHECK_CLOSE(x[767], json_object_get_double(json_object_array_get_idx(large, 5)), 2e-6);
    double sum = 0;
    for (int i = 0; i < 768; i++) sum += fabs(x[i]);
    CHECK_CLOSE(sum, json_object_get_double(json_object_array_get_idx(large, 6)), 1e-3);
    torch_random_normal(&stream, 768, x);
    check_list(x, json_object_object_get(row, "second_randn768_first4"), 4);

    torch_random_seed(&stream, seed);
    torch_random_uniform(&stream, 4, x);
    check_list(x, json_object_object_get(row, "rand4"), 4);

    torch_random_seed(&stream, seed);
    json_object *whole = json_object_object_get(row, "randint1000_8");
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(torch_random_below(&stream, 1000),
                         json_object_get_int(json_object_array_get_idx(whole, i)));
}

static void every_draw_equals_torchs(void **state)
{
    (void)state;
    json_object *file = json_object_from_file(TEST_DATA "/schedulers.json");
    assert_non_null(file);
    json_object_object_foreach(json_object_object_get(file, "torch_cpu_rng_vectors"), seed, row)
        check_seed(strtoull(seed, NULL, 10), row);
    json_object_put(file);
}

static void small_draws_share_the_second_number_of_a_pair(void **state)
{
    (void)state;
    struct torch_random stream;
    float whole[6], parts[6];
    torch_random_seed(&stream, 3);
    torch_random_normal(&stream, 6, whole);
    torch_random_seed(&stream, 3);
    torch_random_normal(&stream, 1, parts);
    torch_random_normal(&stream, 5, parts + 1);
    assert_memory_equal(whole, parts, sizeof whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_draw_equals_torchs),
        cmocka_unit_test(small_draws_share_the_second_number_of_a_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
