/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of all data sets: in memory or on demand, limits, batches, mirroring, refusals. */
#include "opening.h"

enum { PIXELS = 28 * 28 };

static void reading_on_demand_gives_the_same_items(void **state)
{
    (void)state;
    const char *kinds[] = {"morlet", "digits", "moons"};
    for (int kind = 0; kind < 3; kind++) {
        char text[128];
        snprintf(text, sizeof text, "[data]\nkind = %s\ncount = 3000\nmemory = 100\n%s",
                 kinds[kind], kind ? "labels = yes\n" : "");
        sumi_data *loaded = open_data(text, NULL);
        snprintf(text, sizeof text, "[data]\nkind = %s\ncount = 3000000\nmemory = 1\n%s",
                 kinds[kind], kind ? "labels = yes\n" : "");
        sumi_data *streamed = open_data(text, NULL);
        assert_non_null(loaded->items);
        assert_null(streamed->items);
        float item[PIXELS], other[PIXELS];
        int32_t label, other_label;
        for (int64_t i = 0; i < 3000; i += 7) {
            read_one(loaded, i, item, &label);
            read_one(streamed, i, other, &other_label);
            assert_memory_equal(item, other, (size_t)loaded->item_size * sizeof *item);
            assert_int_equal(label, other_label);
        }
        sumi_data_free(loaded);
        sumi_data_free(streamed);
    }
}

static void loading_by_several_threads_gives_the_same_items(void **state)
{
    (void)state;
    static const char *const text = "[data]\nkind = digits\ncount = 2001\nlabels = yes\n";
    CHECK_OK(here.context, sumi_context_set_threads(here.context, 1));
    sumi_data *alone = open_data(text, NULL);
    CHECK_OK(here.context, sumi_context_set_threads(here.context, 4));
    sumi_data *together = open_data(text, NULL);
    assert_memory_equal(together->items, alone->items, (size_t)(2001 * alone->item_size));
    assert_memory_equal(together->labels, alone->labels, 2001 * sizeof *alone->labels);
    sumi_data_free(together);
    sumi_data_free(alone);
}

static void an_epoch_of_batches_brings_every_item_once(void **state)
{
    (void)state;
    enum { COUNT = 60, BATCH = 8 };
    sumi_data *data = open_data("[data]\nkind = gaussians\ncount = 60\n", NULL);
    float all[COUNT][2], batch[BATCH][2];
    int seen[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) read_one(data, i, all[i], NULL);
    for (int step = 0; step < 15; step++) { /* two epochs; the eighth batch crosses */
        CHECK_OK(here.context, data_read_batch(data, 4, step, BATCH, batch[0], NULL));
        for (int i = 0; i < BATCH; i++) {
            int item = 0;
            while (item < COUNT && memcmp(batch[i], all[item], sizeof all[item]) != 0) item++;
            assert_true(item < COUNT);
            seen[item]++;
            if (step * BATCH + i < COUNT) assert_int_equal(seen[item], 1);
        }
    }
    for (int i = 0; i < COUNT; i++) assert_int_equal(seen[i], 2);
    sumi_data_free(data);
}

static void a_batch_depends_on_its_step_alone(void **state)
{
    (void)state;
    sumi_data *data =
        open_data("[data]\nkind = digits\ncount = 50\nflip = yes\nlabels = yes\n", NULL);
    static float first[4][PIXELS], again[4][PIXELS];
    int32_t labels[4], labels_again[4];
    CHECK_OK(here.context, data_read_batch(data, 4, 100, 4, first[0], labels));
    CHECK_OK(here.context, data_read_batch(data, 4, 3, 4, again[0], labels_again));
    CHECK_OK(here.context, data_read_batch(data, 4, 100, 4, again[0], labels_again));
    assert_memory_equal(first, again, sizeof first);
    assert_memory_equal(labels, labels_again, sizeof labels);
    sumi_data_free(data);
}

static void half_of_the_pictures_are_mirrored(void **state)
{
    (void)state;
    enum { BATCHES = 1000 };
    sumi_data *data = open_data("[data]\nkind = digits\ncount = 1\nflip = yes\n", NULL);
    static float plain[PIXELS], seen[PIXELS];
    read_one(data, 0, plain, NULL);
    int mirrored = 0;
    for (int step = 0; step < BATCHES; step++) {
        CHECK_OK(here.context, data_read_batch(data, 4, step, 1, seen, NULL));
        bool turned = memcmp(plain, seen, sizeof plain) != 0;
        mirrored += turned;
        for (int k = 0; turned && k < PIXELS; k++) {
            assert_true(seen[k] == plain[k / 28 * 28 + 27 - k % 28]);
        }
    }
    CHECK_CLOSE(mirrored, BATCHES / 2.0, 5 * sqrt(BATCHES / 4.0));
    sumi_data_free(data);
}

static void a_limit_keeps_the_first_items(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = digits\ncount = 50\nlimit = 7\n", NULL);
    assert_int_equal(sumi_data_count(data), 7);
    sumi_data_free(data);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = digits\ncount = 5\n", NULL);
    static float item[PIXELS];
    int64_t index = 5;
    assert_int_equal(sumi_data_read(data, &index, 1, item, NULL), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(here.context), "from 0 to 4"));
    index = -1;
    assert_int_equal(sumi_data_read(data, &index, 1, item, NULL), SUMI_ERROR_ARGUMENT);
    sumi_data_free(data);
    check_data_refused("[data]\nkind = morlet\nlabels = yes\n", NULL, SUMI_ERROR_ARGUMENT,
                       "no labels");
    check_data_refused("[data]\nkind = morlet\nflip = yes\n", NULL, SUMI_ERROR_ARGUMENT,
                       "needs pictures");
    check_data_refused("[data]\nkind = npy\n", NULL, SUMI_ERROR_ARGUMENT, "data.path");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_on_demand_gives_the_same_items),
        cmocka_unit_test(loading_by_several_threads_gives_the_same_items),
        cmocka_unit_test(an_epoch_of_batches_brings_every_item_once),
        cmocka_unit_test(a_batch_depends_on_its_step_alone),
        cmocka_unit_test(half_of_the_pictures_are_mirrored),
        cmocka_unit_test(a_limit_keeps_the_first_items),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}
