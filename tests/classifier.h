/* SPDX-License-Identifier: Apache-2.0 */
/* A small convolutional classifier of the pictures of a data set, composed of the public header's
   ops and trained by its trainer: the judge of generated pictures. */
#ifndef TESTS_CLASSIFIER_H
#define TESTS_CLASSIFIER_H

#include "sumi_graph.h"

enum { CLASSIFIER_CLASSES = 32 }; /* the most */

struct classifier;

struct classifier_plan {
    int64_t steps;     /* of 128 pictures */
    bool anywhere;     /* what a picture shows may be anywhere in it, beside other things */
    const char *cache; /* file of the trained weights: read where it is there, else written; NULL
                          for none */
};

/* Trains one on a set of pictures with labels, whose sides are multiples of four. */
sumi_status classifier_train(sumi_context *context, sumi_data *data,
                             const struct classifier_plan *plan, struct classifier **made);
void classifier_free(struct classifier *c);

/* The likeliest class of each of images[count, h, w, c] in [-1, 1], and its probability (or
   NULL). */
sumi_status classifier_judge(struct classifier *c, int64_t count, const float *images,
                             int32_t *classes, float *probabilities);

/* What a judge says of many images. */
struct verdict {
    int64_t count, confident;             /* images, and those with a probability above 0.9 */
    int64_t of_class[CLASSIFIER_CLASSES]; /* all images, by their likeliest class */
};
sumi_status classifier_verdict(struct classifier *c, int64_t count, const float *images,
                               struct verdict *verdict);

/* The number of images that it takes for what they are: labels[i], or where that is NULL, i modulo
   the number of classes, which is what `sumi sample` makes without --label. */
sumi_status classifier_count_right(struct classifier *c, int64_t count, const float *images,
                                   const int32_t *labels, int64_t *right);

/* Opens the set of a recipe by name with its labels and further settings, up to a NULL. */
sumi_status open_labelled(sumi_context *context, const char *recipe, const char *const *settings,
                          sumi_data **data);
/* The training or the test images of a folder of MNIST. */
sumi_status mnist_open(sumi_context *context, const char *folder, const char *split,
                       sumi_data **data);

#endif
