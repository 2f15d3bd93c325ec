/* SPDX-License-Identifier: Apache-2.0 */
/* Dropping classes in training; see label_dropout.h. */
#include "learn/label_dropout.h"

#include "base/philox.h"
#include "data/data.h"
#include "learn/keys.h"

static const char KEY[] = "train.label_dropout";

const struct option label_dropout_keys[] = {
    {NUMBER_OPTION("train.label_dropout", "0", 0, 1,
                   "share of items whose class is replaced by the null class, for classifier-free "
                   "guidance; usual: 0.1"),
     .when = "model.class_conditional=yes or model.config!="},
    {.name = NULL},
};

sumi_status label_dropout_check(const struct learning *learning)
{
    double probability = recipe_number(learning->recipe, KEY);
    if (probability == 0 || sumi_model_null_class(learning->model) >= 0) return SUMI_OK;
    return context_fail(
        learning->context, SUMI_ERROR_ARGUMENT,
        sumi_model_classes(learning->model)
            ? "%s = %g gives items the null class, but the network has none: its "
              "config.json needs \"_null_class\", the last class of "
              "\"num_class_embeds\""
            : "%s = %g gives items the null class, but the network takes no classes",
        KEY, probability);
}

struct label_dropout label_dropout_of(const struct learning *learning)
{
    return (struct label_dropout){.probability = recipe_number(learning->recipe, KEY),
                                  .null_class = (int32_t)sumi_model_null_class(learning->model),
                                  .seed = recipe_seed(learning->recipe, "train.seed")};
}

void label_dropout_apply(const struct label_dropout *dropout, const struct portion *portion,
                         int32_t *labels)
{
    const philox_stream stream = {dropout->seed, PURPOSE_LABEL_DROPOUT, (uint64_t)portion->step};
    if (!labels || dropout->probability == 0) return;
    for (int64_t i = 0; i < portion->count; i++) {
        if (philox_uniform(&stream, (uint64_t)(portion->first + i)) < dropout->probability)
            labels[i] = dropout->null_class;
    }
}

sumi_status label_dropout_read(const struct label_dropout *dropout, sumi_data *data,
                               const struct portion *portion, int64_t feed, float *x,
                               int32_t *labels)
{
    TRY(data_read_batch(data, dropout->seed, feed, portion->count, x, labels));
    label_dropout_apply(dropout, portion, labels);
    return SUMI_OK;
}
