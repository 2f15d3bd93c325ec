/* SPDX-License-Identifier: Apache-2.0 */
/* What every test program includes: cmocka with the headers it needs, and a few helpers. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sumi.h"

/* Fails the test with the context's message unless `expression` gives SUMI_OK. */
#define CHECK_OK(context, expression)                                                              \
    do {                                                                                           \
        sumi_status check_status = (expression);                                                   \
        if (check_status != SUMI_OK)                                                               \
            fail_msg("%s: %s: %s", #expression, sumi_status_name(check_status),                    \
                     sumi_context_message(context));                                               \
    } while (0)

/* Fails unless |actual - expected| <= tolerance. */
#define CHECK_CLOSE(actual, expected, tolerance)                                                   \
    do {                                                                                           \
        double check_actual = (actual), check_expected = (expected);                               \
        if (!(fabs(check_actual - check_expected) <= (tolerance)))                                 \
            fail_msg("%s is %.9g, expected %.9g within %.3g", #actual, check_actual,               \
                     check_expected, (double)(tolerance));                                         \
    } while (0)

#endif
