/* SPDX-License-Identifier: Apache-2.0 */
/* Random convolutions, with every way and with the way chosen by timing, compared with the
   definition, while several processes write their choices to one folder; constant weights,
   compared with a new copy of the model; and sessions of one model in two threads. SUMI_STRESS is
   the number of cases of each process. */
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "convolution_case.h"
#include "cpu/cpu.h"
#include "scratch.h"

enum { PROCESSES = 3, FEW = 25 };

static int cases(void)
{
    const char *wanted = getenv("SUMI_STRESS");
    return wanted ? atoi(wanted) : FEW;
}

#define ONE_OF(...)                                                                                \
    ((const int64_t[]){                                                                            \
        __VA_ARGS__})[(size_t)rand() % (sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t))]

static struct convolution_problem draw_problem(void)
{
    struct sizes s = {.n = 1 + rand() % 4, .stride = 1};
    s.height = ONE_OF(1, 2, 3, 4, 4, 5, 7, 8, 8, 9, 12, 16, 17);
    s.width = ONE_OF(1, 3, 4, 4, 5, 7, 8, 8, 11, 16, 19);
    s.in = ONE_OF(1, 3, 16, 17, 20, 31, 32, 33, 48, 64, 96, 130);
    s.out = ONE_OF(1, 3, 16, 18, 24, 32, 35, 48, 64, 64, 97, 140);
    s.kernel = ONE_OF(1, 3, 3, 3, 3, 5);
    if (rand() % 5 == 0) s.stride = 2;
    s.before = s.after = s.kernel / 2;
    if (s.kernel == 3 && rand() % 6 == 0) s.before = rand() % 3;
    s.line = s.kernel == 3 && s.stride == 1 && rand() % 5 == 0;
    while (s.height + s.before + s.after < s.kernel) s.height++;
    while (s.width + s.before + s.after < s.kernel) s.width++;
    struct convolution_problem p = pose(&s, rand() % 3, 1 + rand() % 3, rand() % 2);
    p.bf16 = rand() % 4 == 0;
    p.constant_weights = rand() % 3 == 0 && p.direction != CONVOLUTION_WEIGHT_GRADIENT;
    return p;
}

static double multiplications(const struct convolution_problem *p)
{
    return (double)(p->batch * p->out_height * p->out_width) * (double)(p->in * p->out)
           * (double)(p->kernel[0] * p->kernel[1]);
}

static void check_case(const struct convolution_way *way, const struct convolution_problem *p,
                       const struct case_data *d)
{
    bool rounded = p->bf16 && p->direction != CONVOLUTION_WEIGHT_GRADIENT;
    double bound = 3e-5 + (rounded ? ldexp(1, p->epilogue ? -7 : -8) : 0);
    if (error_of(d) < bound) return;
    fail_msg(
        "%s, direction %d, %lldx%lldx%lldx%lld to %lld, kernel %lldx%lld, stride %lld, padding "
        "%lld and %lld, %d threads, bf16 %d, epilogue %u, constant %d: relative error %.3g",
        way->name, (int)p->direction, (long long)p->batch, (long long)p->height,
        (long long)p->width, (long long)p->in, (long long)p->out, (long long)p->kernel[0],
        (long long)p->kernel[1], (long long)p->stride[1], (long long)p->before[1],
        (long long)p->after[1], p->threads, p->bf16, p->epilogue, p->constant_weights, error_of(d));
}

/* All ways, and the chosen one. */
static void check_problem(struct fixture *f, struct cpu_shared *shared,
                          const struct convolution_problem *p)
{
    struct case_data d = make_case(p);
    struct convolution_ready ready;
    CHECK_OK(f->context, sumi_context_set_threads(f->context, p->threads));
    omp_set_num_threads(p->threads);
    for (int number = 0; tune_way(number); number++) {
        if (run_way(f, tune_way(number), p, &d)) check_case(tune_way(number), p, &d);
    }
    CHECK_OK(f->context, tune_choose(f->context, shared, p, &ready));
    const struct convolution_way *chosen = ready.way;
    convolution_release(&ready);
    assert_true(run_way(f, chosen, p, &d));
    check_case(chosen, p, &d);
    free_case(&d);
}

/* What one of the processes does. */
static void check_many(unsigned seed, int count)
{
    void *state = NULL, *shared = NULL;
    assert_int_equal(set_up(&state), 0);
    struct fixture *f = state;
    sumi_context_set_tuning(f->context, true);
    for (int i = 0; i < count; i++) {
        srand(seed + (unsigned)(i / 4 * 4 + rand() % 4)); /* the processes meet now and then */
        struct convolution_problem p = draw_problem();
        if (multiplications(&p) > 5e6) continue;
        CHECK_OK(f->context, cpu_backend.open(f->context, &shared));
        check_problem(f, shared, &p);
        cpu_backend.close(f->context, shared);
    }
    tear_down(&state);
}

static void every_way_is_right_while_processes_share_their_choices(void **state)
{
    scratch *room = *state;
    pid_t children[PROCESSES];
    assert_int_equal(setenv("XDG_CACHE_HOME", room->folder, 1), 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i]) continue;
        check_many(1, cases());
        _exit(0); /* a failed check goes on to the end of main, which then returns the failures */
    }
    int failures = 0;
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        failures += status != 0;
    }
    assert_int_equal(failures, 0);
}

/* ---- weights that are kept ---- */

static void predict(sumi_context *context, sumi_session *session, float *prediction)
{
    static float x[2 * 28 * 28];
    const float times[] = {3, 11};
    const philox_stream stream = {5, PURPOSE_DATA, 0};
    philox_normal(&stream, 0, 2 * 28 * 28, x);
    CHECK_OK(context, sumi_session_predict(session, 2, x, times, prediction));
}

/* The session lasts through the training; two fresh ones are of a copy. */
static void check_kept(sumi_context *context, const char *folder, const sumi_model *model,
                       sumi_session *session)
{
    static float kept[2 * 28 * 28], fresh[2 * 28 * 28];
    sumi_model *copy = NULL;
    predict(context, session, kept);
    CHECK_OK(context, sumi_model_save(model, folder));
    CHECK_OK(context, sumi_model_open(context, folder, &copy));
    for (int i = 0; i < 2; i++) {
        sumi_session *other = NULL;
        CHECK_OK(context, sumi_session_create(context, copy, &other));
        predict(context, other, fresh);
        for (int k = 0; k < 2 * 28 * 28; k++) assert_float_equal(kept[k], fresh[k], 1e-4);
        sumi_session_free(other);
    }
    sumi_model_free(copy);
}

static void weights_kept_for_evaluation_follow_the_training(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    sumi_session *session = NULL;
    static const char *const settings[] = {
        "data.count=32",  "model.channels=16,32", "model.layers_per_block=1",
        "model.groups=4", "train.batch=4",        "train.learning_rate=0.01",
        "noise.steps=20"};
    assert_int_equal(setenv("XDG_CACHE_HOME", room->folder, 1), 0);
    CHECK_OK(context, sumi_context_set_threads(context, 2));
    sumi_context_set_tuning(context, true);
    CHECK_OK(context, sumi_recipe_open(context, "digits", &recipe));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        CHECK_OK(context, sumi_recipe_set(recipe, settings[i]));
    CHECK_OK(context, sumi_data_open(context, recipe, &data));
    CHECK_OK(context, sumi_model_create_from_recipe(context, recipe, data, &model));
    CHECK_OK(context, sumi_trainer_create(context, recipe, model, data, &trainer));
    CHECK_OK(context, sumi_session_create(context, model, &session));
    for (int i = 0; i < 4; i++) {
        check_kept(context, scratch_path(room, "model"), model, session);
        for (int step = 0; step <= i; step++) CHECK_OK(context, sumi_trainer_step(trainer, NULL));
    }
    check_kept(context, scratch_path(room, "model"), model, session);
    sumi_session_free(session);
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

/* ---- two sessions in two threads ---- */

enum { CALLS = 6, MOST_ITEMS = 3, IMAGE = 16 * 16 };

/* Calls of one session, drawn at random: batches, threads and precisions that come again, so that
   plans are made, kept and used while the other session does the same. */
struct caller {
    const sumi_model *model;
    unsigned seed;
    float predictions[CALLS][MOST_ITEMS * IMAGE];
    sumi_status status;
};

static sumi_status call_once(sumi_context *context, sumi_session *session, unsigned draw,
                             float *prediction)
{
    float x[MOST_ITEMS * IMAGE], times[MOST_ITEMS] = {2, 9, 14};
    const philox_stream stream = {draw, PURPOSE_DATA, 0};
    philox_normal(&stream, 0, MOST_ITEMS * IMAGE, x);
    TRY(sumi_context_set_threads(context, 1 + (int)(draw / 2 % 2)));
    TRY(sumi_session_set(session, "precision", draw % 2 ? "bf16" : "float32"));
    return sumi_session_predict(session, 1 + draw / 4 % MOST_ITEMS, x, times, prediction);
}

static void *call_often(void *user)
{
    struct caller *caller = user;
    sumi_context *context = NULL;
    sumi_session *session = NULL;
    caller->status = sumi_context_create(NULL, &context);
    if (caller->status == SUMI_OK) {
        sumi_context_set_tuning(context, true);
        caller->status = sumi_session_create(context, caller->model, &session);
    }
    unsigned draw = caller->seed;
    for (int i = 0; i < CALLS && caller->status == SUMI_OK; i++) {
        draw = draw * 1664525u + 1013904223u;
        caller->status = call_once(context, session, draw >> 24, caller->predictions[i]);
    }
    sumi_session_free(session);
    sumi_context_free(context);
    return NULL;
}

/* The second round finds the choices of the first, and makes them its own in one thread. */
static void sessions_in_two_threads_give_what_they_give_one_after_the_other(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    static struct caller together[2], alone[2];
    pthread_t threads[2];
    assert_int_equal(setenv("XDG_CACHE_HOME", room->folder, 1), 0);
    CHECK_OK(room->context,
             sumi_model_create(room->context,
                               "{\"_class_name\": \"UNet2DModel\", \"sample_size\": 16,"
                               " \"in_channels\": 1, \"out_channels\": 1,"
                               " \"block_out_channels\": [32, 64], \"layers_per_block\": 1,"
                               " \"norm_num_groups\": 8, \"down_block_types\": [\"DownBlock2D\","
                               " \"AttnDownBlock2D\"], \"up_block_types\": [\"AttnUpBlock2D\","
                               " \"UpBlock2D\"]}",
                               1, &model));
    for (int i = 0; i < 2; i++) {
        together[i] = (struct caller){.model = model, .seed = 5 + (unsigned)i};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &together[i]), 0);
    }
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 2; i++) {
        alone[i] = (struct caller){.model = model, .seed = 5 + (unsigned)i};
        call_often(&alone[i]);
        CHECK_OK(room->context, together[i].status);
        CHECK_OK(room->context, alone[i].status);
        assert_memory_equal(together[i].predictions, alone[i].predictions,
                            sizeof alone[i].predictions);
    }
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(every_way_is_right_while_processes_share_their_choices),
        SCRATCH_TEST(weights_kept_for_evaluation_follow_the_training),
        SCRATCH_TEST(sessions_in_two_threads_give_what_they_give_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
