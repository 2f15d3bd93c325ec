/* SPDX-License-Identifier: Apache-2.0 */
/* A session's guides: a stack around its network, for all predictions and products of the session.
 */
#include "models/session.h"
#include "solvers/solver.h"

/* ---- Adding and removing ---- */

static sumi_status go_by(void *user, const sumi_condition *condition)
{
    return session_go_by(user, condition);
}

static struct denoising network_of(sumi_session *session)
{
    const struct net *net = session->model->net;
    return (struct denoising){.user = session,
                              .predict = session_predict_plain,
                              .product = session_product_plain,
                              .set_condition = go_by,
                              .condition = session->condition,
                              .needs_class = net_classes(net) > 0,
                              .item_size = model_item_size(session->model),
                              .channels = net->item_shape[net->item_rank - 1]};
}

/* The path that determines the noise level of a time for guides; NULL if the model's scheduler has
   none, as for bits. */
static sumi_status find_path(sumi_session *session, const struct noise_path **path)
{
    *path = NULL;
    if (model_is_binomial(session->model)) return SUMI_OK;
    sumi_status status = sumi_session_solver(session, NULL, &session->levels);
    if (status == SUMI_OK) status = solver_path(session->levels, path);
    if (status == SUMI_ERROR_MEMORY) return status;
    return SUMI_OK;
}

static sumi_status begin_stack(sumi_session *session)
{
    const struct denoising network = network_of(session);
    const struct noise_path *path = NULL;
    TRY(find_path(session, &path));
    session->stack = guide_stack_of(session->context, &network, path);
    session->stack.null = session->null;
    if (path)
        session->stack.prediction =
            (enum prediction_type)solver_options(session->levels)->prediction_type;
    return SUMI_OK;
}

/* A guide that compares conditions needs two. */
static sumi_status check_model(const sumi_session *session, const sumi_guide *guide)
{
    if (!guide->type->needs_null || session->null) return SUMI_OK;
    bool unconditional = session->model->net->input_count == NET_TIMES + 1;
    return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                        unconditional
                            ? "the guide %s compares two conditions, but this model is "
                              "unconditional"
                            : "the guide %s needs a null condition, but this model has no null "
                              "class: train it with train.label_dropout, or set another null "
                              "condition",
                        guide->type->name);
}

sumi_status sumi_session_add_guide(sumi_session *session, const char *name, sumi_guide **guide)
{
    sumi_guide *made = NULL;
    sumi_status status = guide_create(session->context, name, &made);
    if (guide) *guide = NULL;
    if (status == SUMI_OK) status = check_model(session, made);
    if (status == SUMI_OK && session->stack.count == 0) status = begin_stack(session);
    if (status == SUMI_OK) status = guide_add(&session->stack, made);
    if (status != SUMI_OK) {
        guide_free(made);
        if (session->stack.count == 0) sumi_session_remove_guides(session);
        return status;
    }
    if (guide) *guide = made;
    return SUMI_OK;
}

void sumi_session_remove_guides(sumi_session *session)
{
    for (int i = 0; i < session->stack.count; i++) guide_free(session->stack.layers[i].guide.user);
    session->stack.count = 0;
    sumi_solver_free(session->levels);
    session->levels = NULL;
}

/* ---- Calls ---- */

struct denoising session_denoising(sumi_session *session)
{
    return session->stack.count ? guide_stack_denoising(&session->stack) : network_of(session);
}

sumi_status sumi_session_denoiser(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                  const float *x, const float *times, float *output)
{
    sumi_session *session = user;
    const struct denoising whole = session_denoising(session);
    TRY(session_check_sizes(session, item_size, output_size, true));
    TRY(session_check_call(session, count));
    return whole.predict(whole.user, count, item_size, output_size, x, times, output);
}

sumi_status sumi_session_predict(sumi_session *session, int64_t count, const float *x,
                                 const float *times, float *output)
{
    return sumi_session_denoiser(session, count, model_item_size(session->model),
                                 model_output_size(session->model), x, times, output);
}

sumi_status session_check_product(const sumi_session *session)
{
    const char *name = guide_stack_without_product(&session->stack);
    if (!name) return SUMI_OK;
    return context_fail(session->context, SUMI_ERROR_UNSUPPORTED,
                        "the guide %s has no derivative, which this needs", name);
}

sumi_status sumi_session_product(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                 const float *x, const float *times, const float *vectors,
                                 float *output, float *products)
{
    sumi_session *session = user;
    const struct denoising whole = session_denoising(session);
    TRY(session_check_sizes(session, item_size, output_size, false));
    TRY(session_check_call(session, count));
    TRY(session_check_product(session));
    return whole.product(whole.user, count, item_size, output_size, x, times, vectors, output,
                         products);
}
