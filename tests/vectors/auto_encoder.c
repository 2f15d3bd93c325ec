/* SPDX-License-Identifier: Apache-2.0 */
/* Auto-encoders on a record's inputs: what is encoded, drawn, quantised and decoded, under the
   record's names. A record whose note speaks of enable_tiling() is computed by tiles, put together
   here by ops, so that gradients go through them too. */
#include <string.h>

#include "nets/auto_encoder.h"
#include "nets/layers.h"
#include "vectors/network.h"

enum { CHANNELS = 1, TILES = 64 };

/* ---- Tiles ---- */

typedef sumi_node (*half_build)(const struct auto_encoder *, sumi_graph *, sumi_node);

/* How one half is tiled: sides in numbers of its input, then of its output. */
struct tiling {
    half_build build;
    int64_t tile, step;    /* of the input */
    int64_t blend, length; /* of the output: overlap, and what is kept of a tile */
};

/* Lines first ... first+count of x along an axis. */
static sumi_node lines(sumi_graph *graph, sumi_node x, int axis, int64_t first, int64_t count)
{
    return sumi_op_slice(graph, x, axis, first, count);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* b with its first lines mixed with the last of a: line i of the overlap has i/extent of b. */
static sumi_node blend(sumi_graph *graph, sumi_node a, sumi_node b, int axis, int64_t extent)
{
    int64_t have = layer_size(graph, a, axis), size = layer_size(graph, b, axis);
    extent = smaller(extent, smaller(have, size));
    sumi_node result = -1;
    for (int64_t i = 0; i < extent; i++) {
        double share = (double)i / (double)extent;
        sumi_node old =
            sumi_op_affine(graph, lines(graph, a, axis, have - extent + i, 1), 1 - share, 0);
        sumi_node own = sumi_op_affine(graph, lines(graph, b, axis, i, 1), share, 0);
        sumi_node line = sumi_op_add(graph, old, own);
        result = result < 0 ? line : sumi_op_concat(graph, result, line, axis);
    }
    if (result < 0) return b;
    if (size == extent) return result;
    return sumi_op_concat(graph, result, lines(graph, b, axis, extent, size - extent), axis);
}

/* The tile of the input at (top, left). */
static sumi_node cut(sumi_graph *graph, sumi_node x, const struct tiling *tiling, int64_t top,
                     int64_t left)
{
    int64_t height = layer_size(graph, x, 1) - top, width = layer_size(graph, x, 2) - left;
    x = lines(graph, x, 1, top, smaller(height, tiling->tile));
    return lines(graph, x, 2, left, smaller(width, tiling->tile));
}

/* A row of tiles blended with the row above, which it replaces, and laid side by side. */
static sumi_node build_row(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x,
                           const struct tiling *tiling, int64_t top, sumi_node *above)
{
    sumi_node row = -1;
    int number = 0;
    for (int64_t left = 0; left < layer_size(graph, x, 2); left += tiling->step, number++) {
        sumi_node tile = tiling->build(coder, graph, cut(graph, x, tiling, top, left));
        if (tile < 0 || number == TILES) return -1;
        if (top) tile = blend(graph, above[number], tile, 1, tiling->blend);
        if (left) tile = blend(graph, above[number - 1], tile, 2, tiling->blend);
        above[number] = tile;
        tile = lines(graph, tile, 1, 0, smaller(layer_size(graph, tile, 1), tiling->length));
        tile = lines(graph, tile, 2, 0, smaller(layer_size(graph, tile, 2), tiling->length));
        row = row < 0 ? tile : sumi_op_concat(graph, row, tile, 2);
    }
    return row;
}

static sumi_node build_tiled(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x,
                             const struct tiling *tiling)
{
    sumi_node above[TILES], whole = -1;
    if (layer_size(graph, x, 1) <= tiling->tile && layer_size(graph, x, 2) <= tiling->tile)
        return tiling->build(coder, graph, x);
    for (int64_t top = 0; top < layer_size(graph, x, 1); top += tiling->step) {
        sumi_node row = build_row(coder, graph, x, tiling, top, above);
        if (row < 0) return -1;
        whole = whole < 0 ? row : sumi_op_concat(graph, whole, row, 1);
    }
    return whole;
}

/* ---- The record's outputs ---- */

struct coding {
    struct network *network;
    const struct auto_encoder *coder;
    bool tiled;
};

static sumi_node encode(const struct coding *coding, sumi_node x)
{
    int64_t tile = coding->coder->tile, latents = tile / coding->coder->factor;
    struct tiling tiling = {auto_encoder_encode, tile, tile * 3 / 4, latents / 4,
                            latents - latents / 4};
    sumi_graph *graph = coding->network->graph;
    return coding->tiled ? build_tiled(coding->coder, graph, x, &tiling)
                         : auto_encoder_encode(coding->coder, graph, x);
}

static sumi_node decode(const struct coding *coding, sumi_node latents)
{
    int64_t tile = coding->coder->tile, small = tile / coding->coder->factor;
    struct tiling tiling = {auto_encoder_decode, small, small * 3 / 4, tile / 4, tile - tile / 4};
    sumi_graph *graph = coding->network->graph;
    return coding->tiled ? build_tiled(coding->coder, graph, latents, &tiling)
                         : auto_encoder_decode(coding->coder, graph, latents);
}

/* Moments of the picture, a draw by the record's noise and its picture. */
static void add_moments(const struct coding *coding, sumi_node encoded)
{
    struct network *network = coding->network;
    network_output(network, "moments", encoded, CHANNELS);
    if (!network_record_input(network, "noise")) return;
    sumi_node noise = network_input(network, "noise", SUMI_FLOAT32, CHANNELS);
    sumi_node z = auto_encoder_draw(network->graph, encoded, noise);
    network_output(network, "z", z, CHANNELS);
    network_output(network, "reconstruction", decode(coding, z), CHANNELS);
}

/* Latents of the picture, their codes, and the pictures of both. */
static void add_codes(const struct coding *coding, sumi_node encoded)
{
    struct network *network = coding->network;
    sumi_graph *graph = network->graph;
    sumi_node indices = -1;
    sumi_node code = vq_quantise(coding->coder, graph, encoded, &indices);
    network_output(network, "latents", encoded, CHANNELS);
    network_output(network, "indices", indices, -1);
    network_output(network, "decoded_no_quant", vq_decode_latents(coding->coder, graph, encoded),
                   CHANNELS);
    network_output(network, "decoded", vq_decode_latents(coding->coder, graph, code), CHANNELS);
}

static void add_outputs(const struct coding *coding)
{
    struct network *network = coding->network;
    if (network_record_input(network, "image")) {
        sumi_node image = network_input(network, "image", SUMI_FLOAT32, CHANNELS);
        sumi_node encoded = encode(coding, image);
        if (coding->coder->codes) add_codes(coding, encoded);
        else if (coding->coder->type->moments) add_moments(coding, encoded);
        else network_output(network, "encoded", encoded, CHANNELS);
    }
    if (network_record_input(network, "latents")) {
        sumi_node latents = network_input(network, "latents", SUMI_FLOAT32, CHANNELS);
        network_output(network, "decoded", decode(coding, latents), CHANNELS);
    }
}

bool network_build_auto_encoder(struct network *network)
{
    struct auto_encoder *coder = NULL;
    if (auto_encoder_parse(network->context, network->config, "config", &coder) != SUMI_OK)
        return network_fail(network);
    const char *note = vectors_text(network->row->record, "note");
    struct coding coding = {network, coder, strstr(note, "enable_tiling") != NULL};
    add_outputs(&coding);
    bool built = sumi_graph_status(network->graph) == SUMI_OK || network_fail(network);
    auto_encoder_free(coder);
    return built;
}
