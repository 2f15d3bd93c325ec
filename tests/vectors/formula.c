/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers by formula; see formula.h. */
#include "vectors/formula.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A mixing of 32 bits by two rounds of shift and multiplication. */
static uint32_t hash32(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

double formula_mix(uint32_t n, uint32_t j)
{
    double uniform = (hash32(n * 0x9E3779B9u + j) + 0.5) / 4294967296.0;
    return sqrt(3) * (2 * uniform - 1);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

bool formula_fill(const char *fill, const struct formula_weight *weight, float *values)
{
    bool sine = strcmp(fill, "sin") == 0, small = strcmp(fill, "small") == 0;
    if (!sine && !small && strcmp(fill, "mix") != 0) return false;
    if (ends_with(weight->name, ".kernel")) return true;
    bool scale = weight->rank == 1 && ends_with(weight->name, ".weight");
    double fan = sqrt((double)(weight->count / weight->first_size));
    double factor = weight->rank >= 2 ? (small ? 0.02 : 1) / fan : small && !scale ? 0.002 : 0.1;
    for (int64_t j = 0; j < weight->count; j++) {
        double s = sine ? sin(0.7071 * (double)j + 1.3 * (double)weight->number)
                        : formula_mix((uint32_t)weight->number, (uint32_t)j);
        values[j] = (float)(weight->rank >= 2 && !small ? s / fan : (scale ? 1 : 0) + factor * s);
    }
    return true;
}

bool formula_read(const char *text, struct formula_wave *wave)
{
    int used = 0;
    wave->sine = strncmp(text, "sin", 3) == 0;
    if (!wave->sine && strncmp(text, "cos", 3) != 0) return false;
    if (sscanf(text + 3, "(%lf*j%lf)%n", &wave->factor, &wave->shift, &used) == 2 && used)
        return text[3 + used] == '\0';
    wave->shift = 0;
    return sscanf(text + 3, "(%lf*j)%n", &wave->factor, &used) == 1 && used
           && text[3 + used] == '\0';
}

double formula_wave_at(const struct formula_wave *wave, int64_t j)
{
    double angle = wave->factor * (double)j + wave->shift;
    return wave->sine ? sin(angle) : cos(angle);
}
