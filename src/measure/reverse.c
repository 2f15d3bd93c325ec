/* SPDX-License-Identifier: Apache-2.0 */
/* The reverse process behind the bounds; see reverse.h. */
#include "measure/reverse.h"

#include <math.h>
#include <string.h>

#include "solvers/limit.h"

/* The decoders are in the order of their enum. */
const struct option reverse_options[] = {
    {WHOLE_OPTION("items", "0", 0, 1e15,
                  "number of items of the data set, drawn without replacement; 0: all"),
     MEASURE_AT(items)},
    {CHOICE_OPTION("decoder", "auto", "auto|discretised|gaussian|forward|coin",
                   "the last step: levels of a byte from -1 to 1, a density, the first forward "
                   "step, or bits that the network predicts"),
     MEASURE_AT(decoder)},
    {WHOLE_OPTION("times", "1000", 2, 1e6,
                  "number of steps that a path in continuous time is divided into"),
     MEASURE_AT(times)},
    {WHOLE_OPTION("draws", "0", 0, 1e9,
                  "of the bound term by term, number of times that each item is noised to; 0: all"),
     MEASURE_AT(draws)},
    {WHOLE_OPTION("trajectories", "10", 1, 1 << 20,
                  "of the importance-weighted bound, number of trajectories of each item, K"),
     MEASURE_AT(trajectories)},
    {.name = NULL},
};

/* ---- Preparing ---- */

static enum decoder choose_decoder(const struct reverse *r)
{
    enum decoder wanted = (enum decoder)r->settings->decoder;
    if (wanted != DECODER_AUTO) return wanted;
    if (r->binomial) return DECODER_FORWARD;
    return sumi_data_kind(r->data) == SUMI_POINTS ? DECODER_GAUSSIAN : DECODER_DISCRETISED;
}

static sumi_status check_decoder(const struct reverse *r)
{
    bool coin = r->decoder == DECODER_COIN;
    if (r->decoder == DECODER_FORWARD || coin == r->binomial) return SUMI_OK;
    return context_fail(r->context, SUMI_ERROR_ARGUMENT,
                        r->binomial ? "bits are decoded by \"coin\" or \"forward\""
                                    : "the decoder \"coin\" is for bits, but this diffusion is not "
                                      "binomial; use \"discretised\", \"gaussian\" or \"forward\"");
}

static sumi_status open_chain(struct reverse *r, sumi_solver *solver)
{
    const struct schedule *schedule = NULL;
    TRY(solver_path(solver, &r->path));
    TRY(solver_schedule(solver, &schedule));
    if (r->path->kind == PATH_TABLE) return chain_create(r->context, schedule, &r->chain);
    return chain_of_path(r->context, r->path, r->settings->times, &r->chain);
}

sumi_status reverse_open(struct reverse *r, sumi_likelihood *likelihood,
                         const struct denoising *denoising, sumi_data *data)
{
    sumi_solver *solver = likelihood->solver;
    *r = (struct reverse){.context = likelihood->context,
                          .settings = &likelihood->options,
                          .denoising = denoising,
                          .data = data};
    TRY(open_chain(r, solver));
    r->options = solver_options(solver);
    r->binomial = solver_is_binomial(solver);
    r->learned = r->options->variance_type >= VARIANCE_LEARNED;
    r->decoder = choose_decoder(r);
    int64_t count = sumi_data_count(data);
    r->items = r->settings->items && r->settings->items < count ? r->settings->items : count;
    r->item_size = data->item_size;
    r->channels = data->shape[data->rank - 1];
    r->output_size = r->learned ? 2 * r->item_size : r->item_size;
    TRY(check_decoder(r));
    r->scratch = context_allocate(r->context, (size_t)r->item_size, sizeof *r->scratch);
    if (!r->scratch) return SUMI_ERROR_MEMORY;
    if (!denoising->needs_class || sumi_data_classes(data)) return SUMI_OK;
    return context_fail(r->context, SUMI_ERROR_ARGUMENT,
                        "the model needs the class of each item, but the data set gives none; "
                        "set data.labels = yes if its files have labels");
}

void reverse_release(struct reverse *r)
{
    chain_release(r->context, &r->chain);
    context_release(r->context, r->scratch);
}

/* ---- A step ---- */

/* Signal and noise of z are those of the chain; a path's own are larger by the scale. */
static struct noise_level level_of_time(const struct reverse *r, int64_t time)
{
    struct noise_level level = path_level(r->path, r->chain.times[time]);
    double variance = chain_variance(&r->chain, time);
    if (r->path->kind != PATH_TABLE) return level;
    level.signal = sqrt(1 - variance);
    level.noise = sqrt(variance);
    return level;
}

void reverse_input(const struct reverse *r, int64_t time, const float *z, float *x)
{
    double scale = r->chain.scales[time];
    if (r->path->kind == PATH_TABLE) {
        memcpy(x, z, (size_t)r->item_size * sizeof *x);
        return;
    }
    struct noise_level level = level_of_time(r, time);
    scale *= path_input_scale(r->path, &level);
    for (int64_t i = 0; i < r->item_size; i++) x[i] = (float)(scale * z[i]);
}

void reverse_read(const struct reverse *r, int64_t time, const float *x, const float *output,
                  float *estimate, float *spread)
{
    int64_t positions = r->item_size / r->channels, each = r->channels;
    for (int64_t p = 0; p < positions && r->learned; p++) {
        memcpy(estimate + p * each, output + 2 * p * each, (size_t)each * sizeof *output);
        memcpy(spread + p * each, output + (2 * p + 1) * each, (size_t)each * sizeof *output);
    }
    if (!r->learned) memcpy(estimate, output, (size_t)r->item_size * sizeof *output);
    if (r->binomial) return;
    struct noise_level level = level_of_time(r, time);
    struct prediction_map map =
        path_map(r->path, (enum prediction_type)r->options->prediction_type, &level);
    double unit = path_input_scale(r->path, &level); /* the map is of the state before it */
    map.clean_state /= unit;
    prediction_clean(&map, 1, r->item_size, x, estimate, estimate);
    limit_clean(r->options, 1, 1, r->item_size, r->scratch, estimate);
}

double reverse_variance(const struct reverse *r, int64_t time, const struct posterior *posterior,
                        const float *spread, int64_t i)
{
    double low = posterior->variance, high = posterior->beta;
    if (r->path->kind != PATH_TABLE) return high;
    if (time == 0 && r->chain.count > 1) low = chain_posterior(&r->chain, 1).variance;
    switch ((enum variance_type)r->options->variance_type) {
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

double reverse_decode(const struct reverse *r, const float *clean, const float *estimate,
                      const float *spread)
{
    struct posterior posterior = chain_posterior(&r->chain, 0);
    double sum = 0;
    for (int64_t i = 0; i < r->item_size; i++) {
        double deviation = sqrt(reverse_variance(r, 0, &posterior, spread, i));
        sum += r->decoder == DECODER_GAUSSIAN
                   ? gaussian_density_term(clean[i], estimate[i], deviation)
                   : gaussian_level_term(clean[i], estimate[i], deviation);
    }
    return sum;
}
