/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of rows of metrics.json, and the smaller ones of them. */
#include "vectors/measures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quality/kernels.h"
#include "quality/matter.h"
#include "quality/picture.h"
#include "quality/score.h"
#include "quality/sliced.h"
#include "vectors/formula.h"

bool measures_succeed(struct measures *measures, sumi_status status)
{
    if (status == SUMI_OK) return true;
    return vectors_fail(measures->row, "%s", sumi_context_message(measures->context));
}

void measures_compare(struct measures *measures, const char *name, double actual, double expected)
{
    vectors_compare(measures->row, actual, expected, 1e-6 * fabs(expected), "%s", name);
}

void measures_compare_list(struct measures *measures, const char *name, json_object *expected,
                           const double *values)
{
    size_t count = json_object_array_length(expected);
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(vectors_number_at(expected, (int64_t)i)));
    for (size_t i = 0; i < count; i++) {
        double number = vectors_number_at(expected, (int64_t)i);
        vectors_compare(measures->row, values[i], number, 1e-6 * fabs(number) + 1e-13 * largest,
                        "%s[%zu]", name, i);
    }
}

/* ---- Logits, and lists of numbers ---- */

/* Reads "1.3*mix(4201)+0.2 80" or "3.0*mix(4100) 200x10" to new numbers; NULL for another text. */
static double *read_formula(const char *text, int64_t *rows, int64_t *columns)
{
    double scale = 1, shift = 0;
    unsigned number = 0;
    long long first = 0, second = 1;
    int used = 0;
    if (sscanf(text, "%lf*%n", &scale, &used) == 1 && used > 0) text += used;
    else scale = 1;
    if (sscanf(text, "mix(%u)%n", &number, &used) != 1) return NULL;
    text += used;
    if (*text == '+' || *text == '-') shift = strtod(text, (char **)&text);
    if (sscanf(text, " %lldx%lld", &first, &second) < 1) return NULL;
    if (first < 1 || second < 1 || first > 1 << 20 || second > 1 << 20) return NULL;
    double *values = malloc((size_t)(first * second) * sizeof *values);
    for (int64_t i = 0; i < first * second && values; i++)
        values[i] = scale * formula_mix(number, (uint32_t)i) + shift;
    *rows = first, *columns = second;
    return values;
}

void measures_logits(struct measures *measures)
{
    json_object *record = measures->row->record;
    struct samples logits = {0};
    double mean = 0, deviation = 0;
    double *values = read_formula(vectors_text(record, "logits"), &logits.rows, &logits.columns);
    if (!values) {
        vectors_fail(measures->row, "logits: not of the form \"3.0*mix(4100) 200x10\"");
        return;
    }
    logits.wide = values;
    int64_t splits = (int64_t)vectors_number(record, "splits");
    if (measures_succeed(measures,
                         inception_score(&measures->work, &logits, splits, &mean, &deviation))) {
        measures_compare(measures, "mean", mean, vectors_number(record, "mean"));
        measures_compare(measures, "deviation", deviation, vectors_number(record, "deviation"));
    }
    if (measures_succeed(measures, inception_score(&measures->work, &logits, 1, &mean, &deviation)))
        measures_compare(measures, "one_split", mean, vectors_number(record, "one_split"));
    free(values);
}

void measures_numbers(struct measures *measures)
{
    json_object *record = measures->row->record;
    int64_t m = 0, n = 0, one;
    double *x = read_formula(vectors_text(record, "x"), &m, &one);
    double *y = read_formula(vectors_text(record, "y"), &n, &one);
    if (x && y) {
        const struct samples a = {.rows = m, .columns = 1, .wide = x};
        const struct samples b = {.rows = n, .columns = 1, .wide = y};
        const struct kernel kernel = {.kind = KERNEL_DISTANCE};
        struct discrepancy energy = {0};
        sort_numbers(m, x);
        sort_numbers(n, y);
        measures_succeed(measures, kernel_discrepancy(&measures->work, &a, &b, &kernel, &energy));
        measures_compare(measures, "w1", sorted_transport(m, x, n, y, 1),
                         vectors_number(record, "w1"));
        measures_compare(measures, "w2", sqrt(sorted_transport(m, x, n, y, 2)),
                         vectors_number(record, "w2"));
        measures_compare(measures, "energy_distance_scipy", sqrt(energy.biased),
                         vectors_number(record, "energy_distance_scipy"));
        measures_compare(measures, "ks", sorted_largest_difference(m, x, n, y),
                         vectors_number(record, "ks"));
    } else {
        vectors_fail(measures->row, "x or y is not of the form \"1.3*mix(4201)+0.2 80\"");
    }
    free(x);
    free(y);
}

/* ---- Pictures ---- */

/* The pair of a record, values from 0 to 1, as bytes where `bytes`. */
static void fill_pair(json_object *record, const int64_t shape[3], bool bytes, double *a, double *b)
{
    uint32_t n = (uint32_t)vectors_number(record, "n") + 1;
    double noise = vectors_number(record, "noise");
    for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++) {
        int64_t c = i % shape[2], x = i / shape[2] % shape[1], y = i / shape[2] / shape[1];
        double wave = 0.5 + 0.4 * sin(0.35 * (double)y + 0.23 * (double)x + (double)c);
        a[i] = fmin(fmax(wave, 0), 1);
        b[i] = fmin(fmax(a[i] + noise * formula_mix(n, (uint32_t)i), 0), 1);
        if (!bytes) continue;
        a[i] = rint(255 * a[i]);
        b[i] = rint(255 * b[i]);
    }
}

static void compare_similarity(struct measures *measures, const char *name, const int64_t shape[3],
                               const double *a, const double *b, double range,
                               enum similarity_window window)
{
    double similarity = 0;
    sumi_status status =
        picture_similarity(measures->context, shape, a, b, range, window, &similarity);
    if (measures_succeed(measures, status))
        measures_compare(measures, name, similarity, vectors_number(measures->row->record, name));
}

void measures_pictures(struct measures *measures)
{
    json_object *record = measures->row->record;
    long long h = 0, w = 0, c = 0;
    if (sscanf(vectors_text(record, "picture"), "%lldx%lldx%lld", &h, &w, &c) != 3 || h < 11
        || w < 11 || c < 1 || h > 4096 || w > 4096 || c > 16) {
        vectors_fail(measures->row, "picture: not of the form \"32x24x3\"");
        return;
    }
    const int64_t shape[] = {h, w, c}, size = h * w * c;
    double *a = malloc(2 * (size_t)size * sizeof *a), *b = a + size, absolute = 0;
    fill_pair(record, shape, false, a, b);
    for (int64_t i = 0; i < size; i++) absolute += fabs(a[i] - b[i]) / (double)size;
    double square = picture_mean_square(size, a, b);
    measures_compare(measures, "mse", square, vectors_number(record, "mse"));
    measures_compare(measures, "mae", absolute, vectors_number(record, "mae"));
    measures_compare(measures, "psnr", picture_peak_ratio(square, 1),
                     vectors_number(record, "psnr"));
    compare_similarity(measures, "ssim_uniform7", shape, a, b, 1, SIMILARITY_UNIFORM);
    compare_similarity(measures, "ssim_gauss", shape, a, b, 1, SIMILARITY_GAUSSIAN);
    fill_pair(record, shape, true, a, b);
    measures_compare(measures, "psnr_bytes",
                     picture_peak_ratio(picture_mean_square(size, a, b), 255),
                     vectors_number(record, "psnr_bytes"));
    compare_similarity(measures, "ssim_uniform7_bytes", shape, a, b, 255, SIMILARITY_UNIFORM);
    compare_similarity(measures, "ssim_gauss_bytes", shape, a, b, 255, SIMILARITY_GAUSSIAN);
    free(a);
}

/* ---- Matter ---- */

static void compare_power(struct measures *measures, const sumi_cosmology *cosmology,
                          const char *name, double redshift)
{
    json_object *record = measures->row->record, *waves = vectors_get(record, "k_h_per_Mpc");
    for (size_t i = 0; i < json_object_array_length(waves); i++) {
        double k = vectors_number_at(waves, (int64_t)i), power = 0;
        double expected = vectors_number_at(vectors_get(record, name), (int64_t)i);
        if (measures_succeed(
                measures, sumi_matter_power(measures->context, cosmology, redshift, 1, &k, &power)))
            vectors_compare(measures->row, power, expected, 1e-4 * expected, "%s[%zu]", name, i);
    }
}

void measures_matter(struct measures *measures)
{
    json_object *record = measures->row->record, *params = vectors_get(record, "params");
    json_object *waves = vectors_get(record, "k_h_per_Mpc"),
                *growth = vectors_get(record, "growth");
    const sumi_cosmology cosmology = {
        .size = sizeof cosmology,
        .hubble = vectors_number(params, "H0"),
        .matter = vectors_number(params, "Om0"),
        .baryons = vectors_number(params, "Ob0"),
        .sigma8 = vectors_number(params, "sigma8"),
        .tilt = vectors_number(params, "ns"),
        .temperature = 2.7255,
        .neutrinos = 3.046,
        .smooth = strstr(vectors_text(record, "model"), "_zb") != NULL,
    };
    for (size_t i = 0; i < json_object_array_length(waves); i++) {
        double expected = vectors_number_at(vectors_get(record, "transfer"), (int64_t)i);
        double k = vectors_number_at(waves, (int64_t)i);
        vectors_compare(measures->row, matter_transfer(&cosmology, !cosmology.smooth, k), expected,
                        1e-4 * expected, "transfer[%zu]", i);
    }
    compare_power(measures, &cosmology, "power_z0_Mpc3_per_h3", 0);
    compare_power(measures, &cosmology, "power_z2", 2);
    for (size_t i = 0; i < json_object_array_length(growth); i++) {
        json_object *pair = json_object_array_get_idx(growth, i);
        double z = vectors_number_at(pair, 0), expected = vectors_number_at(pair, 1);
        vectors_compare(measures->row, matter_growth(&cosmology, z), expected, 1e-4 * expected,
                        "growth at %g", z);
    }
}

/* ---- Kinds ---- */

static const struct {
    const char *kind;
    void (*measure)(struct measures *measures);
} kinds[] = {
    {"feature sets", measures_features},      {"inception score", measures_logits},
    {"wasserstein 1-D", measures_numbers},    {"power spectrum 2-D", measures_field},
    {"mel frames", measures_signal},          {"picture pair", measures_pictures},
    {"linear matter power", measures_matter},
};

enum vectors_result measures_check(struct vectors_row *row)
{
    struct measures measures = {.row = row};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].kind, vectors_text(row->record, "kind")) != 0) continue;
        if (sumi_context_create(NULL, &measures.context) != SUMI_OK) {
            vectors_fail(row, "%s", sumi_context_message(NULL));
            return VECTORS_COMPARED;
        }
        measures.work = (struct work){.context = measures.context, .task = "a row"};
        kinds[i].measure(&measures);
        sumi_context_free(measures.context);
        return VECTORS_COMPARED;
    }
    return VECTORS_NOT_THERE;
}
