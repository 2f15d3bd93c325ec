/* SPDX-License-Identifier: Apache-2.0 */
/* What a data set is known by again, so that a run that goes on notices that its files have
   changed: how many items of which shape and how many classes; a checksum of a few items, spread
   evenly; and one of all items where they are in memory. The first two do not depend on where the
   items are. */
#ifndef SUMI_DATA_FINGERPRINT_H
#define SUMI_DATA_FINGERPRINT_H

#include "data/data.h"

enum { FINGERPRINT_SIZE = 192, CHECKSUM_SIZE = 20 };

struct fingerprint {
    char items[FINGERPRINT_SIZE];                   /* "20 items of 28x28x1 in 10 classes" */
    char sample[CHECKSUM_SIZE], all[CHECKSUM_SIZE]; /* in hexadecimal; "" of `all` where unknown */
};

/* That of a data set that is read from files; all texts are "" for one that is generated, which the
   recipe determines. Reads some items where they are not in memory. */
sumi_status fingerprint_take(sumi_data *data, struct fingerprint *fingerprint);

#endif
