/* SPDX-License-Identifier: Apache-2.0 */
/* Captions of pictures in folders and lists. */
#include <sys/stat.h>

#include "files/image.h"
#include "opening.h"
#include "written_picture.h"

static const char recipe[] = "[data]\nkind = folder\nwidth = 2\nheight = 2\nchannels = 1\n"
                             "captions = yes\n";

static void write_picture(const char *name, uint8_t grey)
{
    uint8_t pixels[4] = {grey, grey, grey, grey};
    image picture = {2, 2, 1, pixels};
    CHECK_OK(here.context, write_png(here.context, path_of(name), &picture));
}

static void write_text(const char *name, const char *text)
{
    write_bytes(path_of(name), text, strlen(text));
}

/* An empty folder of that name with pictures 1.png, 2.png and sub/3.png of the greys 10, 20, 30. */
static void make_folder(const char *name)
{
    char path[64];
    mkdir(path_of(name), 0777);
    snprintf(path, sizeof path, "%s/sub", name);
    mkdir(path_of(path), 0777);
    for (int i = 1; i <= 3; i++) {
        snprintf(path, sizeof path, "%s/%s%d.png", name, i == 3 ? "sub/" : "", i);
        write_picture(path, (uint8_t)(10 * i));
    }
}

/* Expects items of these greys with these captions, in this order. */
static void check_items(sumi_data *data, int count, const int *greys, const char *const *captions)
{
    assert_int_equal(sumi_data_count(data), count);
    for (int64_t i = 0; i < count; i++) {
        float item[4];
        CHECK_OK(here.context, sumi_data_read(data, &i, 1, item, NULL));
        CHECK_CLOSE(item[0], greys[i] / 127.5 - 1, 1e-6);
        assert_string_equal(sumi_data_caption(data, i), captions[i]);
    }
    assert_null(sumi_data_caption(data, count));
    assert_null(sumi_data_caption(data, -1));
    sumi_data_free(data);
}

static void texts_beside_pictures_are_their_captions(void **state)
{
    (void)state;
    make_folder("texts");
    write_text("texts/1.txt", "  a cat\r\n");
    write_text("texts/2.txt", "a dog,\nasleep\n");
    write_text("texts/sub/3.txt", "na\xc3\xafve \xe7\x8c\xab");
    const int greys[] = {10, 20, 30};
    const char *const captions[] = {"a cat", "a dog, asleep", "na\xc3\xafve \xe7\x8c\xab"};
    check_items(open_data(recipe, path_of("texts")), 3, greys, captions);
}

static void lists_give_pictures_and_captions_in_their_order(void **state)
{
    (void)state;
    const int greys[] = {30, 10};
    const char *const captions[] = {"three", "one \"quoted\""};
    make_folder("lines");
    write_text("lines/metadata.jsonl",
               "{\"file_name\": \"sub/3.png\", \"text\": \"three\"}\n\n"
               "{\"text\": \"one \\\"quoted\\\"\", \"file_name\": \"1.png\", \"size\": 2}\r\n");
    check_items(open_data(recipe, path_of("lines")), 2, greys, captions);
    check_items(open_data(recipe, path_of("lines/metadata.jsonl")), 2, greys, captions);
    make_folder("table");
    write_text("table/metadata.csv",
               "file_name,note,caption\nsub/3.png,x,three\n1.png,y,\"one \"\"quoted\"\"\"\n");
    check_items(open_data(recipe, path_of("table")), 2, greys, captions);
    write_text("table/mine.csv", "file_name,note,caption\nsub/3.png,three,x\n"
                                 "1.png,\"one \"\"quoted\"\"\",y\n");
    char text[256];
    snprintf(text, sizeof text, "%scaption_key = note\n", recipe);
    check_items(open_data(text, path_of("table/mine.csv")), 2, greys, captions);
}

static void keep_warning(void *user, const char *sentence)
{
    snprintf(user, 512, "%s", sentence);
}

static void a_picture_without_caption_causes_a_warning_and_has_an_empty_one(void **state)
{
    (void)state;
    make_folder("some");
    write_text("some/2.txt", "two");
    const int greys[] = {10, 20, 30};
    const char *const captions[] = {"", "two", ""};
    char sentence[512] = "", expected[512];
    sumi_context_set_warning(here.context, keep_warning, sentence);
    check_items(open_data(recipe, path_of("some")), 3, greys, captions);
    sumi_context_set_warning(here.context, NULL, NULL);
    snprintf(expected, sizeof expected,
             "2 of 3 pictures, the first %s, have no caption; they are trained with an empty one",
             path_of("some/1.png"));
    assert_string_equal(sentence, expected);
}

static void check_refused(const char *text, const char *path, const char *reason)
{
    char expected[512];
    snprintf(expected, sizeof expected, "%s: %s", path, reason);
    check_data_refused(text, path, SUMI_ERROR_FORMAT, expected);
}

static void bad_captions_and_lists_are_refused_with_their_line(void **state)
{
    (void)state;
    make_folder("bad");
    check_refused(recipe, path_of("bad"),
                  "data.captions = yes, but there are no captions: no metadata.jsonl or "
                  "metadata.csv, and no .txt file beside a picture");
    const char *list = path_of("bad/list.jsonl");
    write_text("bad/list.jsonl",
               "{\"file_name\": \"1.png\", \"text\": \"x\"}\n{\"text\": \"x\"}\n");
    check_refused(recipe, list, "line 2: there is no \"file_name\"");
    write_text("bad/list.jsonl", "[1]\n");
    check_refused(recipe, list, "line 1: should be a JSON object, {...}");
    write_text("bad/list.jsonl", "{\"file_name\": \"1.png\"}\n");
    check_refused(recipe, list,
                  "line 1: has no caption (text, caption or prompt); name its key or column with "
                  "data.caption_key");
    write_text("bad/list.jsonl", "{\"file_name\": \"../1.png\", \"text\": \"x\"}\n");
    check_refused(recipe, list,
                  "line 1: \"file_name\" should be a picture (.png, .jpg or .jpeg) in the folder "
                  "of the list, not \"../1.png\"");
    write_text("bad/list.jsonl", "{\"file_name\": \"/etc/1.png\", \"text\": \"x\"}\n");
    check_refused(recipe, list,
                  "line 1: \"file_name\" should be a picture (.png, .jpg or .jpeg) in the folder "
                  "of the list, not \"/etc/1.png\"");
    const char *table = path_of("bad/list.csv");
    write_text("bad/list.csv", "name,text\n1.png,x\n");
    check_refused(recipe, table, "line 1: there is no column \"file_name\"");
    write_text("bad/list.csv", "file_name,words\n1.png,x\n");
    check_refused(recipe, table,
                  "line 1: has no caption (text, caption or prompt); name its key or column with "
                  "data.caption_key");
    write_text("bad/1.txt", "\xff\xfe");
    check_data_refused(recipe, path_of("bad"), SUMI_ERROR_FORMAT,
                       "bad/1.txt: the caption is not UTF-8; convert it, for example with iconv");
}

static void captions_are_dropped_by_a_draw_of_their_place(void **state)
{
    (void)state;
    make_folder("drop");
    write_text("drop/1.txt", "one");
    write_text("drop/2.txt", "two");
    write_text("drop/sub/3.txt", "three");
    char text[256];
    snprintf(text, sizeof text, "%scaption_dropout = 0.25\n", recipe);
    sumi_data *data = open_data(text, path_of("drop"));
    enum { BATCH = 50, STEPS = 80 };
    const char *captions[BATCH], *again[BATCH];
    float items[BATCH * 4];
    int dropped = 0;
    for (int step = 0; step < STEPS; step++) {
        data_batch_captions(data, 7, step, BATCH, captions);
        CHECK_OK(here.context, data_read_batch(data, 7, step, BATCH, items, NULL));
        for (int i = 0; i < BATCH; i++) {
            int grey = (int)lround((items[4 * i] + 1) * 127.5);
            const char *own = grey == 10 ? "one" : grey == 20 ? "two" : "three";
            if (captions[i][0]) assert_string_equal(captions[i], own);
            else dropped++;
        }
    }
    /* 4000 draws with the share 1/4: a deviation of 27 */
    assert_in_range(dropped, 1000 - 110, 1000 + 110);
    data_batch_captions(data, 7, 3, BATCH, captions);
    data_batch_captions(data, 7, 3, BATCH, again);
    assert_memory_equal(captions, again, sizeof captions);
    sumi_data_free(data);
}

static void captions_of_the_callers_own_items_can_be_set(void **state)
{
    (void)state;
    float values[2 * 2] = {0, 0, 1, 1};
    const sumi_array items = {2, {2, 2}, values};
    sumi_data *data = NULL;
    CHECK_OK(here.context, sumi_data_from_array(here.context, &items, NULL, SUMI_POINTS, &data));
    assert_null(sumi_data_caption(data, 0));
    CHECK_OK(here.context, sumi_data_set_captions(data, (const char *const[]){"a", NULL}));
    assert_string_equal(sumi_data_caption(data, 0), "a");
    assert_string_equal(sumi_data_caption(data, 1), "");
    assert_int_equal(sumi_data_set_captions(data, (const char *const[]){"a", "\xff"}),
                     SUMI_ERROR_FORMAT);
    assert_string_equal(sumi_context_message(here.context),
                        "caption 1: the caption is not UTF-8; convert it, for example with iconv");
    assert_null(sumi_data_caption(data, 0));
    sumi_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_beside_pictures_are_their_captions),
        cmocka_unit_test(lists_give_pictures_and_captions_in_their_order),
        cmocka_unit_test(a_picture_without_caption_causes_a_warning_and_has_an_empty_one),
        cmocka_unit_test(bad_captions_and_lists_are_refused_with_their_line),
        cmocka_unit_test(captions_are_dropped_by_a_draw_of_their_place),
        cmocka_unit_test(captions_of_the_callers_own_items_can_be_set),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}
