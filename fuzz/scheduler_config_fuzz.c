/* Any bytes as a scheduler_config.json: refused with a sentence, or a solver that has a time list
   and solves. */
#include <stdlib.h>
#include <string.h>

#include "sumi.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MOST_STEPS = 64 };

/* Reads x and fills twice its size, enough for a learned variance. */
static sumi_status keep(void *user, int64_t count, int64_t item_size,
                        int64_t output_size, const float *x, const float *times,
                        float *output)
{
    (void)output_size;
    int64_t total = count * item_size;
    (void)times;
    for (int64_t i = 0; i < total * *(const int *)user; i++) output[i] = 0.5f * x[i % total];
    return SUMI_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    char *text = malloc(size + 1);
    if (!text || sumi_context_create(NULL, &context) != SUMI_OK) {
        free(text);
        return 0;
    }
    memcpy(text, bytes, size);
    text[size] = '\0';
    for (int number = 0; number < 2; number++) {
        sumi_solver_info info;
        sumi_solver *solver = NULL;
        float x[2 * 4 * 3];
        const int64_t shape[] = {2, 4, 3};
        int width = strstr(text, "learned") ? 2 : 1;
        sumi_solver_describe(number, &info);
        if (sumi_solver_create(context, info.name, &solver) == SUMI_OK
            && sumi_solver_configure(solver, text) == SUMI_OK
            /* an escape may spell the word otherwise: set it again, plainly */
            && sumi_solver_set(solver, "variance_type", width == 2 ? "learned" : "fixed_large")
                   == SUMI_OK) {
            int64_t steps = sumi_solver_times(solver, NULL, 0);
            if (steps > 0 && steps <= MOST_STEPS
                && sumi_solver_start(solver, 3, shape, x) == SUMI_OK)
                sumi_solver_run(solver, keep, &width, 3, shape, x, NULL, NULL);
        }
        sumi_solver_free(solver);
    }
    sumi_context_free(context);
    free(text);
    return 0;
}
