/* SPDX-License-Identifier: Apache-2.0 */
/* sumi decode: the pictures of latents, with the auto-encoder that encoded them. */
#include <stdio.h>
#include <string.h>

#include "coding.h"
#include "print.h"

struct settings {
    struct coding_settings coding;
    const char *output;
    int64_t columns;
    bool difference;
};

struct work {
    sumi_context *context;
    const struct settings *settings;
    sumi_auto_encoder *auto_encoder;
    sumi_array latents, pictures; /* [n, h, w, c] */
    struct difference difference; /* of the tiled and the untiled pictures */
};

static int check_settings(const struct settings *settings)
{
    const char *output = settings->output;
    if (!output)
        return fail(EXIT_USAGE, "decode needs -o FILE.png or .npy; see `sumi decode --help`");
    if (!has_ending(output, ".png") && !has_ending(output, ".npy"))
        return fail(EXIT_USAGE, "decode: %s should end in .png or .npy", output);
    if (settings->difference && !settings->coding.tile)
        return fail(EXIT_USAGE,
                    "decode: --difference compares --tile with no tiles; say the side of a tile");
    return check_output(output);
}

/* Decodes without tiles, too, and compares the results. */
static sumi_status compare(struct work *work)
{
    sumi_array whole;
    sumi_status status = sumi_auto_encoder_set(work->auto_encoder, "tile", "0");
    if (status == SUMI_OK)
        status = sumi_auto_encoder_decode(work->auto_encoder, &work->latents, &whole);
    if (status != SUMI_OK) return status;
    work->difference = coding_difference(&work->pictures, &whole);
    sumi_array_release(work->context, &whole);
    return SUMI_OK;
}

/* A single picture as it is, several as a grid. */
static sumi_status write_pictures(const struct work *work)
{
    const struct settings *settings = work->settings;
    sumi_array picture = work->pictures;
    if (has_ending(settings->output, ".npy"))
        return sumi_array_write(work->context, settings->output, &picture);
    bool single = picture.shape[0] == 1 && (picture.shape[3] == 1 || picture.shape[3] == 3);
    if (!single)
        return sumi_draw_grid(work->context, &picture, (int)settings->columns, settings->output);
    memmove(picture.shape, picture.shape + 1, 3 * sizeof *picture.shape);
    picture.rank = 3;
    return sumi_array_write(work->context, settings->output, &picture);
}

static int decode(struct work *work, const char *path)
{
    sumi_status status = sumi_auto_encoder_read_latents(work->auto_encoder, path, &work->latents);
    if (status == SUMI_OK)
        status = sumi_auto_encoder_decode(work->auto_encoder, &work->latents, &work->pictures);
    if (status == SUMI_OK && work->settings->difference) status = compare(work);
    if (status == SUMI_OK) status = write_pictures(work);
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

static int report(const struct work *work)
{
    const struct settings *settings = work->settings;
    const sumi_array *pictures = &work->pictures;
    if (settings->coding.json) {
        struct json_object *answer = json_file(settings->output, pictures);
        if (settings->difference) coding_add_difference(answer, "tiles", &work->difference);
        return print_json(answer);
    }
    if (settings->coding.quiet) return EXIT_DONE;
    char shape[96];
    format_shape(3, pictures->shape + 1, shape, sizeof shape);
    printf("%s: %lld pictures of %s\n", settings->output, (long long)pictures->shape[0], shape);
    if (settings->difference)
        printf("tiles and the whole picture differ by %.4g (root mean square), %.4g at most\n",
               work->difference.rms, work->difference.largest);
    return EXIT_DONE;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    struct work work = {.context = context, .settings = settings};
    (void)count;
    int code = check_settings(settings);
    if (code == EXIT_DONE)
        code = coding_open(context, &settings->coding, arguments[0], &work.auto_encoder);
    if (code == EXIT_DONE) code = decode(&work, arguments[1]);
    if (code == EXIT_DONE) code = report(&work);
    sumi_array_release(context, &work.latents);
    sumi_array_release(context, &work.pictures);
    sumi_auto_encoder_free(work.auto_encoder);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, output, 'o', "FILE",
               A_TEXT("output", "a picture (.png), a grid of several, or an array (.npy)")),
    OPTION_ROW(struct settings, columns, 0, "C", A_COUNT("columns", "columns of the grid")),
    OPTION_ROW(struct settings, difference, 0, NULL,
               A_FLAG("difference", "also decode without tiles, and print the difference")),
    CODING_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command decode_command = {
    .name = "decode",
    .summary = "decode latents of an auto-encoder to pictures",
    .usage = "MODEL LATENTS.safetensors -o FILE.{png,npy} [--tile PIXELS [--difference]] ...",
    .details =
        "Decodes what `sumi encode` wrote. MODEL is the folder of the auto-encoder, or of a\n"
        "pipeline that has it; latents of another one are refused.\n"
        "\n"
        "examples:\n"
        "  sumi decode models/vae pets.safetensors -o pets.png\n"
        "  sumi decode models/vae large.safetensors --tile 512 --difference -o large.png",
    .options = OPTIONS,
    .arguments = "a MODEL and LATENTS",
    .least = 2,
    .most = 2,
    .settings_size = sizeof(struct settings),
    .run = run,
};
