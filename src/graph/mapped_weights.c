/* SPDX-License-Identifier: Apache-2.0 */
/* Weights that stay in their mapped file, in the file's type: reading them, checking them, and
   copying them to their own memory before they are written. */
#include <math.h>
#include <string.h>

#include "base/bfloat16.h"
#include "base/float16.h"
#include "base/team.h"
#include "graph/backend.h"

static float value_at(sumi_element element, const void *values, int64_t i)
{
    switch (element) {
    case SUMI_BFLOAT16: return bfloat16_to_float(((const bfloat16 *)values)[i]);
    case SUMI_FLOAT16: return float16_to_float(((const float16 *)values)[i]);
    default: return ((const float *)values)[i];
    }
}

sumi_status weight_read_part(const sumi_weights *weights, const struct weight *weight,
                             int64_t first, int64_t count, float *output)
{
    sumi_context *context = weights->context;
    if (weight->data) {
        return context->backend->download(context, weight->data + first,
                                          (size_t)count * sizeof *output, output);
    }
    TRY(weights_check_backing(context, weights));
    for (int64_t i = 0; i < count; i++) {
        output[i] = value_at(weight->element, weight->mapped, first + i);
    }
    return weights_check_backing(context, weights);
}

sumi_status weight_read(const sumi_weights *weights, const struct weight *weight, float *output)
{
    return weight_read_part(weights, weight, 0, shape_count(&weight->shape), output);
}

/* ---- Values of their own ---- */

sumi_status weights_own(sumi_weights *weights, int64_t number)
{
    struct weight *weight = &weights->items[number];
    if (weight->data) return SUMI_OK;
    TRY(weights_check_finite(weights->context, weights, number));
    struct weight own = *weight;
    float *values = NULL;
    sumi_status status = weight_begin(weights, &own, &values);
    if (status == SUMI_OK) status = weight_read(weights, weight, values);
    status = weight_end(weights, &own, values, status);
    if (status != SUMI_OK) {
        weights->context->backend->release(weights->context, own.data);
        return status;
    }
    weight->data = own.data;
    weight->mapped = NULL;
    weight->element = SUMI_FLOAT32;
    weights->mapped--;
    weights->layout++;
    return SUMI_OK;
}

sumi_status weights_own_all(sumi_weights *weights)
{
    for (int64_t i = 0; i < weights->count; i++) TRY(weights_own(weights, i));
    return SUMI_OK;
}

/* ---- Checking ---- */

sumi_status weights_check_backing(sumi_context *context, const sumi_weights *weights)
{
    const struct weight_backing *backing = &weights->backing;
    if (weights->mapped == 0 || !backing->check) return SUMI_OK;
    return backing->check(context, backing->user);
}

/* Elements of a block, which is checked without branches. */
enum { BLOCK = 1 << 12 };

/* Whether an element is NaN or infinite: all bits of its exponent are set. */
static bool any_special(sumi_element element, const void *values, int64_t first, int64_t end)
{
    const uint16_t *halves = values;
    const uint32_t *wide = values;
    const uint16_t mask = element == SUMI_FLOAT16 ? 0x7c00u : 0x7f80u;
    int special = 0;
    if (element == SUMI_FLOAT32) {
        for (int64_t i = first; i < end; i++) {
            special |= (wide[i] & 0x7f800000u) == 0x7f800000u;
        }
    } else {
        for (int64_t i = first; i < end; i++) special |= (halves[i] & mask) == mask;
    }
    return special;
}

/* Called by every thread of a team: writes the first block with such an element, if any, to
 *found. */
static void search(const struct weight *weight, int64_t count, atomic_llong *found)
{
#pragma omp for schedule(static)
    for (int64_t first = 0; first < count; first += BLOCK) {
        int64_t end = count - first < BLOCK ? count : first + BLOCK;
        if (!any_special(weight->element, weight->mapped, first, end)) continue;
        long long known = atomic_load(found);
        while (first < known && !atomic_compare_exchange_weak(found, &known, first)) {
        }
    }
}

sumi_status weights_check_finite(sumi_context *context, sumi_weights *weights, int64_t number)
{
    struct weight *weight = &weights->items[number];
    if (!weight->mapped || atomic_load(&weight->known_finite)) return SUMI_OK;
    TRY(weights_check_backing(context, weights));
    int64_t count = shape_count(&weight->shape);
    atomic_llong found = count;
    BY_TEAM(worthwhile_threads(context->threads, count), search(weight, count, &found));
    int64_t i = atomic_load(&found);
    while (i < count && isfinite(value_at(weight->element, weight->mapped, i))) i++;
    if (i < count) {
        return context_fail(
            context, SUMI_ERROR_FORMAT,
            "%s: tensor \"%.200s\" holds %s at element %lld; weights must be "
            "finite numbers",
            weights->backing.name, weight->name,
            isnan(value_at(weight->element, weight->mapped, i)) ? "NaN" : "infinity", (long long)i);
    }
    atomic_store(&weight->known_finite, true);
    return SUMI_OK;
}
