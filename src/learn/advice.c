/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings about a training; see advice.h. */
#include "learn/advice.h"

#include <math.h>
#include <string.h>

#include "solvers/solver.h"

/* ---- Before ---- */

static void advise_batch(const struct learning *learning)
{
    int64_t batch = recipe_int(learning->recipe, "train.batch"), count = learning->data->count;
    if (count >= batch || recipe_is(learning->recipe, "train.coupling", "reflow")) return;
    context_warn(learning->context,
                 "the data set has %lld items, fewer than the %lld of a batch, so that each step "
                 "sees some of them more than once; set train.batch to at most %lld",
                 (long long)count, (long long)batch, (long long)count);
}

static bool preserves_variance(const struct noise_path *path)
{
    return path->kind == PATH_TABLE || path->kind == PATH_VP || path->kind == PATH_SUB_VP;
}

/* Sampling begins with pure noise, so the last noise level must have almost no signal: a linear
   schedule of 1000 levels leaves 0.6 % of the signal, one of 100 levels with the same betas 60
   %. */
static void advise_signal(const struct learning *learning, const struct noise_path *path)
{
    const double most = 0.1;
    double ratio = path_most(path), share = 1 / sqrt(1 + ratio * ratio);
    if (!preserves_variance(path) || share < most) return;
    if (recipe_is(learning->recipe, "train.objective", "betas"))
        return; /* this objective learns
                   the betas */
    context_warn(
        learning->context,
        "%.0f %% of the signal is left at the last of %lld noise levels, but samples begin "
        "from pure noise and will be wrong: %s",
        100 * share, (long long)path->count,
        path->kind == PATH_TABLE
            ? "raise noise.steps or noise.beta_end, or set noise.schedule = cosine"
            : "raise noise.beta_max");
}

/* Statistics of the numbers of some items. */
struct numbers {
    double mean_square, largest, outside; /* outside: fraction beyond a limit */
};

static sumi_status look_at(const struct learning *learning, double limit, struct numbers *numbers)
{
    enum { MOST = 64 };
    sumi_data *data = learning->data;
    int64_t count = data->count < MOST ? data->count : MOST, size = data->item_size;
    float *item = context_allocate(learning->context, (size_t)size, sizeof *item);
    if (!item) return SUMI_ERROR_MEMORY;
    sumi_status status = SUMI_OK;
    double total = (double)count * (double)size;
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        int64_t index = count > 1 ? i * (data->count - 1) / (count - 1) : 0;
        status = sumi_data_read(data, &index, 1, item, NULL);
        for (int64_t k = 0; k < size && status == SUMI_OK; k++) {
            double value = fabs((double)item[k]);
            numbers->mean_square += value * value / total;
            numbers->outside += (value > limit) / total;
            numbers->largest = fmax(numbers->largest, value);
        }
    }
    context_release(learning->context, item);
    return status;
}

static sumi_status advise_range(const struct learning *learning, const struct noise_path *path,
                                const struct solver_options *options, double *mean_square)
{
    const double some = 0.01, near = 1.05, large = 3;
    double range = options->clip_sample_range,
           scale = recipe_number(learning->recipe, "data.scale");
    struct numbers found = {0};
    TRY(look_at(learning, near * range, &found));
    *mean_square = found.mean_square;
    double deviation = sqrt(found.mean_square);
    bool clipped = options->clip_sample && !options->thresholding;
    if (clipped && found.outside > some) {
        context_warn(learning->context,
                     "%.0f %% of the numbers of the data lie outside -%g to %g, where samples are "
                     "clipped (the largest is %.3g): set data.scale = %.2g, or noise.clip = no",
                     100 * found.outside, range, range, found.largest,
                     scale * range / found.largest);
    } else if (preserves_variance(path) && deviation > large) {
        context_warn(
            learning->context,
            "the numbers of the data are about %.2g, but the noise levels of this path are "
            "made for about 1: set data.scale = %.2g",
            deviation, scale / deviation);
    }
    return SUMI_OK;
}

sumi_status advice_before(const struct learning *learning, double *mean_square)
{
    sumi_solver *solver = NULL;
    const struct noise_path *path = NULL;
    *mean_square = 0;
    advise_batch(learning);
    if (!learning->model || model_is_binomial(learning->model)) return SUMI_OK;
    TRY(model_path_solver(learning->context, learning->model, &solver));
    sumi_status status = solver_path(solver, &path);
    if (status == SUMI_OK) advise_signal(learning, path);
    if (status == SUMI_OK)
        status = advise_range(learning, path, solver_options(solver), mean_square);
    sumi_solver_free(solver);
    return status;
}

/* ---- After each step ---- */

static double median_of(const float *losses)
{
    float sorted[ADVICE_STEPS];
    for (int i = 0; i < ADVICE_STEPS; i++) {
        int place = i;
        for (; place > 0 && sorted[place - 1] > losses[i]; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = losses[i];
    }
    return (double)sorted[ADVICE_STEPS / 2];
}

/* Whether a median is far above the least so far, and above the loss of predicting zero. */
static bool grows(const struct advice_course *course, double median)
{
    const double far = 3, beyond_zero = 2, beyond_first = 10;
    double other =
        course->zero_loss > 0 ? beyond_zero * course->zero_loss : beyond_first * course->first;
    return course->least > 0 && median > far * course->least && median > other;
}

void advice_after(sumi_context *context, const sumi_recipe *recipe, struct advice_course *course,
                  const float *losses, int64_t count)
{
    if (count % ADVICE_STEPS != 0 || course->warned) return;
    double median = median_of(losses + count - ADVICE_STEPS);
    if (course->first == 0) course->first = course->least = median;
    course->warned = grows(course, median);
    course->least = fmin(course->least, median);
    if (!course->warned) return;
    context_warn(context,
                 "the loss grows: it is about %.3g at step %lld and was %.3g before; lower "
                 "train.learning_rate (now %g), or set train.warmup or train.clip_gradient",
                 median, (long long)count, course->least,
                 recipe_number(recipe, "train.learning_rate"));
}
