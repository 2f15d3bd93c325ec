/* SPDX-License-Identifier: Apache-2.0 */
/* Sumi's side of the workloads of encoders of texts, CLIP's. It sees the inside of the library.

   text FOLDER [--precision NAME] [--threads N] RECIPE [section.key=value ...]

   FOLDER receives the encoder that the recipe's model.config describes (or has it already). What is
   timed is an evaluation of train.batch texts of as many tokens as there are places; token k of all
   of them is number (7 k + 3) of the vocabulary, modulo its size less one, and the last of each
   text is the vocabulary's last. For the commands see side.h: `check N` writes output.npy, the last
   states [n, tokens, width], to FOLDER, and answers with their mean square. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "graph/plan.h"
#include "models/model.h"
#include "nets/clip.h"
#include "side.h"

struct text_side {
    sumi_context *context;
    const char *folder, *precision;
    sumi_recipe *recipe;
    struct clip_text text;
    sumi_weights *weights;
    int64_t batch;
    sumi_graph *graph;
    sumi_plan *plan;
    sumi_node ids, ends, last;
};

/* ---- Preparing ---- */

static sumi_status build(void *user, sumi_graph *graph)
{
    struct text_side *t = user;
    struct clip_output output;
    const int64_t shape[2] = {t->batch, t->text.positions};
    t->ids = sumi_graph_typed_input(graph, "ids", SUMI_INT32, 2, shape);
    t->ends = sumi_graph_typed_input(graph, "ends", SUMI_INT32, 1, shape);
    clip_text_build(&t->text, graph, t->ids, t->ends, &output);
    t->last = output.last;
    return sumi_graph_status(graph);
}

/* Opens the encoder of the folder, or creates one there. */
static sumi_status open_encoder(struct text_side *t)
{
    char path[PATH_SIZE];
    struct stat about;
    struct network_files files = {.text = NULL};
    const struct weight_builder builder = {.context = t->context, .user = t, .build = build};
    snprintf(path, sizeof path, "%s/config.json", t->folder);
    if (stat(path, &about) == 0) {
        TRY(network_find(t->context, t->folder, TRANSFORMERS_STEM, &files));
        sumi_status status = clip_text_parse(t->context, files.text, path, &t->text);
        context_release(t->context, files.text);
        TRY(status);
        return weights_load(&builder, files.weights, &t->weights);
    }
    void *config = NULL;
    size_t size = 0;
    const char *source = sumi_recipe_get(t->recipe, "model.config");
    TRY(file_read(t->context, source, 1 << 16, &config, &size));
    sumi_status status = clip_text_parse(t->context, config, source, &t->text);
    if (status == SUMI_OK) status = weights_make(&builder, 1, NULL, &t->weights);
    if (status == SUMI_OK)
        status = network_write(t->context, t->folder, TRANSFORMERS_STEM, t->weights, config);
    context_release(t->context, config);
    return status;
}

/* A plan for `batch` texts, with their tokens. */
static sumi_status make_plan(struct text_side *t, int64_t batch)
{
    const int64_t tokens = t->text.positions, words = t->text.vocabulary - 1;
    sumi_plan_free(t->plan);
    sumi_graph_free(t->graph);
    t->plan = NULL;
    t->graph = NULL;
    t->batch = batch;
    TRY(sumi_graph_create(t->context, t->weights, false, &t->graph));
    TRY(build(t, t->graph));
    if (t->precision) TRY(sumi_graph_set_precision(t->graph, t->precision));
    TRY(sumi_plan_create(t->graph, 1, &t->last, &t->plan));
    int32_t *ids = sumi_plan_typed_data(t->plan, t->ids, SUMI_INT32);
    for (int64_t k = 0; k < batch * tokens; k++) {
        ids[k] = (int32_t)((k + 1) % tokens ? (7 * k + 3) % words : words);
    }
    clip_text_ends(&t->text, batch, tokens, ids,
                   sumi_plan_typed_data(t->plan, t->ends, SUMI_INT32));
    return SUMI_OK;
}

static sumi_status prepare(struct text_side *t, const struct side_options *o)
{
    t->folder = o->folder;
    t->precision = o->precision;
    TRY(side_open_recipe(t->context, o, &t->recipe));
    t->batch = atoll(sumi_recipe_get(t->recipe, "train.batch"));
    TRY(open_encoder(t));
    return make_plan(t, t->batch);
}

static void release(struct text_side *t)
{
    sumi_plan_free(t->plan);
    sumi_graph_free(t->graph);
    sumi_weights_free(t->weights);
    sumi_recipe_free(t->recipe);
    sumi_context_free(t->context);
}

/* ---- Commands ---- */

static sumi_status run_once(void *user)
{
    const struct text_side *t = user;
    return sumi_plan_run(t->plan, 0, 0);
}

static sumi_status check(void *user, int64_t count)
{
    struct text_side *t = user;
    const int64_t batch = t->batch;
    char path[PATH_SIZE];
    double sum = 0;
    TRY(make_plan(t, count));
    TRY(run_once(t));
    sumi_array states = {.rank = 3, .shape = {count, t->text.positions, t->text.clip.width}};
    states.data = sumi_plan_data(t->plan, t->last);
    snprintf(path, sizeof path, "%s/output.npy", t->folder);
    TRY(sumi_array_write(t->context, path, &states));
    const int64_t numbers = sumi_array_count(&states);
    for (int64_t i = 0; i < numbers; i++) sum += (double)states.data[i] * states.data[i];
    printf("check %.9g\n", sum / (double)numbers);
    return make_plan(t, batch);
}

int main(int argc, char **argv)
{
    struct text_side t = {.context = NULL};
    struct side_options options;
    if (!side_read_options(argc, argv, &options)) return 2;
    if (side_create_context(&options, &t.context) != SUMI_OK) return side_fail(NULL, "context");
    const struct subject subject = {t.context, &t, run_once, check};
    int code =
        prepare(&t, &options) == SUMI_OK ? side_answer(&subject) : side_fail(t.context, "prepare");
    release(&t);
    return code;
}
