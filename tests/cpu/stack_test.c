/* SPDX-License-Identifier: Apache-2.0 */
/* A signal may come at any instruction, and the system writes its frame below the stack pointer. So
   the stack pointer must always be within the thread's own stack, also in generated code of a
   library. Here a timer interrupts every thread some 20,000 times per second, and a handler on a
   separate stack checks the interrupted stack pointer. */
#define _GNU_SOURCE
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "cpu/onednn.h"
#include "cpu/product.h"
#include "cpu/tune.h"
#include "scratch.h"

#if defined(__x86_64__)
#define STACK_POINTER(CONTEXT) ((uintptr_t)(CONTEXT)->uc_mcontext.gregs[REG_RSP])
#elif defined(__aarch64__)
#define STACK_POINTER(CONTEXT) ((uintptr_t)(CONTEXT)->uc_mcontext.sp)
#endif

enum { THREADS = 3, ENOUGH = 40 };

static _Thread_local uintptr_t low, high;
static atomic_long came, strayed;

static void look(int number, siginfo_t *information, void *given)
{
    (void)number, (void)information, (void)given;
#ifdef STACK_POINTER
    uintptr_t pointer = STACK_POINTER((ucontext_t *)given);
    atomic_fetch_add(&came, 1);
    if (pointer < low || pointer > high) atomic_fetch_add(&strayed, 1);
#endif
}

/* A thread's timer, and the stack that its signals are handled on. */
struct watch {
    timer_t timer;
    char stack[1 << 16];
};
static struct watch watches[THREADS];

static void begin_watch(struct watch *watch)
{
    pthread_attr_t attributes;
    void *stack = NULL;
    size_t size = 0;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &stack, &size);
    pthread_attr_destroy(&attributes);
    low = (uintptr_t)stack;
    high = low + size;
    sigaltstack(&(stack_t){.ss_sp = watch->stack, .ss_size = sizeof watch->stack}, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
    event._sigev_un._tid = gettid();
    timer_create(CLOCK_MONOTONIC, &event, &watch->timer);
    const struct itimerspec often = {{0, 50000}, {0, 50000}};
    timer_settime(watch->timer, 0, &often, NULL);
}

static void end_watch(struct watch *watch)
{
    timer_delete(watch->timer);
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
}

static void watch_all(int threads)
{
    struct sigaction action = {.sa_sigaction = look,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
#pragma omp parallel num_threads(threads)
    begin_watch(&watches[omp_get_thread_num()]);
}

static void watch_no_more(int threads)
{
#pragma omp parallel num_threads(threads)
    end_watch(&watches[omp_get_thread_num()]);
}

static void begin(void)
{
    came = strayed = 0;
}

/* Whether enough signals have come since `begin`; fails if one found the pointer elsewhere. */
static bool enough(const char *what, int threads)
{
    if (strayed) {
        fail_msg("%s, %d threads: outside the stack in %ld of %ld signals", what, threads,
                 (long)strayed, (long)came);
    }
    return came >= ENOUGH;
}

/* ---- convolutions ---- */

static void run_watched(sumi_context *context, const struct convolution_way *way,
                        const struct convolution_problem *p, struct convolution_ready *ready)
{
    static float memory[4][1 << 17];
    char what[64];
    snprintf(what, sizeof what, "%s, direction %d", way->name, (int)p->direction);
    void *work = aligned_alloc(64, (ready->memory.scratch + 127) / 64 * 64);
    memset(work, 0, ready->memory.scratch);
    const struct convolution_operands operands = {
        .x = memory[0],
        .weight = memory[1],
        .y = memory[2],
        .epilogue = {.pixels = 256, .channels = 64, .scale = 1}};
    begin();
    do CHECK_OK(context, convolution_run(ready, &operands, work));
    while (!enough(what, p->threads));
    free(work);
}

static void check_ways(sumi_context *context, const struct convolution_problem *problem)
{
    void *library = NULL;
    CHECK_OK(context, onednn_open(context, &library));
    for (int number = 0; tune_way(number); number++) {
        const struct convolution_way *way = tune_way(number);
        for (int direction = 0; direction < 3; direction++) {
            struct convolution_problem p = *problem;
            struct convolution_ready ready;
            p.direction = (enum convolution_direction)direction;
            if (!way->suits(&p, way->variant)) continue;
            sumi_status status = convolution_prepare(context, library, way, &p, &ready);
            if (status == SUMI_ERROR_BACKEND) continue; /* the library has none */
            CHECK_OK(context, status);
            run_watched(context, way, &p, &ready);
            convolution_release(&ready);
        }
    }
    onednn_close(context, library);
}

static struct convolution_problem square(int64_t in, int64_t out, int64_t kernel, int64_t stride)
{
    int64_t padding = kernel / 2, size = (16 + 2 * padding - kernel) / stride + 1;
    return (struct convolution_problem){.batch = 4,
                                        .height = 16,
                                        .width = 16,
                                        .in = in,
                                        .out = out,
                                        .out_height = size,
                                        .out_width = size,
                                        .kernel = {kernel, kernel},
                                        .stride = {stride, stride},
                                        .before = {padding, padding},
                                        .after = {padding, padding}};
}

static void the_stack_pointer_stays_within_the_stack_in_all_convolutions(void **state)
{
    scratch *workspace = *state;
    struct convolution_problem problems[] = {square(64, 64, 3, 1), square(3, 40, 3, 1),
                                             square(64, 48, 1, 1), square(32, 17, 3, 2),
                                             square(64, 64, 3, 1)};
    problems[4].bf16 = true;
    for (int threads = 1; threads <= 2; threads++) {
        CHECK_OK(workspace->context, sumi_context_set_threads(workspace->context, threads));
        watch_all(threads);
        for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
            problems[i].threads = threads;
            omp_set_num_threads(threads);
            check_ways(workspace->context, &problems[i]);
        }
        watch_no_more(threads);
    }
}

/* ---- products ---- */

static void the_stack_pointer_stays_within_the_stack_in_all_products(void **state)
{
    (void)state;
    enum { M = 300, N = 260, K = 520 };
    static float a[M * K], b[K * N], c[M * N], workspaces[2 * PRODUCT_WORKSPACE];
    watch_all(2);
    for (int turned = 0; turned < 4; turned++) {
        struct product p = product_of(turned & 1, turned & 2, M, N, K, a, turned & 1 ? M : K, b,
                                      turned & 2 ? K : N, c, N);
        begin();
        do product_run_by_team(2, &p, workspaces);
        while (!enough("product", 2));
    }
    watch_no_more(2);
}

/* ---- training ---- */

static void train_watched(sumi_context *context, const char *name, const char *const *settings,
                          int threads)
{
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    CHECK_OK(context, sumi_recipe_open(context, name, &recipe));
    for (; *settings; settings++) CHECK_OK(context, sumi_recipe_set(recipe, *settings));
    CHECK_OK(context, sumi_data_open(context, recipe, &data));
    CHECK_OK(context, sumi_model_create_from_recipe(context, recipe, data, &model));
    CHECK_OK(context, sumi_trainer_create(context, recipe, model, data, &trainer));
    watch_all(threads);
    begin();
    do CHECK_OK(context, sumi_trainer_step(trainer, NULL));
    while (!enough(name, threads));
    watch_no_more(threads);
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

static void the_stack_pointer_stays_within_the_stack_in_training(void **state)
{
    scratch *workspace = *state;
    static const char *const plain[] = {NULL};
    static const char *const unet[] = {"data.count=64",
                                       "model.channels=8,16",
                                       "model.layers_per_block=1",
                                       "model.groups=4",
                                       "model.attention=no,yes",
                                       "train.batch=4",
                                       NULL};
    static const struct {
        const char *name;
        const char *const *settings;
    } recipes[] = {
        {"points", plain}, {"flow-moons", plain}, {"cnf-moons", plain}, {"digits", unet}};
    for (int threads = 1; threads <= THREADS; threads++) {
        for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
            CHECK_OK(workspace->context, sumi_context_set_threads(workspace->context, threads));
            train_watched(workspace->context, recipes[i].name, recipes[i].settings, threads);
        }
    }
}

int main(void)
{
#ifndef STACK_POINTER
    puts("skipped: the stack pointer's place in a signal's context is not known here");
    return 0;
#endif
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_stack_pointer_stays_within_the_stack_in_all_convolutions),
        cmocka_unit_test(the_stack_pointer_stays_within_the_stack_in_all_products),
        SCRATCH_TEST(the_stack_pointer_stays_within_the_stack_in_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
