/* SPDX-License-Identifier: Apache-2.0 */
/* The importance-weighted bound (Burda et al. 2016, eq. 8, for the chain of Ho et al. 2020): for
   each item K trajectories x_1 ... x_T are drawn from q(.| x_0), and

       -log p(x0) <= -log mean_k w_k,   w = p(x_T) prod p(x_{t-1} | x_t) p(x_0 | x_1) / q(x_1..T |
   x_0)

   in the mean over draws. With K = 1 it is the bound of bound.c, and it falls to -log p(x0) as K
   grows. A trajectory is drawn from its end: x_T from q(x_T | x_0), then each x_{t-1} from
   q(x_{t-1} | x_t, x_0), so that one evaluation of the denoiser serves a step of a whole batch. */
#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "base/profile.h"
#include "data/shuffle.h"
#include "measure/reverse.h"

static const double bits = 1.44269504088896340736; /* per nat */

/* The state of a measurement; row r of a batch is a trajectory of an item. */
struct importance {
    struct reverse reverse;
    int64_t batch, rows, draws; /* draws: trajectories of an item */
    int64_t *places, *indices;  /* [batch]: of the items, in the order of the measurement and in the
                                   data set */
    float *clean, *state, *x, *noise; /* [batch, item_size] */
    float *output, *times;            /* [batch, output_size], [batch] */
    float *estimate, *spread;         /* [item_size] */
    int32_t *labels;                  /* [batch] */
    sumi_condition *condition;        /* the classes of the rows, or NULL */
    double *weights;                  /* [items, draws]: log w */
    int64_t evaluations;
};

/* ---- A trajectory ---- */

/* Normal numbers of a row that depend on its item, its draw and the time only; time T: of x_T. */
static void draw_noise(const struct importance *m, int64_t r, int64_t draw, int64_t time)
{
    const struct reverse *reverse = &m->reverse;
    int64_t size = reverse->item_size, steps = reverse->chain.count + 1;
    const philox_stream stream = {reverse->settings->seed, PURPOSE_MEASURE,
                                  (uint64_t)(draw * steps + time)};
    uint64_t first = (uint64_t)m->indices[r] * (uint64_t)((size + 3) / 4 * 4);
    philox_normal(&stream, first, size, m->noise + r * size);
}

/* Draws x_T and returns log p(x_T) - log q(x_T | x_0). */
static double begin_row(struct importance *m, int64_t r)
{
    int64_t size = m->reverse.item_size;
    double variance = chain_variance(&m->reverse.chain, m->reverse.chain.count - 1), sum = 0;
    const float *clean = m->clean + r * size, *noise = m->noise + r * size;
    float *state = m->state + r * size;
    for (int64_t i = 0; i < size; i++) {
        state[i] = (float)(sqrt(1 - variance) * clean[i] + sqrt(variance) * noise[i]);
        double away = (state[i] - sqrt(1 - variance) * clean[i]);
        sum += 0.5 * (away * away / variance + log(variance) - (double)state[i] * state[i]);
    }
    return sum;
}

/* Draws x_{t-1} of a row in place of x_t, and returns log p(x_{t-1} | x_t) - log q(x_{t-1} | x_t,
   x_0). */
static double step_row(struct importance *m, int64_t r, int64_t time)
{
    const struct reverse *reverse = &m->reverse;
    struct posterior back = chain_posterior(&reverse->chain, time);
    int64_t size = reverse->item_size;
    const float *clean = m->clean + r * size, *noise = m->noise + r * size;
    float *state = m->state + r * size;
    double sum = 0, deviation = sqrt(back.variance);
    for (int64_t i = 0; i < size; i++) {
        double mean = back.clean * clean[i] + back.state * state[i];
        double guess = back.clean * m->estimate[i] + back.state * state[i];
        double variance = reverse_variance(reverse, time, &back, m->spread, i);
        state[i] = (float)(mean + deviation * noise[i]);
        double q = (state[i] - mean) / deviation, p = state[i] - guess;
        sum += 0.5 * (q * q + log(back.variance) - p * p / variance - log(variance));
    }
    return sum;
}

static sumi_status predict(struct importance *m, int64_t time)
{
    const struct reverse *reverse = &m->reverse;
    int64_t size = reverse->item_size;
    for (int64_t r = 0; r < m->rows; r++) {
        m->times[r] = (float)reverse->chain.times[time];
        reverse_input(reverse, time, m->state + r * size, m->x + r * size);
    }
    m->evaluations += m->rows;
    return reverse->denoising->predict(reverse->denoising->user, m->rows, size,
                                       reverse->output_size, m->x, m->times, m->output);
}

/* Trajectories of the batch, whose first has number `first` among all. */
static sumi_status run_batch(struct importance *m, int64_t first)
{
    const struct reverse *reverse = &m->reverse;
    int64_t size = reverse->item_size;
    if (m->condition) {
        TRY(sumi_condition_set_integers(m->condition, "class", 1, &m->rows, m->labels));
        TRY(reverse->denoising->set_condition(reverse->denoising->user, m->condition));
    }
    for (int64_t r = 0; r < m->rows; r++) {
        draw_noise(m, r, (first + r) % m->draws, reverse->chain.count);
        m->weights[first + r] = begin_row(m, r);
    }
    for (int64_t time = reverse->chain.count - 1; time >= 0; time--) {
        TRY(predict(m, time));
        for (int64_t r = 0; r < m->rows; r++) {
            reverse_read(reverse, time, m->x + r * size, m->output + r * reverse->output_size,
                         m->estimate, m->spread);
            draw_noise(m, r, (first + r) % m->draws, time);
            m->weights[first + r] +=
                time ? step_row(m, r, time)
                     : -reverse_decode(reverse, m->clean + r * size, m->estimate, m->spread);
        }
    }
    return SUMI_OK;
}

/* ---- All of them ---- */

static sumi_status read_rows(struct importance *m, int64_t first)
{
    const struct reverse *reverse = &m->reverse;
    for (int64_t r = 0; r < m->rows; r++) {
        m->places[r] = (first + r) / m->draws;
        m->indices[r] =
            shuffle_index(reverse->settings->seed, 0, sumi_data_count(reverse->data), m->places[r]);
    }
    return sumi_data_read(reverse->data, m->indices, m->rows, m->clean, m->labels);
}

static sumi_status inform(const struct importance *m, int64_t done, int64_t all, double start,
                          sumi_progress_function progress, void *user)
{
    double elapsed = profile_clock() - start;
    sumi_progress report = {.size = sizeof report,
                            .task = "likelihood",
                            .step = done,
                            .steps = all,
                            .rate = (double)done / fmax(elapsed, 1e-9),
                            .rate_unit = "trajectories/s",
                            .seconds_left = elapsed * (double)(all - done) / (double)done};
    if (!progress || progress(user, &report)) return SUMI_OK;
    return context_fail(m->reverse.context, SUMI_STOPPED, "stopped after trajectory %lld of %lld",
                        (long long)done, (long long)all);
}

static sumi_status run_all(struct importance *m, sumi_progress_function progress, void *user)
{
    int64_t all = m->reverse.items * m->draws;
    double start = profile_clock();
    for (int64_t first = 0; first < all; first += m->batch) {
        m->rows = all - first < m->batch ? all - first : m->batch;
        TRY(read_rows(m, first));
        TRY(run_batch(m, first));
        TRY(inform(m, first + m->rows, all, start, progress, user));
    }
    return SUMI_OK;
}

/* ---- Results ---- */

/* -log2 of the mean of exp(weights[count]). */
static double bits_of(int64_t count, const double *weights)
{
    double largest = weights[0], sum = 0;
    for (int64_t k = 1; k < count; k++) largest = fmax(largest, weights[k]);
    for (int64_t k = 0; k < count; k++) sum += exp(weights[k] - largest);
    return -bits * (largest + log(sum / (double)count));
}

/* The mean and its standard error over items, with `count` trajectories of each taken together. */
static sumi_likelihood_term mean_of(const struct importance *m, const char *name, int64_t count)
{
    double mean = 0, squares = 0, n = 0;
    for (int64_t item = 0; item < m->reverse.items; item++) {
        double value = 0;
        for (int64_t k = 0; k < m->draws; k += count)
            value +=
                bits_of(count, m->weights + item * m->draws + k) * (double)count / (double)m->draws;
        double difference = value - mean;
        mean += difference / ++n;
        squares += difference * (value - mean);
    }
    return (sumi_likelihood_term){.name = name,
                                  .time = -1,
                                  .bits = mean,
                                  .error = n > 1 ? sqrt(squares / (n - 1) / n) : INFINITY,
                                  .draws = m->evaluations};
}

static sumi_status report(struct importance *m, sumi_likelihood *likelihood)
{
    for (int64_t i = 0; i < m->reverse.items * m->draws; i++) {
        if (isfinite(m->weights[i])) continue;
        return context_fail(m->reverse.context, SUMI_ERROR_NUMBER,
                            "the weight of a trajectory of item %lld is not finite",
                            (long long)(i / m->draws));
    }
    TRY(likelihood_reserve(likelihood, 2));
    likelihood->terms[0] = mean_of(m, "total", m->draws);
    likelihood->terms[1] = mean_of(m, "one", 1);
    return SUMI_OK;
}

static sumi_status allocate(struct importance *m)
{
    sumi_context *context = m->reverse.context;
    size_t rows = (size_t)m->batch, row = (size_t)m->reverse.item_size;
    m->places = context_allocate(context, rows, 2 * sizeof *m->places);
    m->clean = context_allocate(context, (4 * rows + 2) * row, sizeof *m->clean);
    m->output = context_allocate(context, rows * (size_t)m->reverse.output_size, sizeof(float));
    m->times = context_allocate(context, rows, sizeof *m->times);
    m->labels = context_allocate(context, rows, sizeof *m->labels);
    m->weights =
        context_allocate(context, (size_t)m->reverse.items, (size_t)m->draws * sizeof *m->weights);
    if (!m->places || !m->clean || !m->output || !m->times || !m->labels || !m->weights)
        return SUMI_ERROR_MEMORY;
    m->indices = m->places + rows;
    m->state = m->clean + rows * row;
    m->x = m->state + rows * row;
    m->noise = m->x + rows * row;
    m->estimate = m->noise + rows * row;
    m->spread = m->estimate + row;
    return m->reverse.denoising->needs_class ? sumi_condition_create(context, &m->condition)
                                             : SUMI_OK;
}

static void release(struct importance *m)
{
    sumi_context *context = m->reverse.context;
    context_release(context, m->places);
    context_release(context, m->clean);
    context_release(context, m->output);
    context_release(context, m->times);
    context_release(context, m->labels);
    context_release(context, m->weights);
    sumi_condition_free(m->condition);
    reverse_release(&m->reverse);
}

static sumi_status measure(struct importance *m, sumi_likelihood *likelihood,
                           sumi_progress_function progress, void *user)
{
    TRY(allocate(m));
    TRY(run_all(m, progress, user));
    return report(m, likelihood);
}

static sumi_status check(const struct importance *m)
{
    if (!m->reverse.binomial && m->reverse.decoder != DECODER_FORWARD) return SUMI_OK;
    return context_fail(m->reverse.context, SUMI_ERROR_ARGUMENT,
                        "trajectories are weighed for Gaussian diffusions with the decoder "
                        "\"discretised\" or \"gaussian\"; measure the bound instead");
}

/* Calls measure, then restores the denoiser's own condition. */
static sumi_status measure_and_restore(struct importance *m, sumi_likelihood *likelihood,
                                       sumi_progress_function progress, void *user)
{
    const struct denoising *denoising = m->reverse.denoising;
    sumi_status status = measure(m, likelihood, progress, user);
    if (!m->condition) return status;
    sumi_status restored = denoising->set_condition(denoising->user, denoising->condition);
    return status == SUMI_OK ? restored : status;
}

sumi_status importance_measure(sumi_likelihood *likelihood, const struct denoising *denoising,
                               sumi_data *data, sumi_progress_function progress,
                               void *progress_user)
{
    struct importance m = {.batch = likelihood->options.batch,
                           .draws = likelihood->options.trajectories};
    TRY(likelihood_check(likelihood, MEASURE_IMPORTANCE));
    sumi_status status = reverse_open(&m.reverse, likelihood, denoising, data);
    if (status == SUMI_OK) status = check(&m);
    if (status == SUMI_OK) status = measure_and_restore(&m, likelihood, progress, progress_user);
    release(&m);
    return status;
}
