/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the comparison of networks share: network.c has inputs and outputs,
   network_filling.c the values of weights and inputs, network_compare.c the plan and its results.
 */
#ifndef TESTS_VECTORS_NETWORK_INSIDE_H
#define TESTS_VECTORS_NETWORK_INSIDE_H

#include "vectors/network.h"

/* The record's config with its class, a new object. */
json_object *network_config(json_object *record, const char *class_name);

/* A record's name without the "~" that keeps an output out of the loss. */
const char *network_plain_name(const char *name);

/* The output of the record's name; NULL after a failure. */
struct network_value *network_find_output(struct network *network, const char *name);

/* The weights by their names' bytes, a new list for free(); NULL where memory ran out. */
struct weight **network_sort_weights(const sumi_weights *weights);

/* Compares number, names and shapes of the weights with the record and the file of names. */
bool network_check_weights(struct network *network);

/* Fills the weights, sorted by name, by a rule of formula.h. */
bool network_fill_weights(struct network *network, struct weight *const *sorted, const char *fill);

/* Fills the memory of an input with the record's values. */
bool network_fill_input(struct network *network, sumi_plan *plan,
                        const struct network_value *input);

/* Compares a network that has been built with all fills of its record. */
void network_compare(struct network *network);

#endif
