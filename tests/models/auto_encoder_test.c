/* SPDX-License-Identifier: Apache-2.0 */
/* Auto-encoders as callers have them: encoding and decoding, tiles and slices, files of latents,
   and the part of a pipeline. */
#include "models/auto_encoder.h"

#include "models/tiny.h"
#include "vectors/figures.h"
#include "vectors/formula.h"

#define TINY_KL                                                                                    \
    "\"block_out_channels\": [8, 16], \"norm_num_groups\": 4, \"down_block_types\":"               \
    " [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"], \"up_block_types\":"                       \
    " [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"], \"sample_size\": 16, \"in_channels\": 1,"      \
    " \"out_channels\": 1"
#define KL "{\"_class_name\": \"AutoencoderKL\", \"latent_channels\": 2, " TINY_KL "}"
#define KL_UNSCALED                                                                                \
    "{\"_class_name\": \"AutoencoderKL\", \"latent_channels\": 2, \"scaling_factor\": 1, " TINY_KL \
    "}"
#define VQ "{\"_class_name\": \"VQModel\", \"num_vq_embeddings\": 6, " TINY_KL "}"
#define TINY                                                                                       \
    "{\"_class_name\": \"AutoencoderTiny\", \"in_channels\": 1, \"out_channels\": 1,"              \
    " \"encoder_block_out_channels\": [4, 4], \"decoder_block_out_channels\": [4, 4],"             \
    " \"num_encoder_blocks\": [1, 1], \"num_decoder_blocks\": [1, 1], \"latent_channels\": 1}"

static sumi_auto_encoder *create(scratch *room, const char *config, uint64_t seed)
{
    sumi_auto_encoder *coder = NULL;
    CHECK_OK(room->context, sumi_auto_encoder_create(room->context, config, seed, &coder));
    return coder;
}

/* Some array of a shape. */
static sumi_array waves(scratch *room, int64_t n, int64_t h, int64_t w, int64_t c)
{
    sumi_array array;
    const int64_t shape[4] = {n, h, w, c};
    CHECK_OK(room->context, sumi_array_create(room->context, 4, shape, &array));
    for (int64_t i = 0; i < sumi_array_count(&array); i++)
        array.data[i] = (float)sin(0.7 * (double)i) * 0.9F;
    return array;
}

static void check_shape(const sumi_array *array, int64_t n, int64_t h, int64_t w, int64_t c)
{
    assert_int_equal(array->rank, 4);
    assert_int_equal(array->shape[0], n);
    assert_int_equal(array->shape[1], h);
    assert_int_equal(array->shape[2], w);
    assert_int_equal(array->shape[3], c);
}

static void check_same(const sumi_array *a, const sumi_array *b, double tolerance)
{
    assert_int_equal(sumi_array_count(a), sumi_array_count(b));
    for (int64_t i = 0; i < sumi_array_count(a); i++)
        CHECK_CLOSE(a->data[i], b->data[i], tolerance);
}

static sumi_array encode(scratch *room, sumi_auto_encoder *coder, const sumi_array *pictures,
                         const sumi_array *noise)
{
    sumi_array latents;
    CHECK_OK(room->context, sumi_auto_encoder_encode(coder, pictures, noise, &latents));
    return latents;
}

static sumi_array decode(scratch *room, sumi_auto_encoder *coder, const sumi_array *latents)
{
    sumi_array pictures;
    CHECK_OK(room->context, sumi_auto_encoder_decode(coder, latents, &pictures));
    return pictures;
}

static void set(scratch *room, sumi_auto_encoder *coder, const char *option, const char *value)
{
    CHECK_OK(room->context, sumi_auto_encoder_set(coder, option, value));
}

/* ---- Encoding and decoding ---- */

static void pictures_become_latents_and_pictures_again(void **state)
{
    static const char *const configs[] = {KL, VQ, TINY};
    static const int64_t channels[] = {2, 3, 1};
    scratch *room = *state;
    for (int i = 0; i < 3; i++) {
        sumi_auto_encoder *coder = create(room, configs[i], 1);
        sumi_array pictures = waves(room, 3, 8, 12, 1);
        sumi_array latents = encode(room, coder, &pictures, NULL);
        sumi_array again = decode(room, coder, &latents);
        check_shape(&latents, 3, 4, 6, channels[i]);
        check_shape(&again, 3, 8, 12, 1);
        sumi_array_release(room->context, &pictures);
        sumi_array_release(room->context, &latents);
        sumi_array_release(room->context, &again);
        sumi_auto_encoder_free(coder);
    }
}

static void a_draw_is_the_mean_and_noise_times_the_deviation(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, KL, 1), *plain = create(room, KL_UNSCALED, 1);
    sumi_array pictures = waves(room, 2, 8, 8, 1), noise = waves(room, 2, 4, 4, 2);
    sumi_array mean = encode(room, plain, &pictures, NULL);
    sumi_array once = encode(room, plain, &pictures, &noise);
    sumi_array scaled = encode(room, coder, &pictures, &noise);
    for (int64_t i = 0; i < sumi_array_count(&noise); i++) noise.data[i] *= 2;
    sumi_array twice = encode(room, plain, &pictures, &noise);
    for (int64_t i = 0; i < sumi_array_count(&mean); i++) {
        double deviation = (once.data[i] - mean.data[i]) / (noise.data[i] / 2);
        if (fabs(noise.data[i]) > 0.1) assert_true(deviation > 0);
        CHECK_CLOSE(twice.data[i] - once.data[i], once.data[i] - mean.data[i], 1e-5);
        CHECK_CLOSE(scaled.data[i], 0.18215 * once.data[i], 1e-6);
    }
    sumi_array_release(room->context, &pictures);
    sumi_array_release(room->context, &noise);
    sumi_array_release(room->context, &mean);
    sumi_array_release(room->context, &once);
    sumi_array_release(room->context, &scaled);
    sumi_array_release(room->context, &twice);
    sumi_auto_encoder_free(coder);
    sumi_auto_encoder_free(plain);
}

static void the_seed_keys_the_draws(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, KL, 1);
    sumi_array pictures = waves(room, 1, 8, 8, 1), draws[3];
    set(room, coder, "posterior", "sample");
    draws[0] = encode(room, coder, &pictures, NULL);
    draws[1] = encode(room, coder, &pictures, NULL);
    set(room, coder, "seed", "5");
    draws[2] = encode(room, coder, &pictures, NULL);
    size_t size = (size_t)sumi_array_count(&draws[0]) * sizeof(float);
    assert_memory_equal(draws[0].data, draws[1].data, size);
    assert_memory_not_equal(draws[0].data, draws[2].data, size);
    for (int i = 0; i < 3; i++) sumi_array_release(room->context, &draws[i]);
    sumi_array_release(room->context, &pictures);
    sumi_auto_encoder_free(coder);
}

static void slices_of_the_batch_change_no_bit(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, KL, 1);
    sumi_array latents = waves(room, 5, 4, 4, 2);
    sumi_array together = decode(room, coder, &latents);
    set(room, coder, "slices", "true");
    sumi_array one_by_one = decode(room, coder, &latents);
    check_same(&together, &one_by_one, 0);
    sumi_array_release(room->context, &latents);
    sumi_array_release(room->context, &together);
    sumi_array_release(room->context, &one_by_one);
    sumi_auto_encoder_free(coder);
}

/* ---- Tiles ---- */

/* Leaves of each kernel [out, in, 3, 3] only the middle, so that a pixel sees only itself. */
static void keep_middles(sumi_auto_encoder *coder)
{
    sumi_weight weight = {.size = sizeof weight};
    for (int64_t i = 0; sumi_auto_encoder_weight(coder, i, &weight); i++) {
        if (weight.rank != 4 || weight.shape[2] != 3) continue;
        for (int64_t j = 0; j < weight.shape[0] * weight.shape[1] * 9; j++)
            if (j % 9 != 4) weight.data[j] = 0;
    }
}

static void tiles_of_a_network_that_sees_single_pixels_make_the_whole_picture(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, TINY, 1);
    keep_middles(coder);
    sumi_array pictures = waves(room, 2, 40, 28, 1);
    sumi_array latents = encode(room, coder, &pictures, NULL);
    sumi_array whole = decode(room, coder, &latents);
    set(room, coder, "tile", "16");
    sumi_array tiled_latents = encode(room, coder, &pictures, NULL);
    sumi_array tiled = decode(room, coder, &latents);
    check_same(&tiled_latents, &latents, 1e-6);
    check_same(&tiled, &whole, 1e-6);
    sumi_array_release(room->context, &pictures);
    sumi_array_release(room->context, &latents);
    sumi_array_release(room->context, &whole);
    sumi_array_release(room->context, &tiled_latents);
    sumi_array_release(room->context, &tiled);
    sumi_auto_encoder_free(coder);
}

static void pictures_no_larger_than_a_tile_are_computed_whole(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, KL, 1);
    sumi_array latents = waves(room, 1, 8, 8, 2);
    sumi_array whole = decode(room, coder, &latents);
    set(room, coder, "tile", "auto"); /* 16 */
    sumi_array tiled = decode(room, coder, &latents);
    check_same(&whole, &tiled, 0);
    sumi_array_release(room->context, &latents);
    sumi_array_release(room->context, &whole);
    sumi_array_release(room->context, &tiled);
    sumi_auto_encoder_free(coder);
}

/* Fills the weights as the record says, each by its name's place among all. */
static void fill_by_formula(sumi_auto_encoder *coder, const char *fill)
{
    sumi_weight weight = {.size = sizeof weight}, other = {.size = sizeof other};
    for (int64_t i = 0; sumi_auto_encoder_weight(coder, i, &weight); i++) {
        struct formula_weight formula = {.name = weight.name, .rank = weight.rank, .count = 1};
        for (int64_t k = 0; sumi_auto_encoder_weight(coder, k, &other); k++)
            formula.number += strcmp(other.name, weight.name) < 0;
        formula.first_size = weight.shape[0];
        for (int k = 0; k < weight.rank; k++) formula.count *= weight.shape[k];
        assert_true(formula_fill(fill, &formula, weight.data));
    }
}

/* One half by tiles against the record's output of that name. */
static void check_half(scratch *room, struct vectors_row *row, sumi_auto_encoder *coder,
                       enum half half, const char *input, const char *output)
{
    struct figures_layout layout = {.channel_axis = 1};
    struct formula_wave wave;
    struct shape shape = {.rank = 4};
    json_object *given = vectors_get(vectors_get(row->record, "inputs"), input);
    json_object *mix = vectors_get(vectors_get(row->record, "fills"), "mix");
    layout.rank = vectors_shape(vectors_get(given, "shape"), layout.size);
    figures_own_shape(&layout, shape.size);
    assert_true(formula_read(vectors_text(given, "formula"), &wave));
    sumi_array x = waves(room, shape.size[0], shape.size[1], shape.size[2], shape.size[3]), y;
    for (int64_t j = 0; j < sumi_array_count(&x); j++)
        x.data[figures_place(&layout, j)] = (float)formula_wave_at(&wave, j);
    struct shape result = half_output(coder, half, &shape);
    CHECK_OK(room->context, sumi_array_create(room->context, 4, result.size, &y));
    assert_true(tiles_wanted(coder, half, &shape));
    CHECK_OK(room->context, tiles_run(coder, half, &shape, x.data, y.data));
    json_object *expected = vectors_get(vectors_get(mix, "outputs"), output);
    vectors_shape(vectors_get(expected, "shape"), layout.size);
    if (!figures_compare(row, output, expected, &layout, y.data, 2e-5))
        fail_msg("%s: %.3g times the tolerance: %s", output, row->worst, row->where);
    sumi_array_release(room->context, &x);
    sumi_array_release(room->context, &y);
}

static void tiles_are_those_of_diffusers(void **state)
{
    scratch *room = *state;
    struct vectors_row row = {.folder = "."};
    json_object *file = vectors_neighbour(&row, "models_more.json");
    json_object *rows = vectors_get(file, "models");
    if (!rows) {
        fprintf(stderr, "skipped: there is no models_more.json\n");
        skip();
    }
    int found = 0;
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        row.record = json_object_array_get_idx(rows, i);
        if (!strstr(vectors_text(row.record, "note"), "enable_tiling")) continue;
        json_object *config = vectors_get(row.record, "config");
        json_object_object_add(config, "_class_name",
                               json_object_new_string(vectors_text(row.record, "class_")));
        sumi_auto_encoder *coder = create(room, json_object_to_json_string(config), 1);
        fill_by_formula(coder, "mix");
        set(room, coder, "tile", "auto");
        check_half(room, &row, coder, HALF_ENCODER, "image", "moments");
        check_half(room, &row, coder, HALF_DECODER, "latents", "decoded");
        sumi_auto_encoder_free(coder);
        found++;
    }
    assert_true(found > 0);
    json_object_put(file);
}

/* ---- Refusals ---- */

static void sizes_that_do_not_fit_are_refused_with_ones_that_do(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, KL, 1);
    sumi_array odd = waves(room, 1, 9, 8, 1), colour = waves(room, 1, 8, 8, 3), result;
    sumi_array noise = waves(room, 1, 8, 8, 2), good = waves(room, 1, 8, 8, 1);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "multiples of 2, such as 10x8",
                sumi_auto_encoder_encode(coder, &odd, NULL, &result));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "pictures [n, h, w, 1]",
                sumi_auto_encoder_encode(coder, &colour, NULL, &result));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "should be of shape [1, 4, 4, 2]",
                sumi_auto_encoder_encode(coder, &good, &noise, &result));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "latents [n, h, w, 2]",
                sumi_auto_encoder_decode(coder, &colour, &result));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "a multiple of 8 pixels to a side, not 12",
                sumi_auto_encoder_set(coder, "tile", "12"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "did you mean \"tile\"",
                sumi_auto_encoder_set(coder, "tiles", "16"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT,
                "\"tile\" of an auto-encoder must be auto or a whole number from 0 to",
                sumi_auto_encoder_set(coder, "tile", "wide"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT,
                "\"seed\" of an auto-encoder must be a whole number from 0 to "
                "18446744073709551615, not '-1'",
                sumi_auto_encoder_set(coder, "seed", "-1"));
    CHECK_OK(room->context, sumi_auto_encoder_set(coder, "seed", "18446744073709551615"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "must be one of mean, sample, not 'mode'",
                sumi_auto_encoder_set(coder, "posterior", "mode"));
    sumi_auto_encoder_free(coder);
    coder = create(room, TINY, 1);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "from which nothing is drawn",
                sumi_auto_encoder_encode(coder, &good, &noise, &result));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "has no \"sample_size\"",
                sumi_auto_encoder_set(coder, "tile", "auto"));
    sumi_array_release(room->context, &odd);
    sumi_array_release(room->context, &colour);
    sumi_array_release(room->context, &noise);
    sumi_array_release(room->context, &good);
    sumi_auto_encoder_free(coder);
}

static void options_are_listed_with_their_values_and_set_by_type(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, KL, 1);
    sumi_option option = {.size = sizeof option};
    int count = 0;
    for (; sumi_auto_encoder_option(coder, count, &option); count++) {
        assert_true(option.name[0] && option.meaning[0] && option.read);
        assert_string_equal(sumi_auto_encoder_get(coder, option.name), option.default_value);
    }
    assert_int_equal(count, 5);
    assert_false(sumi_auto_encoder_option(coder, -1, &option));
    CHECK_OK(room->context, sumi_auto_encoder_set_number(coder, "tile", 16));
    assert_string_equal(sumi_auto_encoder_get(coder, "tile"), "16");
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "a multiple of 8 pixels to a side, not 12",
                sumi_auto_encoder_set_number(coder, "tile", 12));
    assert_string_equal(sumi_auto_encoder_get(coder, "tile"), "16");
    CHECK_OK(room->context, sumi_auto_encoder_set_flag(coder, "slices", true));
    assert_string_equal(sumi_auto_encoder_get(coder, "slices"), "true");
    assert_null(sumi_auto_encoder_get(coder, "slice"));
    assert_null(sumi_auto_encoder_get(coder, NULL));
    sumi_auto_encoder_free(coder);
}

/* ---- Files ---- */

static void a_saved_auto_encoder_is_the_same(void **state)
{
    static const char *const configs[] = {KL, VQ, TINY};
    scratch *room = *state;
    for (int i = 0; i < 3; i++) {
        sumi_auto_encoder *coder = create(room, configs[i], 7), *again = NULL;
        const char *path = scratch_path(room, "vae");
        CHECK_OK(room->context, sumi_auto_encoder_save(coder, path));
        CHECK_OK(room->context, sumi_auto_encoder_open(room->context, path, &again));
        assert_string_equal(sumi_auto_encoder_fingerprint(coder),
                            sumi_auto_encoder_fingerprint(again));
        sumi_array pictures = waves(room, 1, 8, 8, 1);
        sumi_array a = encode(room, coder, &pictures, NULL);
        sumi_array b = encode(room, again, &pictures, NULL);
        check_same(&a, &b, 0);
        sumi_array_release(room->context, &pictures);
        sumi_array_release(room->context, &a);
        sumi_array_release(room->context, &b);
        sumi_auto_encoder_free(coder);
        sumi_auto_encoder_free(again);
    }
}

static void a_folder_without_an_auto_encoder_says_so(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = NULL;
    assert_int_equal(mkdir(scratch_path(room, "empty"), 0777), 0);
    CHECK_FAILS(room->context, SUMI_ERROR_FILE, "empty: the folder has no auto-encoder",
                sumi_auto_encoder_open(room->context, scratch_path(room, "empty"), &coder));
    assert_null(coder);
}

static void an_auto_encoder_without_weights_or_with_those_of_another_size_is_refused(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, KL, 1), *opened = NULL;
    CHECK_OK(room->context, sumi_auto_encoder_save(coder, scratch_path(room, "vae")));
    sumi_auto_encoder_free(coder);
    coder = create(room, VQ, 1);
    CHECK_OK(room->context, sumi_auto_encoder_save(coder, scratch_path(room, "vq")));
    sumi_auto_encoder_free(coder);
    char from[SCRATCH_PATH], to[SCRATCH_PATH];
    const char *const weights[] = {"vq/diffusion_pytorch_model.safetensors",
                                   "vae/diffusion_pytorch_model.safetensors"};
    snprintf(from, sizeof from, "%s", scratch_path(room, weights[0]));
    snprintf(to, sizeof to, "%s", scratch_path(room, weights[1]));
    assert_int_equal(rename(from, to), 0);
    sumi_status status = sumi_auto_encoder_open(room->context, scratch_path(room, "vae"), &opened);
    assert_int_equal(status, SUMI_ERROR_FORMAT);
    assert_null(opened);
    assert_non_null(strstr(sumi_context_message(room->context), "diffusion_pytorch_model"));
    assert_int_equal(remove(to), 0);
    status = sumi_auto_encoder_open(room->context, scratch_path(room, "vae"), &opened);
    assert_int_equal(status, SUMI_ERROR_FILE);
    assert_null(opened);
}

static void files_of_latents_are_read_by_their_own_auto_encoder_only(void **state)
{
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, KL, 1), *other = create(room, KL, 2);
    sumi_auto_encoder *vq = create(room, VQ, 1);
    sumi_array latents = waves(room, 2, 3, 5, 2), again;
    const char *path = scratch_path(room, "latents.safetensors");
    CHECK_OK(room->context, sumi_auto_encoder_write_latents(coder, path, &latents));
    CHECK_OK(room->context, sumi_auto_encoder_read_latents(coder, path, &again));
    check_shape(&again, 2, 3, 5, 2);
    check_same(&latents, &again, 0);
    sumi_array_release(room->context, &again);
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "holds latents of another auto-encoder",
                sumi_auto_encoder_read_latents(other, path, &again));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "has 4 dimensions and 2 channels",
                sumi_auto_encoder_read_latents(vq, path, &again));
    const safetensors_entry plain = {"latents", NUMBER_F32, 4, {2, 2, 3, 5}, latents.data};
    CHECK_OK(room->context, safetensors_write(room->context, path, &plain, 1, NULL, 0));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "does not say in its metadata",
                sumi_auto_encoder_read_latents(coder, path, &again));
    sumi_array_release(room->context, &latents);
    sumi_auto_encoder_free(coder);
    sumi_auto_encoder_free(other);
    sumi_auto_encoder_free(vq);
}

static void attention_may_have_the_names_of_older_files(void **state)
{
    static const char *const names[][2] = {
        {"to_q", "query"}, {"to_k", "key"}, {"to_v", "value"}, {"to_out.0", "proj_attn"}};
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, KL, 3), *again = NULL;
    safetensors_entry entries[TINY_TENSORS];
    char older[TINY_TENSORS][96];
    sumi_weight weight = {.size = sizeof weight};
    size_t count = 0, renamed = 0;
    CHECK_OK(room->context, sumi_auto_encoder_save(coder, scratch_path(room, "vae")));
    for (; sumi_auto_encoder_weight(coder, (int64_t)count, &weight); count++) {
        assert_true(count < TINY_TENSORS);
        snprintf(older[count], sizeof older[count], "%s", weight.name);
        for (int i = 0; i < 4; i++) {
            const char *place = strstr(weight.name, names[i][0]);
            if (!place) continue;
            snprintf(older[count], sizeof older[count], "%.*s%s%s", (int)(place - weight.name),
                     weight.name, names[i][1], place + strlen(names[i][0]));
            renamed++;
        }
        entries[count] =
            (safetensors_entry){older[count], NUMBER_F32, weight.rank, {0}, weight.data};
        memcpy(entries[count].shape, weight.shape, sizeof weight.shape);
    }
    assert_int_equal(renamed, 16);
    CHECK_OK(room->context,
             safetensors_write(room->context,
                               scratch_path(room, "vae/diffusion_pytorch_model.safetensors"),
                               entries, count, NULL, 0));
    CHECK_OK(room->context,
             sumi_auto_encoder_open(room->context, scratch_path(room, "vae"), &again));
    assert_string_equal(sumi_auto_encoder_fingerprint(coder), sumi_auto_encoder_fingerprint(again));
    sumi_auto_encoder_free(coder);
    sumi_auto_encoder_free(again);
}

/* ---- Pipelines ---- */

/* A pipeline "m" of TINY_UNET, whose items have one channel, with the part of a name. */
static void save_pipeline(scratch *room, const char *config, const char *name,
                          const char *class_name)
{
    char index[512], folder[64];
    sumi_model *model = tiny_create(room, TINY_UNET);
    sumi_auto_encoder *coder = create(room, config, 1);
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "m")));
    snprintf(folder, sizeof folder, "m/%s", name);
    CHECK_OK(room->context, sumi_auto_encoder_save(coder, scratch_path(room, folder)));
    snprintf(index, sizeof index,
             "{\"scheduler\": [\"diffusers\", \"DDPMScheduler\"],"
             " \"unet\": [\"diffusers\", \"UNet2DModel\"], \"%s\": [\"diffusers\", \"%s\"]}",
             name, class_name);
    tiny_write(room, "m/model_index.json", index);
    sumi_model_free(model);
    sumi_auto_encoder_free(coder);
}

static void samples_of_a_latent_model_are_decoded(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    sumi_auto_encoder *coder = NULL;
    sumi_solver *solver = NULL;
    sumi_array samples, latents;
    sumi_part part = {.size = sizeof part};
    save_pipeline(room, TINY, "vae", "AutoencoderTiny");
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "m"), &model));
    assert_true(sumi_model_part(model, 2, &part));
    assert_string_equal(part.name, "vae");
    assert_string_equal(part.class_name, "AutoencoderTiny");
    assert_int_equal(part.kind, SUMI_PART_AUTO_ENCODER);
    CHECK_OK(room->context, sumi_model_solver(model, NULL, &solver));
    CHECK_OK(room->context, sumi_solver_set(solver, "steps", "2"));
    CHECK_OK(room->context, sumi_model_sample(model, solver, 2, NULL, &samples));
    check_shape(&samples, 2, 16, 16, 1);
    CHECK_OK(room->context, sumi_auto_encoder_of(room->context, model, &coder));
    const int64_t shape[4] = {2, 8, 8, 1};
    CHECK_OK(room->context, sumi_array_create(room->context, 4, shape, &latents));
    CHECK_OK(room->context, sumi_solver_start(solver, 4, shape, latents.data));
    CHECK_OK(room->context, once_run(room->context, model, solver, 4, shape, latents.data));
    sumi_array decoded = decode(room, coder, &latents);
    check_same(&samples, &decoded, 0);
    sumi_array_release(room->context, &samples);
    sumi_array_release(room->context, &latents);
    sumi_array_release(room->context, &decoded);
    sumi_auto_encoder_free(coder);
    sumi_solver_free(solver);
    sumi_model_free(model);
}

static void a_saved_pipeline_keeps_its_auto_encoder(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL, *again = NULL;
    sumi_part part = {.size = sizeof part};
    save_pipeline(room, TINY, "vqvae", "AutoencoderTiny");
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "m"), &model));
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "copy")));
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "copy"), &again));
    assert_true(sumi_model_part(again, 2, &part));
    assert_string_equal(part.name, "vqvae");
    sumi_model_free(model);
    sumi_model_free(again);
}

static void check_unopened(scratch *room, const char *part)
{
    sumi_model *model = NULL;
    sumi_status status = sumi_model_open(room->context, scratch_path(room, "m"), &model);
    assert_true(status != SUMI_OK);
    if (!strstr(sumi_context_message(room->context), part))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(room->context), part);
}

static void an_auto_encoder_that_does_not_fit_its_pipeline_is_refused(void **state)
{
    scratch *room = *state;
    save_pipeline(room, KL, "vae", "AutoencoderKL");
    check_unopened(room, "gives latents of 2 channels, but the network takes items of 1");
    save_pipeline(room, TINY, "vae", "AutoencoderKL");
    check_unopened(room, "\"vae\" of class AutoencoderKL, but its config.json is of class "
                         "AutoencoderTiny");
    save_pipeline(room, TINY, "vae", "AutoencoderTiny");
    tiny_write(room, "m/vae/config.json", TINY_UNET);
    check_unopened(room, "auto-encoders of class \"UNet2DModel\" are not supported");
    assert_int_equal(remove(scratch_path(room, "m/vae/config.json")), 0);
    check_unopened(room, "config.json");
}

/* ---- Precision ---- */

static double rms_of(const sumi_array *a, const sumi_array *b)
{
    const int64_t count = sumi_array_count(a);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double difference = (double)a->data[i] - (b ? (double)b->data[i] : 0);
        sum += difference * difference;
    }
    return sqrt(sum / (double)count);
}

/* Each of `roundings` to bfloat16 in a row is independent and at most 2^-8, so results differ by at
   most sqrt(roundings) 2^-8, as root mean squares; and by more than float32 would. */
static void check_rounded(const sumi_array *wide, const sumi_array *rounded, int roundings)
{
    assert_int_equal(sumi_array_count(wide), sumi_array_count(rounded));
    double error = rms_of(wide, rounded) / rms_of(wide, NULL);
    if (!(error > 1e-4 && error < sqrt(roundings) * 0x1p-8))
        fail_msg("the relative difference is %.3g", error);
}

/* A residual layer: two norms and two convolutions. The middle: two such, and the norm, q, k, v,
   weighted sum and projection of the attention. The ends: first and last convolution, and norm. */
enum { OF_LAYER = 4, OF_MIDDLE = 2 * OF_LAYER + 6, OF_ENDS = 3 };

static void results_in_bf16_differ_by_no_more_than_their_roundings(void **state)
{
    static const char config[] =
        "{\"_class_name\": \"AutoencoderKL\", \"latent_channels\": 4, \"block_out_channels\":"
        " [32, 64], \"norm_num_groups\": 8, \"down_block_types\": [\"DownEncoderBlock2D\","
        " \"DownEncoderBlock2D\"], \"up_block_types\": [\"UpDecoderBlock2D\","
        " \"UpDecoderBlock2D\"], \"layers_per_block\": 2, \"sample_size\": 32, \"in_channels\": 3,"
        " \"out_channels\": 3}";
    scratch *room = *state;
    sumi_auto_encoder *coder = create(room, config, 3);
    sumi_array pictures = waves(room, 2, 32, 48, 3), latents[2], again[2];
    latents[0] = encode(room, coder, &pictures, NULL);
    again[0] = decode(room, coder, &latents[0]);
    set(room, coder, "precision", "bf16");
    latents[1] = encode(room, coder, &pictures, NULL);
    again[1] = decode(room, coder, &latents[0]);
    /* both change their channels and their size once */
    check_rounded(&latents[0], &latents[1], 4 * OF_LAYER + 2 + OF_MIDDLE + OF_ENDS);
    check_rounded(&again[0], &again[1], 6 * OF_LAYER + 2 + OF_MIDDLE + OF_ENDS);
    for (int i = 0; i < 2; i++) {
        sumi_array_release(room->context, &latents[i]);
        sumi_array_release(room->context, &again[i]);
    }
    sumi_array_release(room->context, &pictures);
    sumi_auto_encoder_free(coder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(pictures_become_latents_and_pictures_again),
        SCRATCH_TEST(a_draw_is_the_mean_and_noise_times_the_deviation),
        SCRATCH_TEST(the_seed_keys_the_draws),
        SCRATCH_TEST(slices_of_the_batch_change_no_bit),
        SCRATCH_TEST(tiles_of_a_network_that_sees_single_pixels_make_the_whole_picture),
        SCRATCH_TEST(pictures_no_larger_than_a_tile_are_computed_whole),
        SCRATCH_TEST(tiles_are_those_of_diffusers),
        SCRATCH_TEST(sizes_that_do_not_fit_are_refused_with_ones_that_do),
        SCRATCH_TEST(options_are_listed_with_their_values_and_set_by_type),
        SCRATCH_TEST(a_saved_auto_encoder_is_the_same),
        SCRATCH_TEST(a_folder_without_an_auto_encoder_says_so),
        SCRATCH_TEST(an_auto_encoder_without_weights_or_with_those_of_another_size_is_refused),
        SCRATCH_TEST(files_of_latents_are_read_by_their_own_auto_encoder_only),
        SCRATCH_TEST(attention_may_have_the_names_of_older_files),
        SCRATCH_TEST(samples_of_a_latent_model_are_decoded),
        SCRATCH_TEST(a_saved_pipeline_keeps_its_auto_encoder),
        SCRATCH_TEST(an_auto_encoder_that_does_not_fit_its_pipeline_is_refused),
        SCRATCH_TEST(results_in_bf16_differ_by_no_more_than_their_roundings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
