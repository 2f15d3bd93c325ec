/* SPDX-License-Identifier: Apache-2.0 */
/* Fingerprints of data sets, by which a resumed run detects that its files have changed: the number
   and shape of the items and the number of classes; a checksum of a few evenly spaced items; and
   one of all items if they are in memory. The first two do not depend on whether they are. */
#ifndef SUMI_DATA_FINGERPRINT_H
#define SUMI_DATA_FINGERPRINT_H

#include "data/data.h"

enum { FINGERPRINT_SIZE = 192 };

struct fingerprint {
    char items[FINGERPRINT_SIZE];           /* "20 items of 28x28x1 in 10 classes" */
    char sample[HASH_TEXT], all[HASH_TEXT]; /* in hexadecimal; "" of `all` where unknown */
};

/* The fingerprint of any data set, as a text that is short. It covers all items: those in memory by
   their contents, others by the names, sizes and times of their files. */
sumi_status fingerprint_mark(sumi_data *data, char mark[HASH_TEXT]);

/* Takes the fingerprint of a data set that is read from files; for a generated one, which the
   recipe determines, all texts are "". Reads a few items if they are not in memory. */
sumi_status fingerprint_take(sumi_data *data, struct fingerprint *fingerprint);

#endif
