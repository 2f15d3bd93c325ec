/* SPDX-License-Identifier: Apache-2.0 */
/* Creating and configuring a session, and checking conditions against the network's inputs. */
#include "models/session.h"

#include <string.h>

#define AT(member) offsetof(struct sumi_session, member)

static const struct option options[] = {
    {PRECISION_OPTION, AT(precision)},
    {WHOLE_OPTION("memory", "1073741824", 0, 1e18, "budget of cached plans in bytes"),
     AT(cache.memory)},
    {FLAG_OPTION("prompt_weights", "true", "read weights in prompts, (words:1.3)"),
     AT(prompt_weights)},
    {CHOICE_OPTION("long_prompts", "cut", "cut|chunks",
                   "prompts that are longer than the text encoder takes"),
     AT(long_prompts)},
    {WHOLE_OPTION("clip_skip", "0", 0, 127, "last layers of text encoders that are left out"),
     AT(clip_skip)},
    {.name = NULL},
};

sumi_status sumi_session_create(sumi_context *context, const sumi_model *model,
                                sumi_session **session)
{
    *session = context_allocate_zeroed(context, 1, sizeof **session);
    if (!*session) return SUMI_ERROR_MEMORY;
    (*session)->context = context;
    (*session)->model = model;
    (*session)->cache =
        (struct plan_cache){.context = context, .user = *session, .build = session_build_plan};
    (*session)->options = (struct option_set){.context = context,
                                              .owner = "a session",
                                              .noun = "option",
                                              .tables = {options},
                                              .values = *session};
    option_set_defaults(&(*session)->options);
    sumi_status status = sumi_session_set_null(*session, NULL);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_session_free(*session);
    *session = NULL;
    return status;
}

void sumi_session_free(sumi_session *session)
{
    if (!session) return;
    session_forget_plans(session);
    sumi_session_remove_guides(session);
    sumi_condition_free(session->condition);
    sumi_condition_free(session->null);
    start_release(session);
    context_release(session->context, session);
}

/* ---- Options ---- */

sumi_status sumi_session_set(sumi_session *session, const char *option, const char *value)
{
    const int before = session->precision;
    TRY(option_set_text(&session->options, option, value));
    if (session->precision != before) session_forget_plans(session);
    return SUMI_OK;
}

sumi_status sumi_session_set_number(sumi_session *session, const char *option, double value)
{
    char text[OPTION_WORD_SIZE];
    option_number_text(value, text);
    return sumi_session_set(session, option, text);
}

bool sumi_session_option(const sumi_session *session, int number, sumi_option *option)
{
    return option_set_describe(&session->options, number, option);
}

const char *sumi_session_get(sumi_session *session, const char *option)
{
    return option_set_value(&session->options, option);
}

bool sumi_session_plan(const sumi_session *session, int number, sumi_plan_info *info)
{
    return plan_cache_describe(&session->cache, number, info);
}

/* ---- Conditions ---- */

static sumi_status fail_unknown(const sumi_session *session, const char *name)
{
    char names[512];
    const struct net *net = session->model->net;
    net_input_names(net, names, sizeof names);
    if (!names[0]) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "this model is unconditional and takes no \"%.60s\"", name);
    }
    return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                        "this model takes no \"%.60s\"; the inputs of its condition are: %s", name,
                        names);
}

static sumi_status check_type(const sumi_session *session, const sumi_input *input,
                              const struct condition_entry *entry)
{
    if ((input->element == SUMI_INT32) == entry->integers) return SUMI_OK;
    return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                        input->element == SUMI_INT32
                            ? "\"%s\" takes whole numbers; set it with sumi_condition_set_integers"
                            : "\"%s\" takes floating-point numbers; set it with sumi_condition_set",
                        input->name);
}

static sumi_status check_entry_shape(const sumi_session *session, const sumi_input *input,
                                     const struct condition_entry *entry)
{
    struct shape wanted = {.rank = input->rank}, given = {.rank = entry->rank};
    bool fits = input->rank == entry->rank;
    memcpy(wanted.size, input->shape, sizeof wanted.size);
    memcpy(given.size, entry->shape, sizeof given.size);
    for (int i = 1; i < input->rank && fits; i++)
        fits = input->shape[i] == 0 || input->shape[i] == entry->shape[i];
    if (fits) return SUMI_OK;
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                        "\"%s\" should be of shape %s (0: any size), not %s", input->name,
                        shape_text(&wanted, want), shape_text(&given, have));
}

static sumi_status check_limit(const sumi_session *session, const sumi_input *input,
                               const struct condition_entry *entry)
{
    const int32_t *values = entry->values;
    for (int64_t i = 0; entry->integers && i < entry->shape[0] * entry->size; i++) {
        if (values[i] >= 0 && (!input->limit || values[i] < input->limit)) continue;
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "\"%s\" of item %lld is %d; it must be from 0 to %lld", input->name,
                            (long long)(i / entry->size), values[i],
                            (long long)(input->limit ? input->limit - 1 : INT32_MAX));
    }
    return SUMI_OK;
}

static sumi_status check_condition(const sumi_session *session, const sumi_condition *condition)
{
    const struct net *net = session->model->net;
    for (int i = 0; i < condition->count; i++) {
        const struct condition_entry *entry = &condition->entries[i];
        int number = net_find_input(net, entry->name);
        if (number <= NET_TIMES) return fail_unknown(session, entry->name);
        TRY(check_type(session, &net->inputs[number], entry));
        TRY(check_entry_shape(session, &net->inputs[number], entry));
        TRY(check_limit(session, &net->inputs[number], entry));
    }
    return SUMI_OK;
}

sumi_status session_go_by(sumi_session *session, const sumi_condition *condition)
{
    const bool checked = !condition || condition == session->condition;
    if (!checked) TRY(check_condition(session, condition));
    session->current = condition;
    return SUMI_OK;
}

/* After a failure, the previous condition is set again. */
sumi_status sumi_session_set_condition(sumi_session *session, const sumi_condition *condition)
{
    sumi_condition *copy = NULL;
    const struct denoising whole = session_denoising(session);
    TRY(condition_copy(session->context, condition, &copy));
    sumi_status status = whole.set_condition(whole.user, copy);
    sumi_condition_free(status == SUMI_OK ? session->condition : copy);
    if (status == SUMI_OK) session->condition = copy;
    return status;
}

/* Creates the model's own null condition, its null class; NULL if it has none. */
static sumi_status own_null(const sumi_session *session, sumi_condition **null)
{
    const int32_t number = (int32_t)sumi_model_null_class(session->model);
    *null = NULL;
    if (number < 0) return SUMI_OK;
    TRY(sumi_condition_create(session->context, null));
    sumi_status status = sumi_condition_set_integers(*null, "class", 1, &(int64_t){1}, &number);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_condition_free(*null);
    *null = NULL;
    return status;
}

sumi_status sumi_session_set_null(sumi_session *session, const sumi_condition *condition)
{
    sumi_condition *null = NULL;
    if (condition) TRY(check_condition(session, condition));
    TRY(condition ? condition_copy(session->context, condition, &null) : own_null(session, &null));
    sumi_condition_free(session->null);
    session->null = null;
    session->stack.null = null;
    return SUMI_OK;
}

/* ---- Calls ---- */

sumi_status session_check_call(const sumi_session *session, int64_t count)
{
    const struct net *net = session->model->net;
    TRY(model_check_size(session->context, session->model));
    if (count < 1) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "the number of items must be at least 1, not %lld", (long long)count);
    }
    for (int i = NET_TIMES + 1; i < net->input_count; i++) {
        const sumi_input *input = &net->inputs[i];
        if (input->optional || condition_find(session->current, input->name)) continue;
        return context_fail(
            session->context, SUMI_ERROR_ARGUMENT,
            "this model needs \"%s\" for each item, but the session's condition does not have it",
            input->name);
    }
    return SUMI_OK;
}

sumi_status session_check_sizes(const sumi_session *session, int64_t item_size, int64_t output_size,
                                bool may_lack)
{
    int64_t own_size = model_item_size(session->model);
    int64_t own_output = model_output_size(session->model);
    if (item_size != own_size) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "an item of this model has %lld numbers, not %lld", (long long)own_size,
                            (long long)item_size);
    }
    may_lack &= session->model->net->type->variance_is_optional;
    if (output_size != own_output && !(may_lack && own_output == 2 * output_size)) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "this model predicts %lld numbers for an item, but the solver expects "
                            "%lld: set variance_type as the model was trained",
                            (long long)own_output, (long long)output_size);
    }
    return SUMI_OK;
}

/* Copies rows[count] into an input, and pads it with copies of the first. */
static void fill_rows(sumi_plan *plan, sumi_node node, int64_t items, int64_t count, int64_t size,
                      const float *rows)
{
    float *values = sumi_plan_data(plan, node);
    memcpy(values, rows, (size_t)(count * size) * sizeof *rows);
    for (int64_t i = count; i < items; i++)
        memcpy(values + i * size, rows, (size_t)size * sizeof *rows);
}

void session_fill(const sumi_session *session, sumi_plan *plan, const struct net_nodes *inputs,
                  int64_t items, int64_t first, int64_t count, const float *x, const float *times)
{
    const struct net *net = session->model->net;
    fill_rows(plan, inputs->at[NET_X], items, count, model_item_size(session->model), x);
    fill_rows(plan, inputs->at[NET_TIMES], items, count, 1, times);
    for (int number = NET_TIMES + 1; number < net->input_count; number++) {
        const struct condition_entry *entry =
            condition_find(session->current, net->inputs[number].name);
        if (!entry) continue;
        for (int64_t i = 0; i < items; i++) {
            int64_t item = (first + (i < count ? i : 0)) % entry->shape[0], size = entry->size;
            if (entry->integers) {
                net_put_integers(plan, inputs->at[number], i * size, size,
                                 (const int32_t *)entry->values + item * size);
            } else {
                memcpy(sumi_plan_data(plan, inputs->at[number]) + i * size,
                       (const float *)entry->values + item * size, (size_t)size * sizeof(float));
            }
        }
    }
}
