/* SPDX-License-Identifier: Apache-2.0 */
/* Self-attention over the pixels of a U-Net level (Vaswani et al. 2017, 3.2), with a residual
   connection. */
#include <math.h>

#include "nets/unet.h"

sumi_node unet_attend(struct unet_builder *builder, const char *name,
                      const struct unet_attention *attention, sumi_node x)
{
    if (x < 0) return -1;
    sumi_graph *graph = builder->graph;
    struct shape image = *graph_shape(graph, x);
    int64_t inner = attention->heads * attention->head_width;
    char part[NAME_SIZE];

    sumi_node h = layer_sequence(graph, x); /* [n, pixels, c] */
    sumi_node q = layer_linear(graph, layer_name(part, name, "to_q"), h, inner);
    sumi_node k = layer_linear(graph, layer_name(part, name, "to_k"), h, inner);
    sumi_node v = layer_linear(graph, layer_name(part, name, "to_v"), h, inner);
    h = sumi_op_attention(graph, q, k, v, attention->heads,
                          1 / sqrt((double)attention->head_width));
    h = layer_linear(graph, layer_name(part, name, "to_out.0"), h, attention->channels);
    return sumi_op_reshape(graph, h, image.rank, image.size);
}

sumi_node unet_build_attention(struct unet_builder *builder, const char *name,
                               const struct unet_attention *attention, sumi_node x)
{
    sumi_graph *graph = builder->graph;
    char part[NAME_SIZE];
    sumi_node h = x;
    if (attention->groups) {
        struct layer_norm norm = {attention->groups, builder->unet->epsilon};
        h = layer_group_norm(graph, layer_name(part, name, "group_norm"), h, &norm, false);
    }
    h = sumi_op_add(graph, unet_attend(builder, name, attention, h), x);
    if (attention->divisor != 1) h = sumi_op_affine(graph, h, 1 / attention->divisor, 0);
    sumi_graph_mark(graph);
    return h;
}
