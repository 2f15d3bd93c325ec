/* SPDX-License-Identifier: Apache-2.0 */
/* The fusion pass; see fuse.h. */
#include "graph/fuse.h"

enum { OUTPUT_USES = 1 << 20 }; /* so that an output never counts as having only one reader */

static void count_uses(struct fusion *fusion, int count, const sumi_node *outputs)
{
    for (int i = 0; i < count; i++) {
        if (fusion->uses[outputs[i]] == 0) fusion->uses[outputs[i]] = OUTPUT_USES;
    }
    for (sumi_node n = fusion->count - 1; n >= 0; n--) {
        const struct node *node = &fusion->nodes[n];
        for (int i = 0; i < node->input_count && fusion->uses[n]; i++) {
            fusion->uses[node->inputs[i]]++;
        }
    }
}

/* Applies the rules to all nodes once; returns whether that changed anything. */
static bool sweep(struct fusion *fusion, const struct fusion_rule *const *rules)
{
    bool changed = false;
    for (sumi_node n = 0; n < fusion->count; n++) {
        for (int r = 0; fusion->uses[n] && rules[r]; r++) {
            if (!rules[r]->apply(fusion, n)) continue;
            changed = true;
            r = -1; /* the new op may match another rule */
        }
    }
    return changed;
}

sumi_status fuse(sumi_context *context, struct node *nodes, int32_t node_count, int count,
                 const sumi_node *outputs, const struct fusion_rule *const *rules)
{
    struct fusion fusion = {nodes, node_count, NULL};
    fusion.uses = context_allocate_zeroed(context, (size_t)node_count, sizeof *fusion.uses);
    if (!fusion.uses) return SUMI_ERROR_MEMORY;
    count_uses(&fusion, count, outputs);
    while (sweep(&fusion, rules)) continue;
    context_release(context, fusion.uses);
    return SUMI_OK;
}

bool fusion_is_view(const struct fusion *fusion, sumi_node node)
{
    const struct node *view = &fusion->nodes[node];
    if (!view->op->view) return false;
    return shape_count(&fusion->nodes[view->inputs[0]].shape) == shape_count(&view->shape);
}

sumi_node fusion_source(const struct fusion *fusion, sumi_node node)
{
    while (fusion->uses[node] == 1 && fusion_is_view(fusion, node)) {
        node = fusion->nodes[node].inputs[0];
    }
    return node;
}

sumi_node fusion_spare(const struct fusion *fusion, sumi_node before)
{
    sumi_node n = before - 1;
    while (n >= 0 && (fusion->uses[n] || !fusion->nodes[n].input_count)) n--;
    return n;
}

void fusion_take(struct fusion *fusion, sumi_node node)
{
    fusion->uses[node]++;
}

void fusion_drop(struct fusion *fusion, sumi_node node)
{
    if (--fusion->uses[node] > 0) return;
    const struct node *dead = &fusion->nodes[node];
    for (int i = 0; i < dead->input_count; i++) fusion_drop(fusion, dead->inputs[i]);
}

void fusion_replace(struct fusion *fusion, sumi_node node, const struct node *by)
{
    struct node old = fusion->nodes[node];
    bool read = fusion->uses[node] > 0;
    fusion->nodes[node] = *by;
    for (int i = 0; i < by->input_count && read; i++) fusion_take(fusion, by->inputs[i]);
    for (int i = 0; i < old.input_count && read; i++) fusion_drop(fusion, old.inputs[i]);
}

void fusion_make_side_output(struct fusion *fusion, sumi_node node, const struct shape *shape)
{
    struct node side_output = {.op = &op_side_output, .shape = *shape, .weight = -1};
    fusion_replace(fusion, node, &side_output);
}
