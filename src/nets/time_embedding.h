/* SPDX-License-Identifier: Apache-2.0 */
/* How a network is told the time and the class: the embedding that every residual layer reads. */
#ifndef SUMI_NETS_TIME_EMBEDDING_H
#define SUMI_NETS_TIME_EMBEDDING_H

#include "nets/config.h"
#include "nets/net.h"

/* How the class is told: not at all; "class" [n], a row of a table; "class_time" [n], a number on
   the scale of the times; or "embedding" [n, width], made by the caller. */
enum class_kind { CLASS_NONE, CLASS_ROW, CLASS_TIME, CLASS_EMBEDDING };

enum time_kind { TIME_POSITIONAL, TIME_FOURIER, TIME_LEARNED };

struct time_settings {
    enum time_kind kind;
    int64_t channels; /* of the projection of a time */
    int64_t width;    /* of the embedding */
    double frequency_shift;
    bool cosine_first;
    int64_t steps; /* rows of a learned table */
    enum class_kind class_kind;
};

/* Keys that a class with a time embedding has in its table. */
#define TIME_KEYS                                                                                  \
    {"time_embedding_type", "\"positional\""}, {"time_embedding_dim", "null"},                     \
        {"freq_shift", "0"}, {"flip_sin_to_cos", "true"}, {"class_embed_type", "null"},            \
        {"num_class_embeds", "null"},                                                              \
    {                                                                                              \
        "num_train_timesteps", "null"                                                              \
    }

/* Reads them for a network whose first layer has `channels`; also declares the input by which
   the network is told the class, if there is one. Call after net_declare_item. */
void time_read(struct config *config, int64_t channels, struct time_settings *time,
               struct net *net);

/* The embedding [n, width] of the times and of the class, as the network declared it. */
sumi_node time_embedding(sumi_graph *graph, const struct time_settings *time, const struct net *net,
                         const struct net_nodes *nodes);

/* The network's output over its time where the embedding is Fourier's, for there the time is the
   noise level (Song et al. 2021, appendix C); else `output` as it is. */
sumi_node time_scale_output(sumi_graph *graph, const struct time_settings *time, sumi_node times,
                            sumi_node output);

#endif
