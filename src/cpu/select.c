/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the copies of the inner loops for this processor. */
#include "cpu/loops/winograd_1d.h"
#include "cpu/loops/loops.h"
#include "cpu/loops/product.h"
#include "cpu/loops/speed.h"
#include "cpu/loops/transformer.h"
#include "cpu/loops/winograd.h"

/* Defines NAME_select, which chooses among the tables NAME_baseline, NAME_v3 and NAME_v4. */
#if defined(__x86_64__)
enum level { baseline, v3, v4 };

/* SUMI_HIGHEST is the highest level to use, so that tests can have a lower one. */
static enum level level_of_processor(void)
{
    /* NOLINTNEXTLINE(misc-redundant-expression): equal by the option of the build alone */
    if (SUMI_HIGHEST >= v4 && __builtin_cpu_supports("avx512f")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")) {
        return v4;
    }
    if (SUMI_HIGHEST >= v3 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("bmi2")) {
        return v3;
    }
    return baseline;
}

#define DEFINE_SELECT(NAME)                                                                        \
    extern const struct NAME NAME##_baseline, NAME##_v3, NAME##_v4;                                \
    const struct NAME *NAME##_select(void)                                                         \
    {                                                                                              \
        enum level level = level_of_processor();                                                   \
        return level == v4 ? &NAME##_v4 : level == v3 ? &NAME##_v3 : &NAME##_baseline;             \
    }

/* Whether the processor's instruction for pairs of bfloat16 is faster than those for float32.
   AMD's, from Zen 4 on, multiply twice as many numbers by it; Intel's were measured at half the
   rate of float32. The maker decides rather than a timing, so that a machine always computes the
   same sums. */
static bool pairs_are_fast(void)
{
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_is("amd");
}

const struct product_loops *product_loops_select(void)
{
    extern const struct product_loops product_loops_baseline, product_loops_v3, product_loops_v4,
        product_loops_v4_bf16;
    switch (level_of_processor()) {
    case v4: return pairs_are_fast() ? &product_loops_v4_bf16 : &product_loops_v4;
    case v3: return &product_loops_v3;
    case baseline: break;
    }
    return &product_loops_baseline;
}
#else
#define DEFINE_SELECT(NAME)                                                                        \
    extern const struct NAME NAME##_baseline;                                                      \
    const struct NAME *NAME##_select(void)                                                         \
    {                                                                                              \
        return &NAME##_baseline;                                                                   \
    }
DEFINE_SELECT(product_loops)
#endif

DEFINE_SELECT(winograd_1d_loops)
DEFINE_SELECT(loops)
DEFINE_SELECT(speed_loops)
DEFINE_SELECT(transformer_loops)
DEFINE_SELECT(winograd_loops)
