/* SPDX-License-Identifier: Apache-2.0 */
/* A perfect class-conditional denoiser: classes 0, 1 ... are the parts of a mixture of Gaussians in
   the plane, and one class more, the null class, is the whole of it. */
#ifndef TESTS_GUIDES_CLASSES_H
#define TESTS_GUIDES_CLASSES_H

#include "guides/kinds.h"
#include "measure/mixture.h"
#include "models/tiny.h"
#include "solvers/solver.h"

struct classes {
    struct mixture mixture; /* whose parts have classes; all of it is class `parts` */
    const sumi_condition *condition;
    int64_t rows; /* asked so far, by any call */
};

/* The mixture that row i of a call is drawn from. */
static inline struct mixture classes_of(const struct classes *c, int32_t class)
{
    struct mixture part = c->mixture;
    if (class == c->mixture.parts) return part;
    part.parts = 1;
    part.weights[0] = 1;
    memcpy(part.means[0], c->mixture.means[class], sizeof part.means[0]);
    return part;
}

static inline sumi_status classes_product(void *user, int64_t count, int64_t item_size,
                                          int64_t output_size, const float *x, const float *times,
                                          const float *vectors, float *output, float *products)
{
    struct classes *c = user;
    const struct condition_entry *entry = condition_find(c->condition, "class");
    const int32_t *values = entry->values;
    for (int64_t i = 0; i < count; i++) {
        struct mixture part = classes_of(c, values[i % entry->shape[0]]);
        mixture_product(&part, 1, item_size, output_size, x + 2 * i, times + i,
                        vectors ? vectors + 2 * i : NULL, output + 2 * i,
                        products ? products + 2 * i : NULL);
    }
    c->rows += count;
    return SUMI_OK;
}

static inline sumi_status classes_predict(void *user, int64_t count, int64_t item_size,
                                          int64_t output_size, const float *x, const float *times,
                                          float *output)
{
    return classes_product(user, count, item_size, output_size, x, times, NULL, output, NULL);
}

static inline sumi_status classes_go_by(void *user, const sumi_condition *condition)
{
    struct classes *c = user;
    c->condition = condition;
    return SUMI_OK;
}

/* ---- Guided ---- */

struct guided {
    struct classes classes;
    sumi_solver *solver; /* whose path it is */
    sumi_condition *condition, *null;
    struct guide_stack stack;
    sumi_guide *guide;
    struct denoising whole;
};

/* A guided denoiser of items of class `class`, on the path of a solver with a configuration. */
static inline void guided_begin(sumi_context *context, const struct mixture *mixture,
                                const char *solver, const char *configuration, int32_t class,
                                struct guided *g)
{
    *g = (struct guided){.classes = {.mixture = *mixture}};
    const int32_t null = mixture->parts;
    struct mixture *own = &g->classes.mixture;
    CHECK_OK(context, sumi_solver_create(context, solver, &g->solver));
    CHECK_OK(context, sumi_solver_configure(g->solver, configuration));
    CHECK_OK(context, solver_path(g->solver, &own->path));
    own->prediction = (enum prediction_type)solver_options(g->solver)->prediction_type;
    CHECK_OK(context, once_condition(context, 1, &class, &g->condition));
    CHECK_OK(context, once_condition(context, 1, &null, &g->null));
    const struct denoising core = {.user = &g->classes,
                                   .predict = classes_predict,
                                   .product = classes_product,
                                   .set_condition = classes_go_by,
                                   .condition = g->condition,
                                   .item_size = 2,
                                   .channels = 2};
    g->classes.condition = g->condition;
    g->stack = guide_stack_of(context, &core, own->path);
    g->stack.null = g->null;
    CHECK_OK(context, guide_create(context, "classifier-free", &g->guide));
    CHECK_OK(context, guide_add(&g->stack, g->guide));
    g->whole = guide_stack_denoising(&g->stack);
}

static inline void guided_end(struct guided *g)
{
    guide_free(g->guide);
    sumi_condition_free(g->condition);
    sumi_condition_free(g->null);
    sumi_solver_free(g->solver);
}

#endif
