/* SPDX-License-Identifier: Apache-2.0 */
/* No step of training or of sampling allocates from the heap after the first. This program replaces
   malloc and similar functions, and so counts every allocation of the process: those of Sumi, of
   the C and the OpenMP library, and those of oneDNN within dnnl_primitive_execute (a table of its
   arguments, and closures for its threads), which its interface does not allow to avoid. Only the
   last are permitted. */
#include <dlfcn.h>
#include <errno.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdatomic.h>

#include "learn/trained.h"
#include "once.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- Counting ---- */

static atomic_bool counting;
static atomic_int within_onednn; /* calls of it that are running, on any thread */
static atomic_long taken, taken_by_onednn;

#ifndef SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void count_one(void)
{
    if (!atomic_load(&counting)) return;
    atomic_fetch_add(atomic_load(&within_onednn) > 0 ? &taken_by_onednn : &taken, 1);
}

#pragma GCC visibility push(default) /* libraries are to find these */
void *malloc(size_t size)
{
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    count_one();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    count_one();
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
#pragma GCC visibility pop
#endif

typedef dnnl_status_t (*execute_function)(const_dnnl_primitive_t, dnnl_stream_t, int,
                                          const dnnl_exec_arg_t *);
static execute_function execute;

dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream,
                                     int count, const dnnl_exec_arg_t *arguments)
{
    atomic_fetch_add(&within_onednn, 1);
    dnnl_status_t status = execute(primitive, stream, count, arguments);
    atomic_fetch_sub(&within_onednn, 1);
    return status;
}

static int find_onednn(void **state)
{
    (void)state;
    *(void **)&execute = dlsym(RTLD_NEXT, "dnnl_primitive_execute");
    return execute ? 0 : -1;
}

static void begin_counting(void)
{
    taken = taken_by_onednn = 0;
    atomic_store(&counting, true);
}

static void end_counting(const char *what)
{
    atomic_store(&counting, false);
    if (taken) fail_msg("%s: %ld allocations", what, (long)taken);
}

static void what_libraries_take_is_counted(void **state)
{
    (void)state;
    begin_counting();
    char *copy = strdup("counted");
    atomic_fetch_add(&within_onednn, 1);
    char *other = strdup("also");
    atomic_fetch_sub(&within_onednn, 1);
    atomic_store(&counting, false);
    free(copy);
    free(other);
    assert_int_equal(taken, 1);
    assert_int_equal(taken_by_onednn, 1);
}

/* ---- Training ---- */

static void check_training(sumi_context *context, const char *name, const char *const *settings,
                           int steps)
{
    for (int threads = 1; threads <= 2; threads++) {
        struct training t;
        CHECK_OK(context, sumi_context_set_threads(context, threads));
        training_of_recipe(context, name, settings, &t);
        CHECK_OK(context, sumi_trainer_step(t.trainer, NULL));
        begin_counting();
        for (int i = 0; i < steps; i++) {
            if (sumi_trainer_step(t.trainer, NULL) != SUMI_OK) break;
        }
        end_counting(settings[0]);
        assert_int_equal(sumi_trainer_steps_done(t.trainer), steps + 1);
        print_message("%s, %d threads: oneDNN made %ld allocations in %d steps\n", name, threads,
                      (long)taken_by_onednn, steps);
        training_end(&t);
    }
}

/* A U-Net with everything in it, small. */
#define UNET                                                                                       \
    "data.kind=digits", "data.count=64", "data.labels=yes", "model.class_conditional=yes",         \
        "model.channels=8,16", "model.layers_per_block=1", "model.groups=4",                       \
        "model.attention=no,yes", "model.dropout=0.1", "noise.steps=20", "train.batch=4"

static void training_a_unet_takes_nothing_from_the_heap(void **state)
{
    scratch *room = *state;
    static const char *const plain[] = {UNET, NULL};
    static const char *const parts[] = {UNET, "train.accumulate=2", "train.recompute=yes", NULL};
    static const char *const half[] = {UNET, "train.precision=bf16", NULL};
    check_training(room->context, "ddpm-mnist", plain, 3);
    check_training(room->context, "ddpm-mnist", half, 3);
    check_training(room->context, "ddpm-mnist", parts, 3);
}

static void training_a_small_network_for_long_takes_nothing_from_the_heap(void **state)
{
    scratch *room = *state;
    static const char *const points[] = {"train.steps=1200", "train.batch=16", "data.count=100",
                                         "model.width=8",    "model.depth=2",  NULL};
    check_training(room->context, "points", points, 1100);
}

/* Items that lie on disk, read ahead by a thread. */
static void reading_on_demand_takes_nothing_from_the_heap(void **state)
{
    scratch *room = *state;
    static float values[500 * 2];
    char path[SCRATCH_PATH + 16];
    for (int i = 0; i < 500 * 2; i++) values[i] = sinf((float)i);
    const sumi_array array = {2, {500, 2}, values};
    snprintf(path, sizeof path, "data.path=%s", scratch_path(room, "points.npy"));
    CHECK_OK(room->context, sumi_array_write(room->context, room->path, &array));
    const char *const settings[] = {path,
                                    "data.kind=npy",
                                    "data.memory=0",
                                    "data.readers=1",
                                    "train.batch=64",
                                    "model.width=8",
                                    "model.depth=1",
                                    NULL};
    check_training(room->context, "points", settings, 50);
}

/* ---- Sampling ---- */

static bool count_after_the_first(void *user, int64_t step, int64_t steps, double time,
                                  const float *x, const float *clean)
{
    (void)user, (void)time, (void)x, (void)clean;
    if (step == 0) begin_counting();
    if (step == steps - 1) atomic_store(&counting, false);
    return true;
}

/* Whether the solver can sample the session's model. */
static bool check_sampling(sumi_context *context, sumi_session *session, const char *name)
{
    enum { COUNT = 4, SIZE = 28 * 28 };
    static float x[COUNT * SIZE];
    const int64_t shape[] = {COUNT, 28, 28, 1};
    sumi_solver *solver = NULL;
    if (sumi_session_solver(session, name, &solver) != SUMI_OK) return false; /* for other data */
    CHECK_OK(context, sumi_solver_set(solver, "steps", "4"));
    bool runs = sumi_solver_start(solver, 4, shape, x) == SUMI_OK;
    if (runs) {
        taken = 0;
        sumi_status status = sumi_solver_run(solver, sumi_session_denoiser, session, 4, shape, x,
                                             count_after_the_first, NULL);
        end_counting(name);
        if (status != SUMI_ERROR_NUMBER) CHECK_OK(context, status);
    }
    sumi_solver_free(solver);
    return runs;
}

static void sampling_by_any_solver_takes_nothing_from_the_heap(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {UNET, NULL};
    for (int threads = 1; threads <= 2; threads++) {
        struct training t;
        sumi_solver_info info = {.size = sizeof info};
        const int32_t classes[] = {3, 1, 4, 1};
        CHECK_OK(room->context, sumi_context_set_threads(room->context, threads));
        training_of_recipe(room->context, "ddpm-mnist", settings, &t);
        sumi_session *session = NULL;
        CHECK_OK(room->context, once_open(room->context, t.model, 4, classes, &session));
        int solvers = 0;
        for (int i = 0; sumi_solver_describe(i, &info); i++) {
            solvers += check_sampling(room->context, session, info.name);
        }
        assert_true(solvers > 15);
        sumi_session_free(session);
        training_end(&t);
    }
}

static void guided_sampling_takes_nothing_from_the_heap(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {UNET, "train.label_dropout=0.1", NULL};
    static const int32_t classes[] = {3, 1, 4, 1};
    struct training t;
    sumi_session *session = NULL;
    sumi_guide *guide = NULL;
    training_of_recipe(room->context, "ddpm-mnist", settings, &t);
    CHECK_OK(room->context, once_open(room->context, t.model, 4, classes, &session));
    CHECK_OK(room->context, sumi_session_add_guide(session, "classifier-free", &guide));
    CHECK_OK(room->context, sumi_guide_set(guide, "scale", "2"));
    CHECK_OK(room->context, sumi_guide_set(guide, "rescale", "0.5"));
    assert_true(check_sampling(room->context, session, "ddim"));
    assert_true(check_sampling(room->context, session, "heun"));
    sumi_session_free(session);
    training_end(&t);
}

int main(void)
{
#ifdef SANITIZED
    puts("skipped: a sanitizer has an allocator of its own");
    return 0;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_libraries_take_is_counted),
        SCRATCH_TEST(training_a_unet_takes_nothing_from_the_heap),
        SCRATCH_TEST(training_a_small_network_for_long_takes_nothing_from_the_heap),
        SCRATCH_TEST(reading_on_demand_takes_nothing_from_the_heap),
        SCRATCH_TEST(sampling_by_any_solver_takes_nothing_from_the_heap),
        SCRATCH_TEST(guided_sampling_takes_nothing_from_the_heap),
    };
    return cmocka_run_group_tests(tests, find_onednn, NULL);
}
