/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures for CLIP's encoder; see clip_picture.h. */
#include "nets/clip_picture.h"

#include <string.h>

#include "base/json.h"
#include "files/resize.h"
#include "nets/config.h"

enum { CHANNELS = 3, SIDE_LIMIT = 1 << 14, BICUBIC = 3 };

struct clip_picture clip_picture_of(int64_t size)
{
    return (struct clip_picture){.shorter = size,
                                 .height = size,
                                 .width = size,
                                 .mean = {0.48145466, 0.4578275, 0.40821073},
                                 .deviation = {0.26862954, 0.26130258, 0.27577711},
                                 .factor = 1.0 / 255};
}

/* ---- preprocessor_config.json ---- */

static const struct config_key keys[] = {{"do_resize", "true"},
                                         {"size", "{\"shortest_edge\": 224}"},
                                         {"resample", "3"},
                                         {"do_center_crop", "true"},
                                         {"crop_size", "{\"height\": 224, \"width\": 224}"},
                                         {"do_rescale", "true"},
                                         {"rescale_factor", "0.00392156862745098"},
                                         {"do_normalize", "true"},
                                         {"image_mean", "[0.48145466, 0.4578275, 0.40821073]"},
                                         {"image_std", "[0.26862954, 0.26130258, 0.27577711]"},
                                         {NULL, NULL}};

/* Reads a size that is a number or an object with `member`. */
static int64_t read_size(struct config *config, const char *key, const char *member)
{
    json_object *value = json_object_object_get(config->object, key);
    if (json_object_is_type(value, json_type_object)) value = json_object_object_get(value, member);
    int64_t size = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;
    if (size >= 1 && size <= SIDE_LIMIT) return size;
    config_fail(config, "\"%s\" should be a whole number, or {\"%s\": a whole number}, up to %d",
                key, member, SIDE_LIMIT);
    return 1;
}

static void read_colours(struct config *config, const char *key, double low, double values[])
{
    int count = config_length(config, key, CHANNELS);
    if (count != CHANNELS) config_fail(config, "\"%s\" should have 3 numbers, not %d", key, count);
    for (int i = 0; i < count; i++) values[i] = config_number_at(config, key, i, low, 1e6);
}

static void read_keys(struct config *config, struct clip_picture *picture)
{
    *picture = (struct clip_picture){.deviation = {1, 1, 1}, .factor = 1};
    if (config_flag(config, "do_resize")) {
        picture->shorter = read_size(config, "size", "shortest_edge");
        if (config_whole(config, "resample", 0, 5) != BICUBIC)
            config_fail(config, "\"resample\" should be 3, bicubic; others are not supported");
    }
    if (config_flag(config, "do_center_crop")) {
        picture->height = read_size(config, "crop_size", "height");
        picture->width = read_size(config, "crop_size", "width");
    }
    if (config_flag(config, "do_rescale"))
        picture->factor = config_number(config, "rescale_factor", 1e-9, 1e9);
    if (!config_flag(config, "do_normalize")) return;
    read_colours(config, "image_mean", -1e6, picture->mean);
    read_colours(config, "image_std", 1e-6, picture->deviation);
}

sumi_status clip_picture_parse(sumi_context *context, const char *json, const char *source,
                               struct clip_picture *picture)
{
    struct config config;
    json_object *given = NULL;
    TRY(json_parse(context, json, strlen(json), source, &given));
    if (!json_object_is_type(given, json_type_object)) {
        json_object_put(given);
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: should be a JSON object, {...}",
                            source);
    }
    sumi_status status = config_open(&config, context, given, source, "CLIPImageProcessor", keys);
    json_object_put(given);
    TRY(status);
    read_keys(&config, picture);
    config_close(&config);
    return config.status;
}

/* ---- Preparing ---- */

/* The size after resizing: the longer side is rounded down. */
static struct resize_size resized(const struct clip_picture *picture, const int64_t size[2])
{
    int64_t shorter = size[0] < size[1] ? size[0] : size[1];
    if (!picture->shorter) return (struct resize_size){size[0], size[1]};
    return (struct resize_size){size[0] * picture->shorter / shorter,
                                size[1] * picture->shorter / shorter};
}

void clip_picture_size(const struct clip_picture *picture, const int64_t size[2], int64_t result[2])
{
    struct resize_size whole = resized(picture, size);
    result[0] = picture->height ? picture->height : whole.height;
    result[1] = picture->width ? picture->width : whole.width;
}

/* Where the cut begins along a direction; below 0 where the picture is smaller. */
static int64_t margin(int64_t whole, int64_t cut)
{
    return whole >= cut ? (whole - cut) / 2 : -((cut - whole + 1) / 2);
}

/* Cuts bytes[whole, 3] and scales them. */
static void cut(const struct clip_picture *picture, struct resize_size whole, const uint8_t *bytes,
                const int64_t size[2], float *output)
{
    int64_t top = margin(whole.height, size[0]), left = margin(whole.width, size[1]);
    for (int64_t i = 0; i < size[0] * size[1] * CHANNELS; i++) {
        int64_t c = i % CHANNELS, x = i / CHANNELS % size[1] + left;
        int64_t y = i / CHANNELS / size[1] + top;
        bool inside = x >= 0 && x < whole.width && y >= 0 && y < whole.height;
        double value = inside ? bytes[(y * whole.width + x) * CHANNELS + c] : 0;
        output[i] = (float)((picture->factor * value - picture->mean[c]) / picture->deviation[c]);
    }
}

sumi_status clip_picture_prepare(sumi_context *context, const struct clip_picture *picture,
                                 const int64_t size[2], const uint8_t *bytes, float *output)
{
    struct resize_size whole = resized(picture, size), given = {size[0], size[1]};
    int64_t result[2];
    uint8_t *pixels = context_allocate(context, (size_t)(whole.height * whole.width), CHANNELS);
    if (!pixels) return SUMI_ERROR_MEMORY;
    sumi_status status =
        resize_bytes(context, RESIZE_BICUBIC, given, CHANNELS, bytes, whole, pixels);
    clip_picture_size(picture, size, result);
    if (status == SUMI_OK) cut(picture, whole, pixels, result, output);
    context_release(context, pixels);
    return status;
}
