/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing times; see times.h. */
#include "learn/times.h"

#include <math.h>

#include "base/philox.h"
#include "learn/keys.h"

/* With "auto" the path of the model decides, which need not be that of the recipe. */
#define OF_LOG_NORMAL "train.times=log_normal|auto, " OF_NOISED

const struct option times_keys[] = {
    {CHOICE_OPTION("train.times", "auto", "auto|whole|uniform|importance|log_normal|logit_normal",
                   "distribution of the noise levels of a step; auto: the usual one of the path"),
     .when = OF_NOISED},
    {NUMBER_OPTION("train.log_mean", "-1.2", -100, 100, "mean of log(sigma) for log_normal times"),
     .when = OF_LOG_NORMAL},
    {NUMBER_OPTION("train.log_deviation", "1.2", 1e-6, 100,
                   "standard deviation of log(sigma) for log_normal times"),
     .when = OF_LOG_NORMAL},
    {NUMBER_OPTION("train.logit_mean", "0", -100, 100,
                   "mean of log(t / (1 - t)) for logit_normal times t of a flow, from 0 to 1"),
     .when = "train.times=logit_normal, " OF_NOISED},
    {NUMBER_OPTION("train.logit_deviation", "1", 1e-6, 100,
                   "standard deviation of log(t / (1 - t)) for logit_normal times"),
     .when = "train.times=logit_normal, " OF_NOISED},
    {.name = NULL},
};

static enum times_kind kind_of(const sumi_recipe *recipe, const struct noise_path *path)
{
    static const char *const names[] = {"auto",       "whole",      "uniform",
                                        "importance", "log_normal", "logit_normal"};
    for (int i = TIMES_ALL_WHOLE; i <= TIMES_LOGIT_NORMAL; i++) {
        if (recipe_is(recipe, "train.times", names[i])) return (enum times_kind)i;
    }
    if (path->kind == PATH_TABLE) return TIMES_ALL_WHOLE;
    return path->kind == PATH_EDM ? TIMES_LOG_NORMAL : TIMES_UNIFORM;
}

sumi_status times_open(const struct learning *learning, const struct noise_path *path, double shift,
                       struct times *times)
{
    const sumi_recipe *recipe = learning->recipe;
    *times = (struct times){
        .kind = kind_of(recipe, path), .path = path, .shift = path->kind == PATH_FLOW ? shift : 1};
    bool logit = times->kind == TIMES_LOGIT_NORMAL;
    if (logit && path->kind != PATH_FLOW) {
        return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                            "train.times = logit_normal is for flows (noise.path = flow); use "
                            "log_normal on other paths");
    }
    times->mean = recipe_number(recipe, logit ? "train.logit_mean" : "train.log_mean");
    times->deviation =
        recipe_number(recipe, logit ? "train.logit_deviation" : "train.log_deviation");
    times->least = path_own_time(path, path_first(path));
    if (times->kind != TIMES_IMPORTANCE) return SUMI_OK;
    return importance_open(learning->context, path->count, &times->importance);
}

void times_release(sumi_context *context, struct times *times)
{
    importance_release(context, &times->importance);
}

void times_prepare(struct times *times)
{
    if (times->kind == TIMES_IMPORTANCE) importance_prepare(&times->importance);
}

/* The path's own time at a fraction of the way from its least to its greatest. */
static double time_between(const struct times *times, double share)
{
    const struct noise_path *path = times->path;
    if (path->kind == PATH_EDM) {
        return path->sigma_min * pow(path->sigma_max / path->sigma_min, share);
    }
    double t = times->least + share * (1 - times->least);
    return times->shift == 1 ? t : path_shift(times->shift, t);
}

/* Whole time k of T. The levels of Song & Ermon 2019 begin at sigma_min itself. */
static double whole_time(const struct times *times, int64_t index)
{
    const struct noise_path *path = times->path;
    if (path->kind == PATH_TABLE) return (double)(index + 1) / (double)path->count;
    double share = path->count > 1 ? (double)index / (double)(path->count - 1) : 0;
    return path->kind == PATH_VE ? share : time_between(times, share);
}

static struct place place_at(const struct times *times, double own_time)
{
    double time = path_time_of(times->path, own_time);
    return (struct place){
        .index = -1, .time = time, .level = path_level(times->path, time), .chance = 1};
}

static struct place place_whole(const struct times *times, int64_t index)
{
    const struct noise_path *path = times->path;
    struct place place =
        path->kind == PATH_TABLE && path->time_kind == TIME_DISCRETE
            ? (struct place){.time = (double)index, .level = path_level(path, (double)index)}
            : place_at(times, whole_time(times, index));
    place.index = index;
    place.chance = 1;
    return place;
}

/* The place with s / a = exp(mean + deviation normal), clamped to the path. A shift multiplies s /
   a, which is t / (1 - t) on a flow. */
static struct place place_of_normal(const struct times *times, double normal)
{
    const struct noise_path *path = times->path;
    double sigma = times->shift * exp(times->mean + times->deviation * normal);
    sigma = fmin(fmax(sigma, path_least(path)), path_most(path));
    return place_at(times, path_own_time(path, path_time(path, sigma)));
}

bool times_visit(const struct times *times, int64_t number, struct place *place)
{
    enum { CONTINUOUS = 200 };
    const double least = 0x1p-25, most = 1 - 0x1p-24, largest_normal = 5.9; /* of philox.h */
    bool whole = times->kind == TIMES_ALL_WHOLE || times->kind == TIMES_IMPORTANCE;
    double share = fmin(fmax((double)number / CONTINUOUS, least), most);
    if (number > (whole ? times->path->count - 1 : CONTINUOUS)) return false;
    if (whole) *place = place_whole(times, number);
    else if (times->kind == TIMES_UNIFORM) *place = place_at(times, time_between(times, share));
    else *place = place_of_normal(times, largest_normal * (2 * share - 1));
    return true;
}

struct place times_draw(const struct times *times, uint64_t seed, int64_t step, int64_t item)
{
    const philox_stream stream = {seed, PURPOSE_TIME, (uint64_t)step};
    const struct noise_path *path = times->path;
    uint64_t at = (uint64_t)item;
    if (times->kind == TIMES_ALL_WHOLE) {
        return place_whole(times, (int64_t)philox_below(&stream, at, (uint64_t)path->count));
    }
    if (times->kind == TIMES_IMPORTANCE) {
        int64_t index = importance_draw(&times->importance, philox_uniform(&stream, at));
        struct place place = place_whole(times, index);
        place.chance = (double)path->count * importance_chance(&times->importance, index);
        return place;
    }
    if (times->kind == TIMES_UNIFORM) {
        return place_at(times, time_between(times, philox_uniform(&stream, at)));
    }
    float normal;
    philox_normal(&stream, at, 1, &normal);
    return place_of_normal(times, normal);
}
