/* The rules by which a plan fuses ops (graph/fuse.h), each by name for tests of its own. */
#ifndef SUMI_OPS_FUSION_H
#define SUMI_OPS_FUSION_H

#include "graph/fuse.h"
#include "ops/ops.h"

/* All of them, ending with NULL. */
extern const struct fusion_rule *const fusion_rules[];

/* Additions and a factor after a convolution or matrix product (src/ops/fuse_epilogue.c). */
extern const struct fusion_rule fuse_added, fuse_scaled;

#endif
