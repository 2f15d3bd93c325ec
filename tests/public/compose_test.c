/* SPDX-License-Identifier: Apache-2.0 */
/* A program with its own network, using only the public headers: composed of public ops, trained by
   the library's trainer, sampled by its solvers. */
#include <unistd.h>

#include "once.h"
#include "scratch.h"
#include "sumi_graph.h"

enum { WIDTH = 32 };

/* Settings of a network, and how often it was built. */
struct own {
    int classes, builds;
    bool nothing, flat;
    sumi_input input;
};

static sumi_node dense(sumi_graph *graph, const char *name, sumi_node x, int64_t in, int64_t out)
{
    char text[64];
    const int64_t shape[] = {out, in};
    snprintf(text, sizeof text, "%s.weight", name);
    sumi_node weight = sumi_graph_weight(graph, text, 2, shape, SUMI_START_FAN_IN, (double)in);
    snprintf(text, sizeof text, "%s.bias", name);
    sumi_node bias = sumi_graph_weight(graph, text, 1, shape, SUMI_START_ZERO, 0);
    return sumi_op_linear(graph, x, weight, bias);
}

/* Two layers; the time enters as t/100 and its sine and cosine, the class as a row of a table. */
static sumi_node build(void *user, sumi_graph *graph, const sumi_node *inputs)
{
    struct own *own = user;
    sumi_node x = inputs[0], times = inputs[1], classes = own->classes ? inputs[2] : -1;
    int64_t shape[SUMI_MAX_RANK];
    own->builds++;
    if (own->nothing) return -1;
    if (own->flat) return sumi_op_sum(graph, x, 1u << 1);
    assert_int_equal(sumi_graph_shape(graph, x, shape), 2);
    assert_true((classes >= 0) == (own->classes > 0));
    const int64_t column[] = {shape[0], 1};
    sumi_node t = sumi_op_affine(graph, sumi_op_reshape(graph, times, 2, column), 0.01, 0);
    sumi_node input = sumi_op_concat(graph, x, t, 1);
    input = sumi_op_concat(graph, input, sumi_op_sin(graph, t), 1);
    input = sumi_op_concat(graph, input, sumi_op_cos(graph, t), 1);
    sumi_node h = dense(graph, "first", input, 5, WIDTH);
    if (classes >= 0) {
        const int64_t table[] = {own->classes, WIDTH};
        sumi_node rows = sumi_graph_weight(graph, "classes", 2, table, SUMI_START_NORMAL, 1);
        h = sumi_op_add(graph, h, sumi_op_gather(graph, rows, classes));
    }
    h = dense(graph, "second", sumi_op_silu(graph, h), WIDTH, WIDTH);
    return dense(graph, "third", sumi_op_silu(graph, h), WIDTH, 2);
}

static sumi_network network_of(struct own *own)
{
    own->input = (sumi_input){.size = sizeof(sumi_input),
                              .name = "class",
                              .element = SUMI_INT32,
                              .rank = 1,
                              .limit = own->classes};
    return (sumi_network){.size = sizeof(sumi_network),
                          .user = own,
                          .rank = 1,
                          .shape = {2},
                          .input_count = own->classes ? 1 : 0,
                          .inputs = &own->input,
                          .build = build};
}

struct system {
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;
    sumi_trainer *trainer;
};

/* Points on the ring of eight Gaussians, 100 noise levels. */
static void begin(sumi_context *context, struct own *own, struct system *s)
{
    const char *const settings[] = {"data.kind=gaussians", "data.count=4000",
                                    "train.steps=1500",    "train.decay=cosine",
                                    "train.batch=128",     "train.learning_rate=0.003"};
    sumi_network network = network_of(own);
    memset(s, 0, sizeof *s);
    CHECK_OK(context, sumi_context_set_threads(context, 1)); /* too little work for more */
    CHECK_OK(context, sumi_recipe_open(context, "points", &s->recipe));
    for (int i = 0; i < 6; i++) CHECK_OK(context, sumi_recipe_set(s->recipe, settings[i]));
    if (own->classes) CHECK_OK(context, sumi_recipe_set(s->recipe, "data.labels=yes"));
    CHECK_OK(context, sumi_data_open(context, s->recipe, &s->data));
    CHECK_OK(context, sumi_model_compose(context, &network, 3, &s->model));
    CHECK_OK(context,
             sumi_model_set_scheduler(s->model, "{\"num_train_timesteps\": 100,"
                                                " \"beta_start\": 0.001, \"beta_end\": 0.1,"
                                                " \"clip_sample\": false}"));
    CHECK_OK(context, sumi_trainer_create(context, s->recipe, s->model, s->data, &s->trainer));
}

static void end(struct system *s)
{
    sumi_trainer_free(s->trainer);
    sumi_model_free(s->model);
    sumi_data_free(s->data);
    sumi_recipe_free(s->recipe);
}

static void a_network_of_ones_own_is_trained_and_sampled_like_any_other(void **state)
{
    scratch *room = *state;
    struct own own = {.classes = 8};
    struct system s;
    enum { COUNT = 400 };
    sumi_array samples = {0};
    const float *losses = NULL;
    double first = 0, last = 0;
    int right = 0;
    begin(room->context, &own, &s);
    CHECK_OK(room->context, sumi_trainer_run(s.trainer, NULL, NULL, NULL));
    assert_int_equal(sumi_trainer_losses(s.trainer, &losses), 1500);
    for (int i = 0; i < 50; i++) {
        first += losses[i] / 50;
        last += losses[1450 + i] / 50;
    }
    assert_true(last < 0.7 * first);
    CHECK_OK(room->context, sumi_model_sample(s.model, NULL, COUNT, NULL, &samples));
    assert_int_equal(samples.rank, 2);
    assert_int_equal(samples.shape[0], COUNT);
    for (int i = 0; i < COUNT; i++) { /* class i % 8 lies at that eighth of the ring */
        double angle = atan2(samples.data[2 * i + 1], samples.data[2 * i]);
        right += (lround(angle / 0.78539816339744831) + 8) % 8 == i % 8;
    }
    assert_true(right >= COUNT * 95 / 100); /* one in eight by chance */
    sumi_array_release(room->context, &samples);
    end(&s);
}

static void a_composed_model_has_a_class_and_a_scheduler_but_no_config(void **state)
{
    scratch *room = *state;
    struct own own = {.classes = 0};
    sumi_network network = network_of(&own);
    sumi_model *model = NULL;
    sumi_weight weight = {.size = sizeof weight};
    int64_t shape[SUMI_MAX_RANK];
    CHECK_OK(room->context, sumi_model_compose(room->context, &network, 3, &model));
    assert_string_equal(sumi_model_class(model), "composed");
    assert_null(sumi_model_config(model));
    assert_non_null(strstr(sumi_model_scheduler(model), "DDPMScheduler"));
    assert_int_equal(sumi_model_classes(model), 0);
    assert_int_equal(sumi_model_shape(model, shape), 1);
    assert_int_equal(shape[0], 2);
    assert_true(sumi_model_weight(model, 0, &weight));
    assert_string_equal(weight.name, "first.weight");
    assert_int_equal(sumi_model_save(model, scratch_path(room, "folder")), SUMI_ERROR_UNSUPPORTED);
    assert_non_null(strstr(sumi_context_message(room->context), "sumi_trainer_save"));
    assert_int_not_equal(access(scratch_path(room, "folder"), F_OK), 0);
    sumi_model_free(model);
}

static void its_run_keeps_a_checkpoint_from_which_it_is_restored(void **state)
{
    scratch *room = *state;
    struct own own = {.classes = 0};
    struct system s, again;
    char folder[SCRATCH_PATH];
    float x[6] = {0.1f, 0.2f, -0.3f, 0.4f, 0.5f, -0.6f}, times[3] = {3, 50, 99};
    float expected[6], found[6];
    snprintf(folder, sizeof folder, "%s", scratch_path(room, "run"));
    begin(room->context, &own, &s);
    begin(room->context, &own, &again);
    CHECK_OK(room->context, sumi_trainer_run(s.trainer, folder, NULL, NULL));
    assert_int_not_equal(access(scratch_path(room, "run/unet"), F_OK), 0);
    CHECK_OK(room->context,
             sumi_trainer_load(again.trainer, scratch_path(room, "run/checkpoint.safetensors")));
    CHECK_OK(room->context, sumi_trainer_use_average(again.trainer, true));
    CHECK_OK(room->context, once_predict(room->context, s.model, 3, x, times, NULL, expected));
    CHECK_OK(room->context, once_predict(room->context, again.model, 3, x, times, NULL, found));
    assert_memory_equal(found, expected, sizeof expected);
    end(&again);
    end(&s);
}

static void networks_that_make_no_sense_are_refused(void **state)
{
    scratch *room = *state;
    const char *message = sumi_context_message(room->context);
    sumi_model *model = NULL;
    struct own nothing = {.nothing = true}, flat = {.flat = true}, good = {.classes = 0};
    sumi_network network = network_of(&nothing);
    assert_int_equal(sumi_model_compose(room->context, &network, 3, &model), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(message, "did not return a node"));
    network = network_of(&flat);
    assert_int_equal(sumi_model_compose(room->context, &network, 3, &model), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(message, "[1, 1]"));
    network = network_of(&good);
    network.rank = 0;
    assert_int_equal(sumi_model_compose(room->context, &network, 3, &model), SUMI_ERROR_ARGUMENT);
    network = network_of(&good);
    network.shape[0] = 0;
    assert_int_equal(sumi_model_compose(room->context, &network, 3, &model), SUMI_ERROR_ARGUMENT);
    network = network_of(&good);
    network.input_count = -1;
    assert_int_equal(sumi_model_compose(room->context, &network, 3, &model), SUMI_ERROR_ARGUMENT);
    network = network_of(&good);
    network.build = NULL;
    assert_int_equal(sumi_model_compose(room->context, &network, 3, &model), SUMI_ERROR_ARGUMENT);
    assert_null(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_network_of_ones_own_is_trained_and_sampled_like_any_other),
        SCRATCH_TEST(a_composed_model_has_a_class_and_a_scheduler_but_no_config),
        SCRATCH_TEST(its_run_keeps_a_checkpoint_from_which_it_is_restored),
        SCRATCH_TEST(networks_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
