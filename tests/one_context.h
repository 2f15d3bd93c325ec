/* SPDX-License-Identifier: Apache-2.0 */
/* A context for each test, and for tests of graphs a graph in it, both gone afterwards. */
#ifndef TESTS_ONE_CONTEXT_H
#define TESTS_ONE_CONTEXT_H

#include "check.h"

static sumi_context *context;

static inline int make_context(void **state)
{
    (void)state;
    return sumi_context_create(NULL, &context) == SUMI_OK ? 0 : -1;
}

static inline int leave_context(void **state)
{
    (void)state;
    sumi_context_free(context);
    return 0;
}

#define CONTEXT_TEST(name) cmocka_unit_test_setup_teardown(name, make_context, leave_context)

#endif
