/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of latents: what is read has the auto-encoder's channels and as many numbers
   as its shape says. The seeds bear the fingerprint of the auto-encoder that is made here. */
#include <stdlib.h>

#include "models/auto_encoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char CONFIG[] =
    "{\"_class_name\": \"AutoencoderTiny\", \"in_channels\": 1, \"out_channels\": 1,"
    " \"encoder_block_out_channels\": [2], \"decoder_block_out_channels\": [2],"
    " \"num_encoder_blocks\": [0], \"num_decoder_blocks\": [0], \"latent_channels\": 2}";

static void read(sumi_context *context, const uint8_t *bytes, size_t size)
{
    sumi_auto_encoder *auto_encoder = NULL;
    safetensors *file = NULL;
    sumi_array latents = {0};
    if (sumi_auto_encoder_create(context, CONFIG, 1, &auto_encoder) != SUMI_OK) return;
    if (safetensors_parse(context, bytes, size, "latents", &file) == SUMI_OK
        && latents_take(auto_encoder, "latents", file, &latents) == SUMI_OK) {
        if (latents.rank != 4 || latents.shape[3] != 2 || sumi_array_count(&latents) < 1) abort();
    }
    sumi_array_release(context, &latents);
    sumi_auto_encoder_free(auto_encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    read(context, bytes, size);
    sumi_context_free(context);
    return 0;
}
