/* SPDX-License-Identifier: Apache-2.0 */
/* See forecast.h. Explicit steps of a stiff equation may amplify the noise of the state instead of
   removing it, such as Euler-Maruyama's over a range of levels in which the noise falls a
   hundredfold. Whether they do depends on the solver, its options, the path and its places
   together, so the check is a trial run. Items of one number suffice: solvers treat all numbers
   alike, and on Gaussian data every solver is linear. */
#include "solvers/forecast.h"

#include <math.h>
#include <stdio.h>

/* The relative error of the final deviation is about 2 / steps for a method of order one, and 4 /
   steps for the worst of them; a larger spread means that the method is unstable at that number of
   steps. Errors below one half are never refused, because the estimate from so few items
   scatters. */
static const double error_of_one_step = 4, least_error = 0.5;

enum { ITEMS = 256, MOST_STEPS = 64 };

struct gaussian {
    const struct noise_path *path;
    enum prediction_type type;
    double deviation;
};

/* The exact prediction for data of mean 0; for a learned variance, its least value. */
static sumi_status predict(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    const struct gaussian *data = user;
    struct noise_level level = path_level(data->path, times[0]);
    struct prediction_target target = path_target(data->path, data->type, &level);
    double a = level.signal, s = level.noise, scale = path_input_scale(data->path, &level);
    double signal = a * data->deviation, variance = signal * signal + s * s;
    double clean = a * data->deviation * data->deviation / variance, noise = s / variance;
    double gain = (target.of_clean * clean + target.of_noise * noise) / scale;
    for (int64_t item = 0; item < count; item++)
        for (int64_t i = 0; i < output_size; i++)
            output[item * output_size + i] =
                i < item_size ? (float)(gain * x[item * item_size + i]) : -1;
    return SUMI_OK;
}

static int64_t different_times(const struct grid *grid)
{
    int64_t count = grid->count > 0;
    for (int64_t i = 1; i < grid->count; i++) count += grid->times[i] != grid->times[i - 1];
    return count;
}

/* False for an inversion and for a list that ends at a level with noise. */
static bool ends_with_data(const sumi_solver *solver)
{
    const struct grid *grid = &solver->grid;
    if (!grid->sigmas) return grid->count < 2 || grid->times[grid->count - 1] < grid->times[0];
    return grid->sigmas[grid->count] <= 0.1 * solver->options.sigma_data;
}

static double deviation_of(const float *x)
{
    double square = 0;
    for (int i = 0; i < ITEMS; i++) square += (double)x[i] * x[i];
    return sqrt(square / ITEMS);
}

/* Computes the deviation at the end of a run that starts with data noised to the first place. */
static sumi_status run_trial(sumi_solver *trial, double *deviation)
{
    float x[ITEMS], noise[ITEMS];
    const struct random_shape shape = {.items = ITEMS, .item_size = 1, .channels = 1};
    struct gaussian data = {&trial->path, (enum prediction_type)trial->options.prediction_type,
                            trial->options.sigma_data};
    struct random_source source;
    random_seed(&source, RANDOM_PHILOX, 0);
    random_normal(&source, 1, PURPOSE_START, 0, &shape, NULL, x);
    random_normal(&source, 1, PURPOSE_START, 1, &shape, NULL, noise);
    for (int i = 0; i < ITEMS; i++) x[i] *= (float)data.deviation;
    TRY(sumi_solver_add_noise(trial, ITEMS, x, noise, trial->grid.times[0], x));
    TRY(sumi_solver_run(trial, predict, &data, 1, (int64_t[]){ITEMS}, x, NULL, NULL));
    *deviation = deviation_of(x);
    return SUMI_OK;
}

sumi_status forecast_check(sumi_solver *solver)
{
    int64_t steps = different_times(&solver->grid);
    if (solver->type->add_noise_to_bits || steps > MOST_STEPS || !ends_with_data(solver))
        return SUMI_OK;
    sumi_solver trial = *solver; /* borrows tables and lists */
    double found = INFINITY, data = solver->options.sigma_data;
    trial.correction = NULL;
    trial.options.start_index = trial.options.first_item = 0;
    sumi_status status = run_trial(&trial, &found);
    if (status != SUMI_OK && status != SUMI_ERROR_NUMBER)
        return solver->options.as_class && status != SUMI_ERROR_MEMORY ? SUMI_OK : status;
    if (found <= data * (1 + fmax(least_error, error_of_one_step / (double)steps))) return SUMI_OK;
    char text[MESSAGE_SIZE];
    snprintf(text, sizeof text,
             "%lld steps are too few for %s on this path: data of standard deviation %g would come "
             "out with %.3g; use more steps, or another solver, such as ddim",
             (long long)steps, solver->type->name, data, found);
    bool followed = solver->options.as_class || solver->type == &solver_annealed_langevin;
    if (!followed) return context_fail(solver->context, SUMI_ERROR_ARGUMENT, "%s", text);
    context_warn(solver->context, "%s", text);
    return SUMI_OK;
}
