/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of points by `sumi sample`: lines of a flow, and the field of the score. */
#include "running.h"

#define POINTS                                                                                     \
    "sumi train points --set model.width=8 --set model.depth=1 --set data.count=16 "               \
    "--set train.batch=4 --set noise.steps=10 --set train.steps=2 --set sample.count=2 "           \
    "--tune off -q --out run && "

static void a_figure_has_lines_or_a_field_as_requested(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample run -q -n 20 --solver ddim --steps 5 -o lines.png\n"
                     "sumi sample run -q -n 20 --solver ddim --steps 5 --field 3 -o field.png\n"
                     "sumi sample run -q -n 20 --solver ddim --steps 5 --field 3 -o again.png\n"
                     "sumi sample run -q -n 20 --solver ddim --steps 5 --field 9 -o later.png\n"
                     "cmp field.png again.png && ! cmp -s field.png lines.png && "
                     "! cmp -s field.png later.png");
    CHECK_DONE(here);
}

static void a_field_of_no_time_is_refused_before_a_file_is_touched(void **state)
{
    place *here = *state;
    static const char *const times[] = {"noon", "3x", "nan", "inf", "\"\""};
    run(here, POINTS "printf kept >kept.png");
    CHECK_DONE(here);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char line[160];
        snprintf(line, sizeof line, "sumi sample run -q -n 4 --steps 2 --field %s -o kept.png",
                 times[i]);
        run(here, line);
        assert_int_equal(here->code, 2);
        CHECK_HOLDS(here->err, "sumi: sample: --field must be a number from");
    }
    run(here, "test \"$(cat kept.png)\" = kept");
    CHECK_DONE(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_figure_has_lines_or_a_field_as_requested),
        PLACE_TEST(a_field_of_no_time_is_refused_before_a_file_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
