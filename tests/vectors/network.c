/* SPDX-License-Identifier: Apache-2.0 */
/* A network of a record: its inputs and outputs, and the check of a row; see network.h. */
#include "vectors/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors/network_inside.h"

/* ---- Inputs and outputs ---- */

bool network_fail(struct network *network)
{
    return vectors_fail(network->row, "%s", sumi_context_message(network->context));
}

json_object *network_record_input(const struct network *network, const char *name)
{
    return vectors_get(vectors_get(network->row->record, "inputs"), name);
}

bool network_input_layout(struct network *network, const char *name, int channel_axis,
                          struct figures_layout *layout)
{
    json_object *input = network_record_input(network, name);
    *layout = (struct figures_layout){.channel_axis = channel_axis};
    layout->rank = vectors_shape(vectors_get(input, "shape"), layout->size);
    if (layout->rank >= 0 && layout->channel_axis < layout->rank) return true;
    return vectors_fail(network->row, "the record should have an input \"%s\" with its shape",
                        name);
}

void network_note_input(struct network *network, const char *name, sumi_node node,
                        const struct figures_layout *layout)
{
    if (network->input_count == NETWORK_VALUES) {
        vectors_fail(network->row, "more than %d inputs", NETWORK_VALUES);
        return;
    }
    struct network_value *value = &network->inputs[network->input_count++];
    *value = (struct network_value){.node = node, .layout = *layout};
    snprintf(value->name, sizeof value->name, "%s", name);
}

sumi_node network_input(struct network *network, const char *name, sumi_element element,
                        int channel_axis)
{
    struct figures_layout layout;
    int64_t size[8];
    if (!network_input_layout(network, name, channel_axis, &layout)) return -1;
    figures_own_shape(&layout, size);
    sumi_node node = sumi_graph_typed_input(network->graph, name, element, layout.rank, size);
    network_note_input(network, name, node, &layout);
    return node;
}

const char *network_plain_name(const char *name)
{
    return *name == '~' ? name + 1 : name;
}

void network_output(struct network *network, const char *name, sumi_node node, int channel_axis)
{
    if (network->output_count == NETWORK_VALUES || node < 0) {
        vectors_fail(network->row, "the output \"%s\" cannot be added: %s", name,
                     sumi_context_message(network->context));
        return;
    }
    struct network_value *value = &network->outputs[network->output_count++];
    *value = (struct network_value){.node = node, .layout = {.channel_axis = channel_axis}};
    snprintf(value->name, sizeof value->name, "%s", network_plain_name(name));
}

struct network_value *network_find_output(struct network *network, const char *name)
{
    for (int i = 0; i < network->output_count; i++) {
        if (strcmp(network->outputs[i].name, network_plain_name(name)) == 0)
            return &network->outputs[i];
    }
    vectors_fail(network->row, "this class gives no output \"%s\"", name);
    return NULL;
}

/* ---- A row ---- */

static void run_class(struct network *network, network_build build)
{
    sumi_context *context = network->context;
    bool made = sumi_weights_create(context, 7, &network->weights) == SUMI_OK
                && sumi_graph_create(context, network->weights, false, &network->graph) == SUMI_OK;
    if (!made || !build(network) || sumi_graph_status(network->graph) != SUMI_OK)
        network_fail(network);
    else if (!network->row->failed) network_compare(network);
    sumi_graph_free(network->graph);
    sumi_weights_free(network->weights);
}

json_object *network_config(json_object *record, const char *class_name)
{
    json_object *config = NULL;
    json_object *given = vectors_get(record, "config");
    if (!given || json_object_deep_copy(given, &config, NULL) != 0)
        config = json_object_new_object();
    json_object_object_add(config, "_class_name", json_object_new_string(class_name));
    return config;
}

enum vectors_result network_check(struct vectors_row *row)
{
    const char *class_name = vectors_text(row->record, "class_");
    const struct network_class *class = network_classes;
    while (class->name && strcmp(class->name, class_name) != 0) class ++;
    if (!class->name) return VECTORS_NOT_THERE;
    struct network *network = calloc(1, sizeof *network);
    if (!network || sumi_context_create(NULL, &network->context) != SUMI_OK) {
        vectors_fail(row, "out of memory");
        free(network);
        return VECTORS_COMPARED;
    }
    json_object *config = network_config(row->record, class_name);
    network->row = row;
    network->config = json_object_to_json_string(config);
    run_class(network, class->build);
    json_object_put(config);
    sumi_context_free(network->context);
    free(network);
    return VECTORS_COMPARED;
}
