/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: several for one model in several threads, plans cached within a budget, and conditions
   that are checked against the network's declared inputs. */
#include "models/session.h"

#include <pthread.h>
#include <stdatomic.h>

#include "failing_allocator.h"
#include "models/tiny.h"
#include "sumi_graph.h"

/* ---- Two at once ---- */

enum { SAMPLES = 3, SIZE = 64, ROUNDS = 6 };

struct work {
    const sumi_model *model;
    int seed;
    float samples[SAMPLES * SIZE];
    char message[160]; /* of a failure that it provokes */
    sumi_status status;
};

/* Samples of the seed, by a context and a session of its own. */
static void *work_at(void *user)
{
    struct work *work = user;
    sumi_context *context = NULL;
    sumi_session *session = NULL;
    sumi_solver *solver = NULL;
    sumi_array samples = {0};
    char seed[16];
    snprintf(seed, sizeof seed, "%d", work->seed);
    sumi_status status = sumi_context_create(NULL, &context);
    STEP(sumi_context_set_threads(context, 1));
    STEP(sumi_session_create(context, work->model, &session));
    STEP(sumi_session_solver(session, "ddim", &solver));
    STEP(sumi_solver_set(solver, "steps", "5"));
    STEP(sumi_solver_set(solver, "seed", seed));
    STEP(sumi_session_sample(session, solver, SAMPLES, NULL, NULL, &samples));
    if (status == SUMI_OK) memcpy(work->samples, samples.data, sizeof work->samples);
    if (status == SUMI_OK) sumi_session_set(session, seed, "1"); /* no such option */
    snprintf(work->message, sizeof work->message, "%s", sumi_context_message(context));
    work->status = status;
    sumi_array_release(context, &samples);
    sumi_solver_free(solver);
    sumi_session_free(session);
    sumi_context_free(context);
    return NULL;
}

static void two_sessions_in_two_threads_give_the_bytes_of_one_after_the_other(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    static struct work alone[2], together[2];
    for (int i = 0; i < 2; i++) {
        alone[i] = (struct work){.model = model, .seed = i + 1};
        work_at(&alone[i]);
        CHECK_OK(room->context, alone[i].status);
    }
    assert_memory_not_equal(alone[0].samples, alone[1].samples, sizeof alone[0].samples);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[2];
        for (int i = 0; i < 2; i++) {
            together[i] = (struct work){.model = model, .seed = i + 1};
            assert_int_equal(pthread_create(&threads[i], NULL, work_at, &together[i]), 0);
        }
        for (int i = 0; i < 2; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            CHECK_OK(room->context, together[i].status);
            assert_memory_equal(together[i].samples, alone[i].samples, sizeof alone[i].samples);
            assert_string_equal(together[i].message, alone[i].message);
        }
    }
    sumi_model_free(model);
}

/* ---- Memory ---- */

/* An allocator that counts what is held. */
struct counter {
    size_t held;
};

static void *counted_allocate(void *user, size_t size, size_t alignment)
{
    struct counter *counter = user;
    char *memory = NULL;
    if (posix_memalign((void **)&memory, alignment < 64 ? 64 : alignment, size + 64) != 0)
        return NULL;
    *(size_t *)(void *)memory = size;
    counter->held += size;
    return memory + 64;
}

static void counted_release(void *user, void *memory)
{
    struct counter *counter = user;
    char *begin = (char *)memory - 64;
    counter->held -= *(size_t *)(void *)begin;
    free(begin);
}

static void several_sessions_hold_the_weights_of_their_model_once(void **state)
{
    scratch *room = *state;
    enum { SESSIONS = 4 };
    struct counter model_memory = {0}, memory = {0};
    const sumi_allocator allocators[] = {{&model_memory, counted_allocate, counted_release},
                                         {&memory, counted_allocate, counted_release}};
    sumi_context *owner = NULL, *user = NULL;
    sumi_model *model = NULL;
    sumi_session *sessions[SESSIONS] = {NULL};
    (void)room;
    assert_int_equal(sumi_context_create(&allocators[0], &owner), SUMI_OK);
    assert_int_equal(sumi_context_create(&allocators[1], &user), SUMI_OK);
    /* linear layers alone: their kernels read the weights where they lie */
    CHECK_OK(owner, sumi_model_create(owner,
                                      "{\"_class_name\": \"SumiMLPModel\", \"width\": 512,"
                                      " \"depth\": 4}",
                                      1, &model));
    size_t weights = model_memory.held;
    assert_true(weights > (size_t)4 << 20);
    for (int i = 0; i < SESSIONS; i++) {
        float x[2] = {0.1F, 0.2F}, time = 3, output[2];
        CHECK_OK(user, sumi_session_create(user, model, &sessions[i]));
        CHECK_OK(user, sumi_session_predict(sessions[i], 1, x, &time, output));
    }
    assert_int_equal(model_memory.held, weights);
    assert_true(memory.held < weights / 4); /* all four together */
    for (int i = 0; i < SESSIONS; i++) sumi_session_free(sessions[i]);
    sumi_model_free(model);
    sumi_context_free(user);
    sumi_context_free(owner);
    assert_int_equal(model_memory.held + memory.held, 0);
}

static int count_plans(const sumi_session *session, int64_t items)
{
    sumi_plan_info info = {.size = sizeof info};
    int count = 0;
    for (int i = 0; sumi_session_plan(session, i, &info); i++)
        count += items == 0 || info.items == items;
    return count;
}

static int64_t bytes_of_plans(const sumi_session *session)
{
    sumi_plan_info info = {.size = sizeof info};
    int64_t bytes = 0;
    for (int i = 0; sumi_session_plan(session, i, &info); i++) bytes += info.bytes;
    return bytes;
}

/* The output for tiny_items(count) by a session of the model; free it. */
static float *predict(scratch *room, sumi_session *session, const sumi_model *model, int64_t count)
{
    float *x = tiny_items(model, count), *times = malloc((size_t)count * sizeof *times);
    float *output = malloc((size_t)(count * tiny_size(model)) * sizeof *output);
    for (int64_t i = 0; i < count; i++) times[i] = (float)(10 * (i + 1));
    CHECK_OK(room->context, sumi_session_predict(session, count, x, times, output));
    free(x);
    free(times);
    return output;
}

static void a_plan_is_kept_for_the_next_call_of_its_shapes(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    for (int round = 0; round < 3; round++) {
        for (int64_t count = 1; count <= 4; count++) free(predict(room, session, model, count));
    }
    assert_int_equal(count_plans(session, 0), 4);
    sumi_session_free(session);
    sumi_model_free(model);
}

static void the_plan_used_least_recently_goes_where_memory_lacks(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    sumi_session *session = NULL;
    char memory[32];
    float *wanted[5] = {NULL};
    for (int i = 1; i <= 4; i++) wanted[i] = tiny_predict(room, model, i);
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    for (int64_t count = 1; count <= 3; count++) free(predict(room, session, model, count));
    int64_t bytes = bytes_of_plans(session);
    snprintf(memory, sizeof memory, "%lld", (long long)bytes);
    CHECK_OK(room->context, sumi_session_set(session, "memory", memory));
    free(predict(room, session, model, 1)); /* now 2 is the oldest */
    for (int i = 4; i >= 1; i--) {
        float *found = predict(room, session, model, i);
        assert_memory_equal(found, wanted[i], (size_t)(i * tiny_size(model)) * sizeof *found);
        free(found);
        if (i == 4) assert_int_equal(count_plans(session, 2), 0);
        assert_true(bytes_of_plans(session) <= bytes || count_plans(session, 0) == 2);
    }
    for (int i = 1; i <= 4; i++) free(wanted[i]);
    sumi_session_free(session);
    sumi_model_free(model);
}

static void the_last_two_plans_stay_whatever_they_take(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    CHECK_OK(room->context, sumi_session_set(session, "memory", "0"));
    for (int64_t count = 1; count <= 4; count++) free(predict(room, session, model, count));
    assert_int_equal(count_plans(session, 0), 2);
    assert_int_equal(count_plans(session, 3) + count_plans(session, 4), 2);
    sumi_session_free(session);
    sumi_model_free(model);
}

/* What convolutions make of the weights, and keep for the next call, counts as well. */
static void what_is_kept_of_the_weights_stays_within_the_budget(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    sumi_session *session = NULL;
    int64_t all = 0;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    float *wanted = predict(room, session, model, 1);
    for (int part = 4; part >= 0; part--) {
        char memory[32];
        if (part < 4) {
            session_forget_plans(session);
            snprintf(memory, sizeof memory, "%lld", (long long)(all * part / 4));
            CHECK_OK(room->context, sumi_session_set(session, "memory", memory));
        }
        float *found = predict(room, session, model, 1);
        sumi_plan_info plan = {.size = sizeof plan};
        assert_true(sumi_session_plan(session, 0, &plan));
        if (part == 4) all = plan.kept;
        assert_true(all > 0 && plan.kept <= all * part / 4 && plan.kept < plan.bytes);
        assert_true(part == 0 || plan.kept > 0);
        assert_memory_equal(found, wanted, (size_t)tiny_size(model) * sizeof *found);
        free(found);
    }
    free(wanted);
    sumi_session_free(session);
    sumi_model_free(model);
}

static void another_precision_or_thread_count_is_another_plan(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_context_set_threads(room->context, 1));
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    float *float32 = predict(room, session, model, 1);
    CHECK_OK(room->context, sumi_session_set(session, "precision", "bf16"));
    float *bf16 = predict(room, session, model, 1);
    assert_memory_not_equal(float32, bf16, (size_t)tiny_size(model) * sizeof *bf16);
    CHECK_OK(room->context, sumi_context_set_threads(room->context, 2));
    free(predict(room, session, model, 1));
    assert_int_equal(count_plans(session, 1), 2); /* those of bf16 */
    free(float32);
    free(bf16);
    sumi_session_free(session);
    sumi_model_free(model);
}

static void options_that_are_not_there_are_refused(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "did you mean \"precision\"",
                sumi_session_set(session, "precison", "bf16"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT,
                "\"memory\" of a session must be a whole number from 0 to",
                sumi_session_set(session, "memory", "-1"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "not NULL",
                sumi_session_set(session, "memory", NULL));
    sumi_session_free(session);
    sumi_model_free(model);
}

static void options_are_listed_with_their_values_and_set_as_numbers(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    sumi_session *session = NULL;
    sumi_option option = {.size = sizeof option};
    int count = 0;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    for (; sumi_session_option(session, count, &option); count++) {
        assert_true(option.name[0] && option.meaning[0] && option.read);
        assert_string_equal(sumi_session_get(session, option.name), option.default_value);
    }
    assert_int_equal(count, 5);
    assert_false(sumi_session_option(session, -1, &option));
    CHECK_OK(room->context, sumi_session_set_number(session, "memory", 4096));
    assert_string_equal(sumi_session_get(session, "memory"), "4096");
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "whole number",
                sumi_session_set_number(session, "memory", 0.5));
    CHECK_OK(room->context, sumi_session_set(session, "precision", "bf16"));
    assert_string_equal(sumi_session_get(session, "precision"), "bf16");
    assert_null(sumi_session_get(session, "precison"));
    assert_null(sumi_session_get(session, NULL));
    sumi_session_free(session);
    sumi_model_free(model);
}

/* ---- Conditions ---- */

/* x + times + the mean over the length of mask states, like a network with the states of a text
   encoder: "states" [n, L, 2], "states_mask" [n, L] that may be left out, and "kind". */
static sumi_node build_conditioned(void *user, sumi_graph *graph, const sumi_node *inputs)
{
    int64_t shape[SUMI_MAX_RANK];
    int *builds = user;
    (*builds)++;
    sumi_graph_shape(graph, inputs[2], shape);
    sumi_node states = inputs[2];
    if (inputs[3] >= 0) {
        const int64_t column[] = {shape[0], shape[1], 1};
        states = sumi_op_multiply(graph, states, sumi_op_reshape(graph, inputs[3], 3, column));
    }
    const int64_t flat[] = {shape[0], 2};
    sumi_node mean = sumi_op_reshape(graph, sumi_op_mean(graph, states, 1u << 1), 2, flat);
    const int64_t table_shape[] = {5, 2};
    sumi_node table = sumi_graph_weight(graph, "table", 2, table_shape, SUMI_START_ONE, 0);
    sumi_node x = sumi_op_add(graph, inputs[0], mean);
    return sumi_op_add(graph, x, sumi_op_gather(graph, table, inputs[4]));
}

static const sumi_input state_inputs[] = {
    {.size = sizeof(sumi_input), .name = "states", .rank = 3, .shape = {0, 0, 2}},
    {.size = sizeof(sumi_input), .name = "states_mask", .rank = 2, .optional = true},
    {.size = sizeof(sumi_input), .name = "kind", .element = SUMI_INT32, .rank = 1, .limit = 5},
};

static sumi_model *compose_conditioned(scratch *room, int *builds)
{
    const sumi_network network = {.size = sizeof network,
                                  .user = builds,
                                  .rank = 1,
                                  .shape = {2},
                                  .input_count = 3,
                                  .inputs = state_inputs,
                                  .build = build_conditioned};
    sumi_model *model = NULL;
    CHECK_OK(room->context, sumi_model_compose(room->context, &network, 1, &model));
    return model;
}

static void a_model_lists_its_inputs(void **state)
{
    scratch *room = *state;
    int builds = 0;
    sumi_input input = {.size = sizeof input};
    sumi_model *model = compose_conditioned(room, &builds);
    static const char *const names[] = {"x", "times", "states", "states_mask", "kind"};
    for (int i = 0; i < 5; i++) {
        assert_true(sumi_model_input(model, i, &input));
        assert_string_equal(input.name, names[i]);
    }
    assert_int_equal(input.element, SUMI_INT32);
    assert_int_equal(input.limit, 5);
    assert_false(sumi_model_input(model, 5, &input));
    sumi_model_free(model);
}

/* Sets states of `length`, the same for both items but for their sign. */
static void set_states(scratch *room, sumi_condition *c, int64_t length)
{
    float *values = malloc((size_t)(2 * length * 2) * sizeof *values);
    for (int64_t i = 0; i < 2 * length * 2; i++)
        values[i] = (i < 2 * length ? 1.0F : -1.0F) * (float)(1 + i % 2);
    CHECK_OK(room->context, sumi_condition_set(c, "states", 3, (int64_t[]){2, length, 2}, values));
    free(values);
}

static void states_of_any_length_reach_the_network_and_each_length_has_a_plan(void **state)
{
    scratch *room = *state;
    int builds = 0;
    sumi_model *model = compose_conditioned(room, &builds);
    sumi_session *session = NULL;
    sumi_condition *c = NULL;
    const float x[8] = {0}, times[4] = {0};
    float output[8];
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    CHECK_OK(room->context, sumi_condition_create(room->context, &c));
    CHECK_OK(room->context,
             sumi_condition_set_integers(c, "kind", 1, (int64_t[]){1}, (int32_t[]){4}));
    for (int round = 0; round < 2; round++) {
        for (int64_t length = 3; length <= 5; length++) {
            set_states(room, c, length);
            CHECK_OK(room->context, sumi_session_set_condition(session, c));
            CHECK_OK(room->context, sumi_session_predict(session, 4, x, times, output));
            for (int i = 0; i < 8; i++) { /* items repeat: +, -, +, - */
                double sign = i / 2 % 2 ? -1 : 1;
                CHECK_CLOSE(output[i], 1 + sign * (1 + i % 2), 1e-6);
            }
        }
    }
    assert_int_equal(count_plans(session, 4), 3);
    /* the optional mask takes the second of three states away */
    const float mask[] = {1, 0, 1};
    set_states(room, c, 3);
    CHECK_OK(room->context, sumi_condition_set(c, "states_mask", 2, (int64_t[]){1, 3}, mask));
    CHECK_OK(room->context, sumi_session_set_condition(session, c));
    CHECK_OK(room->context, sumi_session_predict(session, 4, x, times, output));
    for (int i = 0; i < 8; i++)
        CHECK_CLOSE(output[i], 1 + (i / 2 % 2 ? -1 : 1) * (1 + i % 2) * 2 / 3.0, 1e-6);
    assert_int_equal(count_plans(session, 4), 4);
    sumi_condition_free(c);
    sumi_session_free(session);
    sumi_model_free(model);
}

static void conditions_that_do_not_fit_are_refused_with_a_sentence(void **state)
{
    scratch *room = *state;
    int builds = 0;
    sumi_context *context = room->context;
    sumi_model *model = compose_conditioned(room, &builds);
    sumi_session *session = NULL;
    sumi_condition *c = NULL;
    const float zeros[8] = {0};
    float output[2];
    CHECK_OK(context, sumi_session_create(context, model, &session));
    CHECK_FAILS(context, SUMI_ERROR_ARGUMENT, "needs \"states\" for each item",
                sumi_session_predict(session, 1, zeros, zeros, output));
    CHECK_OK(context, sumi_condition_create(context, &c));
    CHECK_OK(context, sumi_condition_set(c, "stats", 1, (int64_t[]){1}, zeros));
    CHECK_FAILS(context, SUMI_ERROR_ARGUMENT,
                "takes no \"stats\"; the inputs of its condition are: \"states\", \"states_mask\", "
                "\"kind\"",
                sumi_session_set_condition(session, c));
    sumi_condition_free(c);
    CHECK_OK(context, sumi_condition_create(context, &c));
    CHECK_OK(context, sumi_condition_set(c, "times", 1, (int64_t[]){1}, zeros));
    CHECK_FAILS(context, SUMI_ERROR_ARGUMENT, "takes no \"times\"",
                sumi_session_set_condition(session, c));
    sumi_condition_free(c);
    CHECK_OK(context, sumi_condition_create(context, &c));
    CHECK_OK(context, sumi_condition_set(c, "states", 3, (int64_t[]){1, 1, 3}, zeros));
    CHECK_FAILS(context, SUMI_ERROR_ARGUMENT,
                "should be of shape [0, 0, 2] (0: any size), not "
                "[1, 1, 3]",
                sumi_session_set_condition(session, c));
    CHECK_OK(context, sumi_condition_set(c, "states", 3, (int64_t[]){1, 2, 2}, zeros));
    CHECK_OK(context, sumi_condition_set(c, "kind", 1, (int64_t[]){1}, zeros));
    CHECK_FAILS(context, SUMI_ERROR_ARGUMENT, "\"kind\" takes whole numbers",
                sumi_session_set_condition(session, c));
    CHECK_OK(context, sumi_condition_set_integers(c, "kind", 1, (int64_t[]){2}, (int32_t[]){0, 5}));
    CHECK_FAILS(context, SUMI_ERROR_ARGUMENT, "\"kind\" of item 1 is 5; it must be from 0 to 4",
                sumi_session_set_null(session, c));
    CHECK_OK(context, sumi_condition_set_integers(c, "kind", 1, (int64_t[]){1}, (int32_t[]){4}));
    CHECK_OK(context, sumi_session_set_condition(session, c));
    CHECK_OK(context, sumi_session_predict(session, 1, zeros, zeros, output));
    sumi_condition_free(c);
    sumi_session_free(session);
    sumi_model_free(model);
}

static void a_network_of_classes_by_embedding_takes_embeddings(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, "{\"_class_name\": \"SumiMLPModel\", \"width\": 2,"
                                          " \"depth\": 1, \"class_embed_type\": \"identity\"}");
    sumi_session *session = NULL;
    sumi_condition *c = NULL;
    float embedding[16] = {0}, x[2] = {0.5F, 0.1F}, time = 1, plain[2], conditioned[2];
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    CHECK_OK(room->context, sumi_condition_create(room->context, &c));
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 8; k++) embedding[k] = (float)(i * k);
        CHECK_OK(room->context,
                 sumi_condition_set(c, "embedding", 2, (int64_t[]){1, 8}, embedding));
        CHECK_OK(room->context, sumi_session_set_condition(session, c));
        CHECK_OK(room->context,
                 sumi_session_predict(session, 1, x, &time, i ? conditioned : plain));
    }
    assert_memory_not_equal(plain, conditioned, sizeof plain);
    sumi_condition_free(c);
    sumi_session_free(session);
    sumi_model_free(model);
}

/* ---- Stopping ---- */

static bool stop_after_two(void *user, int64_t step, int64_t steps, double time, const float *x,
                           const float *clean)
{
    float *seen = user;
    (void)steps, (void)time, (void)clean;
    memcpy(seen, x, 2 * sizeof *x);
    return step < 1;
}

static void a_stopped_sampling_leaves_the_states_of_that_moment(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    sumi_session *session = NULL;
    sumi_array samples = {0};
    float seen[2];
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    assert_int_equal(sumi_session_sample(session, NULL, 1, stop_after_two, seen, &samples),
                     SUMI_STOPPED);
    assert_memory_equal(samples.data, seen, sizeof seen);
    sumi_array_release(room->context, &samples);
    sumi_session_free(session);
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(two_sessions_in_two_threads_give_the_bytes_of_one_after_the_other),
        SCRATCH_TEST(several_sessions_hold_the_weights_of_their_model_once),
        SCRATCH_TEST(a_plan_is_kept_for_the_next_call_of_its_shapes),
        SCRATCH_TEST(the_plan_used_least_recently_goes_where_memory_lacks),
        SCRATCH_TEST(the_last_two_plans_stay_whatever_they_take),
        SCRATCH_TEST(what_is_kept_of_the_weights_stays_within_the_budget),
        SCRATCH_TEST(another_precision_or_thread_count_is_another_plan),
        SCRATCH_TEST(options_that_are_not_there_are_refused),
        SCRATCH_TEST(options_are_listed_with_their_values_and_set_as_numbers),
        SCRATCH_TEST(a_model_lists_its_inputs),
        SCRATCH_TEST(states_of_any_length_reach_the_network_and_each_length_has_a_plan),
        SCRATCH_TEST(conditions_that_do_not_fit_are_refused_with_a_sentence),
        SCRATCH_TEST(a_network_of_classes_by_embedding_takes_embeddings),
        SCRATCH_TEST(a_stopped_sampling_leaves_the_states_of_that_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
