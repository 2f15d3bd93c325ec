/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: what runs a model. A session reads the model and owns everything that changes while it
   runs: plans, condition, guides, precision. session.c creates one and checks conditions, plans.c
   creates plans, guided.c has the guides; predict.c, gradient.c, product.c, score.c and sample.c
   use them; prompts.c makes conditions from texts, start.c
   samples from given items. */
#ifndef SUMI_MODELS_SESSION_H
#define SUMI_MODELS_SESSION_H

#include "base/option_set.h"
#include "guides/kinds.h"
#include "models/model.h"
#include "models/plan_cache.h"

/* The values of the option "long_prompts". */
enum { PROMPTS_CUT, PROMPTS_CHUNKS };

/* What samples begin with instead of noise (start.c). */
struct session_start {
    sumi_array items; /* [n, item]; without data: noise */
    sumi_array mask; /* [n, h, w, 1], above 0 where items are made anew; without data: everywhere */
    double strength;
};

struct sumi_session {
    sumi_context *context;
    const sumi_model *model;
    int precision;             /* PRECISION_BF16: plans store activations in bf16 */
    struct option_set options; /* precision, the memory of the cache, and how prompts are read */
    bool prompt_weights;
    int long_prompts; /* PROMPTS_CUT or PROMPTS_CHUNKS */
    int64_t clip_skip;
    sumi_condition *condition;     /* as the caller has set it, or NULL */
    const sumi_condition *current; /* of the network's next evaluation: that, or one that a guide or
                                      a measurement has set */
    sumi_condition *null;          /* the null condition, or NULL */
    struct guide_stack stack;      /* around the network */
    sumi_solver *levels; /* the model's own, for the noise level of a time; NULL without guides */
    struct plan_cache cache;
    struct session_start start;
    sumi_array channels; /* of the input "extra_channels"; without data: none */
    int64_t item_memory; /* bytes of a prediction's plan for one item, 0 while unknown */
};

/* ---- Calls and conditions (session.c) ---- */

/* Refuses a model without sample_size, fewer than one item, and a missing condition. */
sumi_status session_check_call(const sumi_session *session, int64_t count);

/* Refuses sizes of an item and of a prediction that differ from the model's. Where `may_lack` is
   true, the prediction may lack a variance that is optional. */
sumi_status session_check_sizes(const sumi_session *session, int64_t item_size, int64_t output_size,
                                bool may_lack);

/* Sets the condition of the network's next evaluations, checked against its inputs; it is not
   copied. */
sumi_status session_go_by(sumi_session *session, const sumi_condition *condition);

/* The network alone: as sumi_session_predict and sumi_session_product, without guides. */
sumi_status session_predict_plain(void *session, int64_t count, int64_t item_size,
                                  int64_t output_size, const float *x, const float *times,
                                  float *output);
sumi_status session_product_plain(void *session, int64_t count, int64_t item_size,
                                  int64_t output_size, const float *x, const float *times,
                                  const float *vectors, float *output, float *products);

/* The session with its guides as a denoiser, for measurements (guided.c). */
struct denoising session_denoising(sumi_session *session);

/* Refuses guides without vector-Jacobian products. */
sumi_status session_check_product(const sumi_session *session);

/* Fills a plan's inputs for `count` items of a call, from item `first` on: rows of x and times, and
   the condition's items. A plan for more items is padded with copies of the first row, so that all
   computed values are finite. */
void session_fill(const sumi_session *session, sumi_plan *plan, const struct net_nodes *inputs,
                  int64_t items, int64_t first, int64_t count, const float *x, const float *times);

/* ---- Samples from items (start.c) ---- */

/* Draws samples in place from the session's start. */
sumi_status start_draw(sumi_session *session, sumi_solver *solver, sumi_solver_watcher watcher,
                       void *user, sumi_array *samples);
void start_release(sumi_session *session);

/* ---- Plans (plans.c) ---- */

/* The signature of a call with the current condition and options. */
struct signature session_signature(const sumi_session *session, enum plan_purpose purpose,
                                   int64_t items);

/* Creates the plan of a cached one's signature, for the cache of the session `user`. */
sumi_status session_build_plan(void *user, struct kept_plan *kept);

/* Finds the cached plan of the signature or creates one. Valid until the next call. */
sumi_status session_plan(sumi_session *session, const struct signature *signature,
                         struct kept_plan **found);

/* Releases all plans. */
void session_forget_plans(sumi_session *session);

#endif
