/* SPDX-License-Identifier: Apache-2.0 */
/* The types that the elements of an array may have, and their sizes in bytes. */
#ifndef SUMI_BASE_ELEMENT_H
#define SUMI_BASE_ELEMENT_H

#include "sumi.h"

static inline size_t element_size(sumi_element element)
{
    switch (element) {
    case SUMI_FLOAT32:
    case SUMI_INT32: return 4;
    case SUMI_BFLOAT16:
    case SUMI_FLOAT16: return 2;
    case SUMI_INT8: return 1;
    }
    return 0;
}

/* Where element i of an array is. */
static inline const void *element_address(const void *data, sumi_element element, int64_t i)
{
    return (const char *)data + i * (int64_t)element_size(element);
}

/* The name of a type: "float32". */
static inline const char *element_name(sumi_element element)
{
    switch (element) {
    case SUMI_FLOAT32: return "float32";
    case SUMI_BFLOAT16: return "bfloat16";
    case SUMI_FLOAT16: return "float16";
    case SUMI_INT32: return "int32";
    case SUMI_INT8: return "int8";
    }
    return "unknown";
}

#endif
