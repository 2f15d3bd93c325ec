/* SPDX-License-Identifier: Apache-2.0 */
/* Running plans, and their properties; see plan.h. */
#include <stdio.h>

#include "base/team.h"
#include "graph/plan_inside.h"

float *sumi_plan_data(sumi_plan *plan, sumi_node node)
{
    return sumi_plan_typed_data(plan, node, SUMI_FLOAT32);
}

void *sumi_plan_typed_data(sumi_plan *plan, sumi_node node, sumi_element element)
{
    bool known = node >= 0 && node < plan->node_count;
    if (!known || plan->elements[node] != element) return NULL;
    return plan->mirrors ? plan->mirrors[node] : plan->data[node];
}

bool plan_is_stale(const sumi_plan *plan)
{
    const sumi_weights *weights = plan->view.weights;
    return weights && weights->layout != plan->layout;
}

size_t plan_memory(const sumi_plan *plan)
{
    return plan->memory_bytes;
}

size_t plan_kept(const sumi_plan *plan)
{
    return plan->kept;
}

int32_t plan_steps(const sumi_plan *plan, const struct op *op)
{
    int32_t count = 0;
    for (int32_t i = 0; i < plan->step_count; i++) {
        count += !op || plan->steps[i].problem.node->op == op;
    }
    return count;
}

static sumi_status run_step(const sumi_plan *plan, struct step *step, const struct run_key *key)
{
    const sumi_weights *weights = step->problem.graph->weights;
    step->call.key = *key;
    step->call.version = weights ? weights->version : 0;
    if (!step->conversion.any) return step->kernel->run(&step->call);
    return conversion_run(&step->conversion, plan->backend, step->kernel, &step->call);
}

static sumi_status run_steps(sumi_plan *plan, const struct run_key *key)
{
    for (int32_t i = 0; i < plan->step_count; i++) TRY(run_step(plan, &plan->steps[i], key));
    return SUMI_OK;
}

/* "[2, 3] [3, 4] -> [2, 4]" */
static void describe_step(const struct step *step, char text[PROFILE_SHAPES])
{
    char shape[SHAPE_TEXT];
    size_t length = 0;
    for (int i = 0; i < step->problem.node->input_count && length < PROFILE_SHAPES; i++) {
        length += (size_t)snprintf(text + length, PROFILE_SHAPES - length, "%s ",
                                   shape_text(step->problem.inputs[i], shape));
    }
    if (length < PROFILE_SHAPES) {
        snprintf(text + length, PROFILE_SHAPES - length, "-> %s",
                 shape_text(&step->problem.node->shape, shape));
    }
}

/* The bytes that an operand saves compared with float32. */
static double bytes_saved(const sumi_plan *plan, sumi_node n)
{
    size_t saved = sizeof(float) - element_size(plan->elements[n]);
    return (double)saved * (double)shape_count(&plan->nodes[n].shape);
}

static struct cost step_cost(const sumi_plan *plan, const struct node *node)
{
    struct cost cost = graph_cost(&plan->view, node);
    cost.bytes -= bytes_saved(plan, (sumi_node)(node - plan->nodes));
    for (int i = 0; i < node->input_count; i++) cost.bytes -= bytes_saved(plan, node->inputs[i]);
    return cost;
}

static sumi_status find_rows(sumi_plan *plan)
{
    char shapes[PROFILE_SHAPES];
    for (int32_t i = 0; i < plan->step_count; i++) {
        struct step *step = &plan->steps[i];
        describe_step(step, shapes);
        step->cost = step_cost(plan, step->problem.node);
        TRY(profile_row(plan->context, step->problem.node->op->name, shapes, &step->row));
    }
    plan->profile = plan->context->profile->number;
    return SUMI_OK;
}

static sumi_status run_profiled(sumi_plan *plan, const struct run_key *key)
{
    if (plan->profile != plan->context->profile->number) TRY(find_rows(plan));
    double begin = profile_clock();
    for (int32_t i = 0; i < plan->step_count; i++) {
        struct step *step = &plan->steps[i];
        TRY(run_step(plan, step, key));
        double end = profile_clock();
        profile_add(plan->context, step->row, end - begin, &step->cost);
        begin = end;
    }
    return SUMI_OK;
}

sumi_status sumi_plan_run(sumi_plan *plan, uint64_t seed, uint64_t step)
{
    return plan_run(plan, &(struct run_key){.seed = seed, .step = step});
}

/* Uploads the inputs to the backend. */
static sumi_status send_inputs(const sumi_plan *plan)
{
    for (sumi_node n = 0; plan->mirrors && n < plan->node_count; n++) {
        if (plan->nodes[n].op != &op_input) continue;
        TRY(plan->backend->upload(plan->context, plan->mirrors[n],
                                  (size_t)plan_value_bytes(plan, n), plan->data[n]));
    }
    return SUMI_OK;
}

/* Waits for the last step and downloads the outputs. */
static sumi_status fetch_outputs(const sumi_plan *plan)
{
    TRY(plan->backend->synchronize(plan->context));
    for (sumi_node n = 0; plan->mirrors && n < plan->node_count; n++) {
        if (!plan->mirrors[n] || plan->nodes[n].op == &op_input) continue;
        TRY(plan->backend->download(plan->context, plan->data[n], (size_t)plan_value_bytes(plan, n),
                                    plan->mirrors[n]));
    }
    return SUMI_OK;
}

/* Before a run, so that it reads no weights that are gone, and after it, so that nothing comes out
   that was made from others. */
static sumi_status check_weights(const sumi_plan *plan)
{
    const sumi_weights *weights = plan->view.weights;
    return weights ? weights_check_backing(plan->context, weights) : SUMI_OK;
}

sumi_status plan_run(sumi_plan *plan, const struct run_key *key)
{
    if (plan_is_stale(plan)) {
        return context_fail(plan->context, SUMI_ERROR_ARGUMENT,
                            "the weights have moved since this plan was created: create it again");
    }
    TRY(check_weights(plan));
    TRY(send_inputs(plan));
    struct team_settings before = team_begin(plan->threads);
    sumi_status status =
        profile_is_on(plan->context) ? run_profiled(plan, key) : run_steps(plan, key);
    team_end(before);
    TRY(status);
    TRY(fetch_outputs(plan));
    return check_weights(plan);
}
