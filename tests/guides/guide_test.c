/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of guides: each gets the call and may call the inner denoiser several times, and the whole
   is a denoiser that a solver runs. */
#include "guides/guide.h"

#include "guides/kinds.h"
#include "models/session.h"
#include "models/tiny.h"
#include "solvers/solver.h"

enum { COUNT = 2, SIZE = 16 };

/* The prediction times a factor. */
static sumi_status scale(void *user, const struct denoising *inner, const struct guide_call *call,
                         float *output)
{
    const double *factor = user;
    TRY(inner->predict(inner->user, call->count, call->item_size, call->output_size, call->x,
                       call->times, output));
    for (int64_t i = 0; i < call->count * call->output_size; i++)
        output[i] = (float)(*factor * output[i]);
    return SUMI_OK;
}

/* One more than the prediction. */
static sumi_status raise_by_one(void *user, const struct denoising *inner,
                                const struct guide_call *call, float *output)
{
    (void)user;
    TRY(inner->predict(inner->user, call->count, call->item_size, call->output_size, call->x,
                       call->times, output));
    for (int64_t i = 0; i < call->count * call->output_size; i++) output[i] += 1;
    return SUMI_OK;
}

static sumi_status fill_half(void *user, int64_t count, int64_t item_size, int64_t output_size,
                             const float *x, const float *times, float *output)
{
    (void)user, (void)item_size, (void)times;
    for (int64_t i = 0; i < count * output_size; i++) output[i] = 0.5F * x[i];
    return SUMI_OK;
}

static void the_guide_added_last_is_outermost(void **state)
{
    scratch *room = *state;
    double three = 3;
    const struct denoising core = {.predict = fill_half};
    const struct guide guides[] = {{.predict = raise_by_one}, {.user = &three, .predict = scale}};
    const float x = 4, time = 0;
    float output;
    struct guide_stack stack = guide_stack_of(room->context, &core, NULL);
    struct denoising whole = guide_stack_denoising(&stack);
    CHECK_OK(room->context, whole.predict(whole.user, 1, 1, 1, &x, &time, &output));
    CHECK_CLOSE(output, 2, 0);
    for (int i = 0; i < 2; i++) CHECK_OK(room->context, guide_stack_add(&stack, &guides[i]));
    whole = guide_stack_denoising(&stack);
    CHECK_OK(room->context, whole.predict(whole.user, 1, 1, 1, &x, &time, &output));
    CHECK_CLOSE(output, 3 * (2 + 1), 0);
}

/* What the last call was of. */
struct seen {
    int64_t count;
    struct noise_level level; /* of its first item */
};

static sumi_status look(void *user, const struct denoising *inner, const struct guide_call *call,
                        float *output)
{
    *(struct seen *)user = (struct seen){call->count, path_level(call->path, call->times[0])};
    return inner->predict(inner->user, call->count, call->item_size, call->output_size, call->x,
                          call->times, output);
}

static void a_guide_sees_the_level_of_the_time_and_a_solver_runs_the_whole(void **state)
{
    scratch *room = *state;
    struct seen seen = {0};
    const struct denoising core = {.predict = fill_half};
    const struct guide guide = {.user = &seen, .predict = look};
    const struct noise_path *path = NULL;
    sumi_solver *solver = NULL;
    float x[4] = {1, 2, 3, 4};
    CHECK_OK(room->context, sumi_solver_create(room->context, "ddim", &solver));
    CHECK_OK(room->context, sumi_solver_set(solver, "steps", "10"));
    CHECK_OK(room->context, solver_path(solver, &path));
    struct guide_stack stack = guide_stack_of(room->context, &core, path);
    CHECK_OK(room->context, guide_stack_add(&stack, &guide));
    const struct denoising whole = guide_stack_denoising(&stack);
    CHECK_OK(room->context, sumi_solver_run(solver, whole.predict, whole.user, 2, (int64_t[]){2, 2},
                                            x, NULL, NULL));
    assert_int_equal(seen.count, 2);
    struct noise_level level = path_level(path, 0); /* of the last step */
    CHECK_CLOSE(seen.level.signal, level.signal, 1e-12);
    CHECK_CLOSE(seen.level.noise, level.noise, 1e-12);
    CHECK_CLOSE(level.signal * level.signal + level.noise * level.noise, 1, 1e-6);
    sumi_solver_free(solver);
}

/* Half of what the condition says and half of what the other condition says. */
static sumi_status mix(void *user, const struct denoising *inner, const struct guide_call *call,
                       float *output)
{
    float other[COUNT * SIZE];
    assert_non_null(call->condition);
    TRY(inner->predict(inner->user, call->count, call->item_size, call->output_size, call->x,
                       call->times, output));
    TRY(inner->set_condition(inner->user, user));
    TRY(inner->predict(inner->user, call->count, call->item_size, call->output_size, call->x,
                       call->times, other));
    for (int64_t i = 0; i < call->count * call->output_size; i++)
        output[i] = 0.5F * (output[i] + other[i]);
    return SUMI_OK;
}

static void a_guide_compares_two_conditions_and_the_stack_keeps_its_own(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    sumi_model *model = tiny_create(room, TINY_CONDITIONAL);
    sumi_session *session = NULL;
    sumi_condition *other = NULL;
    const float times[COUNT] = {3, 9};
    float *x = tiny_items(model, COUNT), mixed[COUNT * SIZE], parts[2][COUNT * SIZE];
    for (int i = 0; i < 2; i++)
        CHECK_OK(context, once_predict(context, model, COUNT, x, times,
                                       (int32_t[]){i ? 2 : 0, i ? 2 : 0}, parts[i]));
    CHECK_OK(context, once_open(context, model, 1, (int32_t[]){0}, &session));
    CHECK_OK(context, once_condition(context, 1, (int32_t[]){2}, &other));
    const struct denoising core = session_denoising(session);
    const struct guide guide = {
        .name = "mix", .user = other, .predict = mix, .sets_condition = true};
    struct guide_stack stack = guide_stack_of(context, &core, NULL);
    CHECK_OK(context, guide_stack_add(&stack, &guide));
    const struct denoising whole = guide_stack_denoising(&stack);
    for (int round = 0; round < 2; round++) {
        CHECK_OK(context, whole.predict(whole.user, COUNT, SIZE, SIZE, x, times, mixed));
        for (int i = 0; i < COUNT * SIZE; i++)
            CHECK_CLOSE(mixed[i], 0.5 * ((double)parts[0][i] + parts[1][i]), 1e-5);
    }
    assert_null(whole.product);
    assert_string_equal(guide_stack_without_product(&stack), "mix");
    sumi_condition_free(other);
    sumi_session_free(session);
    sumi_model_free(model);
    free(x);
}

static void kinds_are_listed_with_their_options_and_set_by_name(void **state)
{
    scratch *room = *state;
    sumi_guide_info info = {.size = sizeof info};
    sumi_guide *guide = NULL;
    sumi_option option = {.size = sizeof option};
    for (int i = 0; sumi_guide_describe(i, &info); i++) {
        assert_true(info.name[0] && info.paper[0]);
        CHECK_OK(room->context, guide_create(room->context, info.name, &guide));
        assert_string_equal(sumi_guide_name(guide), info.name);
        int count = 0;
        for (; sumi_guide_option(guide, count, &option); count++)
            assert_string_equal(sumi_guide_get(guide, option.name), option.default_value);
        assert_true(count > 0);
        guide_free(guide);
    }
    assert_false(sumi_guide_describe(-1, &info));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "did you mean \"classifier-free\"?",
                guide_create(room->context, "clasifier-free", &guide));
    assert_null(guide);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "not NULL",
                guide_create(room->context, NULL, &guide));
    CHECK_OK(room->context, guide_create(room->context, "classifier-free", &guide));
    assert_true(sumi_guide_option(guide, 1, &option));
    assert_string_equal(option.name, "sigma_low");
    assert_false(option.read);
    CHECK_OK(room->context, sumi_guide_set_number(guide, "scale", 2.5));
    assert_string_equal(sumi_guide_get(guide, "scale"), "2.5");
    assert_true(sumi_guide_option(guide, 1, &option) && option.read);
    assert_null(sumi_guide_get(guide, "weight"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT,
                "\"scale\" of the guide classifier-free must be a number",
                sumi_guide_set(guide, "scale", "much"));
    guide_free(guide);
}

static void guides_that_cannot_work_are_refused(void **state)
{
    scratch *room = *state;
    const struct denoising core = {.predict = fill_half};
    const struct guide compares = {.predict = raise_by_one, .sets_condition = true},
                       good = {.predict = raise_by_one};
    struct guide_stack stack = guide_stack_of(room->context, &core, NULL);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "needs a denoiser that takes one",
                guide_stack_add(&stack, &compares));
    for (int i = 0; i < GUIDES_MOST; i++) CHECK_OK(room->context, guide_stack_add(&stack, &good));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "at most 8 guides",
                guide_stack_add(&stack, &good));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_guide_added_last_is_outermost),
        SCRATCH_TEST(a_guide_sees_the_level_of_the_time_and_a_solver_runs_the_whole),
        SCRATCH_TEST(a_guide_compares_two_conditions_and_the_stack_keeps_its_own),
        SCRATCH_TEST(kinds_are_listed_with_their_options_and_set_by_name),
        SCRATCH_TEST(guides_that_cannot_work_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
