/* SPDX-License-Identifier: Apache-2.0 */
/* sumi inpaint: samples of which a part is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inference.h"
#include "interrupt.h"
#include "own_items.h"
#include "print.h"
#include "restoring.h"

enum { DRAWS_USUAL = 4, ITEMS_USUAL = 6, ITEMS_MOST = 64, DRAWS_MOST = 32, TITLE_SIZE = 24 };

struct settings {
    struct inference_settings inference;
    struct restoring_settings restoring; /* its noise is --deviation */
    int64_t count, draws;
    const char *input, *output, *mask, *keep;
    bool grey;
};

struct work {
    sumi_context *context;
    const struct settings *settings;
    struct inference inference;
    sumi_operator *linear;
    sumi_restorer *restorer;
    sumi_array items;  /* [n, item] */
    sumi_array mask;   /* like items; above 0 where numbers are known */
    sumi_array values; /* known values: items, or the means of their channels [n, position] */
    sumi_array latents, latent_mask; /* of items and mask, in a model over latents; else empty */
    sumi_array drawn;                /* [draws * n, item], all items for each draw */
};

static int64_t draws_of(const struct settings *settings)
{
    return settings->draws ? settings->draws : DRAWS_USUAL;
}

static bool has_pictures(const struct work *work)
{
    return sumi_model_kind(work->inference.model) == SUMI_PICTURE;
}

static int check_choices(struct work *work)
{
    const struct settings *settings = work->settings;
    int ways = (settings->mask != NULL) + (settings->keep != NULL) + settings->grey;
    if (!settings->output)
        return fail(EXIT_USAGE, "inpaint needs -o FILE; see `sumi inpaint --help`");
    if (ways > 1)
        return fail(EXIT_USAGE,
                    "inpaint: --mask, --keep and --grey each define what is known; choose one");
    if (draws_of(settings) > DRAWS_MOST || settings->count > ITEMS_MOST)
        return fail(EXIT_USAGE, "inpaint: at most %d items and %d samples of each", ITEMS_MOST,
                    DRAWS_MOST);
    return check_output(settings->output);
}

/* The user's items, or the first of the recipe's data with their classes. */
static int read_items(struct work *work)
{
    const struct settings *settings = work->settings;
    struct numbers labels;
    int64_t usual = settings->input ? ITEMS_MOST : ITEMS_USUAL;
    struct items_choice choice = {.command = "inpaint",
                                  .folder = work->inference.folder,
                                  .input = settings->input,
                                  .recipe = work->inference.recipe,
                                  .count = settings->count ? settings->count : usual,
                                  .wanted = &settings->inference.labels};
    int code = items_choose(work->context, work->inference.model, &choice, &work->items, &labels);
    if (code != EXIT_DONE) return code;
    if (sumi_model_kind(work->inference.model) == SUMI_POINTS
        && has_ending(settings->output, ".png"))
        return fail(EXIT_USAGE, "%s: samples of points are written to an array, FILE.npy",
                    settings->output);
    return inference_set_classes(&work->inference, draws_of(settings) * work->items.shape[0],
                                 &labels);
}

/* ---- Known values ---- */

/* The half of each item on one side. Pictures are [h,w,c], signals [length,c], points [d]; only
   pictures have a top and a bottom. */
static void fill_half(const char *side, bool picture, sumi_array *mask)
{
    const bool upright = *side == 't' || *side == 'b';
    const bool early = *side == 'l' || *side == 't'; /* left and top come first */
    int64_t width = mask->shape[picture ? 2 : 1], height = picture ? mask->shape[1] : 1;
    int64_t channels = mask->rank > 2 ? mask->shape[mask->rank - 1] : 1;
    for (int64_t i = 0; i < sumi_array_count(mask); i++) {
        int64_t column = i / channels % width, row = i / channels / width % height;
        bool first = upright ? 2 * row < height : 2 * column < width;
        mask->data[i] = first == early ? 1 : -1;
    }
}

/* Reads the masks of a file, one for all items or one for each. */
static int read_mask(struct work *work)
{
    sumi_array *mask = &work->mask;
    int64_t items = work->items.shape[0];
    int code =
        own_items_read(work->context, work->inference.model, work->settings->mask, items, mask);
    if (code == EXIT_DONE && mask->shape[0] != 1 && mask->shape[0] != items)
        return fail(EXIT_USAGE,
                    "%s: has %lld masks for %lld items; it must have one for each or one for all",
                    work->settings->mask, (long long)mask->shape[0], (long long)items);
    return code;
}

static int make_mask(struct work *work)
{
    const char *side = work->settings->keep ? work->settings->keep : "left";
    bool upright = strcmp(side, "top") == 0 || strcmp(side, "bottom") == 0;
    if (work->settings->mask) return read_mask(work);
    if (work->settings->grey) return EXIT_DONE;
    if (upright && sumi_model_kind(work->inference.model) != SUMI_PICTURE)
        return fail(EXIT_USAGE, "inpaint: only pictures have a %s; use --keep left or right", side);
    sumi_status status =
        sumi_array_create(work->context, work->items.rank, work->items.shape, &work->mask);
    if (status != SUMI_OK) return fail_context(work->context);
    fill_half(side, has_pictures(work), &work->mask);
    return EXIT_DONE;
}

/* Computes the means of the channels. */
static int make_greys(struct work *work)
{
    const sumi_array *items = &work->items;
    int64_t channels = items->shape[items->rank - 1], count = sumi_array_count(items);
    int64_t shape[2] = {items->shape[0], count / channels / items->shape[0]};
    if (!has_pictures(work) || channels < 2)
        return fail(EXIT_USAGE, "inpaint: --grey is for models of pictures in colour");
    if (sumi_array_create(work->context, 2, shape, &work->values) != SUMI_OK)
        return fail_context(work->context);
    for (int64_t i = 0; i < count; i++)
        work->values.data[i / channels] += items->data[i] / (float)channels;
    return EXIT_DONE;
}

/* ---- Latents ---- */

/* A latent is known where all the pixels of its square are. */
static void shrink_mask(const sumi_array *mask, sumi_array *small)
{
    int64_t height = small->shape[1], width = small->shape[2], channels = mask->shape[3];
    int64_t factor = mask->shape[1] / height;
    for (int64_t i = 0; i < sumi_array_count(small); i++) small->data[i] = 1;
    for (int64_t i = 0; i < sumi_array_count(mask); i++) {
        int64_t place = i / channels, column = place % mask->shape[2] / factor;
        int64_t row = place / mask->shape[2] % mask->shape[1] / factor;
        int64_t item = place / mask->shape[2] / mask->shape[1];
        float *latent = small->data + ((item * height + row) * width + column) * small->shape[3];
        for (int64_t c = 0; mask->data[i] <= 0 && c < small->shape[3]; c++) latent[c] = -1;
    }
}

/* Encodes the items of a model over latents, and brings the mask to their size. */
static int make_latents(struct work *work)
{
    sumi_context *context = work->context;
    const sumi_model *model = work->inference.model;
    if (!sampling_has_latents(model)) return EXIT_DONE;
    if (work->settings->grey)
        return fail(EXIT_USAGE, "inpaint: --grey is for models of pictures, but this one works on "
                                "latents, whose channels are no colours");
    work->latents = work->items;
    work->items = (sumi_array){0};
    int code = inference_encode(&work->inference, &work->latents, &work->items);
    if (code != EXIT_DONE) return code;
    if (sumi_array_create(context, 4, work->latents.shape, &work->latent_mask) != SUMI_OK)
        return fail_context(context);
    shrink_mask(&work->mask, &work->latent_mask);
    return EXIT_DONE;
}

/* ---- Drawing samples ---- */

/* The operator that measures what is known of the items or of their latents. */
static sumi_status make_operator(struct work *work)
{
    const sumi_array *items = work->latents.data ? &work->latents : &work->items;
    const sumi_array *mask = work->latents.data ? &work->latent_mask : &work->mask;
    if (work->settings->grey)
        return sumi_operator_create(work->context, "grey", items->rank - 1, items->shape + 1,
                                    &work->linear);
    return sumi_operator_create_mask(work->context, items->rank - 1, items->shape + 1,
                                     mask->shape[0], mask->data, &work->linear);
}

static int draw(struct work *work)
{
    const struct settings *settings = work->settings;
    const sumi_array *measured = settings->grey       ? &work->values
                                 : work->latents.data ? &work->latents
                                                      : &work->items;
    struct sampling sampling = inference_sampling(&work->inference);
    sumi_status status = make_operator(work);
    if (status != SUMI_OK) return fail_argument(work->context, status);
    int code = restoring_create(work->context, work->linear, &settings->restoring, "product",
                                &work->restorer);
    if (code != EXIT_DONE) return code;
    interrupt_catch();
    status =
        sampling_restore(&sampling, work->restorer, measured, draws_of(settings), &work->drawn);
    if (status != SUMI_OK) return fail_argument(work->context, status);
    status = sampling_decode(work->context, work->inference.model,
                             settings->inference.computing.precision, &work->drawn);
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

/* Copies the mask for each item, for the table. */
static int spread_mask(struct work *work)
{
    sumi_array one = work->mask;
    int64_t items = work->items.shape[0], size = sumi_array_count(&one);
    if (!one.data || one.shape[0] == items) return EXIT_DONE;
    work->mask = (sumi_array){0};
    sumi_status status =
        sumi_array_create(work->context, work->items.rank, work->items.shape, &work->mask);
    for (int64_t i = 0; i < items && status == SUMI_OK; i++)
        memcpy(work->mask.data + i * size, one.data, (size_t)size * sizeof *one.data);
    sumi_array_release(work->context, &one);
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

/* ---- The table: original, its known part, samples ---- */

/* A number of the picture of the known part: unknown numbers are black, or the middle value. */
static float show_known(const struct work *work, int64_t i)
{
    const sumi_array *items = &work->items;
    if (work->settings->grey) return work->values.data[i / items->shape[3]];
    if (work->mask.data[i] > 0) return items->data[i];
    return has_pictures(work) ? -1 : 0;
}

static sumi_status fill_table(const struct work *work, sumi_array *cells)
{
    const sumi_array *items = &work->items;
    int64_t rows = items->shape[0], columns = 2 + draws_of(work->settings);
    int64_t size = sumi_array_count(items) / rows, shape[SUMI_MAX_RANK] = {rows, columns};
    memcpy(shape + 2, items->shape + 1, (size_t)(items->rank - 1) * sizeof *shape);
    sumi_status status = sumi_array_create(work->context, items->rank + 1, shape, cells);
    if (status != SUMI_OK) return status;
    for (int64_t i = 0; i < rows * size; i++) {
        float *cell = cells->data + i / size * columns * size + i % size;
        cell[0] = items->data[i];
        cell[size] = show_known(work, i);
        for (int64_t draw = 0; draw < columns - 2; draw++)
            cell[(2 + draw) * size] = work->drawn.data[draw * rows * size + i];
    }
    return SUMI_OK;
}

static sumi_status draw_table(const struct work *work)
{
    char names[DRAWS_MOST][TITLE_SIZE];
    const char *titles[2 + DRAWS_MOST] = {"original", "known"};
    sumi_array cells = {0};
    for (int i = 0; i < draws_of(work->settings); i++) {
        snprintf(names[i], TITLE_SIZE, "sample %d", i + 1);
        titles[2 + i] = names[i];
    }
    sumi_status status = fill_table(work, &cells);
    if (status == SUMI_OK)
        status = sumi_draw_table(work->context, &cells, titles, NULL, work->settings->output);
    sumi_array_release(work->context, &cells);
    return status;
}

static int write_result(const struct work *work)
{
    const char *path = work->settings->output;
    bool picture = has_ending(path, ".png");
    sumi_status status =
        picture ? draw_table(work) : sumi_array_write(work->context, path, &work->drawn);
    if (status != SUMI_OK) return fail_context(work->context);
    int64_t draws = draws_of(work->settings), items = work->items.shape[0];
    if (work->settings->inference.json) {
        struct json_object *answer = json_file(path, &work->drawn);
        json_object_object_add(answer, "items", json_object_new_int64(items));
        json_object_object_add(answer, "draws", json_object_new_int64(draws));
        return print_json(answer);
    }
    if (!work->settings->inference.quiet)
        printf("%s: %lld samples for each of %lld items\n", path, (long long)draws,
               (long long)items);
    return EXIT_DONE;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    struct work work = {.context = context,
                        .settings = settings,
                        .inference =
                            inference_of(context, &settings->inference, "inpaint", arguments[0])};
    (void)count;
    int code = check_choices(&work);
    if (code == EXIT_DONE) code = inference_open(&work.inference, NULL);
    if (code == EXIT_DONE) code = read_items(&work);
    if (code == EXIT_DONE) code = make_mask(&work);
    if (code == EXIT_DONE) code = spread_mask(&work);
    if (code == EXIT_DONE && work.settings->grey) code = make_greys(&work);
    if (code == EXIT_DONE) code = make_latents(&work);
    if (code == EXIT_DONE) code = draw(&work);
    if (code == EXIT_DONE) code = write_result(&work);
    sumi_array *const arrays[] = {&work.items,   &work.mask,        &work.values,
                                  &work.latents, &work.latent_mask, &work.drawn};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        sumi_array_release(context, arrays[i]);
    sumi_restorer_free(work.restorer);
    sumi_operator_free(work.linear);
    inference_close(&work.inference);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, input, 'i', "FILE",
               A_TEXT("input", "the items of which a part is known: .npy, .csv, a picture or a\n"
                               "folder of them, scaled and cropped to the model's size;\n"
                               "default: the first of the recipe's data")),
    OPTION_ROW(struct settings, output, 'o', "FILE",
               A_TEXT("output", "a table as a picture (.png), or the samples (.npy)")),
    OPTION_ROW(struct settings, keep, 0, "SIDE",
               A_CHOICE("keep", "left|right|top|bottom",
                        "the half that is known: left (the default), right, top or\nbottom")),
    OPTION_ROW(struct settings, mask, 0, "FILE",
               A_TEXT("mask", "a picture or array that is bright, or above 0, where numbers\n"
                              "are known; one for all items, or one for each; pictures are\n"
                              "scaled as those of --input")),
    OPTION_ROW(struct settings, grey, 0, NULL,
               A_FLAG("grey", "only the mean of the colour channels is known, everywhere")),
    OPTION_ROW(struct settings, restoring.noise, 0, "D",
               A_NUMBER("deviation", 0, 1e6,
                        "standard deviation of the error of the known values; default: 0")),
    RESTORING_ROWS(struct settings, restoring),
    OPTION_ROW(struct settings, count, 'n', "N", A_COUNT("count", "take the first N items only")),
    OPTION_ROW(struct settings, draws, 0, "K",
               A_COUNT("draws", "samples for each item; default: 4")),
    INFERENCE_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command inpaint_command = {
    .name = "inpaint",
    .summary = "fill in missing parts, or colour grey pictures",
    .usage = "MODEL -o FILE.{png,npy} [-i FILE] [--keep SIDE|--mask FILE|--grey] ...",
    .details =
        "Samples what is not known of an item. This is `sumi restore` with a mask or with grey,\n"
        "and by default with --method product: samples from the model times a normal density\n"
        "around the known part (Sohl-Dickstein et al. 2015, section 2.5; Song et al. 2021,\n"
        "appendix I). With --deviation the known part is a noisy measurement, which is denoised\n"
        "too.\n\n"
        "examples:\n"
        "  sumi inpaint runs/digits --keep top --steps 100 -o filled.png\n"
        "  sumi inpaint runs/cifar10 -i photo.png --grey -o coloured.png\n"
        "  sumi inpaint runs/morlet -i measured.npy --mask gaps.npy -o whole.npy",
    .options = OPTIONS,
    .arguments = "a MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};
