/* SPDX-License-Identifier: Apache-2.0 */
/* A network of a record of models_more.json: built with the record's config over weights filled by
   formula, run as a plan, and compared with the record: outputs, loss, the gradient of every weight
   and of inputs. How a class is built on the record's inputs is said by one function for each, in
   the table of classes.c. */
#ifndef TESTS_VECTORS_NETWORK_H
#define TESTS_VECTORS_NETWORK_H

#include "graph/graph.h"
#include "vectors/figures.h"

enum { NETWORK_VALUES = 64 };

/* An input or output by the record's name for it. */
struct network_value {
    char name[64];
    sumi_node node;
    struct figures_layout layout;
};

struct network {
    struct vectors_row *row;
    sumi_context *context;
    sumi_weights *weights;
    sumi_graph *graph;
    const char *config; /* the record's config with its _class_name, as JSON */
    int input_count, output_count;
    struct network_value inputs[NETWORK_VALUES], outputs[NETWORK_VALUES];
};

/* Builds the network: adds the inputs that it takes and the outputs that it gives. False after
   vectors_fail; failures of the graph are looked at by the caller. */
typedef bool (*network_build)(struct network *network);

struct network_class {
    const char *name;
    network_build build;
};
extern const struct network_class network_classes[]; /* ends with a NULL name */

/* The check of one row, for vectors_main. */
enum vectors_result network_check(struct vectors_row *row);

/* ---- For those who build ---- */

/* The record's input of that name, NULL where it has none; a plain value has no shape. */
json_object *network_record_input(const struct network *network, const char *name);

/* Reads the layout of an input of the record; false after a failure. */
bool network_input_layout(struct network *network, const char *name, int channel_axis,
                          struct figures_layout *layout);

/* Adds a graph input for the record's input of that name; -1 after a failure. `channel_axis` is the
   axis of the record's shape that comes last in Sumi, or -1. */
sumi_node network_input(struct network *network, const char *name, sumi_element element,
                        int channel_axis);

/* Says that `node` of the graph is the record's input of that name. */
void network_note_input(struct network *network, const char *name, sumi_node node,
                        const struct figures_layout *layout);

/* Says that `node` is the record's output of that name, with or without "~" in front. */
void network_output(struct network *network, const char *name, sumi_node node, int channel_axis);

/* Fails the row by the context's message. Always false. */
bool network_fail(struct network *network);

/* A denoising network of src/nets/ by its class (denoiser.c). */
bool network_build_denoiser(struct network *network);

/* A ControlNet, whose inputs are those of a denoising network (denoiser.c). */
bool network_build_controlnet(struct network *network);

/* The projections of unCLIP's decoder (text_projection.c). */
bool network_build_text_projection(struct network *network);

/* T5's encoder (t5.c). */
bool network_build_t5(struct network *network);

/* CLIP's encoders (clip.c). */
bool network_build_clip_text(struct network *network);
bool network_build_clip_vision(struct network *network);

/* An auto-encoder, whole or by tiles (auto_encoder.c). */
bool network_build_auto_encoder(struct network *network);

#endif
