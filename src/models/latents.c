/* SPDX-License-Identifier: Apache-2.0 */
/* Latents in files: safetensors with one tensor "latents" [n,c,h,w], as torch lays it out, scaled
   as diffusion works on them, and the fingerprint of the auto-encoder that they are of. */
#include <string.h>

#include "files/channels.h"
#include "models/auto_encoder.h"

static const char TENSOR[] = "latents", MARK[] = "auto_encoder", CLASS[] = "auto_encoder_class";

sumi_status sumi_auto_encoder_write_latents(sumi_auto_encoder *auto_encoder, const char *path,
                                            const sumi_array *latents)
{
    sumi_context *context = auto_encoder->context;
    const struct auto_encoder *net = auto_encoder->part->net;
    const char *mark = sumi_auto_encoder_fingerprint(auto_encoder);
    if (!mark) return SUMI_ERROR_MEMORY;
    if (latents->rank != 4 || latents->shape[3] != net->latent_channels) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: latents of this auto-encoder should be [n, h, w, %lld]", path,
                            (long long)net->latent_channels);
    }
    const int64_t *shape = latents->shape;
    size_t count = (size_t)sumi_array_count(latents);
    float *turned = context_allocate(context, count, sizeof *turned);
    if (!turned) return SUMI_ERROR_MEMORY;
    channels_to_first(shape, latents->data, turned);
    const safetensors_entry entry = {
        TENSOR, NUMBER_F32, 4, {shape[0], shape[3], shape[1], shape[2]}, turned};
    const safetensors_text texts[] = {{MARK, mark}, {CLASS, net->type->class_name}};
    sumi_status status = safetensors_write(context, path, &entry, 1, texts, 2);
    context_release(context, turned);
    return status;
}

/* ---- Reading ---- */

static sumi_status check_owner(sumi_auto_encoder *runner, const char *name, const safetensors *file)
{
    const char *own = sumi_auto_encoder_fingerprint(runner);
    const char *mark = safetensors_metadata(file, MARK);
    if (!own) return SUMI_ERROR_MEMORY;
    if (!mark) {
        return context_fail(runner->context, SUMI_ERROR_FORMAT,
                            "%s: does not say in its metadata, \"%s\", of which auto-encoder its "
                            "latents are; make them with sumi encode",
                            name, MARK);
    }
    if (strcmp(mark, own) == 0) return SUMI_OK;
    return context_fail(runner->context, SUMI_ERROR_FORMAT,
                        "%s: holds latents of another auto-encoder (%.40s) than this one (%s)",
                        name, mark, own);
}

static sumi_status check_tensor(const sumi_auto_encoder *runner, const char *name,
                                const safetensors *file, const safetensors_tensor **tensor)
{
    int64_t channels = runner->part->net->latent_channels;
    *tensor = safetensors_find(file, TENSOR);
    if (!*tensor) {
        return context_fail(runner->context, SUMI_ERROR_FORMAT,
                            "%s: there should be a tensor \"%s\" [n, c, h, w]", name, TENSOR);
    }
    if ((*tensor)->rank == 4 && (*tensor)->shape[1] == channels && (*tensor)->count > 0)
        return SUMI_OK;
    return context_fail(runner->context, SUMI_ERROR_FORMAT,
                        "%s: \"%s\" has %d dimensions and %lld channels; this auto-encoder's "
                        "latents are [n, %lld, h, w]",
                        name, TENSOR, (*tensor)->rank,
                        (*tensor)->rank > 1 ? (long long)(*tensor)->shape[1] : 0,
                        (long long)channels);
}

static sumi_status read_tensor(sumi_context *context, const safetensors *file,
                               const safetensors_tensor *tensor, sumi_array *latents)
{
    const int64_t *size = tensor->shape, shape[4] = {size[0], size[2], size[3], size[1]};
    float *values = context_allocate(context, (size_t)tensor->count, sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    sumi_status status = safetensors_read(file, tensor, values);
    if (status == SUMI_OK) status = sumi_array_create(context, 4, shape, latents);
    if (status == SUMI_OK) channels_to_last(shape, values, latents->data);
    context_release(context, values);
    return status;
}

sumi_status latents_take(sumi_auto_encoder *runner, const char *name, safetensors *file,
                         sumi_array *latents)
{
    const safetensors_tensor *tensor = NULL;
    memset(latents, 0, sizeof *latents);
    sumi_status status = check_tensor(runner, name, file, &tensor);
    if (status == SUMI_OK) status = check_owner(runner, name, file);
    if (status == SUMI_OK) status = read_tensor(runner->context, file, tensor, latents);
    safetensors_free(file);
    return status;
}

sumi_status sumi_auto_encoder_read_latents(sumi_auto_encoder *auto_encoder, const char *path,
                                           sumi_array *latents)
{
    safetensors *file = NULL;
    memset(latents, 0, sizeof *latents);
    TRY(safetensors_open(auto_encoder->context, path, &file));
    return latents_take(auto_encoder, path, file, latents);
}
