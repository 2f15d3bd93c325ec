/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of items: one table that names, ranks and networks agree with. */
#include "base/item_kind.h"
#include "check.h"

static const enum sumi_item_kind all[] = {SUMI_PICTURE,  SUMI_SIGNAL, SUMI_POINTS, SUMI_FIELD,
                                          SUMI_SEQUENCE, SUMI_SET,    SUMI_VIDEO};

static void every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(item_type_of(all[i])->kind, all[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(sumi_item_kind_name(all[i]), sumi_item_kind_name(all[j]));
    }
    assert_string_equal(sumi_item_kind_name((sumi_item_kind)99), "item");
}

static void a_rank_alone_means_points_signals_pictures_or_videos(void **state)
{
    (void)state;
    assert_int_equal(item_type_of_rank(1)->kind, SUMI_POINTS);
    assert_int_equal(item_type_of_rank(2)->kind, SUMI_SIGNAL);
    assert_int_equal(item_type_of_rank(3)->kind, SUMI_PICTURE);
    assert_int_equal(item_type_of_rank(4)->kind, SUMI_VIDEO);
    assert_null(item_type_of_rank(0));
    assert_null(item_type_of_rank(5));
}

static void recipes_name_kinds_by_rows_and_by_network(void **state)
{
    (void)state;
    assert_int_equal(item_type_of_rows("images")->kind, SUMI_PICTURE);
    assert_null(item_type_of_rows("auto"));
    assert_int_equal(item_type_of_network("unet1d")->kind, SUMI_SIGNAL);
    assert_int_equal(item_type_of_network("mlp")->kind, SUMI_POINTS);
    assert_null(item_type_of_network("none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
        cmocka_unit_test(a_rank_alone_means_points_signals_pictures_or_videos),
        cmocka_unit_test(recipes_name_kinds_by_rows_and_by_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
