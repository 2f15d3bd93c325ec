/* SPDX-License-Identifier: Apache-2.0 */
/* Plans that are kept for later calls of the same signature: those of a session, and those of the
   two halves of an auto-encoder. The least recently used are released where all together exceed the
   memory that the owner allows. */
#ifndef SUMI_MODELS_PLAN_CACHE_H
#define SUMI_MODELS_PLAN_CACHE_H

#include "graph/plan.h"
#include "nets/net.h"

/* The option "precision" of what runs plans, and its values; an offset follows. */
enum { PRECISION_FLOAT32, PRECISION_BF16 };
#define PRECISION_OPTION                                                                           \
    CHOICE_OPTION("precision", "float32", "float32|bf16",                                          \
                  "type in which activations are stored and multiplied")

enum plan_purpose { PLAN_PREDICTION, PLAN_PRODUCT, PLAN_ENCODING, PLAN_DECODING };

/* The key of a plan: calls with the same signature share one. */
struct signature {
    enum plan_purpose purpose;
    int64_t items;
    int threads;
    bool bfloat16;
    struct shape shapes[NET_INPUTS]; /* of each input; rank 0 for an omitted one */
};

/* A cached plan, in the list of its cache. */
struct kept_plan {
    struct kept_plan *next;
    struct signature signature;
    uint64_t last_used;
    int64_t bytes; /* of its values, and of what kernels keep of the weights */
    sumi_graph *graph;
    sumi_plan *plan;
    struct net_nodes inputs;
    sumi_node output;
    sumi_node vectors, products; /* of PLAN_PRODUCT */
};

struct plan_cache {
    sumi_context *context;
    int64_t memory; /* budget of cached plans, in bytes */
    void *user;
    /* Creates graph and plan of the signature, and sets its nodes. */
    sumi_status (*build)(void *user, struct kept_plan *kept);
    struct kept_plan *plans;
    uint64_t uses; /* of plans, so far */
};

/* Finds the plan of the signature or creates one, which will take about `coming` bytes (0:
   unknown); plans whose weights were reallocated are released. Valid until the next call. */
sumi_status plan_cache_get(struct plan_cache *cache, const struct signature *signature,
                           int64_t coming, struct kept_plan **found);

/* The smallest cached plan of the signature for at least as many items, or NULL. */
struct kept_plan *plan_cache_at_least(struct plan_cache *cache, const struct signature *signature);

/* Describes a cached plan by number from 0; false past the last. */
bool plan_cache_describe(const struct plan_cache *cache, int number, sumi_plan_info *info);

/* Releases all plans. */
void plan_cache_forget(struct plan_cache *cache);

/* How many of `count` items to compute at once, of whose plans one takes `item_memory` bytes: equal
   batches of at most `limit` items, and of half a gibibyte. */
int64_t plan_batch(int64_t count, int64_t item_memory, int64_t limit);

#endif
