/* SPDX-License-Identifier: Apache-2.0 */
/* "UniPC: a unified predictor-corrector framework for fast sampling of diffusion models", Zhao,
   Bai, Rao, Zhou and Lu 2023. Each evaluation first corrects the state that it was made at (UniC,
   algorithm 1) and then predicts the next (UniP, algorithm 2); the corrector needs no additional
   evaluation. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/exponential.h"
#include "vectors/rows.h"

static const struct option unipc_options[] = {
    {CHOICE_OPTION("solver_type", "bh2", "bh1|bh2", "B(h) of the method: h or e^h - 1"),
     AT(solver_type), .first = VARIANT_BH1},
    {FLAG_OPTION("predict_x0", "true", "integrate the estimate of data; false: of noise"),
     AT(predict_x0)},
    {FLAG_OPTION("lower_order_final", "true", "lower order in the last steps"),
     AT(lower_order_final)},
    {.name = "disable_corrector",
     .type = OPTION_NUMBERS,
     .default_value = "[]",
     .high = 1000000,
     .meaning = "steps that are not corrected, counted from 0",
     .offset = AT(disable_corrector)},
    {.name = NULL},
};

enum { MOST_ORDER = 3, HISTORY = MOST_ORDER + 1 };

static bool on_noise(const struct solver_run *run)
{
    return !run->options->predict_x0;
}

static int predictor_order(const struct solver_run *run, int64_t place)
{
    const struct solver_options *options = run->options;
    int64_t order = options->solver_order, left = run->time_count - place;
    int64_t known = place - options->start_index + 1;
    if (options->lower_order_final && left < order) order = left;
    if (exponential_is_plain(run, place)) order = 1;
    return exponential_limit(run, place, (int)(known < order ? known : order));
}

static bool corrects(const struct solver_run *run)
{
    if (run_made(run) == 0) return false;
    const struct number_list *disabled = &run->options->disable_corrector;
    for (int64_t i = 0; disabled->values && i < disabled->count; i++)
        if (disabled->values[i] == (double)(run->place - 1)) return false;
    return true;
}

/* Solves the size x size system in place by elimination with the largest pivot. */
static void solve(int size, double matrix[MOST_ORDER][MOST_ORDER], double *vector)
{
    for (int k = 0; k < size; k++) {
        int pivot = k;
        for (int i = k + 1; i < size; i++)
            if (fabs(matrix[i][k]) > fabs(matrix[pivot][k])) pivot = i;
        for (int j = 0; j < size; j++) {
            double moved = matrix[k][j];
            matrix[k][j] = matrix[pivot][j];
            matrix[pivot][j] = moved;
        }
        double moved = vector[k];
        vector[k] = vector[pivot];
        vector[pivot] = moved;
        for (int i = k + 1; i < size; i++) {
            double factor = matrix[i][k] / matrix[k][k];
            for (int j = k; j < size; j++) matrix[i][j] -= factor * matrix[k][j];
            vector[i] -= factor * vector[k];
        }
    }
    for (int k = size - 1; k >= 0; k--) {
        for (int j = k + 1; j < size; j++) vector[k] -= matrix[k][j] * vector[j];
        vector[k] /= matrix[k][k];
    }
}

/* Theorem 3.1: the weights of the differences at r_1 .. r_size (fractions of the step h) for which
   the update is exact for polynomials of that degree. B(h) is h for bh1 and e^h - 1 for bh2. A
   single difference has weight 1/2 for either B, as in the paper. */
static void difference_weights(int size, const double *places, double h, double scale,
                               double *weights)
{
    double matrix[MOST_ORDER][MOST_ORDER], factorial = 1, phi = expm1(h) / h - 1;
    for (int i = 0; i < size; i++) {
        for (int j = 0; j < size; j++) matrix[i][j] = pow(places[j], i);
        weights[i] = phi * factorial / scale;
        factorial *= i + 2;
        phi = phi / h - 1 / factorial;
    }
    if (size == 1) weights[0] = 0.5;
    else solve(size, matrix, weights);
}

/* Computes x at place `base` + 1 from `start` at `base`, with the values at `base` (row `newest`)
   and before. The corrector passes the value at `base` + 1 in `next`, else NULL. */
static void update(struct solver_run *run, int64_t base, int order, int newest, const float *next,
                   const float *start)
{
    struct level from = run_level(run, base), to = run_level(run, base + 1);
    double step = to.log_ratio - from.log_ratio, h = on_noise(run) ? step : -step;
    double scale = on_noise(run) ? to.noise : to.signal;
    double spread = run->options->solver_type == VARIANT_BH1 ? h : expm1(h);
    double places[MOST_ORDER] = {0}, weights[MOST_ORDER] = {0};
    int past = order - 1, size = next ? order : past;
    for (int i = 0; i < past; i++)
        places[i] = (run_level(run, base - 1 - i).log_ratio - from.log_ratio) / step;
    if (next) places[past] = 1;
    if (size > 0) difference_weights(size, places, h, spread, weights);
    struct row_term terms[MOST_ORDER + 2] = {
        {on_noise(run) ? to.signal / from.signal : to.noise / from.noise, start},
        {-scale * expm1(h), run->row[newest]}};
    for (int i = 0; i < size; i++) {
        double weight = -scale * spread * weights[i] / places[i];
        terms[1].weight -= weight;
        terms[i + 2] = (struct row_term){weight, i < past ? run->row[newest + 1 + i] : next};
    }
    rows_combine(run->threads, run->total, run->x, size + 2, terms);
}

static sumi_status unipc_step(struct solver_run *run)
{
    float *start = run->row[HISTORY];
    TRY(run_evaluate_here(run));
    run_turn(run, 0, HISTORY);
    exponential_record(run, false, run->row[0]);
    if (on_noise(run)) { /* the noise, which is not clipped */
        prediction_noise(&run->map, run->threads, run->total, run->x, run->prediction, run->row[0]);
    }
    if (corrects(run)) {
        update(run, run->place - 1, predictor_order(run, run->place - 1), 1, run->row[0], start);
    }
    rows_combine(run->threads, run->total, start, 1, &(struct row_term){1, run->x});
    update(run, run->place, predictor_order(run, run->place), 0, NULL, start);
    return SUMI_OK;
}

static sumi_status unipc_check(sumi_context *context, const struct solver_options *options,
                               const struct noise_path *path, struct grid *grid)
{
    (void)path;
    if (options->predict_x0 || grid->sigmas[grid->count] > 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "without predict_x0, unipc integrates the estimate of noise, which is "
                        "undefined at clean data: set final_sigmas_type to \"sigma_min\"");
}

const struct solver_type solver_unipc = {
    .name = "unipc",
    .paper = "Zhao, Bai, Rao, Zhou, Lu 2023, UniPC",
    .classes = {"UniPCMultistepScheduler"},
    .order = 3, /* at solver_order 2: the corrector adds one (theorem 3.1) */
    .evaluations = 1,
    .rows = HISTORY + 1,
    .scale = SCALE_PRESERVING,
    .family = TIMES_UNIPC,
    .defaults = defaults_sigma,
    .arrange = unipc_check,
    .options = {unipc_options, order_options},
    .step = unipc_step,
};
