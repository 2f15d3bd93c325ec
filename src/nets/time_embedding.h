/* SPDX-License-Identifier: Apache-2.0 */
/* The embedding of the time and the class, which every residual layer of U-Nets and of SumiMLPModel
   reads; and the sines of times, from which transformers make their own embeddings. */
#ifndef SUMI_NETS_TIME_EMBEDDING_H
#define SUMI_NETS_TIME_EMBEDDING_H

#include "nets/config.h"
#include "nets/net.h"

/* The class input: none; "class" [n], a row of a table; "class_time" [n], a number on the scale of
   the times; or "embedding" [n, width], computed by the caller; or "embedding" [n, any width],
   which two layers or one project. */
enum class_kind {
    CLASS_NONE,
    CLASS_ROW,
    CLASS_TIME,
    CLASS_EMBEDDING,
    CLASS_PROJECTION,
    CLASS_LINEAR
};

enum time_embedding_kind { TIME_POSITIONAL, TIME_FOURIER, TIME_LEARNED };

struct time_settings {
    enum time_embedding_kind kind;
    int64_t channels; /* of the projection of a time */
    int64_t width;    /* of the embedding */
    double frequency_shift;
    bool cosine_first;
    int64_t steps; /* rows of a learned table */
    enum class_kind class_kind;
    bool class_beside; /* the class's embedding goes beside that of the time, not onto it */
    int64_t guidance;  /* channels of the input "guidance", which is projected into the first layer;
                          0 for none */
};

/* The keys of a network class with a time embedding. */
#define TIME_KEYS                                                                                  \
    {"time_embedding_type", "\"positional\""}, {"time_embedding_dim", "null"},                     \
        {"freq_shift", "0"}, {"flip_sin_to_cos", "true"}, {"class_embed_type", "null"},            \
        {"num_class_embeds", "null"}, {"_null_class", "null"},                                     \
    {                                                                                              \
        "num_train_timesteps", "null"                                                              \
    }

/* Reads them for a network whose first layer has `channels`, and declares the class input, if there
   is one. Call after net_declare_item. */
void time_read(struct config *config, int64_t channels, struct time_settings *time,
               struct net *net);

/* The embedding [n, width] of the times and of the declared class input. */
sumi_node time_embedding(sumi_graph *graph, const struct time_settings *time, const struct net *net,
                         const struct net_nodes *nodes);

/* Sines and cosines of times[n] at channels / 2 frequencies, exp(-ln(10000) i / (half - shift)):
   [n, channels]. The last channel is zero where their number is odd. */
struct time_waves {
    int64_t channels;
    double frequency_shift;
    bool cosine_first;
};
sumi_node time_waves(sumi_graph *graph, const struct time_waves *waves, sumi_node times);

/* The input "guidance" of a network that was distilled with guidance (Luo et al. 2023, LCM) for a
   guidance scale: sines and cosines of 1000 (scale - 1) into row[channels]. */
void guidance_waves(double scale, int64_t channels, float *row);

/* With a Fourier embedding, whose time is the noise level, the network's output divided by its time
   (Song et al. 2021, appendix C); else `output`. */
sumi_node time_scale_output(sumi_graph *graph, const struct time_settings *time, sumi_node times,
                            sumi_node output);

#endif
