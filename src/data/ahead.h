/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead: while the caller computes with the batch of one step, a few threads read that of
   the next. */
#ifndef SUMI_DATA_AHEAD_H
#define SUMI_DATA_AHEAD_H

#include "data/data.h"

struct ahead;

sumi_status ahead_create(sumi_data *data, struct ahead **ahead);
void ahead_free(struct ahead *ahead); /* waits for reads that have begun; accepts NULL */

/* items[batch, item] and labels[batch] (or NULL) of the batch: copied, if it is the one that was
   read ahead, else read now. A failure is told with the batch that it befalls, by the message of
   the first of its items. Then the next step's batch is begun, as long as steps follow one
   another. */
sumi_status ahead_read(struct ahead *ahead, const struct batch_key *key, float *items,
                       int32_t *labels);

#endif
