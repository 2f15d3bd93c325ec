/* Chooses the copy of the inner loops for this processor. */
#include "cpu/loops/loops.h"

extern const struct loops loops_baseline;
#if defined(__x86_64__)
extern const struct loops loops_v3, loops_v4;
#endif

const struct loops *loops_select(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("fma")) {
        return &loops_v4;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("bmi2")) {
        return &loops_v3;
    }
#endif
    return &loops_baseline;
}
