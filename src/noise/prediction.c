/* The linear maps behind each prediction; see prediction.h. */
#include "noise/prediction.h"

#include "noise/rows.h"

struct prediction_map prediction_map(enum prediction_type type, double signal, double noise)
{
    double a = signal, s = noise, square = a * a + s * s;
    switch (type) {
    case PREDICTION_EPSILON: return (struct prediction_map){1 / a, -s / a, 0, 1};
    case PREDICTION_SAMPLE:
        if (s == 0) return (struct prediction_map){0, 1, 0, 0};
        return (struct prediction_map){0, 1, 1 / s, -a / s};
    case PREDICTION_V:
        return (struct prediction_map){a / square, -s / square, s / square, a / square};
    case PREDICTION_SCORE: return (struct prediction_map){1 / a, s * s / a, 0, -s};
    case PREDICTION_FLOW:
        return (struct prediction_map){1 / (a + s), -s / (a + s), 1 / (a + s), a / (a + s)};
    }
    return (struct prediction_map){0, 0, 0, 0};
}

void prediction_clean(const struct prediction_map *map, int threads, int64_t count, const float *x,
                      const float *prediction, float *clean)
{
    rows_combine(threads, count, clean, 2,
                 (struct row_term[]){{map->clean_state, x}, {map->clean_prediction, prediction}});
}

void prediction_noise(const struct prediction_map *map, int threads, int64_t count, const float *x,
                      const float *prediction, float *noise)
{
    rows_combine(threads, count, noise, 2,
                 (struct row_term[]){{map->noise_state, x}, {map->noise_prediction, prediction}});
}

void prediction_target(enum prediction_type type, double signal, double noise_level, int threads,
                       int64_t count, const float *clean, const float *noise, float *target)
{
    double of_clean = 0, of_noise = 0;
    switch (type) {
    case PREDICTION_EPSILON: of_noise = 1; break;
    case PREDICTION_SAMPLE: of_clean = 1; break;
    case PREDICTION_V:
        of_noise = signal;
        of_clean = -noise_level;
        break;
    case PREDICTION_SCORE: of_noise = -1 / noise_level; break;
    case PREDICTION_FLOW:
        of_noise = 1;
        of_clean = -1;
        break;
    }
    rows_combine(threads, count, target, 2,
                 (struct row_term[]){{of_clean, clean}, {of_noise, noise}});
}
