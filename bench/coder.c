/* SPDX-License-Identifier: Apache-2.0 */
/* Sumi's side of the workloads of auto-encoders: like workload.c, it uses only the public header.

   coder FOLDER [--forward] [--precision NAME] [--threads N] RECIPE [section.key=value ...]

   The recipe is one of train.objective = autoencoder, and FOLDER receives the auto-encoder (or has
   it already). What is timed is a training step, or with --forward a decoding of train.batch
   latents, of the size that pictures of the data have. For the commands see side.h: `check N`
   decodes N latents, writes x.npy and output.npy to FOLDER, and answers with mean(output^2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "side.h"

enum { PATH_ROOM = 4096 };

struct coder {
    sumi_context *context;
    const char *folder;
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_auto_encoder *auto_encoder;
    sumi_trainer *trainer; /* NULL where latents are decoded */
    sumi_array latents;    /* [batch, h, w, c] */
};

/* Latents of numbers of the data, which are noise. */
static sumi_status fill_latents(const struct coder *c, int64_t count, sumi_array *latents)
{
    sumi_auto_encoder_info info = {.size = sizeof info};
    int64_t shape[SUMI_MAX_RANK], picture = 1;
    int rank = sumi_data_shape(c->data, shape);
    sumi_auto_encoder_describe(c->auto_encoder, &info);
    for (int i = 0; i < rank; i++) picture *= shape[i];
    int64_t sizes[4] = {count, shape[0] / info.factor, shape[1] / info.factor,
                        info.latent_channels};
    const size_t size = (size_t)(sizes[1] * sizes[2] * sizes[3]);
    float *numbers = calloc((size_t)picture, sizeof *numbers);
    sumi_status status = numbers ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = sumi_array_create(c->context, 4, sizes, latents);
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        int64_t index = i % sumi_data_count(c->data);
        status = sumi_data_read(c->data, &index, 1, numbers, NULL);
        memcpy(latents->data + (size_t)i * size, numbers, size * sizeof *numbers);
    }
    free(numbers);
    return status;
}

/* Opens the auto-encoder of the folder, or creates one there. */
static sumi_status open_auto_encoder(struct coder *c)
{
    char path[PATH_ROOM];
    struct stat about;
    snprintf(path, sizeof path, "%s/config.json", c->folder);
    if (stat(path, &about) == 0)
        return sumi_auto_encoder_open(c->context, c->folder, &c->auto_encoder);
    sumi_status status =
        sumi_auto_encoder_create_from_recipe(c->context, c->recipe, c->data, &c->auto_encoder);
    return status == SUMI_OK ? sumi_auto_encoder_save(c->auto_encoder, c->folder) : status;
}

static sumi_status prepare(struct coder *c, const struct side_options *o)
{
    c->folder = o->folder;
    sumi_status status = side_open_recipe(c->context, o, &c->recipe);
    if (status == SUMI_OK) status = sumi_data_open(c->context, c->recipe, &c->data);
    if (status == SUMI_OK) status = open_auto_encoder(c);
    if (status == SUMI_OK && o->precision)
        status = sumi_auto_encoder_set(c->auto_encoder, "precision", o->precision);
    if (status != SUMI_OK) return status;
    if (o->forward)
        return fill_latents(c, atoll(sumi_recipe_get(c->recipe, "train.batch")), &c->latents);
    return sumi_trainer_create_auto_encoder(c->context, c->recipe, c->auto_encoder, c->data,
                                            &c->trainer);
}

static void release(struct coder *c)
{
    sumi_array_release(c->context, &c->latents);
    sumi_trainer_free(c->trainer);
    sumi_auto_encoder_free(c->auto_encoder);
    sumi_data_free(c->data);
    sumi_recipe_free(c->recipe);
    sumi_context_free(c->context);
}

static sumi_status write_array(const struct coder *c, const char *name, const sumi_array *array)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", c->folder, name);
    return sumi_array_write(c->context, path, array);
}

static sumi_status check(void *user, int64_t count)
{
    struct coder *c = user;
    sumi_array latents = {0}, pictures = {0};
    sumi_status status = fill_latents(c, count, &latents);
    if (status == SUMI_OK) status = sumi_auto_encoder_decode(c->auto_encoder, &latents, &pictures);
    if (status == SUMI_OK) status = write_array(c, "x.npy", &latents);
    if (status == SUMI_OK) status = write_array(c, "output.npy", &pictures);
    double loss = 0;
    for (int64_t i = 0; status == SUMI_OK && i < sumi_array_count(&pictures); i++)
        loss += (double)pictures.data[i] * pictures.data[i] / (double)sumi_array_count(&pictures);
    if (status == SUMI_OK) printf("check %.9g\n", loss);
    sumi_array_release(c->context, &latents);
    sumi_array_release(c->context, &pictures);
    return status;
}

static sumi_status run_once(void *user)
{
    struct coder *c = user;
    if (c->trainer) return sumi_trainer_step(c->trainer, NULL);
    sumi_array pictures = {0};
    sumi_status status = sumi_auto_encoder_decode(c->auto_encoder, &c->latents, &pictures);
    sumi_array_release(c->context, &pictures);
    return status;
}

int main(int argc, char **argv)
{
    struct coder c = {.context = NULL};
    struct side_options options;
    if (!side_read_options(argc, argv, &options)) return 2;
    if (side_create_context(&options, &c.context) != SUMI_OK) return side_fail(NULL, "context");
    const struct subject subject = {c.context, &c, run_once, check};
    int code =
        prepare(&c, &options) == SUMI_OK ? side_answer(&subject) : side_fail(c.context, "prepare");
    release(&c);
    return code;
}
