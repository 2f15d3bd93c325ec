/* SPDX-License-Identifier: Apache-2.0 */
/* The multi-layer perceptron that a recipe describes (model.kind = mlp). */
#include "nets/recipe.h"

static bool add(json_object *config, const struct net_request *request)
{
    return net_add_common(config, request) && member_text(config, "_class_name", "SumiMLPModel")
           && member_whole(config, "width", net_width(request))
           && member_whole(config, "depth", net_depth(request));
}

const struct net_kind net_kind_mlp = {.name = "mlp", .check = net_check_times, .add = add};
