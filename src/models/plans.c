/* SPDX-License-Identifier: Apache-2.0 */
/* The plans of a session: created for a signature of shapes and cached for later calls with the
   same one; the least recently used are released where all together exceed the session's memory. */
#include "models/session.h"

enum {
    LEAST_PLANS = 2
}; /* so that batches of two alternating sizes do not replan in every
      call */

struct signature session_signature(const sumi_session *session, enum plan_purpose purpose,
                                   int64_t items)
{
    const struct net *net = session->model->net;
    struct signature signature = {.purpose = purpose,
                                  .items = items,
                                  .threads = session->context->threads,
                                  .bfloat16 = session->bfloat16 && purpose == PLAN_PREDICTION};
    for (int i = 0; i < net->input_count; i++) {
        struct shape *shape = &signature.shapes[i];
        const struct condition_entry *entry =
            i > NET_TIMES ? condition_find(session->condition, net->inputs[i].name) : NULL;
        if (i > NET_TIMES && !entry) continue;
        *shape = net_input_shape(net, i, items);
        for (int axis = 1; entry && axis < entry->rank; axis++)
            shape->size[axis] = entry->shape[axis];
    }
    return signature;
}

/* Whether the signatures differ only in the number of items. */
static bool same_call(const struct signature *a, const struct signature *b)
{
    if (a->purpose != b->purpose || a->threads != b->threads || a->bfloat16 != b->bfloat16)
        return false;
    for (int i = 0; i < NET_INPUTS; i++) {
        struct shape left = a->shapes[i], right = b->shapes[i];
        if (left.rank) left.size[0] = right.size[0];
        if (!shape_equal(&left, &right)) return false;
    }
    return true;
}

/* ---- Creating one ---- */

/* Adds vector-Jacobian products to a graph: v^T d output / d x of each item, by differentiation. */
static sumi_status add_products(struct kept_plan *kept)
{
    sumi_graph *graph = kept->graph;
    struct shape shape = *graph_shape(graph, kept->output);
    kept->vectors = sumi_graph_input(graph, "vectors", shape.rank, shape.size);
    sumi_node along = sumi_op_multiply(graph, kept->output, kept->vectors);
    sumi_node sum = sumi_op_sum(graph, along, (1u << shape.rank) - 1);
    return sumi_graph_gradients(graph, sum, 1, &kept->inputs.at[NET_X], &kept->products);
}

static sumi_status build(sumi_session *session, struct kept_plan *kept)
{
    const struct signature *signature = &kept->signature;
    const sumi_model *model = session->model;
    bool product = signature->purpose == PLAN_PRODUCT;
    TRY(sumi_graph_create(session->context, model->weights, false, &kept->graph));
    kept->graph->keep_most = product ? 0 : session->memory;
    kept->graph->bfloat16 = signature->bfloat16;
    net_add_inputs(model->net, kept->graph, signature->items, signature->shapes, &kept->inputs);
    kept->output = net_build(model->net, kept->graph, &kept->inputs);
    TRY(sumi_graph_status(kept->graph));
    if (product) TRY(add_products(kept));
    const sumi_node outputs[] = {kept->output, product ? kept->products : -1};
    TRY(sumi_plan_create(kept->graph, product ? 2 : 1, outputs, &kept->plan));
    kept->bytes = (int64_t)(plan_memory(kept->plan) + plan_kept(kept->plan));
    return SUMI_OK;
}

/* ---- Caching ---- */

static void release(sumi_session *session, struct kept_plan *kept)
{
    sumi_plan_free(kept->plan);
    sumi_graph_free(kept->graph);
    context_release(session->context, kept);
}

void session_forget_plans(sumi_session *session)
{
    while (session->plans) {
        struct kept_plan *first = session->plans;
        session->plans = first->next;
        release(session, first);
    }
    session->item_memory = 0;
}

/* Releases the plan that was used least recently. */
static void release_oldest(sumi_session *session)
{
    struct kept_plan **oldest = &session->plans;
    for (struct kept_plan **at = &session->plans; *at; at = &(*at)->next) {
        if ((*at)->last_used < (*oldest)->last_used) oldest = at;
    }
    struct kept_plan *gone = *oldest;
    *oldest = gone->next;
    release(session, gone);
}

/* Releases plans until the rest and `coming` further bytes fit the budget, and at most `places`
   remain. */
static void fit_budget(sumi_session *session, int64_t coming, int places)
{
    for (;;) {
        int64_t bytes = coming;
        int count = places;
        for (const struct kept_plan *kept = session->plans; kept; kept = kept->next) {
            bytes += kept->bytes;
            count++;
        }
        if (bytes <= session->memory || count <= LEAST_PLANS) return;
        release_oldest(session);
    }
}

/* Releases the plans whose weights have been reallocated. */
static void drop_stale(sumi_session *session)
{
    for (struct kept_plan **at = &session->plans; *at;) {
        struct kept_plan *kept = *at;
        if (!plan_is_stale(kept->plan)) {
            at = &kept->next;
            continue;
        }
        *at = kept->next;
        release(session, kept);
    }
}

static struct kept_plan *find(const sumi_session *session, const struct signature *signature)
{
    struct kept_plan *kept = session->plans;
    while (
        kept
        && (kept->signature.items != signature->items || !same_call(&kept->signature, signature)))
        kept = kept->next;
    return kept;
}

struct kept_plan *session_plan_at_least(sumi_session *session, const struct signature *signature)
{
    struct kept_plan *best = NULL;
    drop_stale(session);
    for (struct kept_plan *kept = session->plans; kept; kept = kept->next) {
        int64_t items = kept->signature.items;
        if (items < signature->items || !same_call(&kept->signature, signature)) continue;
        if (!best || items < best->signature.items) best = kept;
    }
    if (best) best->last_used = ++session->uses;
    return best;
}

sumi_status session_plan(sumi_session *session, const struct signature *signature,
                         struct kept_plan **found)
{
    drop_stale(session);
    *found = find(session, signature);
    if (!*found) {
        fit_budget(session, session->item_memory * signature->items, 1);
        struct kept_plan *made = context_allocate_zeroed(session->context, 1, sizeof *made);
        if (!made) return SUMI_ERROR_MEMORY;
        made->signature = *signature;
        sumi_status status = build(session, made);
        if (status != SUMI_OK) {
            release(session, made);
            return status;
        }
        made->last_used = session->uses + 1;
        made->next = session->plans;
        session->plans = made;
        fit_budget(session, 0, 0);
        *found = made;
    }
    (*found)->last_used = ++session->uses;
    return SUMI_OK;
}
