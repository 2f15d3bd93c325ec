/* SPDX-License-Identifier: Apache-2.0 */
/* sumi encode: the latents of pictures by an auto-encoder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coding.h"
#include "print.h"

struct settings {
    struct coding_settings coding;
    const char *output, *seed;
    bool sample, psnr;
};

struct work {
    sumi_context *context;
    const struct settings *settings;
    sumi_auto_encoder *auto_encoder;
    sumi_array pictures, latents; /* [n, h, w, c] */
    struct difference difference; /* of the pictures and their reconstructions */
};

static int check_settings(const struct settings *settings)
{
    if (!settings->output)
        return fail(EXIT_USAGE, "encode needs -o FILE.safetensors; see `sumi encode --help`");
    if (!has_ending(settings->output, ".safetensors"))
        return fail(EXIT_USAGE, "encode: %s should end in .safetensors", settings->output);
    if (settings->seed && !settings->sample)
        return fail(EXIT_USAGE, "encode: --seed keys the noise of --sample, which is not given");
    return check_output(settings->output);
}

/* ---- Pictures ---- */

/* One picture [h, w, c], or all of an array [n, h, w, c], as the latter. */
static int read_file(sumi_context *context, const char *path, sumi_array *pictures)
{
    if (sumi_array_read(context, path, pictures) != SUMI_OK) return fail_context(context);
    if (pictures->rank == 3) {
        memmove(pictures->shape + 1, pictures->shape, 3 * sizeof *pictures->shape);
        pictures->shape[0] = 1;
        pictures->rank = 4;
    }
    if (pictures->rank == 4) return EXIT_DONE;
    return fail(EXIT_FAILED, "%s: pictures are [h, w, c] or [n, h, w, c], not of %d dimensions",
                path, pictures->rank);
}

/* Repeats grey pictures in all channels for an auto-encoder of colours. */
static sumi_status fit_channels(struct work *work, sumi_array *pictures)
{
    sumi_auto_encoder_info info = {.size = sizeof info};
    sumi_auto_encoder_describe(work->auto_encoder, &info);
    if (pictures->shape[3] != 1 || info.in_channels == 1) return SUMI_OK;
    int64_t shape[4] = {pictures->shape[0], pictures->shape[1], pictures->shape[2],
                        info.in_channels};
    sumi_array wide;
    sumi_status status = sumi_array_create(work->context, 4, shape, &wide);
    if (status != SUMI_OK) return status;
    for (int64_t i = 0; i < sumi_array_count(&wide); i++)
        wide.data[i] = pictures->data[i / info.in_channels];
    sumi_array_release(work->context, pictures);
    *pictures = wide;
    return SUMI_OK;
}

/* Reads a file, whose pictures must be of the size of the first file's. */
static int read_part(struct work *work, const char *path, const sumi_array *first, sumi_array *part)
{
    int code = read_file(work->context, path, part);
    if (code == EXIT_DONE && fit_channels(work, part) != SUMI_OK)
        code = fail_context(work->context);
    if (code != EXIT_DONE
        || memcmp(first->shape + 1, part->shape + 1, 3 * sizeof *part->shape) == 0)
        return code;
    char have[96], want[96];
    format_shape(3, part->shape + 1, have, sizeof have);
    format_shape(3, first->shape + 1, want, sizeof want);
    return fail(EXIT_FAILED, "%s: is of %s, but the pictures before are of %s", path, have, want);
}

/* Joins parts[count], which are all of one size. */
static sumi_status join(struct work *work, int count, const sumi_array *parts)
{
    int64_t shape[4] = {0, parts->shape[1], parts->shape[2], parts->shape[3]}, done = 0;
    for (int i = 0; i < count; i++) shape[0] += parts[i].shape[0];
    sumi_status status = sumi_array_create(work->context, 4, shape, &work->pictures);
    for (int i = 0; i < count && status == SUMI_OK; i++) {
        int64_t size = sumi_array_count(&parts[i]);
        memcpy(work->pictures.data + done, parts[i].data, (size_t)size * sizeof *parts->data);
        done += size;
    }
    return status;
}

static int read_pictures(struct work *work, int count, const char *const *paths)
{
    sumi_array *parts = calloc((size_t)count, sizeof *parts);
    int code = parts ? EXIT_DONE : fail(EXIT_FAILED, "no memory for %d pictures", count);
    for (int i = 0; i < count && code == EXIT_DONE; i++)
        code = read_part(work, paths[i], &parts[0], &parts[i]);
    if (code == EXIT_DONE && join(work, count, parts) != SUMI_OK)
        code = fail_context(work->context);
    for (int i = 0; parts && i < count; i++) sumi_array_release(work->context, &parts[i]);
    free(parts);
    return code;
}

/* ---- Encoding ---- */

/* Only pictures of as many channels as were encoded can be compared with these. */
static int check_psnr(const struct work *work)
{
    sumi_auto_encoder_info info = {.size = sizeof info};
    sumi_auto_encoder_describe(work->auto_encoder, &info);
    if (!work->settings->psnr || info.in_channels == info.out_channels) return EXIT_DONE;
    return fail(EXIT_USAGE,
                "encode: --psnr compares pictures with their reconstruction, but this auto-encoder "
                "encodes %lld channels and decodes %lld",
                (long long)info.in_channels, (long long)info.out_channels);
}

/* Decodes the latents and compares the result with the pictures. */
static sumi_status reconstruct(struct work *work)
{
    sumi_array again;
    sumi_status status = sumi_auto_encoder_decode(work->auto_encoder, &work->latents, &again);
    if (status != SUMI_OK) return status;
    work->difference = coding_difference(&again, &work->pictures);
    sumi_array_release(work->context, &again);
    return SUMI_OK;
}

static int encode(struct work *work)
{
    const struct settings *settings = work->settings;
    sumi_status status = SUMI_OK;
    if (settings->sample) status = sumi_auto_encoder_set(work->auto_encoder, "posterior", "sample");
    if (status == SUMI_OK && settings->seed)
        status = sumi_auto_encoder_set(work->auto_encoder, "seed", settings->seed);
    if (status == SUMI_OK)
        status =
            sumi_auto_encoder_encode(work->auto_encoder, &work->pictures, NULL, &work->latents);
    if (status == SUMI_OK && settings->psnr) status = reconstruct(work);
    if (status == SUMI_OK)
        status =
            sumi_auto_encoder_write_latents(work->auto_encoder, settings->output, &work->latents);
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

static int report(const struct work *work)
{
    const struct settings *settings = work->settings;
    const sumi_array *latents = &work->latents;
    if (settings->coding.json) {
        struct json_object *answer = json_file(settings->output, latents);
        if (settings->psnr) coding_add_difference(answer, "reconstruction", &work->difference);
        return print_json(answer);
    }
    if (settings->coding.quiet) return EXIT_DONE;
    char shape[96];
    format_shape(3, latents->shape + 1, shape, sizeof shape);
    printf("%s: latents of %lld pictures, %s each\n", settings->output,
           (long long)latents->shape[0], shape);
    if (settings->psnr)
        printf("decoded again: PSNR %.2f dB, root mean square difference %.4g\n",
               work->difference.psnr, work->difference.rms);
    return EXIT_DONE;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    struct work work = {.context = context, .settings = settings};
    int code = check_settings(settings);
    if (code == EXIT_DONE)
        code = coding_open(context, &settings->coding, arguments[0], &work.auto_encoder);
    if (code == EXIT_DONE) code = check_psnr(&work);
    if (code == EXIT_DONE) code = read_pictures(&work, count - 1, arguments + 1);
    if (code == EXIT_DONE) code = encode(&work);
    if (code == EXIT_DONE) code = report(&work);
    sumi_array_release(context, &work.pictures);
    sumi_array_release(context, &work.latents);
    sumi_auto_encoder_free(work.auto_encoder);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, output, 'o', "FILE.safetensors",
               A_TEXT("output", "file of the latents, with the auto-encoder's fingerprint")),
    OPTION_ROW(struct settings, sample, 0, NULL,
               A_FLAG("sample", "sample the posterior; default: its mean")),
    OPTION_ROW(struct settings, seed, 0, "S", A_SEED("seed", "seed of the noise of --sample")),
    OPTION_ROW(struct settings, psnr, 0, NULL,
               A_FLAG("psnr", "decode the latents, and print the difference from the pictures")),
    CODING_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command encode_command = {
    .name = "encode",
    .summary = "encode pictures as latents of an auto-encoder",
    .usage = "MODEL PICTURE ... -o FILE.safetensors [--sample] [--psnr] [--tile PIXELS] ...",
    .details =
        "Encodes pictures (.png, .jpg, or arrays .npy of them), all of one size, a multiple\n"
        "of the auto-encoder's factor. MODEL is the folder of an auto-encoder, or of a\n"
        "pipeline that has one. The latents are scaled for diffusion.\n"
        "\n"
        "examples:\n"
        "  sumi encode models/vae cat.png dog.png -o pets.safetensors --psnr\n"
        "  sumi encode models/vae large.png --tile 512 -o large.safetensors",
    .options = OPTIONS,
    .arguments = "a MODEL and a PICTURE",
    .least = 2,
    .most = 256,
    .settings_size = sizeof(struct settings),
    .run = run,
};
