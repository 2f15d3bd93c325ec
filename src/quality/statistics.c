/* SPDX-License-Identifier: Apache-2.0 */
/* Means and covariances as objects of their own: measured, kept in the user's cache by a checksum
   of the items, and in the .npz files of pytorch-fid and torch-fidelity. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "features/features.h"
#include "files/npz.h"
#include "quality/algebra.h"
#include "quality/frechet.h"

struct sumi_statistics {
    sumi_context *context;
    struct moments moments;
};

static sumi_status create(sumi_context *context, sumi_statistics **statistics)
{
    *statistics = context_allocate_zeroed(context, 1, sizeof **statistics);
    if (!*statistics) return SUMI_ERROR_MEMORY;
    (*statistics)->context = context;
    return SUMI_OK;
}

void sumi_statistics_free(sumi_statistics *statistics)
{
    if (!statistics) return;
    moments_release(statistics->context, &statistics->moments);
    context_release(statistics->context, statistics);
}

/* Gives the object to the caller where all went well. */
static sumi_status finish(sumi_status status, sumi_statistics *made, sumi_statistics **statistics)
{
    *statistics = NULL;
    if (status == SUMI_OK) *statistics = made;
    else sumi_statistics_free(made);
    return status;
}

/* ---- Files ---- */

static sumi_status refuse(sumi_context *context, const char *path, const char *what)
{
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: %s", path, what);
}

static sumi_status check_arrays(sumi_context *context, const char *path, const struct npz_array *mu,
                                const struct npz_array *sigma)
{
    int64_t n = mu->shape[0];
    if (n < 1 || sigma->shape[0] != n || sigma->shape[1] != n)
        return refuse(context, path, "\"sigma\" should have a row and a column for each of \"mu\"");
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(mu->values[i]) || !(sigma->values[i * n + i] >= 0))
            return refuse(context, path, "a mean is not finite, or a variance is below 0");
        for (int64_t j = 0; j < i; j++) {
            double a = sigma->values[i * n + j], b = sigma->values[j * n + i];
            double most = sqrt(sigma->values[i * n + i] * sigma->values[j * n + j]);
            if (!(fabs(a - b) <= 1e-4 * most && fabs(a) <= 1.001 * most))
                return refuse(context, path,
                              "\"sigma\" is not a covariance: it is not symmetric, or a number "
                              "is larger than variances allow");
        }
    }
    return SUMI_OK;
}

/* Arrays of a file become the moments, which then own them. */
static void take_arrays(struct moments *moments, struct npz_array arrays[2])
{
    *moments = (struct moments){
        .columns = arrays[0].shape[0], .mean = arrays[0].values, .covariance = arrays[1].values};
    arrays[0].values = arrays[1].values = NULL;
}

sumi_status sumi_statistics_read(sumi_context *context, const char *path,
                                 sumi_statistics **statistics)
{
    struct npz_array arrays[2] = {{.name = "mu", .rank = 1, .most = ALGEBRA_LARGEST},
                                  {.name = "sigma", .rank = 2}};
    sumi_statistics *made = NULL;
    *statistics = NULL;
    TRY(npz_read(context, path, 1, arrays));
    arrays[1].most = arrays[0].shape[0] * arrays[0].shape[0];
    sumi_status status = npz_read(context, path, 1, &arrays[1]);
    if (status == SUMI_OK) status = check_arrays(context, path, &arrays[0], &arrays[1]);
    if (status == SUMI_OK) status = create(context, &made);
    if (status == SUMI_OK) take_arrays(&made->moments, arrays);
    npz_release(context, 2, arrays);
    return finish(status, made, statistics);
}

sumi_status sumi_statistics_write(const sumi_statistics *statistics, const char *path)
{
    const struct moments *moments = &statistics->moments;
    int64_t n = moments->columns;
    const struct npz_array arrays[] = {
        {.name = "mu", .rank = 1, .shape = {n}, .values = moments->mean},
        {.name = "sigma", .rank = 2, .shape = {n, n}, .values = moments->covariance}};
    return npz_write(statistics->context, path, 2, arrays);
}

/* ---- Measuring ---- */

/* A checksum of a network and of the options that its features depend on. */
static uint64_t hash_features(uint64_t sum, sumi_features *features)
{
    sumi_features_info info = {.size = sizeof info};
    sumi_option option = {.size = sizeof option};
    sumi_features_describe(features, &info);
    sum = hash_bytes(sum, info.fingerprint, strlen(info.fingerprint));
    for (int i = 0; sumi_features_option(features, i, &option); i++) {
        const char *value = sumi_features_setting(features, option.name);
        if (strcmp(option.name, "batch") != 0) sum = hash_bytes(sum, value, strlen(value));
    }
    return sum;
}

/* The cache's file of these items, or of their features by a network (or NULL). */
static sumi_status cache_path(sumi_context *context, const sumi_array *items,
                              sumi_features *features, char path[PATH_SIZE])
{
    char folder[PATH_SIZE], name[64];
    uint64_t sum = hash_bytes(1, items->shape, (size_t)items->rank * sizeof *items->shape);
    sum = hash_bytes(sum, items->data, (size_t)sumi_array_count(items) * sizeof(float));
    if (features) sum = hash_features(sum, features);
    snprintf(name, sizeof name, "%016" PRIx64 ".npz", sum);
    TRY(path_cache_folder(context, "statistics", folder));
    TRY(folder_make(context, folder));
    return path_join(context, folder, name, path);
}

static sumi_status measure(struct work *work, const sumi_array *items, sumi_statistics **statistics)
{
    const struct samples samples = {.rows = items->shape[0],
                                    .columns = sumi_array_count(items) / items->shape[0],
                                    .narrow = items->data};
    sumi_statistics *made = NULL;
    TRY(create(work->context, &made));
    work_begin(work, 2 * samples.rows);
    return finish(moments_measure(work, &samples, &made->moments), made, statistics);
}

static sumi_status check_items(sumi_context *context, const sumi_array *items)
{
    if (!items->data || items->rank < 2 || sumi_array_count(items) < 1)
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "statistics: expected at least one item in an array [n, item]");
    for (int64_t i = 0; i < sumi_array_count(items); i++) {
        if (isfinite(items->data[i])) continue;
        return context_fail(context, SUMI_ERROR_NUMBER,
                            "statistics: number %" PRId64 " of the items is not finite", i);
    }
    return SUMI_OK;
}

/* Reads those of `rows` samples from the cache, if they are there. */
static bool find_cached(sumi_context *context, const char *path, int64_t rows,
                        sumi_statistics **statistics)
{
    if (!path_exists(path) || sumi_statistics_read(context, path, statistics) != SUMI_OK)
        return false;
    (*statistics)->moments.rows = rows;
    return true;
}

sumi_status sumi_statistics_measure(sumi_context *context, const sumi_array *items, bool cache,
                                    sumi_progress_function progress, void *user,
                                    sumi_statistics **statistics)
{
    struct work work = {
        .context = context, .progress = progress, .user = user, .task = "statistics"};
    char path[PATH_SIZE];
    *statistics = NULL;
    TRY(check_items(context, items));
    if (cache) TRY(cache_path(context, items, NULL, path));
    if (cache && find_cached(context, path, items->shape[0], statistics)) return SUMI_OK;
    TRY(measure(&work, items, statistics));
    if (!cache) return SUMI_OK;
    return finish(sumi_statistics_write(*statistics, path), *statistics, statistics);
}

sumi_status sumi_statistics_of_features(sumi_features *features, const sumi_array *pictures,
                                        bool cache, sumi_progress_function progress, void *user,
                                        sumi_statistics **statistics)
{
    sumi_context *context = features->context;
    char path[PATH_SIZE];
    sumi_array rows = {0};
    *statistics = NULL;
    TRY(check_items(context, pictures));
    if (cache) TRY(cache_path(context, pictures, features, path));
    if (cache && find_cached(context, path, pictures->shape[0], statistics)) return SUMI_OK;
    TRY(sumi_features_measure(features, pictures, progress, user, &rows));
    sumi_status status = sumi_statistics_measure(context, &rows, false, progress, user, statistics);
    sumi_array_release(context, &rows);
    if (status != SUMI_OK || !cache) return status;
    return finish(sumi_statistics_write(*statistics, path), *statistics, statistics);
}

/* ---- Comparing ---- */

int64_t sumi_statistics_features(const sumi_statistics *statistics)
{
    return statistics->moments.columns;
}

int64_t sumi_statistics_samples(const sumi_statistics *statistics)
{
    return statistics->moments.rows;
}

sumi_status sumi_statistics_distance(const sumi_statistics *first, const sumi_statistics *second,
                                     double *distance, double *mean_term)
{
    const struct moments *a = &first->moments, *b = &second->moments;
    double of_means = 0;
    if (a->columns != b->columns) {
        return context_fail(first->context, SUMI_ERROR_ARGUMENT,
                            "statistics of %" PRId64 " and of %" PRId64
                            " features cannot be compared",
                            a->columns, b->columns);
    }
    TRY(frechet_distance(first->context, a, b, distance, &of_means));
    moments_warn_of_bias(first->context, a->rows, a->columns);
    moments_warn_of_bias(first->context, b->rows, b->columns);
    if (mean_term) *mean_term = of_means;
    return SUMI_OK;
}
