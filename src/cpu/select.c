/* Chooses the copy of the inner loops for this processor. */
#include "cpu/loops/loops.h"
#include "cpu/loops/speed.h"

extern const struct loops loops_baseline;
extern const struct speed_loops speed_loops_baseline;
#if defined(__x86_64__)
extern const struct loops loops_v3, loops_v4;
extern const struct speed_loops speed_loops_v3, speed_loops_v4;

static bool has_v4(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
           && __builtin_cpu_supports("fma");
}

static bool has_v3(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
           && __builtin_cpu_supports("bmi2");
}
#endif

const struct loops *loops_select(void)
{
#if defined(__x86_64__)
    if (has_v4()) return &loops_v4;
    if (has_v3()) return &loops_v3;
#endif
    return &loops_baseline;
}

const struct speed_loops *speed_loops_select(void)
{
#if defined(__x86_64__)
    if (has_v4()) return &speed_loops_v4;
    if (has_v3()) return &speed_loops_v3;
#endif
    return &speed_loops_baseline;
}
