/* SPDX-License-Identifier: Apache-2.0 */
/* Every measure with each of its allocations failing in turn. */
#include "check.h"
#include "failing_allocator.h"

struct scene {
    const char *measure;
    int rank;
    int64_t shape[4];
    bool alone; /* without a reference */
};

static sumi_status use_measure(sumi_context *context, void *user)
{
    const struct scene *scene = user;
    sumi_array samples = {0}, reference = {0};
    sumi_measure *measure = NULL;
    sumi_status status = sumi_array_create(context, scene->rank, scene->shape, &samples);
    STEP(sumi_array_create(context, scene->rank, scene->shape, &reference));
    for (int64_t i = 0; i < sumi_array_count(&samples) && status == SUMI_OK; i++) {
        samples.data[i] = (float)sin((double)(i * i));
        reference.data[i] = (float)cos((double)i);
    }
    STEP(sumi_context_set_threads(context, 1));
    STEP(sumi_measure_create(context, scene->measure, &measure));
    if (status == SUMI_OK && strcmp(scene->measure, "kid") == 0) /* subsets are copied */
        status = sumi_measure_set(measure, "subset", "4");
    STEP(sumi_measure_run(measure, &samples, scene->alone ? NULL : &reference, NULL, NULL));
    sumi_measure_free(measure);
    sumi_array_release(context, &samples);
    sumi_array_release(context, &reference);
    return status;
}

static void measures_report_a_lack_of_memory_and_lose_none(void **state)
{
    (void)state;
    static struct scene scenes[] = {
        {.measure = "frechet", .rank = 2, .shape = {10, 3}},
        {.measure = "kid", .rank = 2, .shape = {10, 3}},
        {.measure = "mmd", .rank = 2, .shape = {10, 3}},
        {.measure = "energy", .rank = 2, .shape = {10, 3}},
        {.measure = "prdc", .rank = 2, .shape = {10, 3}},
        {.measure = "inception-score", .rank = 2, .shape = {10, 3}, .alone = true},
        {.measure = "classes", .rank = 2, .shape = {10, 3}, .alone = true},
        {.measure = "sliced-wasserstein", .rank = 2, .shape = {10, 3}},
        {.measure = "wasserstein", .rank = 2, .shape = {10, 3}},
        {.measure = "marginal", .rank = 2, .shape = {10, 3}},
        {.measure = "nearest", .rank = 2, .shape = {10, 3}},
        {.measure = "power-spectrum", .rank = 4, .shape = {2, 5, 4, 1}},
        {.measure = "coherence", .rank = 4, .shape = {2, 5, 4, 1}},
        {.measure = "spectrum", .rank = 3, .shape = {2, 11, 1}},
        {.measure = "pdf", .rank = 2, .shape = {10, 3}},
        {.measure = "mel", .rank = 3, .shape = {1, 200, 1}},
        {.measure = "psnr", .rank = 2, .shape = {10, 3}},
        {.measure = "ssim", .rank = 4, .shape = {1, 11, 12, 1}},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        for_each_failure(use_measure, &scenes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_report_a_lack_of_memory_and_lose_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
