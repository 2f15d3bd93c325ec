/* SPDX-License-Identifier: Apache-2.0 */
/* The variational bound over a data set, term by term. Every item is noised to a few times, or to
   all of them, so that every time is visited equally often. The mean at each time estimates its
   term, and the sum of the terms is the bound. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "base/profile.h"
#include "data/data.h"
#include "data/shuffle.h"
#include "measure/reverse.h"
#include "vectors/rows.h"

static const double bits = 1.44269504088896340736; /* per nat */

/* The running mean and variance of a sequence of numbers. */
struct tally {
    int64_t count;
    double mean, squares; /* squares: of differences from the mean */
};

static void tally_add(struct tally *tally, double value)
{
    double difference = value - tally->mean;
    tally->mean += difference / (double)++tally->count;
    tally->squares += difference * (value - tally->mean);
}

/* The standard error of the mean. */
static double tally_error(const struct tally *tally)
{
    double count = (double)tally->count;
    return count > 1 ? sqrt(tally->squares / (count - 1) / count) : INFINITY;
}

/* One state to evaluate: of the item at a position in the order of the measurement. */
struct row {
    int64_t place, time;
};

/* The state of a measurement. */
struct bound {
    struct reverse reverse;
    int64_t draws, stride;                    /* draws: beside time 0 */
    int64_t batch, waiting;                   /* rows of a call, and how many are filled */
    struct row *rows;                         /* [batch] */
    float *clean, *state, *estimate, *spread; /* [batch, item_size] */
    float *x;                   /* [batch, item_size]: states as the network gets them */
    float *output, *times;      /* [batch, output_size], [batch] */
    int32_t *labels;            /* [batch] */
    sumi_condition *condition;  /* the classes of the items, where the denoiser needs them; else
                                   NULL */
    struct tally prior, *terms; /* terms[times] */
    double *sums;               /* [items]: the sum of each item's terms, for the error of the
                                   whole */
    int64_t evaluations;
};

/* ---- Which times an item is noised to ---- */

static int64_t common_divisor(int64_t a, int64_t b)
{
    return b ? common_divisor(b, a % b) : a;
}

/* A stride that visits all of 0 .. count - 1, with neighbours far apart. */
static int64_t choose_stride(int64_t count)
{
    int64_t stride = (int64_t)(0.6180339887498949 * (double)count);
    if (stride < 1) stride = 1;
    while (common_divisor(stride, count) != 1) stride++;
    return stride;
}

/* The time, from 1 to T - 1, of a draw for the item at a position. */
static int64_t time_of(const struct bound *b, int64_t place, int64_t draw)
{
    int64_t others = b->reverse.chain.count - 1;
    __int128 number = (__int128)(place * b->draws + draw) * b->stride;
    return 1 + (int64_t)(number % others);
}

/* ---- The states ---- */

/* Computes x_t of clean[item_size], with random numbers that depend only on the item and the
   time. */
static void noise_gaussian(const struct bound *b, const philox_stream *stream, uint64_t first,
                           double variance, const float *clean, float *state)
{
    philox_normal(stream, first, b->reverse.item_size, state);
    rows_combine(1, b->reverse.item_size, state, 2,
                 (struct row_term[]){{sqrt(1 - variance), clean}, {sqrt(variance), state}});
}

static void noise_binomial(const struct bound *b, const philox_stream *stream, uint64_t first,
                           double variance, const float *clean, float *state)
{
    double flipped = binomial_flipped(1 - variance);
    for (int64_t i = 0; i < b->reverse.item_size; i++) {
        bool flips = philox_uniform(stream, first + (uint64_t)i) < flipped;
        state[i] = flips ? -clean[i] : clean[i];
    }
}

/* ---- The term of a row ---- */

static double gaussian_row(const struct bound *b, int64_t time, const float *clean,
                           const float *estimate, const float *spread)
{
    const struct reverse *reverse = &b->reverse;
    struct posterior posterior = chain_posterior(&reverse->chain, time);
    double sum = 0;
    if (time == 0) return reverse_decode(reverse, clean, estimate, spread);
    for (int64_t i = 0; i < reverse->item_size; i++) {
        double variance = reverse_variance(reverse, time, &posterior, spread, i);
        double difference = posterior.clean * ((double)estimate[i] - clean[i]);
        sum += gaussian_divergence(difference, posterior.variance, variance);
    }
    return sum;
}

/* `log_odds` are those that each bit of the state differs from the data's. */
static double binomial_row(const struct bound *b, int64_t time, const float *clean,
                           const float *state, const float *log_odds)
{
    struct binomial_back back = chain_back(&b->reverse.chain, time);
    double sum = 0;
    for (int64_t i = 0; i < b->reverse.item_size; i++) {
        bool flipped = clean[i] * state[i] < 0;
        double truth = flipped ? back.flipped : back.kept;
        sum += binomial_divergence(truth, binomial_flip(&back, log_odds[i]));
    }
    return sum;
}

static sumi_status judge_row(struct bound *b, int64_t r)
{
    struct row row = b->rows[r];
    int64_t at = r * b->reverse.item_size;
    reverse_read(&b->reverse, row.time, b->x + at, b->output + r * b->reverse.output_size,
                 b->estimate + at, b->spread + at);
    double value = b->reverse.binomial
                       ? binomial_row(b, row.time, b->clean + at, b->state + at, b->estimate + at)
                       : gaussian_row(b, row.time, b->clean + at, b->estimate + at, b->spread + at);
    if (!isfinite(value)) {
        return context_fail(b->reverse.context, SUMI_ERROR_NUMBER,
                            "the bound's term at time %lld is not finite for an item",
                            (long long)row.time);
    }
    tally_add(&b->terms[row.time], value);
    double share = row.time == 0 ? 1 : (double)(b->reverse.chain.count - 1) / (double)b->draws;
    b->sums[row.place] += share * value;
    return SUMI_OK;
}

/* Evaluates the denoiser on the rows that were collected. */
static sumi_status flush(struct bound *b)
{
    int64_t rows = b->waiting;
    b->waiting = 0;
    if (rows == 0) return SUMI_OK;
    if (b->condition) {
        TRY(sumi_condition_set_integers(b->condition, "class", 1, &rows, b->labels));
        TRY(b->reverse.denoising->set_condition(b->reverse.denoising->user, b->condition));
    }
    b->evaluations += rows;
    TRY(b->reverse.denoising->predict(b->reverse.denoising->user, rows, b->reverse.item_size,
                                      b->reverse.output_size, b->x, b->times, b->output));
    for (int64_t r = 0; r < rows; r++) TRY(judge_row(b, r));
    return SUMI_OK;
}

static sumi_status add_row(struct bound *b, int64_t place, int64_t index, int64_t time,
                           const float *clean, int32_t label)
{
    int64_t r = b->waiting++, size = b->reverse.item_size;
    const philox_stream stream = {b->reverse.settings->seed, PURPOSE_MEASURE, (uint64_t)time};
    uint64_t first = (uint64_t)index * (uint64_t)((size + 3) / 4 * 4);
    double variance = chain_variance(&b->reverse.chain, time);
    b->rows[r] = (struct row){place, time};
    b->times[r] = (float)b->reverse.chain.times[time];
    b->labels[r] = label;
    memcpy(b->clean + r * size, clean, (size_t)size * sizeof *clean);
    if (b->reverse.binomial)
        noise_binomial(b, &stream, first, variance, clean, b->state + r * size);
    else noise_gaussian(b, &stream, first, variance, clean, b->state + r * size);
    reverse_input(&b->reverse, time, b->state + r * size, b->x + r * size);
    return b->waiting == b->batch ? flush(b) : SUMI_OK;
}

/* ---- Items ---- */

static double prior_of(const struct bound *b, const float *clean)
{
    double variance = chain_variance(&b->reverse.chain, b->reverse.chain.count - 1);
    return b->reverse.binomial ? binomial_prior_term(b->reverse.item_size, variance)
                               : gaussian_prior_term(b->reverse.item_size, clean, variance);
}

static double forward_of(const struct bound *b, const float *clean)
{
    double variance = chain_variance(&b->reverse.chain, 0);
    return b->reverse.binomial ? binomial_forward_term(b->reverse.item_size, variance)
                               : gaussian_forward_term(b->reverse.item_size, clean, variance);
}

static sumi_status check_bits(const struct bound *b, const float *clean, int64_t index)
{
    for (int64_t i = 0; i < b->reverse.item_size && b->reverse.binomial; i++) {
        if (fabsf(clean[i]) == 1) continue;
        return context_fail(
            b->reverse.context, SUMI_ERROR_ARGUMENT,
            "binomial diffusion needs bits, -1 and 1, but item %lld has the number %g",
            (long long)index, (double)clean[i]);
    }
    return SUMI_OK;
}

static sumi_status measure_item(struct bound *b, int64_t place, float *clean)
{
    int32_t label = -1;
    int64_t index =
        shuffle_index(b->reverse.settings->seed, 0, sumi_data_count(b->reverse.data), place);
    TRY(sumi_data_read(b->reverse.data, &index, 1, clean, &label));
    TRY(check_bits(b, clean, index));
    double prior = prior_of(b, clean);
    tally_add(&b->prior, prior);
    b->sums[place] += prior;
    if (b->reverse.decoder == DECODER_FORWARD) {
        double forward = forward_of(b, clean);
        tally_add(&b->terms[0], forward);
        b->sums[place] += forward;
    } else {
        TRY(add_row(b, place, index, 0, clean, label));
    }
    for (int64_t draw = 0; draw < b->draws; draw++) {
        TRY(add_row(b, place, index, time_of(b, place, draw), clean, label));
    }
    return SUMI_OK;
}

static sumi_status measure_items(struct bound *b, float *clean, sumi_progress_function progress,
                                 void *user)
{
    double start = profile_clock();
    for (int64_t place = 0; place < b->reverse.items; place++) {
        TRY(measure_item(b, place, clean));
        double elapsed = profile_clock() - start, done = (double)(place + 1);
        sumi_progress report = {.size = sizeof report,
                                .task = "likelihood",
                                .step = place + 1,
                                .steps = b->reverse.items,
                                .rate = done / fmax(elapsed, 1e-9),
                                .rate_unit = "items/s",
                                .seconds_left = elapsed * ((double)b->reverse.items - done) / done};
        if (progress && !progress(user, &report)) {
            return context_fail(b->reverse.context, SUMI_STOPPED, "stopped after item %lld of %lld",
                                (long long)place + 1, (long long)b->reverse.items);
        }
    }
    return flush(b);
}

/* ---- Results ---- */

/* The standard error from the variance between items, corrected for their being noised to different
   times. */
static double whole_error(struct bound *b)
{
    struct tally items = {.count = 0};
    double share = (double)(b->reverse.chain.count - 1) / (double)(b->draws ? b->draws : 1);
    for (int64_t place = 0; place < b->reverse.items; place++) {
        double sum = b->sums[place];
        for (int64_t draw = 0; draw < b->draws; draw++) {
            sum -= share * b->terms[time_of(b, place, draw)].mean;
        }
        tally_add(&items, sum);
    }
    return tally_error(&items);
}

static sumi_likelihood_term describe(const char *name, int64_t time, const struct tally *tally)
{
    return (sumi_likelihood_term){.name = name,
                                  .time = time,
                                  .bits = bits * tally->mean,
                                  .error = bits * tally_error(tally),
                                  .draws = tally->count};
}

/* Writes the terms: the whole, then L_T, L_0 and the sum of the others, then each of these. */
static sumi_status report(struct bound *b, sumi_likelihood *likelihood)
{
    int64_t times = b->reverse.chain.count;
    TRY(likelihood_reserve(likelihood, times + 3));
    sumi_likelihood_term *terms = likelihood->terms;
    double steps = 0, variance = 0;
    for (int64_t t = 1; t < times; t++) {
        double error = tally_error(&b->terms[t]);
        steps += b->terms[t].mean;
        variance += error * error;
        terms[3 + t] = describe("step", t, &b->terms[t]);
    }
    terms[1] = describe("prior", times - 1, &b->prior);
    terms[2] = describe("data", 0, &b->terms[0]);
    terms[3] = (sumi_likelihood_term){.name = "steps",
                                      .time = -1,
                                      .bits = bits * steps,
                                      .error = bits * sqrt(variance),
                                      .draws = b->reverse.items * b->draws};
    terms[0] = (sumi_likelihood_term){.name = "total",
                                      .time = -1,
                                      .bits = terms[1].bits + terms[2].bits + terms[3].bits,
                                      .error = bits * whole_error(b),
                                      .draws = b->reverse.items};
    return SUMI_OK;
}

/* ---- Preparing ---- */

static sumi_status choose_draws(struct bound *b)
{
    int64_t others = b->reverse.chain.count - 1, wanted = b->reverse.settings->draws;
    b->draws = wanted && wanted < others ? wanted : others;
    b->stride = others ? choose_stride(others) : 1;
    if (others == 0 || b->reverse.items * b->draws >= 2 * others) return SUMI_OK;
    return context_fail(b->reverse.context, SUMI_ERROR_ARGUMENT,
                        "%lld items noised to %lld times each do not visit all %lld times twice;"
                        " raise \"items\" or \"draws\"",
                        (long long)b->reverse.items, (long long)b->draws, (long long)others);
}

static sumi_status allocate(struct bound *b)
{
    sumi_context *context = b->reverse.context;
    size_t rows = (size_t)b->batch, row = (size_t)b->reverse.item_size;
    b->rows = context_allocate(context, rows, sizeof *b->rows);
    b->clean = context_allocate(context, 5 * rows * row, sizeof *b->clean);
    b->output = context_allocate(context, rows * (size_t)b->reverse.output_size, sizeof *b->output);
    b->times = context_allocate(context, rows, sizeof *b->times);
    b->labels = context_allocate(context, rows, sizeof *b->labels);
    b->terms = context_allocate_zeroed(context, (size_t)b->reverse.chain.count, sizeof *b->terms);
    b->sums = context_allocate_zeroed(context, (size_t)b->reverse.items, sizeof *b->sums);
    if (!b->rows || !b->clean || !b->output || !b->times || !b->labels || !b->terms || !b->sums) {
        return SUMI_ERROR_MEMORY;
    }
    if (b->reverse.denoising->needs_class) TRY(sumi_condition_create(context, &b->condition));
    b->state = b->clean + rows * row;
    b->estimate = b->state + rows * row;
    b->spread = b->estimate + rows * row;
    b->x = b->spread + rows * row;
    return SUMI_OK;
}

static void release(struct bound *b)
{
    context_release(b->reverse.context, b->rows);
    context_release(b->reverse.context, b->clean);
    context_release(b->reverse.context, b->output);
    context_release(b->reverse.context, b->times);
    context_release(b->reverse.context, b->labels);
    sumi_condition_free(b->condition);
    context_release(b->reverse.context, b->terms);
    context_release(b->reverse.context, b->sums);
    reverse_release(&b->reverse);
}

static sumi_status measure(struct bound *b, sumi_likelihood *likelihood,
                           sumi_progress_function progress, void *user)
{
    float *clean =
        context_allocate(b->reverse.context, (size_t)b->reverse.item_size, sizeof *clean);
    sumi_status status = clean ? allocate(b) : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = measure_items(b, clean, progress, user);
    if (status == SUMI_OK) status = report(b, likelihood);
    context_release(b->reverse.context, clean);
    return status;
}

/* Calls measure, then restores the denoiser's own condition. */
static sumi_status measure_and_restore(struct bound *b, sumi_likelihood *likelihood,
                                       sumi_progress_function progress, void *user)
{
    const struct denoising *denoising = b->reverse.denoising;
    sumi_status status = measure(b, likelihood, progress, user);
    if (!b->condition) return status;
    sumi_status restored = denoising->set_condition(denoising->user, denoising->condition);
    return status == SUMI_OK ? restored : status;
}

sumi_status bound_measure(sumi_likelihood *likelihood, const struct denoising *denoising,
                          sumi_data *data, sumi_progress_function progress, void *progress_user)
{
    struct bound bound = {.batch = likelihood->options.batch};
    TRY(likelihood_check(likelihood, MEASURE_BOUND));
    sumi_status status = reverse_open(&bound.reverse, likelihood, denoising, data);
    if (status == SUMI_OK) status = choose_draws(&bound);
    if (status == SUMI_OK)
        status = measure_and_restore(&bound, likelihood, progress, progress_user);
    release(&bound);
    return status;
}
