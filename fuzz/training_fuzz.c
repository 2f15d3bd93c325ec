/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a recipe, which is trained for two steps where it can be within some megabytes: its
   data set, its network, its noise and its objective have to fit together, or to say why not. */
#include <string.h>

#include "budget.h"
#include "recipes/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MEMORY_LIMIT = 16 << 20 };

/* What would only take time. */
static const char *const small[] = {"data.count=6",       "data.readers=0", "train.batch=2",
                                    "train.accumulate=1", "train.steps=2",  "train.segments=2",
                                    "train.pairs=2"};

static sumi_status shrink(sumi_recipe *recipe)
{
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        sumi_status status = sumi_recipe_set(recipe, small[i]);
        if (status != SUMI_OK) return status;
    }
    return SUMI_OK;
}

static sumi_status train(sumi_context *context, sumi_recipe *recipe)
{
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    double loss = 0;
    sumi_status status = sumi_data_open(context, recipe, &data);
    if (status == SUMI_OK) status = sumi_model_create_from_recipe(context, recipe, data, &model);
    if (status == SUMI_OK) status = sumi_trainer_create(context, recipe, model, data, &trainer);
    for (int step = 0; step < 2 && status == SUMI_OK; step++)
        status = sumi_trainer_step(trainer, &loss);
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct budget budget = {MEMORY_LIMIT};
    sumi_allocator allocator = {&budget, budget_allocate, budget_release};
    sumi_context *context = NULL;
    sumi_recipe *recipe = NULL;
    if (sumi_context_create(&allocator, &context) != SUMI_OK) abort();
    sumi_status status =
        recipe_parse(context, &recipe_keys, "fuzz", (const char *)bytes, size, &recipe);
    if (status == SUMI_OK) status = shrink(recipe);
    if (status == SUMI_OK) status = train(context, recipe);
    if (status != SUMI_OK && !*sumi_context_message(context)) abort();
    sumi_recipe_free(recipe);
    sumi_context_free(context);
    return 0;
}
