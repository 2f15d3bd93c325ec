/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling times by the second moment of their losses; see importance.h. */
#include "learn/importance.h"

#include <math.h>

enum { HISTORY = 10 };
static const double UNIFORM_SHARE = 0.001; /* of the probabilities, so that none is zero */

sumi_status importance_open(sumi_context *context, int64_t count, struct importance *importance)
{
    size_t times = (size_t)count;
    *importance = (struct importance){.count = count};
    importance->losses = context_allocate_zeroed(context, times * HISTORY, sizeof(float));
    importance->seen = context_allocate_zeroed(context, times, sizeof(float));
    importance->ladder = context_allocate_zeroed(context, times, sizeof(double));
    if (importance->losses && importance->seen && importance->ladder) return SUMI_OK;
    importance_release(context, importance);
    return SUMI_ERROR_MEMORY;
}

void importance_release(sumi_context *context, struct importance *importance)
{
    context_release(context, importance->losses);
    context_release(context, importance->seen);
    context_release(context, importance->ladder);
    *importance = (struct importance){.count = 0};
}

static bool every_time_is_known(const struct importance *importance)
{
    for (int64_t t = 0; t < importance->count; t++) {
        if (importance->seen[t] < HISTORY) return false;
    }
    return true;
}

/* sqrt(E[L_t^2]), eq. 18. */
static double root_mean_square(const struct importance *importance, int64_t time)
{
    double sum = 0;
    for (int k = 0; k < HISTORY; k++) {
        double loss = importance->losses[time * HISTORY + k];
        sum += loss * loss;
    }
    return sqrt(sum / HISTORY);
}

void importance_prepare(struct importance *importance)
{
    int64_t count = importance->count;
    bool known = every_time_is_known(importance);
    double total = 0, sum = 0;
    for (int64_t t = 0; t < count && known; t++) total += root_mean_square(importance, t);
    for (int64_t t = 0; t < count; t++) {
        double chance = 1 / (double)count;
        if (total > 0) {
            chance = UNIFORM_SHARE * chance
                     + (1 - UNIFORM_SHARE) * root_mean_square(importance, t) / total;
        }
        sum += chance;
        importance->ladder[t] = sum;
    }
}

int64_t importance_draw(const struct importance *importance, double place)
{
    int64_t low = 0, high = importance->count - 1;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (importance->ladder[middle] > place) high = middle;
        else low = middle + 1;
    }
    return low;
}

double importance_chance(const struct importance *importance, int64_t time)
{
    return importance->ladder[time] - (time > 0 ? importance->ladder[time - 1] : 0);
}

void importance_note(struct importance *importance, int64_t time, float loss)
{
    int64_t place = (int64_t)fmodf(importance->seen[time], HISTORY);
    importance->losses[time * HISTORY + place] = loss;
    importance->seen[time]++;
    if (importance->seen[time] >= 2 * HISTORY) importance->seen[time] -= HISTORY;
}

int importance_keep(const struct importance *importance, struct kept kept[MOST_KEPT])
{
    if (!importance->count) return 0;
    kept[0] =
        (struct kept){"importance/losses", {2, {importance->count, HISTORY}}, importance->losses};
    kept[1] = (struct kept){"importance/seen", {1, {importance->count}}, importance->seen};
    return 2;
}
