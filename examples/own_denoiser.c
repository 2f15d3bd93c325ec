/* SPDX-License-Identifier: Apache-2.0 */
/* Solving with your own denoiser: here the exact one for two Gaussian clusters in the plane,
   without a network. Build: cc own_denoiser.c $(pkg-config --cflags --libs sumi) -lm */
#include <math.h>
#include <stdio.h>

#include <sumi.h>

enum { COUNT = 10000 };
static const double spread = 0.2, centre[2][2] = {{-1, 0}, {1, 0.5}};

/* Predicts the noise in x[count, 2], which is a x0 + s e; `user` is the solver, which has a and s
   of each time. */
static sumi_status denoise(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    (void)output_size;
    double a = 1, s = 0; /* all items of a call have the same time */
    sumi_status status = sumi_solver_level(user, times[0], &a, &s);
    for (int64_t i = 0; i < count; i++, x += item_size, output += item_size) {
        double variance = a * a * spread * spread + s * s, distance[2] = {0};
        for (int k = 0; k < 4; k++) /* squared distance to each cluster's centre, halved */
            distance[k / 2] += pow(x[k % 2] - a * centre[k / 2][k % 2], 2) / 2 / variance;
        double second = 1 / (1 + exp(distance[1] - distance[0])); /* belongs to the second */
        for (int d = 0; d < 2; d++) {
            double mean = (1 - second) * centre[0][d] + second * centre[1][d];
            output[d] = (float)(s * (x[d] - a * mean) / variance);
        }
    }
    return status;
}

int main(void)
{
    static float x[COUNT][2];
    const int64_t shape[] = {COUNT, 2};
    double mean[2] = {0}, square[2] = {0};
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    sumi_status status = sumi_context_create(NULL, &context);
    if (!status) status = sumi_solver_create(context, "ddim", &solver);
    if (!status) status = sumi_solver_set(solver, "steps", "100");
    if (!status) status = sumi_solver_set(solver, "clip_sample", "false");
    if (!status) status = sumi_solver_start(solver, 2, shape, &x[0][0]);
    if (!status) status = sumi_solver_run(solver, denoise, solver, 2, shape, &x[0][0], NULL, NULL);
    if (status) fprintf(stderr, "%s\n", sumi_context_message(context));

    for (int i = 0; !status && i < COUNT; i++) {
        for (int d = 0; d < 2; d++) {
            mean[d] += x[i][d] / COUNT;
            square[d] += x[i][d] * x[i][d] / COUNT;
        }
    }
    if (!status) {
        printf("mean      %6.3f %6.3f (exact  0.000  0.250)\n", mean[0], mean[1]);
        printf("deviation %6.3f %6.3f (exact  1.020  0.320)\n", sqrt(square[0] - mean[0] * mean[0]),
               sqrt(square[1] - mean[1] * mean[1]));
    }
    sumi_solver_free(solver);
    sumi_context_free(context);
    return status ? 1 : 0;
}
