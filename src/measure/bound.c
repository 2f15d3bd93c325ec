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
#include "measure/likelihood.h"
#include "solvers/limit.h"
#include "vectors/rows.h"

/* The decoders are in the order of their enum. */
const struct option bound_options[] = {
    {WHOLE_OPTION("items", "0", 0, 1e15,
                  "number of items of the data set, drawn without replacement; 0: all"),
     MEASURE_AT(items)},
    {WHOLE_OPTION("draws", "0", 0, 1e9, "number of times that each item is noised to; 0: all"),
     MEASURE_AT(draws)},
    {CHOICE_OPTION("decoder", "auto", "auto|discretised|gaussian|forward|coin",
                   "the last step: levels of a byte from -1 to 1, a density, the first forward "
                   "step, or bits that the network predicts"),
     MEASURE_AT(decoder)},
    {.name = NULL},
};

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
    sumi_context *context;
    const struct likelihood_options *settings;
    const struct solver_options *options;
    const struct schedule *schedule;
    struct chain chain;
    bool binomial, learned;
    enum decoder decoder;
    const struct denoising *denoising;
    sumi_data *data;
    int64_t items, draws, stride; /* draws: beside time 0 */
    int64_t item_size, output_size, channels;
    int64_t batch, waiting; /* rows of a call, and how many are filled */
    struct row *rows;       /* [batch] */
    float *clean, *state, *estimate, *spread, *scratch; /* [batch, item_size] */
    float *output, *times;                              /* [batch, output_size], [batch] */
    int32_t *labels;                                    /* [batch] */
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
    int64_t others = b->chain.count - 1;
    __int128 number = (__int128)(place * b->draws + draw) * b->stride;
    return 1 + (int64_t)(number % others);
}

/* ---- The states ---- */

/* Computes x_t of clean[item_size], with random numbers that depend only on the item and the
   time. */
static void noise_gaussian(const struct bound *b, const philox_stream *stream, uint64_t first,
                           double variance, const float *clean, float *state)
{
    philox_normal(stream, first, b->item_size, state);
    rows_combine(1, b->item_size, state, 2,
                 (struct row_term[]){{sqrt(1 - variance), clean}, {sqrt(variance), state}});
}

static void noise_binomial(const struct bound *b, const philox_stream *stream, uint64_t first,
                           double variance, const float *clean, float *state)
{
    double flipped = binomial_flipped(1 - variance);
    for (int64_t i = 0; i < b->item_size; i++) {
        bool flips = philox_uniform(stream, first + (uint64_t)i) < flipped;
        state[i] = flips ? -clean[i] : clean[i];
    }
}

/* ---- The term of a row ---- */

/* The variance of the step for number i, by the solver's options; see solvers/ddpm.c. At time 0 the
   posterior's is zero, and that of time 1 is used instead, as usual. */
static double step_variance(const struct bound *b, int64_t time, const struct posterior *posterior,
                            const float *spread, int64_t i)
{
    double low = posterior->variance, high = posterior->beta;
    if (time == 0 && b->chain.count > 1) low = chain_posterior(&b->chain, 1).variance;
    switch ((enum variance_type)b->options->variance_type) {
    case VARIANCE_FIXED_LARGE:
    case VARIANCE_FIXED_LARGE_LOG: return high;
    case VARIANCE_LEARNED: return fmax(spread[i], 1e-20);
    case VARIANCE_LEARNED_RANGE: {
        double share = (spread[i] + 1) / 2;
        return exp(share * log(high) + (1 - share) * log(low));
    }
    default: return low;
    }
}

static double gaussian_row(const struct bound *b, int64_t time, const float *clean,
                           const float *estimate, const float *spread)
{
    struct posterior posterior = chain_posterior(&b->chain, time);
    double sum = 0;
    for (int64_t i = 0; i < b->item_size; i++) {
        double variance = step_variance(b, time, &posterior, spread, i);
        double difference = posterior.clean * ((double)estimate[i] - clean[i]);
        if (time > 0) sum += gaussian_divergence(difference, posterior.variance, variance);
        else if (b->decoder == DECODER_GAUSSIAN)
            sum += gaussian_density_term(clean[i], estimate[i], sqrt(variance));
        else sum += gaussian_level_term(clean[i], estimate[i], sqrt(variance));
    }
    return sum;
}

/* `log_odds` are those that each bit of the state differs from the data's. */
static double binomial_row(const struct bound *b, int64_t time, const float *clean,
                           const float *state, const float *log_odds)
{
    struct binomial_back back = chain_back(&b->chain, time);
    double sum = 0;
    for (int64_t i = 0; i < b->item_size; i++) {
        bool flipped = clean[i] * state[i] < 0;
        double truth = flipped ? back.flipped : back.kept;
        sum += binomial_divergence(truth, binomial_flip(&back, log_odds[i]));
    }
    return sum;
}

/* Splits the channels of row r where the network predicts variances, and fills its estimate of
   clean data. */
static void read_output(struct bound *b, int64_t r)
{
    int64_t positions = b->item_size / b->channels, each = b->channels;
    const float *output = b->output + r * b->output_size;
    float *estimate = b->estimate + r * b->item_size, *spread = b->spread + r * b->item_size;
    for (int64_t p = 0; p < positions && b->learned; p++) {
        memcpy(estimate + p * each, output + 2 * p * each, (size_t)each * sizeof *output);
        memcpy(spread + p * each, output + (2 * p + 1) * each, (size_t)each * sizeof *output);
    }
    if (!b->learned) memcpy(estimate, output, (size_t)b->item_size * sizeof *output);
    if (b->binomial) return;
    double variance = chain_variance(&b->chain, b->rows[r].time);
    struct noise_level level = schedule_level(b->schedule, b->rows[r].time);
    level.signal = sqrt(1 - variance);
    level.noise = sqrt(variance);
    struct prediction_map map =
        prediction_map((enum prediction_type)b->options->prediction_type, &level);
    prediction_clean(&map, 1, b->item_size, b->state + r * b->item_size, estimate, estimate);
    limit_clean(b->options, 1, 1, b->item_size, b->scratch, estimate);
}

static sumi_status judge_row(struct bound *b, int64_t r)
{
    struct row row = b->rows[r];
    int64_t at = r * b->item_size;
    read_output(b, r);
    double value = b->binomial
                       ? binomial_row(b, row.time, b->clean + at, b->state + at, b->estimate + at)
                       : gaussian_row(b, row.time, b->clean + at, b->estimate + at, b->spread + at);
    if (!isfinite(value)) {
        return context_fail(b->context, SUMI_ERROR_NUMBER,
                            "the bound's term at time %lld is not finite for an item",
                            (long long)row.time);
    }
    tally_add(&b->terms[row.time], value);
    double share = row.time == 0 ? 1 : (double)(b->chain.count - 1) / (double)b->draws;
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
        TRY(b->denoising->set_condition(b->denoising->user, b->condition));
    }
    b->evaluations += rows;
    TRY(b->denoising->predict(b->denoising->user, rows, b->item_size, b->output_size, b->state,
                              b->times, b->output));
    for (int64_t r = 0; r < rows; r++) TRY(judge_row(b, r));
    return SUMI_OK;
}

static sumi_status add_row(struct bound *b, int64_t place, int64_t index, int64_t time,
                           const float *clean, int32_t label)
{
    int64_t r = b->waiting++, size = b->item_size;
    const philox_stream stream = {b->settings->seed, PURPOSE_MEASURE, (uint64_t)time};
    uint64_t first = (uint64_t)index * (uint64_t)((size + 3) / 4 * 4);
    double variance = chain_variance(&b->chain, time);
    b->rows[r] = (struct row){place, time};
    b->times[r] = (float)time;
    b->labels[r] = label;
    memcpy(b->clean + r * size, clean, (size_t)size * sizeof *clean);
    if (b->binomial) noise_binomial(b, &stream, first, variance, clean, b->state + r * size);
    else noise_gaussian(b, &stream, first, variance, clean, b->state + r * size);
    return b->waiting == b->batch ? flush(b) : SUMI_OK;
}

/* ---- Items ---- */

static double prior_of(const struct bound *b, const float *clean)
{
    double variance = chain_variance(&b->chain, b->chain.count - 1);
    return b->binomial ? binomial_prior_term(b->item_size, variance)
                       : gaussian_prior_term(b->item_size, clean, variance);
}

static double forward_of(const struct bound *b, const float *clean)
{
    double variance = chain_variance(&b->chain, 0);
    return b->binomial ? binomial_forward_term(b->item_size, variance)
                       : gaussian_forward_term(b->item_size, clean, variance);
}

static sumi_status check_bits(const struct bound *b, const float *clean, int64_t index)
{
    for (int64_t i = 0; i < b->item_size && b->binomial; i++) {
        if (fabsf(clean[i]) == 1) continue;
        return context_fail(
            b->context, SUMI_ERROR_ARGUMENT,
            "binomial diffusion needs bits, -1 and 1, but item %lld has the number %g",
            (long long)index, (double)clean[i]);
    }
    return SUMI_OK;
}

static sumi_status measure_item(struct bound *b, int64_t place, float *clean)
{
    int32_t label = -1;
    int64_t index = shuffle_index(b->settings->seed, 0, sumi_data_count(b->data), place);
    TRY(sumi_data_read(b->data, &index, 1, clean, &label));
    TRY(check_bits(b, clean, index));
    double prior = prior_of(b, clean);
    tally_add(&b->prior, prior);
    b->sums[place] += prior;
    if (b->decoder == DECODER_FORWARD) {
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
    for (int64_t place = 0; place < b->items; place++) {
        TRY(measure_item(b, place, clean));
        double elapsed = profile_clock() - start, done = (double)(place + 1);
        sumi_progress report = {.size = sizeof report,
                                .task = "likelihood",
                                .step = place + 1,
                                .steps = b->items,
                                .rate = done / fmax(elapsed, 1e-9),
                                .rate_unit = "items/s",
                                .seconds_left = elapsed * ((double)b->items - done) / done};
        if (progress && !progress(user, &report)) {
            return context_fail(b->context, SUMI_STOPPED, "stopped after item %lld of %lld",
                                (long long)place + 1, (long long)b->items);
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
    double share = (double)(b->chain.count - 1) / (double)(b->draws ? b->draws : 1);
    for (int64_t place = 0; place < b->items; place++) {
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
    int64_t times = b->chain.count;
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
                                      .draws = b->items * b->draws};
    terms[0] = (sumi_likelihood_term){.name = "total",
                                      .time = -1,
                                      .bits = terms[1].bits + terms[2].bits + terms[3].bits,
                                      .error = bits * whole_error(b),
                                      .draws = b->items};
    return SUMI_OK;
}

/* ---- Preparing ---- */

static enum decoder choose_decoder(const struct bound *b)
{
    enum decoder wanted = (enum decoder)b->settings->decoder;
    if (wanted != DECODER_AUTO) return wanted;
    if (b->binomial) return DECODER_FORWARD;
    return sumi_data_kind(b->data) == SUMI_POINTS ? DECODER_GAUSSIAN : DECODER_DISCRETISED;
}

static sumi_status check_decoder(const struct bound *b)
{
    bool coin = b->decoder == DECODER_COIN;
    if (b->decoder == DECODER_FORWARD || coin == b->binomial) return SUMI_OK;
    return context_fail(b->context, SUMI_ERROR_ARGUMENT,
                        b->binomial ? "bits are decoded by \"coin\" or \"forward\""
                                    : "the decoder \"coin\" is for bits, but this diffusion is not "
                                      "binomial; use \"discretised\", \"gaussian\" or \"forward\"");
}

static sumi_status choose_draws(struct bound *b)
{
    int64_t others = b->chain.count - 1, wanted = b->settings->draws;
    b->draws = wanted && wanted < others ? wanted : others;
    b->stride = others ? choose_stride(others) : 1;
    if (others == 0 || b->items * b->draws >= 2 * others) return SUMI_OK;
    return context_fail(b->context, SUMI_ERROR_ARGUMENT,
                        "%lld items noised to %lld times each do not visit all %lld times twice;"
                        " raise \"items\" or \"draws\"",
                        (long long)b->items, (long long)b->draws, (long long)others);
}

static sumi_status prepare(struct bound *b, sumi_solver *solver)
{
    const struct noise_path *path = NULL;
    TRY(solver_path(solver, &path));
    if (path->kind != PATH_TABLE) {
        return context_fail(b->context, SUMI_ERROR_ARGUMENT,
                            "the bound is a sum over steps, which a path in continuous time does "
                            "not have; measure its exact density instead");
    }
    TRY(solver_schedule(solver, &b->schedule));
    TRY(chain_create(b->context, b->schedule, &b->chain));
    b->options = solver_options(solver);
    b->binomial = solver_is_binomial(solver);
    b->learned = b->options->variance_type >= VARIANCE_LEARNED;
    b->decoder = choose_decoder(b);
    int64_t count = sumi_data_count(b->data);
    b->items = b->settings->items && b->settings->items < count ? b->settings->items : count;
    b->item_size = b->data->item_size;
    b->channels = b->data->shape[b->data->rank - 1];
    b->output_size = b->learned ? 2 * b->item_size : b->item_size;
    b->batch = b->settings->batch;
    TRY(check_decoder(b));
    if (b->denoising->needs_class && !sumi_data_classes(b->data)) {
        return context_fail(b->context, SUMI_ERROR_ARGUMENT,
                            "the model needs the class of each item, but the data set gives none; "
                            "set data.labels = yes if its files have labels");
    }
    return choose_draws(b);
}

static sumi_status allocate(struct bound *b)
{
    sumi_context *context = b->context;
    size_t rows = (size_t)b->batch, row = (size_t)b->item_size;
    b->rows = context_allocate(context, rows, sizeof *b->rows);
    b->clean = context_allocate(context, (4 * rows + 1) * row, sizeof *b->clean);
    b->output = context_allocate(context, rows * (size_t)b->output_size, sizeof *b->output);
    b->times = context_allocate(context, rows, sizeof *b->times);
    b->labels = context_allocate(context, rows, sizeof *b->labels);
    b->terms = context_allocate_zeroed(context, (size_t)b->chain.count, sizeof *b->terms);
    b->sums = context_allocate_zeroed(context, (size_t)b->items, sizeof *b->sums);
    if (!b->rows || !b->clean || !b->output || !b->times || !b->labels || !b->terms || !b->sums) {
        return SUMI_ERROR_MEMORY;
    }
    if (b->denoising->needs_class) TRY(sumi_condition_create(context, &b->condition));
    b->state = b->clean + rows * row;
    b->estimate = b->state + rows * row;
    b->spread = b->estimate + rows * row;
    b->scratch = b->spread + rows * row;
    return SUMI_OK;
}

static void release(struct bound *b)
{
    chain_release(b->context, &b->chain);
    context_release(b->context, b->rows);
    context_release(b->context, b->clean);
    context_release(b->context, b->output);
    context_release(b->context, b->times);
    context_release(b->context, b->labels);
    sumi_condition_free(b->condition);
    context_release(b->context, b->terms);
    context_release(b->context, b->sums);
}

static sumi_status measure(struct bound *b, sumi_likelihood *likelihood,
                           sumi_progress_function progress, void *user)
{
    float *clean = context_allocate(b->context, (size_t)b->item_size, sizeof *clean);
    sumi_status status = clean ? allocate(b) : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = measure_items(b, clean, progress, user);
    if (status == SUMI_OK) status = report(b, likelihood);
    context_release(b->context, clean);
    return status;
}

/* Calls measure, then restores the denoiser's own condition. */
static sumi_status measure_and_restore(struct bound *b, sumi_likelihood *likelihood,
                                       sumi_progress_function progress, void *user)
{
    const struct denoising *denoising = b->denoising;
    sumi_status status = measure(b, likelihood, progress, user);
    if (!b->condition) return status;
    sumi_status restored = denoising->set_condition(denoising->user, denoising->condition);
    return status == SUMI_OK ? restored : status;
}

sumi_status bound_measure(sumi_likelihood *likelihood, const struct denoising *denoising,
                          sumi_data *data, sumi_progress_function progress, void *progress_user)
{
    struct bound bound = {.context = likelihood->context,
                          .settings = &likelihood->options,
                          .denoising = denoising,
                          .data = data};
    TRY(likelihood_check(likelihood, MEASURE_BOUND));
    sumi_status status = prepare(&bound, likelihood->solver);
    if (status == SUMI_OK)
        status = measure_and_restore(&bound, likelihood, progress, progress_user);
    release(&bound);
    return status;
}
