/* SPDX-License-Identifier: Apache-2.0 */
/* Models that classify noised items: networks whose outputs, averaged over the positions of an item
   and limited, are the logits of the classes (learn/classification.c trains them). */
#ifndef SUMI_MODELS_CLASSIFIER_H
#define SUMI_MODELS_CLASSIFIER_H

#include "noise/path.h"
#include "sumi.h"

/* Logits are limited to 15 tanh(mean / 15), so that their exponentials are finite. */
#define CLASSIFIER_LIMIT 15.0

/* log p(class | x) of noised items x[count, item] = a x0 + s e with a and s of levels[count], and
   its gradients by x [count, item]. The path may be another than the classifier's; item i has the
   class classes[i % class_count]. */
sumi_status classifier_gradient(sumi_classifier *classifier, int64_t count,
                                const struct noise_level *levels, const int32_t *classes,
                                int64_t class_count, const float *x, float *log_likelihoods,
                                float *gradients);

/* The context that its memory is of, and the numbers of an item. */
sumi_context *classifier_context(const sumi_classifier *classifier);
int64_t classifier_item_size(const sumi_classifier *classifier);

#endif
