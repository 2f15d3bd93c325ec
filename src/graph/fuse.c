/* The fusion pass; see fuse.h. */
#include "graph/fuse.h"

enum { OUTPUT_USES = 1 << 20 }; /* so that nothing takes an output for having one reader */

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

sumi_status fuse(sumi_context *context, struct node *nodes, int32_t node_count, int count,
                 const sumi_node *outputs, const struct fusion_rule *const *rules)
{
    struct fusion fusion = {nodes, node_count, NULL};
    fusion.uses = context_allocate_zeroed(context, (size_t)node_count, sizeof *fusion.uses);
    if (!fusion.uses) return SUMI_ERROR_MEMORY;
    count_uses(&fusion, count, outputs);
    for (sumi_node n = 0; n < node_count; n++) {
        for (int r = 0; fusion.uses[n] && rules[r]; r++) {
            if (rules[r]->apply(&fusion, n)) r = -1; /* what became of it may fit another */
        }
    }
    context_release(context, fusion.uses);
    return SUMI_OK;
}

sumi_node fusion_source(const struct fusion *fusion, sumi_node node)
{
    const struct node *view = &fusion->nodes[node];
    while (view->op->view && fusion->uses[node] == 1) {
        const struct node *source = &fusion->nodes[view->inputs[0]];
        if (shape_count(&source->shape) != shape_count(&view->shape)) break;
        node = view->inputs[0];
        view = source;
    }
    return node;
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
