/* SPDX-License-Identifier: Apache-2.0 */
/* Vector-Jacobian products of a session's network: the output, and v^T d output / d x for a vector
   v of each item. Exact densities use them for divergences. */
#include <string.h>

#include "models/session.h"

enum { PRODUCT_LIMIT = 64 }; /* items of the plan */

/* Finds a plan for `count` items, or as many as a plan takes; reuses a larger one. */
static sumi_status find_plan(sumi_session *session, int64_t count, struct kept_plan **found)
{
    const struct signature signature =
        session_signature(session, PLAN_PRODUCT, count < PRODUCT_LIMIT ? count : PRODUCT_LIMIT);
    *found = plan_cache_at_least(&session->cache, &signature);
    return *found ? SUMI_OK : session_plan(session, &signature, found);
}

static void fill_vectors(const struct kept_plan *kept, int64_t count, int64_t size,
                         const float *vectors)
{
    float *values = sumi_plan_data(kept->plan, kept->vectors);
    memcpy(values, vectors, (size_t)(count * size) * sizeof *vectors);
    for (int64_t i = count; i < kept->signature.items; i++)
        memcpy(values + i * size, vectors, (size_t)size * sizeof *vectors);
}

static sumi_status run_part(const struct kept_plan *kept, int64_t count, int64_t item, int64_t out,
                            float *output, float *products)
{
    TRY(sumi_plan_run(kept->plan, 0, 0));
    memcpy(output, sumi_plan_data(kept->plan, kept->output),
           (size_t)(count * out) * sizeof *output);
    memcpy(products, sumi_plan_data(kept->plan, kept->products),
           (size_t)(count * item) * sizeof *products);
    return SUMI_OK;
}

sumi_status session_product_plain(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                  const float *x, const float *times, const float *vectors,
                                  float *output, float *products)
{
    sumi_session *session = user;
    struct kept_plan *kept = NULL;
    TRY(session_check_sizes(session, item_size, output_size, false));
    TRY(session_check_call(session, count));
    TRY(find_plan(session, count, &kept));
    int64_t most = kept->signature.items;
    for (int64_t first = 0; first < count; first += most) {
        int64_t items = count - first < most ? count - first : most;
        session_fill(session, kept->plan, &kept->inputs, most, first, items, x + first * item_size,
                     times + first);
        fill_vectors(kept, items, output_size, vectors + first * output_size);
        TRY(run_part(kept, items, item_size, output_size, output + first * output_size,
                     products + first * item_size));
    }
    return SUMI_OK;
}
