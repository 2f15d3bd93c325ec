/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluations of a session's network, in equal batches where there are many items. */
#include <string.h>

#include "models/session.h"

enum { BATCH_LIMIT = 64 }; /* items of one plan */

static sumi_status find_plan(sumi_session *session, int64_t items, struct kept_plan **found)
{
    const struct signature signature = session_signature(session, PLAN_PREDICTION, items);
    return session_plan(session, &signature, found);
}

/* Chooses how many of `count` items to evaluate at once: equal batches within the limits. */
static sumi_status choose_batch(sumi_session *session, int64_t count, int64_t *batch)
{
    if (count > 1 && session->item_memory == 0) {
        struct kept_plan *single = NULL;
        TRY(find_plan(session, 1, &single));
        session->item_memory = (int64_t)plan_memory(single->plan) + 1;
    }
    *batch = plan_batch(count, session->item_memory, BATCH_LIMIT);
    return SUMI_OK;
}

/* Copies rows[count, from] to the first of their numbers, output[count, to]. */
static void copy_channels(int64_t count, int64_t from, int64_t to, const float *rows, float *output)
{
    if (from == to) memcpy(output, rows, (size_t)(count * from) * sizeof *output);
    for (int64_t i = 0; i < count && from != to; i++)
        memcpy(output + i * to, rows + i * from, (size_t)to * sizeof *output);
}

/* Predicts into output[count, output_size], which may lack the last channels of the network. */
static sumi_status evaluate(sumi_session *session, int64_t count, const float *x,
                            const float *times, int64_t output_size, float *output)
{
    int64_t item_size = model_item_size(session->model), batch = 0;
    int64_t channels = session->model->net->out_channels;
    int64_t pixels = model_output_size(session->model) / channels;
    TRY(choose_batch(session, count, &batch));
    for (int64_t first = 0; first < count; first += batch) {
        int64_t items = count - first < batch ? count - first : batch;
        struct kept_plan *kept = NULL;
        TRY(find_plan(session, items, &kept));
        session_fill(session, kept->plan, &kept->inputs, items, first, items, x + first * item_size,
                     times + first);
        TRY(sumi_plan_run(kept->plan, 0, 0));
        copy_channels(items * pixels, channels, output_size / pixels,
                      sumi_plan_data(kept->plan, kept->output), output + first * output_size);
    }
    return SUMI_OK;
}

sumi_status session_predict_plain(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                  const float *x, const float *times, float *output)
{
    sumi_session *session = user;
    TRY(session_check_sizes(session, item_size, output_size, true));
    TRY(session_check_call(session, count));
    return evaluate(session, count, x, times, output_size, output);
}
