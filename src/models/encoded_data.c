/* SPDX-License-Identifier: Apache-2.0 */
/* Training data of latent diffusion (Rombach et al. 2022): encodes a data set with the frozen
   auto-encoder of a recipe, into files of a cache, and opens these as the data set that is trained
   on. What an interrupted call has written is kept. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/profile.h"
#include "data/augment.h"
#include "data/fingerprint.h"
#include "data/latents.h"
#include "models/auto_encoder.h"

enum { FILE_BYTES = 1 << 25, CALL_BYTES = 1 << 26 }; /* of a file; of pictures encoded at once */

#define A_MODEL "train.objective!=autoencoder"
#define WITH_AN_AUTO_ENCODER "latents.auto_encoder!=, " A_MODEL

const struct option latents_keys[] = {
    {PATH_OPTION("latents.auto_encoder", "",
                 "folder of an auto-encoder, on whose latents the model is trained; empty: on the "
                 "items themselves"),
     .when = A_MODEL},
    {CHOICE_OPTION("latents.posterior", "sample", "sample|mean",
                   "draw each latent anew from its posterior whenever it is taken, or take the "
                   "mean"),
     .when = WITH_AN_AUTO_ENCODER},
    {PATH_OPTION("latents.folder", "",
                 "folder of the files of latents; empty: one in the user's cache folder"),
     .when = WITH_AN_AUTO_ENCODER},
    {WHOLE_OPTION("latents.file_items", "0", 0, 1e9,
                  "number of items in a file of latents; 0: about 32 megabytes"),
     .when = WITH_AN_AUTO_ENCODER},
    {.name = NULL},
};

struct encoding {
    sumi_context *context;
    const sumi_recipe *recipe;
    sumi_data *pictures;
    sumi_auto_encoder *coder;
    bool mirrored; /* whether the mirrored pictures follow the others (data.flip) */
    struct latents_cache cache;
    sumi_progress_function progress;
    void *user;
    double start;
    int64_t first; /* items that were there */
};

/* ---- What is to be encoded ---- */

static sumi_status check_pictures(const struct encoding *encoding)
{
    const sumi_data *pictures = encoding->pictures;
    const struct augment *augment = &pictures->augment;
    if (pictures->auto_encoder[0]) {
        return context_fail(encoding->context, SUMI_ERROR_ARGUMENT,
                            "%s: the items are latents already", pictures->name);
    }
    if (sumi_data_kind(pictures) != SUMI_PICTURE) {
        return context_fail(encoding->context, SUMI_ERROR_ARGUMENT,
                            "latents.auto_encoder is for pictures, which the items of %s are not",
                            pictures->name);
    }
    if (pictures->bucket_count) {
        return context_fail(encoding->context, SUMI_ERROR_ARGUMENT,
                            "latents.auto_encoder encodes pictures of one size; take out "
                            "data.heights and data.widths");
    }
    if (!augment->flip_vertical && !augment->shift) return SUMI_OK;
    return context_fail(encoding->context, SUMI_ERROR_ARGUMENT,
                        "data.%s changes pictures while training, but latents are encoded before; "
                        "set it to %s (data.flip is possible: the mirrored pictures are encoded, "
                        "too)",
                        augment->shift ? "shift" : "flip_vertical", augment->shift ? "0" : "no");
}

static sumi_status mark_pictures(struct encoding *encoding)
{
    char *mark = encoding->cache.pictures;
    TRY(fingerprint_mark(encoding->pictures, mark));
    if (!encoding->mirrored) return SUMI_OK;
    uint64_t sum = hash_word(hash_bytes(1, mark, strlen(mark)), 1);
    hash_to_text(sum, mark);
    return SUMI_OK;
}

/* The shape of an item's latents; refuses pictures that cannot be encoded. */
static sumi_status find_shape(struct encoding *encoding)
{
    struct latents_cache *cache = &encoding->cache;
    const sumi_data *pictures = encoding->pictures;
    struct shape one = {.rank = 4, .size = {1}};
    memcpy(one.size + 1, pictures->shape, 3 * sizeof *one.size);
    TRY(auto_encoder_check_pictures(encoding->coder, &one));
    struct shape encoded = half_output(encoding->coder, HALF_ENCODER, &one);
    memcpy(cache->shape, encoded.size + 1, sizeof cache->shape);
    cache->shape[2] = encoding->coder->part->net->latent_channels;
    return SUMI_OK;
}

/* The folder latents/KEY of the user's cache; the key is of the auto-encoder and the pictures. */
static sumi_status usual_folder(struct encoding *encoding)
{
    struct latents_cache *cache = &encoding->cache;
    char name[64 + 2 * HASH_TEXT];
    snprintf(name, sizeof name, "latents/%s-%s-%" PRId64, cache->auto_encoder, cache->pictures,
             cache->each);
    return path_cache_folder(encoding->context, name, cache->folder);
}

static sumi_status plan_cache(struct encoding *encoding)
{
    struct latents_cache *cache = &encoding->cache;
    const char *folder = recipe_text(encoding->recipe, "latents.folder");
    const char *mark = sumi_auto_encoder_fingerprint(encoding->coder);
    if (!mark) return SUMI_ERROR_MEMORY;
    snprintf(cache->auto_encoder, HASH_TEXT, "%s", mark);
    TRY(mark_pictures(encoding));
    TRY(find_shape(encoding));
    cache->deviations = encoding->coder->part->net->type->moments;
    cache->count = encoding->pictures->count * (encoding->mirrored ? 2 : 1);
    cache->each = recipe_int(encoding->recipe, "latents.file_items");
    int64_t bytes = 8 * cache->shape[0] * cache->shape[1] * cache->shape[2];
    if (!cache->each) cache->each = bytes < FILE_BYTES ? FILE_BYTES / bytes : 1;
    if (!folder[0]) return usual_folder(encoding);
    if (snprintf(cache->folder, PATH_SIZE, "%s", folder) < PATH_SIZE) return SUMI_OK;
    return context_fail(encoding->context, SUMI_ERROR_ARGUMENT, "latents.folder is too long");
}

/* ---- Encoding ---- */

static sumi_status report(const struct encoding *encoding, int64_t done)
{
    double seconds = profile_clock() - encoding->start,
           rate = (double)(done - encoding->first) / seconds;
    int64_t left = encoding->cache.count - done;
    sumi_progress progress = {.size = sizeof progress,
                              .task = "encode",
                              .step = done,
                              .steps = encoding->cache.count,
                              .rate = rate,
                              .rate_unit = "pictures/s",
                              .seconds_left = rate > 0 ? (double)left / rate : -1};
    if (!encoding->progress || encoding->progress(encoding->user, &progress)) return SUMI_OK;
    return context_fail(encoding->context, SUMI_STOPPED,
                        "encoding was stopped; %s keeps the latents so far",
                        encoding->cache.folder);
}

/* Reads pictures from item `first` on, of which those behind the data set's are its mirrored. */
static sumi_status read_pictures(const struct encoding *encoding, int64_t first,
                                 sumi_array *pictures)
{
    sumi_data *data = encoding->pictures;
    for (int64_t i = 0; i < pictures->shape[0]; i++) {
        int64_t number = first + i, index = number % data->count;
        float *item = pictures->data + i * data->item_size;
        TRY(sumi_data_read(data, &index, 1, item, NULL));
        if (number >= data->count) augment_mirror(data->shape, item);
    }
    return SUMI_OK;
}

static sumi_status check_finite(const struct encoding *encoding, int64_t first,
                                const sumi_array *values)
{
    int64_t size = sumi_array_count(values) / (values->shape[0] ? values->shape[0] : 1);
    for (int64_t i = 0; i < sumi_array_count(values); i++) {
        if (isfinite(values->data[i])) continue;
        return context_fail(encoding->context, SUMI_ERROR_NUMBER,
                            "the auto-encoder gives latents of item %" PRId64
                            " that are not finite",
                            first + i / size);
    }
    return SUMI_OK;
}

/* Encodes items from `first` on into latents[count] and deviations[count] of a file. */
static sumi_status encode_some(const struct encoding *encoding, int64_t first, int64_t count,
                               float *latents, float *deviations)
{
    const int64_t *size = encoding->pictures->shape;
    sumi_array pictures = {0}, means = {0}, spread = {0};
    TRY(sumi_array_create(encoding->context, 4, (int64_t[]){count, size[0], size[1], size[2]},
                          &pictures));
    sumi_status status = read_pictures(encoding, first, &pictures);
    if (status == SUMI_OK)
        status = auto_encoder_posterior(encoding->coder, &pictures, &means, &spread);
    if (status == SUMI_OK) status = check_finite(encoding, first, &means);
    if (status == SUMI_OK && spread.data) status = check_finite(encoding, first, &spread);
    if (status == SUMI_OK) {
        size_t bytes = (size_t)sumi_array_count(&means) * sizeof *latents;
        memcpy(latents, means.data, bytes);
        if (spread.data) memcpy(deviations, spread.data, bytes);
    }
    sumi_array_release(encoding->context, &pictures);
    sumi_array_release(encoding->context, &means);
    sumi_array_release(encoding->context, &spread);
    return status;
}

/* How many pictures to encode between reports. */
static int64_t items_of_a_call(const struct encoding *encoding)
{
    int64_t most = CALL_BYTES / (encoding->pictures->item_size * (int64_t)sizeof(float));
    return most < 1 ? 1 : most > 64 ? 64 : most;
}

static sumi_status encode_file(const struct encoding *encoding, int64_t number, float *latents,
                               float *deviations)
{
    const struct latents_cache *cache = &encoding->cache;
    int64_t first = latents_first(cache, number), count = latents_in_file(cache, number);
    int64_t size = cache->shape[0] * cache->shape[1] * cache->shape[2];
    int64_t step = items_of_a_call(encoding);
    for (int64_t done = 0; done < count; done += step) {
        int64_t some = count - done < step ? count - done : step;
        TRY(encode_some(encoding, first + done, some, latents + done * size,
                        deviations + done * size));
        TRY(report(encoding, first + done + some));
    }
    return latents_file_write(encoding->context, cache, number, latents,
                              cache->deviations ? deviations : NULL);
}

/* Encodes what is not there. A file that is there is checked when the data set is opened. */
static sumi_status fill_cache(struct encoding *encoding)
{
    const struct latents_cache *cache = &encoding->cache;
    int64_t size = cache->shape[0] * cache->shape[1] * cache->shape[2];
    int64_t files = latents_file_count(cache), present = 0;
    while (present < files && latents_file_exists(encoding->context, cache, present)) present++;
    if (present == files) return SUMI_OK;
    if (present > 0) { /* before hours of encoding beside files of another auto-encoder */
        safetensors *file = NULL;
        TRY(latents_file_open(encoding->context, cache, 0, &file));
        safetensors_free(file);
    }
    TRY(folder_make(encoding->context, cache->folder));
    folder_clear_unfinished(cache->folder);
    size_t most = (size_t)((cache->count < cache->each ? cache->count : cache->each) * size);
    float *rows = context_allocate(encoding->context, 2 * most, sizeof *rows);
    if (!rows) return SUMI_ERROR_MEMORY;
    encoding->start = profile_clock();
    encoding->first = present * cache->each;
    sumi_status status = SUMI_OK;
    for (int64_t i = present; i < files && status == SUMI_OK; i++) {
        if (!latents_file_exists(encoding->context, cache, i))
            status = encode_file(encoding, i, rows, rows + most);
    }
    context_release(encoding->context, rows);
    return status;
}

/* ---- The data set ---- */

/* New labels [count] of all items, NULL without classes. */
static sumi_status copy_labels(const struct encoding *encoding, int32_t **labels)
{
    sumi_data *pictures = encoding->pictures;
    *labels = NULL;
    if (!pictures->classes) return SUMI_OK;
    *labels = context_allocate(encoding->context, (size_t)encoding->cache.count, sizeof **labels);
    if (!*labels) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < encoding->cache.count; i++)
        TRY(data_read_label(pictures, i % pictures->count, *labels + i));
    return SUMI_OK;
}

/* Gives each latent the caption of its picture. */
static sumi_status copy_captions(const struct encoding *encoding, sumi_data *data)
{
    const sumi_data *pictures = encoding->pictures;
    data->caption_dropout = pictures->caption_dropout;
    for (int64_t i = 0; i < data->count && pictures->captions.count; i++) {
        const char *caption = sumi_data_caption(pictures, i % pictures->count);
        TRY(names_set(encoding->context, &data->captions, i, caption));
    }
    return SUMI_OK;
}

static sumi_status open_latents(const struct encoding *encoding, sumi_data **data)
{
    sumi_data *pictures = encoding->pictures;
    bool draws = recipe_is(encoding->recipe, "latents.posterior", "sample");
    int32_t *labels = NULL;
    sumi_status status = copy_labels(encoding, &labels);
    if (status == SUMI_OK)
        status = latents_data_open(encoding->context, &encoding->cache, draws, labels,
                                   pictures->classes, data);
    context_release(encoding->context, labels);
    for (int i = 0; i < pictures->classes && status == SUMI_OK; i++) {
        const char *name = sumi_data_class_name(pictures, i);
        if (name) status = names_set(encoding->context, &(*data)->class_names, i, name);
    }
    if (status == SUMI_OK) status = copy_captions(encoding, *data);
    if (status == SUMI_OK) (*data)->readers = pictures->readers;
    if (status == SUMI_OK) return SUMI_OK;
    sumi_data_free(*data);
    *data = NULL;
    return status;
}

/* Refuses keys of [latents] that are not read. */
static sumi_status check_keys(sumi_context *context, const sumi_recipe *recipe)
{
    static const char *const sections[] = {"latents", NULL};
    return recipe_check_read(context, recipe, sections);
}

sumi_status sumi_data_encode(sumi_context *context, const sumi_recipe *recipe, sumi_data *pictures,
                             sumi_progress_function progress, void *user, sumi_data **latents)
{
    const char *folder = recipe_text(recipe, "latents.auto_encoder");
    struct encoding encoding = {.context = context,
                                .recipe = recipe,
                                .pictures = pictures,
                                .mirrored = pictures->augment.flip,
                                .progress = progress,
                                .user = user};
    *latents = NULL;
    TRY(check_keys(context, recipe));
    if (!folder[0]) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the recipe names no auto-encoder to encode with; set "
                            "latents.auto_encoder");
    }
    TRY(check_pictures(&encoding));
    TRY(sumi_auto_encoder_open(context, folder, &encoding.coder));
    sumi_status status = plan_cache(&encoding);
    if (status == SUMI_OK) status = fill_cache(&encoding);
    if (status == SUMI_OK) status = open_latents(&encoding, latents);
    sumi_auto_encoder_free(encoding.coder);
    return status;
}

/* ---- The model's part ---- */

static sumi_status check_data(const sumi_model *model, const sumi_recipe *recipe,
                              const sumi_data *data)
{
    bool named = recipe_text(recipe, "latents.auto_encoder")[0];
    if (named == (data->auto_encoder[0] != '\0')) return SUMI_OK;
    return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                        named ? "%s: the recipe names an auto-encoder, latents.auto_encoder, but "
                                "these items are no latents; encode them first (sumi_data_encode)"
                              : "%s: the items are latents, but the recipe names no auto-encoder; "
                                "set latents.auto_encoder",
                        data->name);
}

/* Latents are not limited to the range of pictures. */
static sumi_status check_clip(const sumi_model *model, const sumi_recipe *recipe)
{
    if (!recipe_flag(recipe, "noise.clip") || recipe_flag(recipe, "noise.thresholding")
        || recipe_number(recipe, "noise.clip_range") > 1)
        return SUMI_OK;
    return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                        "noise.clip = yes keeps clean items between -1 and 1 while sampling, but "
                        "latents go beyond; set noise.clip = no");
}

static sumi_status check_owner(const sumi_model *model, const sumi_data *data, const char *folder)
{
    char mark[HASH_TEXT];
    TRY(auto_encoder_part_mark(model->auto_encoder, mark));
    if (strcmp(mark, data->auto_encoder) == 0) return SUMI_OK;
    return context_fail(model->context, SUMI_ERROR_FORMAT,
                        "%s: the data are latents of another auto-encoder (%.40s) than this (%s)",
                        folder, data->auto_encoder, mark);
}

sumi_status model_adopt_auto_encoder(sumi_model *model, const sumi_recipe *recipe,
                                     const sumi_data *data)
{
    const char *folder = recipe_text(recipe, "latents.auto_encoder");
    char found[PATH_SIZE];
    TRY(check_data(model, recipe, data));
    TRY(check_keys(model->context, recipe));
    if (!folder[0]) return SUMI_OK;
    TRY(check_clip(model, recipe));
    TRY(auto_encoder_find(model->context, folder, found));
    TRY(auto_encoder_part_open(model->context, found, &model->auto_encoder));
    /* the names of LDMPipeline's, DiTPipeline's and StableDiffusion3Pipeline's parts */
    bool unet = strcmp(model_part_name(model), "unet") == 0;
    snprintf(model->auto_encoder->name, sizeof model->auto_encoder->name, "%s",
             unet ? "vqvae" : "vae");
    return check_owner(model, data, folder);
}
