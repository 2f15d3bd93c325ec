/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator with a budget, so that inputs that need too much memory fail early. */
#ifndef FUZZ_BUDGET_H
#define FUZZ_BUDGET_H

#include <stdlib.h>

#include "sumi.h"

struct budget {
    size_t left;
};

static inline void *budget_allocate(void *user, size_t size, size_t alignment)
{
    struct budget *budget = user;
    void *memory = NULL;
    if (size > budget->left || posix_memalign(&memory, alignment, size ? size : 1) != 0)
        return NULL;
    budget->left -= size;
    return memory;
}

static inline void budget_release(void *user, void *memory)
{
    (void)user;
    free(memory);
}

#endif
