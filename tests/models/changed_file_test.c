/* SPDX-License-Identifier: Apache-2.0 */
/* Another program truncates the file that weights are mapped from, or writes into it: every call
   that needs them fails with a message, no signal ends the process, and earlier saved files are
   unchanged. Copies of files are safe. */
#include <fcntl.h>
#include <unistd.h>

#include "models/twins.h"

#define WEIGHTS "/diffusion_pytorch_model.safetensors"
#define TRUNCATED WEIGHTS ": was truncated from "
#define WRITTEN WEIGHTS ": was written to by another program"

static sumi_status predict(sumi_session *session, float *output)
{
    const float x[2] = {0.5F, 0.25F}, time = 3;
    return sumi_session_predict(session, 1, x, &time, output);
}

static void cut(scratch *room, const char *folder, off_t size)
{
    char name[64];
    snprintf(name, sizeof name, "%s" WEIGHTS, folder);
    assert_int_equal(truncate(scratch_path(room, name), size), 0);
}

/* Gives the file an age of an hour, so that whoever writes to it now changes its time. */
static void age(scratch *room)
{
    struct stat about;
    assert_int_equal(stat(scratch_path(room, "f16" WEIGHTS), &about), 0);
    const struct timespec times[2] = {about.st_atim,
                                      {about.st_mtim.tv_sec - 3600, about.st_mtim.tv_nsec}};
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(room, "f16" WEIGHTS), times, 0), 0);
}

/* Writes a byte that is there already: size and contents stay, the time of writing does not. */
static void write_into(scratch *room)
{
    char byte = 0;
    int file = open(scratch_path(room, "f16" WEIGHTS), O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, 100000), 1);
    assert_int_equal(pwrite(file, &byte, 1, 100000), 1);
    close(file);
}

static sumi_session *open_session(scratch *room, const sumi_model *model)
{
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    return session;
}

static void evaluating_weights_of_a_truncated_file_is_an_error(void **state)
{
    scratch *room = *state;
    static const char *const folders[] = {"f16", "bf16", "f32"};
    static const off_t sizes[] = {200000, 100, 0}; /* within the weights, within a page, nothing */
    float output[2];
    make_twins(room, WIDE_MLP);
    for (int i = 0; i < 3; i++) {
        sumi_model *model = open_folder(room, folders[i]);
        sumi_session *session = open_session(room, model), *later = open_session(room, model);
        CHECK_OK(room->context, predict(session, output));
        cut(room, folders[i], sizes[i]);
        CHECK_FAILS(room->context, SUMI_ERROR_FILE, TRUNCATED, predict(session, output));
        CHECK_FAILS(room->context, SUMI_ERROR_FILE, TRUNCATED, predict(later, output));
        sumi_session_free(later);
        sumi_session_free(session);
        sumi_model_free(model);
    }
}

static void evaluating_weights_of_a_file_that_was_written_to_is_an_error(void **state)
{
    scratch *room = *state;
    float output[2];
    make_twins(room, WIDE_MLP);
    age(room);
    sumi_model *model = open_folder(room, "f16");
    sumi_session *session = open_session(room, model);
    CHECK_OK(room->context, predict(session, output));
    write_into(room);
    CHECK_FAILS(room->context, SUMI_ERROR_FILE, WRITTEN, predict(session, output));
    sumi_session_free(session);
    sumi_model_free(model);
    model = open_folder(room, "f16"); /* as the sentence advises */
    session = open_session(room, model);
    CHECK_OK(room->context, predict(session, output));
    sumi_session_free(session);
    sumi_model_free(model);
}

static void a_truncated_file_is_neither_saved_nor_trained_nor_read(void **state)
{
    scratch *room = *state;
    sumi_weight weight = {.size = sizeof weight};
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_trainer *trainer = NULL;
    make_twins(room, WIDE_MLP);
    sumi_model *model = open_folder(room, "f16");
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "saved")));
    sumi_model *saved = open_folder(room, "saved");
    float *first = tiny_predict(room, saved, 1);
    sumi_model_free(saved);
    CHECK_OK(room->context, sumi_recipe_open(room->context, "points", &recipe));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    cut(room, "f16", 200000);
    CHECK_FAILS(room->context, SUMI_ERROR_FILE, TRUNCATED,
                sumi_model_save(model, scratch_path(room, "saved")));
    CHECK_FAILS(room->context, SUMI_ERROR_FILE, TRUNCATED,
                sumi_trainer_create(room->context, recipe, model, data, &trainer));
    int64_t number = 0;
    while (sumi_model_weight(model, number, &weight)) number++;
    assert_true(number < model->weights->count);
    assert_non_null(strstr(sumi_context_message(room->context), TRUNCATED));
    saved = open_folder(room, "saved");
    float *second = tiny_predict(room, saved, 1);
    assert_memory_equal(first, second, 2 * sizeof *first);
    free(first);
    free(second);
    sumi_model_free(saved);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

static void training_goes_on_when_the_file_it_began_from_is_truncated(void **state)
{
    scratch *room = *state;
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_trainer *trainer = NULL;
    make_twins(room, WIDE_MLP);
    sumi_model *model = open_folder(room, "f16");
    CHECK_OK(room->context, sumi_recipe_open(room->context, "points", &recipe));
    CHECK_OK(room->context, sumi_recipe_set(recipe, "train.batch=4"));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    CHECK_OK(room->context, sumi_trainer_create(room->context, recipe, model, data, &trainer));
    cut(room, "f16", 0);
    CHECK_OK(room->context, sumi_trainer_step(trainer, NULL));
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

static void copies_of_files_give_the_same_and_outlive_them(void **state)
{
    scratch *room = *state;
    float expected[2], before[2], after[2];
    make_twins(room, WIDE_MLP);
    sumi_model *mapped = open_folder(room, "f16");
    sumi_session *session = open_session(room, mapped);
    CHECK_OK(room->context, predict(session, expected));
    sumi_session_free(session);
    sumi_model_free(mapped);
    sumi_context_set_mapping(room->context, false);
    sumi_model *copied = open_folder(room, "f16");
    assert_true(mapped_weights(copied, SUMI_FLOAT16) > 8); /* in the file's type, half as large */
    session = open_session(room, copied);
    CHECK_OK(room->context, predict(session, before));
    cut(room, "f16", 0);
    CHECK_OK(room->context, predict(session, after));
    sumi_session_free(session);
    session = open_session(room, copied);
    CHECK_OK(room->context, predict(session, after));
    sumi_session_free(session);
    sumi_model_free(copied);
    assert_memory_equal(before, expected, sizeof expected);
    assert_memory_equal(after, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(evaluating_weights_of_a_truncated_file_is_an_error),
        SCRATCH_TEST(evaluating_weights_of_a_file_that_was_written_to_is_an_error),
        SCRATCH_TEST(a_truncated_file_is_neither_saved_nor_trained_nor_read),
        SCRATCH_TEST(training_goes_on_when_the_file_it_began_from_is_truncated),
        SCRATCH_TEST(copies_of_files_give_the_same_and_outlive_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
