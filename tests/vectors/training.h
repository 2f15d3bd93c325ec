/* SPDX-License-Identifier: Apache-2.0 */
/* A run of training.json: six steps of the real trainer on a tiny network with weights filled by
   formula, on the batches that the record's note describes, compared with the record's losses,
   norms of gradients and sums of weights. */
#ifndef TESTS_VECTORS_TRAINING_H
#define TESTS_VECTORS_TRAINING_H

#include "vectors/program.h"

/* The check of one row, for vectors_main. */
enum vectors_result training_check(struct vectors_row *row);

#endif
