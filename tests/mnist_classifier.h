/* SPDX-License-Identifier: Apache-2.0 */
/* A small convolutional classifier of MNIST's digits, composed of the public header's ops and
   trained by its trainer: the judge of generated digits. */
#ifndef TESTS_MNIST_CLASSIFIER_H
#define TESTS_MNIST_CLASSIFIER_H

#include "sumi_graph.h"

enum { MNIST_CLASSES = 10, MNIST_SIZE = 28 * 28 };

typedef struct mnist_classifier mnist_classifier;

/* Trains one on all training images of `folder`, in about a minute on one core. `cache` is a file
   that keeps the trained weights: read where it is there, else written; NULL for none. */
sumi_status mnist_classifier_train(sumi_context *context, const char *folder, const char *cache,
                                   mnist_classifier **classifier);
void mnist_classifier_free(mnist_classifier *classifier);

/* probabilities[count, MNIST_CLASSES] of images[count, 28, 28, 1] in [-1, 1]. */
sumi_status mnist_classifier_judge(mnist_classifier *classifier, int64_t count, const float *images,
                                   float *probabilities);

/* What a judge says of many images. */
typedef struct mnist_verdict {
    int64_t count, confident;        /* images, and those with a probability above 0.9 */
    int64_t of_class[MNIST_CLASSES]; /* all images, by their likeliest class */
} mnist_verdict;
sumi_status mnist_classifier_verdict(mnist_classifier *classifier, int64_t count,
                                     const float *images, mnist_verdict *verdict);

/* Opens the training or the test images of a folder with their labels. `recipe` belongs to the
   caller, like the data. */
sumi_status mnist_open(sumi_context *context, const char *folder, const char *split,
                       sumi_recipe **recipe, sumi_data **data);

#endif
