/* SPDX-License-Identifier: Apache-2.0 */
/* PNG with libspng; see png.h. libspng takes an allocator without a user pointer, so its working
   memory comes from the C library. */
#include "files/png.h"

#include <spng.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE_LIMIT = 1 << 20,
    CHUNK_LIMIT = 1 << 26, /* an ancillary chunk, and all of them together */
    RATIO = 1032           /* the largest compression ratio of deflate */
};

static sumi_status fail_spng(sumi_context *context, const char *name, int error)
{
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: damaged PNG: %s", name,
                        spng_strerror(error));
}

/* ---- Decoding ---- */

static int samples_per_pixel(const struct spng_ihdr *header)
{
    switch (header->color_type) {
    case SPNG_COLOR_TYPE_TRUECOLOR: return 3;
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA: return 2;
    case SPNG_COLOR_TYPE_TRUECOLOR_ALPHA: return 4;
    default: return 1;
    }
}

/* Refuses a picture that is too large, or larger than its bytes can contain, before allocating
   it. */
static sumi_status check_header(sumi_context *context, size_t size, const char *name,
                                const struct spng_ihdr *header, image *result)
{
    int64_t pixels = (int64_t)header->width * header->height;
    if (pixels > IMAGE_PIXEL_LIMIT) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: %u x %u pixels are more than the %lld allowed", name,
                            header->width, header->height, (long long)IMAGE_PIXEL_LIMIT);
    }
    int64_t bits = pixels * samples_per_pixel(header) * header->bit_depth;
    if ((uint64_t)bits / 8 / RATIO > size) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: cut short: %zu bytes cannot hold %u x %u pixels", name, size,
                            header->width, header->height);
    }
    bool grey = header->color_type == SPNG_COLOR_TYPE_GRAYSCALE
                || header->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
    result->width = (int)header->width;
    result->height = (int)header->height;
    result->channels = grey ? 1 : 3;
    return SUMI_OK;
}

/* The file as libspng reads it: without Exif, which exif.c reads, because libspng refuses the whole
   picture where Exif is empty. */
struct reader {
    const uint8_t *bytes;
    size_t size, place, chunk_end;
};

/* Advances from the end of a chunk to the next one that is not Exif. */
static void enter_chunk(struct reader *reader)
{
    enum { HEAD = 8, AROUND = 12 }; /* length and type; these and the checksum */
    while (reader->size - reader->place >= HEAD) {
        const uint8_t *head = reader->bytes + reader->place;
        size_t size =
            (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        size_t left = reader->size - reader->place;
        bool complete = left >= AROUND && size <= left - AROUND;
        reader->chunk_end = complete ? reader->place + AROUND + size : reader->size;
        if (!complete || memcmp(head + 4, "eXIf", 4) != 0) return;
        reader->place = reader->chunk_end;
    }
}

static int read_bytes(spng_ctx *decoder, void *user, void *target, size_t size)
{
    struct reader *reader = user;
    (void)decoder;
    if (reader->place == reader->chunk_end) enter_chunk(reader);
    if (size > reader->size - reader->place) return SPNG_IO_EOF;
    memcpy(target, reader->bytes + reader->place, size);
    reader->place += size;
    return SPNG_OK;
}

/* Returns a decoder that has read the header, or NULL with the message set. */
static sumi_status open_decoder(sumi_context *context, struct reader *reader, const char *name,
                                spng_ctx **decoder, image *result)
{
    struct spng_ihdr header;
    memset(result, 0, sizeof *result);
    *decoder = spng_ctx_new(0);
    if (!*decoder) return context_fail(context, SUMI_ERROR_MEMORY, "%s: out of memory", name);
    int error = spng_set_image_limits(*decoder, SIDE_LIMIT, SIDE_LIMIT);
    if (!error) error = spng_set_chunk_limits(*decoder, CHUNK_LIMIT, CHUNK_LIMIT);
    if (!error) error = spng_set_png_stream(*decoder, read_bytes, reader);
    if (!error) error = spng_get_ihdr(*decoder, &header);
    sumi_status status = error ? fail_spng(context, name, error)
                               : check_header(context, reader->size, name, &header, result);
    if (status != SUMI_OK) spng_ctx_free(*decoder);
    return status;
}

/* Composites one sample on white; alpha 255 keeps it. */
static uint8_t over_white(uint8_t sample, uint8_t alpha)
{
    return (uint8_t)((sample * alpha + 255 * (255 - alpha) + 127) / 255);
}

/* Converts [count, 4] red, green, blue, alpha to [count, channels]; grey files have red = green =
   blue. */
static void flatten(const uint8_t *source, size_t count, int channels, uint8_t *output)
{
    for (size_t i = 0; i < count; i++, source += 4, output += channels) {
        for (int channel = 0; channel < channels; channel++) {
            output[channel] = over_white(source[channel], source[3]);
        }
    }
}

static sumi_status decode_pixels(sumi_context *context, spng_ctx *decoder, const char *name,
                                 image *result)
{
    size_t count = (size_t)result->width * (size_t)result->height;
    uint8_t *wide = context_allocate(context, count, 4);
    uint8_t *pixels = context_allocate(context, count, (size_t)result->channels);
    sumi_status status = SUMI_ERROR_MEMORY;
    if (wide && pixels) {
        int error = spng_decode_image(decoder, wide, count * 4, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS);
        if (!error) error = spng_decode_chunks(decoder); /* the rest, up to the end mark */
        status = error ? fail_spng(context, name, error) : SUMI_OK;
    }
    if (status == SUMI_OK) {
        flatten(wide, count, result->channels, pixels);
        result->pixels = pixels;
    } else {
        context_release(context, pixels);
    }
    context_release(context, wide);
    return status;
}

enum { BEGINNING = 33 }; /* signature and IHDR, whose size is fixed */

sumi_status png_measure(sumi_context *context, const void *bytes, size_t size, const char *name,
                        image *result)
{
    spng_ctx *decoder = NULL;
    struct reader reader = {.bytes = bytes, .size = size, .chunk_end = BEGINNING};
    TRY(open_decoder(context, &reader, name, &decoder, result));
    spng_ctx_free(decoder);
    return SUMI_OK;
}

sumi_status png_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                       image *result)
{
    spng_ctx *decoder = NULL;
    struct reader reader = {.bytes = bytes, .size = size, .chunk_end = BEGINNING};
    TRY(open_decoder(context, &reader, name, &decoder, result));
    sumi_status status = decode_pixels(context, decoder, name, result);
    spng_ctx_free(decoder);
    return status;
}

/* ---- Encoding ---- */

static int set_palette(spng_ctx *encoder, const uint8_t *palette, int colours)
{
    struct spng_plte chunk = {.n_entries = (uint32_t)colours};
    for (int i = 0; i < colours; i++, palette += 3) {
        chunk.entries[i] =
            (struct spng_plte_entry){.red = palette[0], .green = palette[1], .blue = palette[2]};
    }
    return spng_set_plte(encoder, &chunk);
}

static sumi_status encode(sumi_context *context, spng_ctx *encoder, const image *picture,
                          const uint8_t *palette, int colours, void **bytes, size_t *size)
{
    bool grey = picture->channels == 1;
    struct spng_ihdr header = {
        .width = (uint32_t)picture->width,
        .height = (uint32_t)picture->height,
        .bit_depth = 8,
        .color_type = palette ? SPNG_COLOR_TYPE_INDEXED
                      : grey  ? SPNG_COLOR_TYPE_GRAYSCALE
                              : SPNG_COLOR_TYPE_TRUECOLOR,
    };
    size_t pixel_bytes = (size_t)picture->width * (size_t)picture->height * (grey ? 1 : 3);
    int error = spng_set_option(encoder, SPNG_ENCODE_TO_BUFFER, 1);
    if (!error) error = spng_set_ihdr(encoder, &header);
    if (!error && palette) error = set_palette(encoder, palette, colours);
    if (!error) {
        error = spng_encode_image(encoder, picture->pixels, pixel_bytes, SPNG_FMT_PNG,
                                  SPNG_ENCODE_FINALIZE);
    }
    void *encoded = error ? NULL : spng_get_png_buffer(encoder, size, &error);
    if (!encoded) {
        return context_fail(context, SUMI_ERROR_BACKEND, "a PNG could not be encoded: %s",
                            spng_strerror(error));
    }
    *bytes = context_allocate(context, *size, 1);
    if (*bytes) memcpy(*bytes, encoded, *size);
    free(encoded);
    return *bytes ? SUMI_OK : SUMI_ERROR_MEMORY;
}

sumi_status png_encode(sumi_context *context, const image *picture, const uint8_t *palette,
                       int colours, void **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    if (picture->width < 1 || picture->height < 1
        || (picture->channels != 1 && picture->channels != 3)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a PNG cannot have %d x %d pixels with %d channels: it needs at least "
                            "1 x 1 pixels and 1 or 3 channels",
                            picture->width, picture->height, picture->channels);
    }
    if (palette && (picture->channels != 1 || colours < 1 || colours > 256)) {
        return context_fail(
            context, SUMI_ERROR_ARGUMENT,
            "a PNG with a palette has one channel and 1 to 256 colours, not %d and %d",
            picture->channels, colours);
    }
    spng_ctx *encoder = spng_ctx_new(SPNG_CTX_ENCODER);
    if (!encoder) return context_fail(context, SUMI_ERROR_MEMORY, "out of memory for a PNG");
    sumi_status status = encode(context, encoder, picture, palette, colours, bytes, size);
    spng_ctx_free(encoder);
    return status;
}
