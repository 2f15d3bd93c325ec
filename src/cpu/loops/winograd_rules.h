/* SPDX-License-Identifier: Apache-2.0 */
/* The one-dimensional rules of Winograd's algorithm F(4, 3): four results of a kernel of three from
   six values, by six multiplications. They are the matrices of Lavin & Gray (2016), eq. 15 and what
   follows, and their transposes: interpolation at 0, 1, -1, 2, -2 and infinity. */
#ifndef SUMI_CPU_LOOPS_WINOGRAD_RULES_H
#define SUMI_CPU_LOOPS_WINOGRAD_RULES_H

#include "cpu/loops/vector.h"

#define RULE static inline __attribute__((always_inline)) void

/* The six values B^T d. */
RULE input_rule(const lanes d[6], lanes out[6])
{
    lanes even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1];
    lanes even2 = d[4] - d[2], odd2 = 2 * (d[3] - d[1]);
    out[0] = 4 * d[0] - 5 * d[2] + d[4];
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = even2 + odd2;
    out[4] = even2 - odd2;
    out[5] = 4 * d[1] - 5 * d[3] + d[5];
}

/* The four values A^T m. */
RULE output_rule(const lanes m[6], lanes out[4])
{
    lanes sum1 = m[1] + m[2], difference1 = m[1] - m[2];
    lanes sum2 = m[3] + m[4], difference2 = m[3] - m[4];
    out[0] = m[0] + sum1 + sum2;
    out[1] = difference1 + 2 * difference2;
    out[2] = sum1 + 4 * sum2;
    out[3] = difference1 + 8 * difference2 + m[5];
}

/* The six values A d. */
RULE gradient_rule(const lanes d[4], lanes out[6])
{
    lanes even = d[0] + d[2], odd = d[1] + d[3];
    lanes even2 = d[0] + 4 * d[2], odd2 = 2 * d[1] + 8 * d[3];
    out[0] = d[0];
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = even2 + odd2;
    out[4] = even2 - odd2;
    out[5] = d[3];
}

/* The six values G g. */
RULE weight_rule(const lanes g[3], lanes out[6])
{
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, part = 1.0f / 24;
    lanes ends = -sixth * (g[0] + g[2]), far = part * g[0] + sixth * g[2];
    out[0] = 0.25f * g[0];
    out[1] = ends - sixth * g[1];
    out[2] = ends + sixth * g[1];
    out[3] = far + twelfth * g[1];
    out[4] = far - twelfth * g[1];
    out[5] = g[2];
}

/* The three values G^T u. */
RULE weight_gradient_rule(const lanes u[6], lanes out[3])
{
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, part = 1.0f / 24;
    lanes near = u[1] + u[2], far = u[3] + u[4];
    out[0] = 0.25f * u[0] - sixth * near + part * far;
    out[1] = sixth * (u[2] - u[1]) + twelfth * (u[3] - u[4]);
    out[2] = sixth * (far - near) + u[5];
}

#undef RULE
#endif
