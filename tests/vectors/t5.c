/* SPDX-License-Identifier: Apache-2.0 */
/* T5's encoder on a record's inputs. */
#include "nets/t5.h"

#include "vectors/network.h"

bool network_build_t5(struct network *network)
{
    struct t5 t5;
    sumi_node mask = -1;
    if (t5_parse(network->context, network->config, "config", &t5) != SUMI_OK)
        return network_fail(network);
    sumi_node ids = network_input(network, "input_ids", SUMI_INT32, -1);
    if (network_record_input(network, "attention_mask"))
        mask = network_input(network, "attention_mask", SUMI_FLOAT32, -1);
    sumi_node states = t5_build(&t5, network->graph, ids, mask);
    if (sumi_graph_status(network->graph) != SUMI_OK) return network_fail(network);
    network_output(network, "last_hidden_state", states, -1);
    return true;
}
