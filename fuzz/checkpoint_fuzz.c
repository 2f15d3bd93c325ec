/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the checkpoint of a small run: refused with a sentence and nothing changed, or taken
   whole, and trained on. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "learn/trainer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { WEIGHTS = 2, COUNTS = 3 };

static sumi_node build(void *user, sumi_graph *graph)
{
    (void)user;
    const int64_t w_shape[] = {1, 2}, one = 1;
    sumi_node w = sumi_graph_weight(graph, "w", 2, w_shape, SUMI_START_NORMAL, 1);
    sumi_node b = sumi_graph_weight(graph, "b", 1, &one, SUMI_START_ONE, 0);
    sumi_node sum = sumi_op_add(graph, sumi_op_sum(graph, w, 3), b);
    return sumi_op_multiply(graph, sum, sum);
}

static sumi_status feed(void *user, sumi_plan *plan, int64_t step)
{
    (void)user, (void)plan, (void)step;
    return SUMI_OK;
}

/* All numbers of a trainer's weights, moments and averages. */
static void copy_numbers(const sumi_trainer *trainer, float numbers[4 * COUNTS])
{
    for (int i = 0; i < WEIGHTS; i++) {
        const float *arrays[] = {
            trainer->weights->items[i].data, trainer->learners->optimizer.first[i],
            trainer->learners->optimizer.second[i], trainer->learners->optimizer.average[i]};
        size_t count = i == 0 ? 2 : 1;
        for (int k = 0; k < 4; k++) {
            memcpy(numbers, arrays[k], count * sizeof *numbers);
            numbers += count;
        }
    }
}

static void load(sumi_context *context, sumi_trainer *trainer, const char *path)
{
    float before[4 * COUNTS], after[4 * COUNTS];
    const float *losses = NULL;
    copy_numbers(trainer, before);
    if (sumi_trainer_load(trainer, path) == SUMI_OK) {
        double sum = 0;
        for (int64_t i = sumi_trainer_losses(trainer, &losses) - 1; i >= 0; i--) sum += losses[i];
        (void)sum;
        (void)sumi_trainer_step(trainer, NULL);
        return;
    }
    copy_numbers(trainer, after);
    if (!*sumi_context_message(context) || sumi_trainer_steps_done(trainer) != 0) abort();
    if (memcmp(before, after, sizeof after) != 0) abort();
}

static void try_checkpoint(sumi_context *context, const char *path)
{
    const sumi_objective objective = {.size = sizeof objective, .build = build, .feed = feed};
    sumi_recipe *recipe = NULL;
    sumi_weights *weights = NULL;
    sumi_trainer *trainer = NULL;
    if (sumi_recipe_open(context, "points", &recipe) == SUMI_OK
        && sumi_weights_create(context, 0, &weights) == SUMI_OK
        && sumi_trainer_create_custom(context, recipe, weights, &objective, &trainer) == SUMI_OK) {
        load(context, trainer, path);
    }
    sumi_trainer_free(trainer);
    sumi_weights_free(weights);
    sumi_recipe_free(recipe);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    sumi_context *context = NULL;
    int handle = memfd_create("checkpoint", 0);
    if (handle < 0 || write(handle, bytes, size) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
    if (sumi_context_create(NULL, &context) == SUMI_OK) try_checkpoint(context, path);
    sumi_context_free(context);
    close(handle);
    return 0;
}
