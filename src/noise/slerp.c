/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_slerp: spherical interpolation between two states of noise. */
#include <math.h>

#include "base/context.h"
#include "vectors/rows.h"

/* Song, Meng and Ermon 2020 (DDIM), eq. 67. Parallel and opposite states do not determine a great
   circle; they are interpolated linearly. */
sumi_status sumi_slerp(sumi_context *context, int64_t count, const float *from, const float *to,
                       double share, float *between)
{
    double inner = 0, from_square = 0, to_square = 0;
    if (count < 1 || !from || !to || !between || !isfinite(share)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "sumi_slerp needs two states of at least one number, memory for a "
                            "third, and a finite fraction");
    }
    for (int64_t i = 0; i < count; i++) {
        inner += (double)from[i] * to[i];
        from_square += (double)from[i] * from[i];
        to_square += (double)to[i] * to[i];
    }
    double cosine = inner / sqrt(from_square * to_square), angle = acos(fmax(-1, fmin(1, cosine)));
    double first = 1 - share, second = share;
    if (sin(angle) > 1e-6) { /* false also where a state is zero and the angle NaN */
        first = sin((1 - share) * angle) / sin(angle);
        second = sin(share * angle) / sin(angle);
    }
    rows_combine(context->threads, count, between, 2,
                 (struct row_term[]){{first, from}, {second, to}});
    return SUMI_OK;
}
