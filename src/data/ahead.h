/* SPDX-License-Identifier: Apache-2.0 */
/* Prefetching: while the caller computes with the batch of one step, threads read the batch of the
   next. */
#ifndef SUMI_DATA_AHEAD_H
#define SUMI_DATA_AHEAD_H

#include "data/data.h"

struct ahead;

sumi_status ahead_create(sumi_data *data, struct ahead **ahead);
void ahead_free(struct ahead *ahead); /* waits for reads that have begun; accepts NULL */

/* Fills items[batch, item] and labels[batch] (or NULL): copies them if the batch was read ahead,
   else reads them now. A failure is reported for the batch in which it occurs, with the message of
   its first failed item. Then, as long as steps are consecutive, starts to read the next step's
   batch. */
sumi_status ahead_read(struct ahead *ahead, const struct batch_key *key, float *items,
                       int32_t *labels);

#endif
