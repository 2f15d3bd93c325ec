/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures with channels last, as Sumi has them in memory, and with channels first, as files of
   torch have them. */
#ifndef SUMI_FILES_CHANNELS_H
#define SUMI_FILES_CHANNELS_H

#include <stdint.h>

/* [n,h,w,c] of that `shape` to [n,c,h,w]. */
void channels_to_first(const int64_t shape[4], const float *last, float *first);
/* [n,c,h,w] to [n,h,w,c], which is of that `shape`. */
void channels_to_last(const int64_t shape[4], const float *first, float *last);

#endif
