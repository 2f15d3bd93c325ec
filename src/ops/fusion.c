/* The list of fusion rules; see fusion.h. */
#include "ops/fusion.h"

const struct fusion_rule *const fusion_rules[] = {&fuse_added, &fuse_scaled, NULL};
