/* SPDX-License-Identifier: Apache-2.0 */
/* Turning a picture upright: the eight orientations are combinations of mirroring the columns,
   mirroring the rows, and transposing. */
#include "files/exif.h"
#include "files/image.h"

/* The positions of the upright picture's pixels in the stored one: the first, and the steps to the
   next pixel of a row and to the next row, in pixels. */
struct walk {
    int64_t first, across, down;
};

static struct walk find_walk(const image *picture, int orientation)
{
    static const bool COLUMNS[] = {[2] = true, [3] = true, [7] = true, [EXIF_LAST] = true};
    static const bool ROWS[EXIF_LAST + 1] = {[3] = true, [4] = true, [6] = true, [7] = true};
    const int64_t width = picture->width, height = picture->height;
    bool mirror_columns = COLUMNS[orientation], mirror_rows = ROWS[orientation];
    int64_t column = mirror_columns ? -1 : 1, row = mirror_rows ? -width : width;
    struct walk walk = {
        .first = (mirror_columns ? width - 1 : 0) + (mirror_rows ? (height - 1) * width : 0),
        .across = orientation < 5 ? column : row,
        .down = orientation < 5 ? row : column,
    };
    return walk;
}

bool image_turn_swaps(int orientation)
{
    return orientation >= 5 && orientation <= EXIF_LAST;
}

sumi_status image_turn(sumi_context *context, int orientation, image *picture)
{
    if (orientation <= EXIF_UPRIGHT || orientation > EXIF_LAST) return SUMI_OK;
    const int channels = picture->channels;
    const struct walk walk = find_walk(picture, orientation);
    image upright = *picture;
    if (image_turn_swaps(orientation)) {
        upright.width = picture->height;
        upright.height = picture->width;
    }
    size_t count = (size_t)upright.width * (size_t)upright.height;
    upright.pixels = context_allocate(context, count, (size_t)channels);
    if (!upright.pixels) return SUMI_ERROR_MEMORY;
    uint8_t *to = upright.pixels;
    for (int64_t y = 0; y < upright.height; y++) {
        const uint8_t *from = picture->pixels + (walk.first + y * walk.down) * channels;
        for (int64_t x = 0; x < upright.width; x++, from += walk.across * channels) {
            for (int channel = 0; channel < channels; channel++) *to++ = from[channel];
        }
    }
    image_release(context, picture);
    *picture = upright;
    return SUMI_OK;
}
