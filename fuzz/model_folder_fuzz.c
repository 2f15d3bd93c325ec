/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the texts of a model folder: the index, a network's config and a scheduler's, parted
   by zero bytes. Weights are not made, for a config may ask for more than there is memory. */
#include <stdlib.h>
#include <string.h>

#include "models/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_config(sumi_context *context, const char *text)
{
    sumi_model *model = NULL;
    int64_t shape[SUMI_MAX_RANK];
    if (model_begin(context, text, "config.json", &model) != SUMI_OK) return;
    (void)sumi_model_shape(model, shape);
    (void)model_check_size(context, model);
    sumi_model_free(model);
}

static void read_scheduler(sumi_context *context, const char *text)
{
    char *result = NULL, name[80];
    if (scheduler_read(context, text, "scheduler_config.json", &result) != SUMI_OK) return;
    (void)scheduler_class(context, result, name, sizeof name);
    sumi_text_release(context, result);
}

/* Whatever the index names, there is no folder to load it from. */
static void read_index(sumi_context *context, const char *text)
{
    sumi_model *model = context_allocate_zeroed(context, 1, sizeof *model);
    if (!model) return;
    model->context = context;
    if (parts_open(model, "/nowhere", text, "model_index.json") == SUMI_OK) abort();
    sumi_model_free(model);
}

static void read_parts(sumi_context *context, const char *text, size_t size)
{
    const char *end = text + size, *parts[3];
    for (int i = 0; i < 3; i++) {
        parts[i] = text;
        text += strlen(text);
        if (text < end) text++;
    }
    read_index(context, parts[0]);
    read_config(context, parts[1]);
    read_scheduler(context, parts[2]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    char *text = context_allocate(context, size + 1, 1);
    if (text) {
        memcpy(text, bytes, size);
        text[size] = '\0';
        read_parts(context, text, size);
    }
    context_release(context, text);
    sumi_context_free(context);
    return 0;
}
