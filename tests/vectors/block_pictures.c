/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of building_blocks.json: resizing as torch and Pillow do it, and the preparation for
   CLIP. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "files/resize.h"
#include "nets/clip_picture.h"
#include "vectors/blocks.h"

enum { PICTURE_MOST = 1 << 16 };

/* Reads "0.5+0.5*cos(0.3*j), 1x3x8x8, row-major", with or without round(255*(...)) around, where
   the channels are first, or "40x30x3". */
static bool read_picture(struct vectors_row *row, double *frequency, struct figures_layout *layout)
{
    const char *text = vectors_text(row->record, "picture");
    const char *wave = strstr(text, "cos("), *size = strchr(text, ',');
    long long s[4] = {0};
    int count = size ? sscanf(size + 1, " %lldx%lldx%lldx%lld", &s[0], &s[1], &s[2], &s[3]) : 0;
    bool read = wave && sscanf(wave, "cos(%lf*j)", frequency) == 1 && count >= 3;
    *layout = count == 4 ? (struct figures_layout){.rank = 4, .channel_axis = 1}
                         : (struct figures_layout){.rank = 3, .channel_axis = -1};
    for (int i = 0; i < count; i++) layout->size[i] = s[i];
    if (read && figures_count(layout) > 0 && figures_count(layout) <= PICTURE_MOST) return true;
    return vectors_fail(row, "the picture \"%s\" is not given by a formula", text);
}

static double picture_at(double frequency, int64_t j)
{
    return 0.5 + 0.5 * cos(frequency * (double)j);
}

/* Compares bytes with a record of their sum and some of them; Pillow's are channels last. */
static void compare_bytes(struct vectors_row *row, const char *what, json_object *expected,
                          const uint8_t *bytes, int64_t count)
{
    double sum = 0;
    json_object *first = vectors_get(expected, "first8"), *last = vectors_get(expected, "last2");
    for (int64_t i = 0; i < count; i++) sum += bytes[i];
    vectors_compare(row, sum, vectors_number(expected, "sum"), 0.5, "%s: sum", what);
    for (int i = 0; i < 8; i++)
        vectors_compare(row, bytes[i], vectors_number_at(first, i), 0.5, "%s, byte %d", what, i);
    for (int i = 0; i < 2; i++)
        vectors_compare(row, bytes[count - 2 + i], vectors_number_at(last, i), 0.5, "%s, byte %lld",
                        what, (long long)(count - 2 + i));
}

struct resizing {
    struct vectors_row *row;
    sumi_context *context;
    struct figures_layout from, to;
    float *values, *resized;
    uint8_t *bytes, *small;
};

static const struct {
    const char *name;
    struct resize how;
} torch_kinds[] = {
    {"nearest", {RESIZE_NEAREST, false}},   {"area", {RESIZE_AREA, false}},
    {"bilinear", {RESIZE_BILINEAR, false}}, {"bilinear_antialias", {RESIZE_BILINEAR, true}},
    {"bicubic", {RESIZE_BICUBIC, false}},   {"bicubic_antialias", {RESIZE_BICUBIC, true}},
};
static const struct {
    const char *name;
    enum resize_filter filter;
} pillow_kinds[] = {{"bilinear", RESIZE_BILINEAR},
                    {"bicubic", RESIZE_BICUBIC},
                    {"lanczos", RESIZE_LANCZOS},
                    {"box", RESIZE_BOX}};

static sumi_status compare_kinds(const struct resizing *r)
{
    const struct resize_size size = {r->from.size[2], r->from.size[3]};
    const struct resize_size to = {r->to.size[2], r->to.size[3]};
    json_object *torch = vectors_get(r->row->record, "torch");
    json_object *pillow = vectors_get(r->row->record, "pillow");
    for (size_t i = 0; i < sizeof torch_kinds / sizeof *torch_kinds; i++) {
        TRY(resize_floats(r->context, &torch_kinds[i].how, size, r->from.size[1], r->values, to,
                          r->resized));
        figures_compare(r->row, torch_kinds[i].name, vectors_get(torch, torch_kinds[i].name),
                        &r->to, r->resized, BLOCKS_TOLERANCE);
    }
    for (size_t i = 0; i < sizeof pillow_kinds / sizeof *pillow_kinds; i++) {
        TRY(resize_bytes(r->context, pillow_kinds[i].filter, size, r->from.size[1], r->bytes, to,
                         r->small));
        compare_bytes(r->row, pillow_kinds[i].name, vectors_get(pillow, pillow_kinds[i].name),
                      r->small, figures_count(&r->to));
    }
    return SUMI_OK;
}

void blocks_check_resize(struct vectors_row *row)
{
    static float values[PICTURE_MOST], resized[PICTURE_MOST];
    static uint8_t bytes[PICTURE_MOST], small[PICTURE_MOST];
    struct resizing r = {
        .row = row, .values = values, .resized = resized, .bytes = bytes, .small = small};
    double frequency;
    if (!read_picture(row, &frequency, &r.from)) return;
    r.to = r.from;
    r.to.size[2] = (int64_t)vectors_number(row->record, "height");
    r.to.size[3] = (int64_t)vectors_number(row->record, "width");
    if (r.from.rank != 4 || figures_count(&r.to) < 1 || figures_count(&r.to) > PICTURE_MOST
        || sumi_context_create(NULL, &r.context) != SUMI_OK) {
        vectors_fail(row, "there is no picture of that size");
        return;
    }
    for (int64_t j = 0; j < figures_count(&r.from); j++) {
        int64_t place = figures_place(&r.from, j);
        values[place] = (float)picture_at(frequency, j);
        bytes[place] = (uint8_t)rint(255 * (double)values[place]);
    }
    if (compare_kinds(&r) != SUMI_OK) vectors_fail(row, "%s", sumi_context_message(r.context));
    sumi_context_free(r.context);
}

void blocks_check_clip_picture(struct vectors_row *row)
{
    static float prepared[PICTURE_MOST];
    static uint8_t bytes[PICTURE_MOST];
    sumi_context *context = NULL;
    struct figures_layout layout, result = {.rank = 4, .channel_axis = 1};
    struct clip_picture picture = clip_picture_of((int64_t)vectors_number(row->record, "size"));
    int64_t size[2];
    double frequency;
    if (!read_picture(row, &frequency, &layout) || layout.rank != 3) return;
    for (int64_t j = 0; j < figures_count(&layout); j++)
        bytes[j] = (uint8_t)rint(255 * picture_at(frequency, j));
    for (int i = 0; i < 3; i++) {
        picture.mean[i] = vectors_number_at(vectors_get(row->record, "mean"), i);
        picture.deviation[i] = vectors_number_at(vectors_get(row->record, "std"), i);
    }
    clip_picture_size(&picture, layout.size, size);
    const int64_t sizes[4] = {1, 3, size[0], size[1]};
    for (int i = 0; i < 4; i++) result.size[i] = sizes[i];
    bool fits = figures_count(&result) <= PICTURE_MOST
                && sumi_context_create(NULL, &context) == SUMI_OK
                && clip_picture_prepare(context, &picture, layout.size, bytes, prepared) == SUMI_OK;
    json_object *expected = vectors_get(row->record, "pixel_values");
    if (fits) figures_compare(row, "pixel_values", expected, &result, prepared, BLOCKS_TOLERANCE);
    else vectors_fail(row, "the picture cannot be prepared");
    sumi_context_free(context);
}
