/* SPDX-License-Identifier: Apache-2.0 */
/* Training over a frozen auto-encoder: latents of a data set in files, what is drawn from them, and
   the pipeline that is trained on them. */
#include "data/fingerprint.h"
#include "models/auto_encoder.h"
#include "models/tiny.h"

#define KL                                                                                         \
    "{\"_class_name\": \"AutoencoderKL\", \"latent_channels\": 2, \"block_out_channels\": [8, 8]," \
    " \"norm_num_groups\": 4, \"in_channels\": 1, \"out_channels\": 1, \"down_block_types\":"      \
    " [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"], \"up_block_types\":"                       \
    " [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]}"
#define VQ                                                                                         \
    "{\"_class_name\": \"VQModel\", \"num_vq_embeddings\": 6, \"block_out_channels\": [8, 8],"     \
    " \"norm_num_groups\": 4, \"in_channels\": 1, \"out_channels\": 1, \"down_block_types\":"      \
    " [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"], \"up_block_types\":"                       \
    " [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]}"

enum { ITEMS = 10, LATENTS = 14 * 14 * 2 };

static void save_coder(scratch *room, const char *name, const char *config, uint64_t seed)
{
    sumi_auto_encoder *coder = NULL;
    CHECK_OK(room->context, sumi_auto_encoder_create(room->context, config, seed, &coder));
    CHECK_OK(room->context, sumi_auto_encoder_save(coder, scratch_path(room, name)));
    sumi_auto_encoder_free(coder);
}

static void set(scratch *room, sumi_recipe *recipe, const char *key, const char *value)
{
    char text[SCRATCH_PATH + 64];
    snprintf(text, sizeof text, "%s=%s", key, value);
    CHECK_OK(room->context, sumi_recipe_set(recipe, text));
}

/* Ten digits of 28 x 28, encoded by the auto-encoder "ae" into files of four items in "cache". */
static sumi_recipe *make_recipe(scratch *room)
{
    static const char *const values[][2] = {{"data.count", "10"},        {"data.labels", "yes"},
                                            {"latents.file_items", "4"}, {"noise.clip", "no"},
                                            {"train.batch", "4"},        {"train.steps", "4"}};
    sumi_recipe *recipe = NULL;
    CHECK_OK(room->context, sumi_recipe_open(room->context, "digits", &recipe));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        set(room, recipe, values[i][0], values[i][1]);
    set(room, recipe, "latents.auto_encoder", scratch_path(room, "ae"));
    set(room, recipe, "latents.folder", scratch_path(room, "cache"));
    return recipe;
}

/* The network: a small U-Net, or a small transformer. */
static void choose_network(scratch *room, sumi_recipe *recipe, bool transformer)
{
    static const char *const values[][2][2] = {
        {{"model.channels", "8, 8"}, {"model.kind", "dit"}},
        {{"model.groups", "4"}, {"model.class_conditional", "yes"}},
        {{"model.mid_attention", "no"}, {"model.width", "16"}}};
    set(room, recipe, "model.kind", transformer ? "dit" : "unet2d");
    for (int i = 0; i < 3; i++)
        set(room, recipe, values[i][transformer][0], values[i][transformer][1]);
}

struct count {
    int calls, stop_after;
};

static bool count_call(void *user, const sumi_progress *progress)
{
    struct count *count = user;
    assert_string_equal(progress->task, "encode");
    return ++count->calls != count->stop_after;
}

/* Encodes the recipe's data; *calls receives how many times progress was reported. */
static sumi_status encode(scratch *room, const sumi_recipe *recipe, struct count *count,
                          sumi_data **latents)
{
    sumi_data *pictures = NULL;
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &pictures));
    sumi_status status =
        sumi_data_encode(room->context, recipe, pictures, count_call, count, latents);
    sumi_data_free(pictures);
    return status;
}

static sumi_data *encode_all(scratch *room, const sumi_recipe *recipe)
{
    struct count count = {0};
    sumi_data *latents = NULL;
    CHECK_OK(room->context, encode(room, recipe, &count, &latents));
    return latents;
}

static void check_refused(scratch *room, sumi_status status, const char *sentence)
{
    assert_true(status != SUMI_OK);
    if (!strstr(sumi_context_message(room->context), sentence))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(room->context), sentence);
}

/* ---- Latents ---- */

static void latents_of_a_data_set_are_what_its_auto_encoder_gives(void **state)
{
    scratch *room = *state;
    save_coder(room, "ae", KL, 1);
    sumi_recipe *recipe = make_recipe(room);
    sumi_data *latents = encode_all(room, recipe), *pictures = NULL;
    sumi_auto_encoder *coder = NULL;
    sumi_array picture, truth;
    static float item[LATENTS];
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &pictures));
    CHECK_OK(room->context,
             sumi_auto_encoder_open(room->context, scratch_path(room, "ae"), &coder));
    CHECK_OK(room->context,
             sumi_array_create(room->context, 4, (int64_t[]){1, 28, 28, 1}, &picture));
    assert_int_equal(sumi_data_count(latents), ITEMS);
    assert_int_equal(sumi_data_classes(latents), 10);
    for (int64_t i = 0; i < ITEMS; i++) {
        int32_t label = -1, own = -1;
        CHECK_OK(room->context, sumi_data_read(pictures, &i, 1, picture.data, &label));
        CHECK_OK(room->context, sumi_auto_encoder_encode(coder, &picture, NULL, &truth));
        CHECK_OK(room->context, sumi_data_read(latents, &i, 1, item, &own));
        assert_int_equal(own, label);
        for (int64_t k = 0; k < LATENTS; k++) CHECK_CLOSE(item[k], truth.data[k], 1e-5);
        sumi_array_release(room->context, &truth);
    }
    sumi_array_release(room->context, &picture);
    sumi_auto_encoder_free(coder);
    sumi_data_free(pictures);
    sumi_data_free(latents);
    sumi_recipe_free(recipe);
}

/* The batch of a step as training takes it. */
static void take(scratch *room, sumi_data *data, int64_t step, float *items)
{
    int32_t labels[ITEMS];
    CHECK_OK(room->context, data_read_batch(data, 7, step, ITEMS, items, labels));
}

static void every_epoch_draws_latents_anew_from_the_same_posterior(void **state)
{
    static float first[ITEMS * LATENTS], again[ITEMS * LATENTS], means[ITEMS * LATENTS];
    scratch *room = *state;
    save_coder(room, "ae", KL, 1);
    sumi_recipe *recipe = make_recipe(room);
    set(room, recipe, "data.limit", "1"); /* so that every place of a batch is the same item */
    sumi_data *latents = encode_all(room, recipe);
    take(room, latents, 0, first);
    take(room, latents, 0, again);
    assert_memory_equal(first, again, sizeof first);
    take(room, latents, 1, again);
    assert_memory_not_equal(first, again, sizeof first);
    assert_memory_not_equal(first, first + LATENTS, sizeof first / ITEMS);
    sumi_data_free(latents);
    set(room, recipe, "latents.posterior", "mean");
    latents = encode_all(room, recipe);
    take(room, latents, 0, means);
    assert_memory_equal(means, means + LATENTS, sizeof means / ITEMS);
    sumi_data_free(latents);
    sumi_recipe_free(recipe);
}

static void an_auto_encoder_without_a_posterior_gives_the_same_latents_always(void **state)
{
    static float first[ITEMS * 14 * 14 * 3], again[ITEMS * 14 * 14 * 3];
    scratch *room = *state;
    save_coder(room, "ae", VQ, 1);
    sumi_recipe *recipe = make_recipe(room);
    set(room, recipe, "data.limit", "1");
    sumi_data *latents = encode_all(room, recipe);
    take(room, latents, 0, first);
    take(room, latents, 1, again);
    assert_memory_equal(first, again, sizeof first);
    sumi_data_free(latents);
    sumi_recipe_free(recipe);
}

static void mirrored_pictures_are_encoded_too(void **state)
{
    scratch *room = *state;
    save_coder(room, "ae", KL, 1);
    sumi_recipe *recipe = make_recipe(room);
    sumi_data *pictures = NULL;
    sumi_auto_encoder *coder = NULL;
    sumi_array picture, truth;
    float item[LATENTS];
    set(room, recipe, "data.flip", "yes");
    sumi_data *latents = encode_all(room, recipe);
    assert_int_equal(sumi_data_count(latents), 2 * ITEMS);
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &pictures));
    CHECK_OK(room->context,
             sumi_auto_encoder_open(room->context, scratch_path(room, "ae"), &coder));
    CHECK_OK(room->context,
             sumi_array_create(room->context, 4, (int64_t[]){1, 28, 28, 1}, &picture));
    CHECK_OK(room->context, sumi_data_read(pictures, &(int64_t){3}, 1, picture.data, NULL));
    for (int row = 0; row < 28; row++) {
        for (int i = 0; i < 14; i++) {
            float *left = picture.data + row * 28 + i, *right = picture.data + row * 28 + 27 - i;
            float kept = *left;
            *left = *right;
            *right = kept;
        }
    }
    CHECK_OK(room->context, sumi_auto_encoder_encode(coder, &picture, NULL, &truth));
    CHECK_OK(room->context, sumi_data_read(latents, &(int64_t){ITEMS + 3}, 1, item, NULL));
    for (int64_t k = 0; k < LATENTS; k++) CHECK_CLOSE(item[k], truth.data[k], 1e-5);
    sumi_array_release(room->context, &picture);
    sumi_array_release(room->context, &truth);
    sumi_auto_encoder_free(coder);
    sumi_data_free(pictures);
    sumi_data_free(latents);
    sumi_recipe_free(recipe);
}

/* ---- Files ---- */

static void an_interrupted_encoding_goes_on_with_the_next_file(void **state)
{
    scratch *room = *state;
    save_coder(room, "ae", KL, 1);
    sumi_recipe *recipe = make_recipe(room);
    sumi_data *latents = NULL;
    struct count stopped = {.stop_after = 2}, rest = {0}, none = {0};
    assert_int_equal(encode(room, recipe, &stopped, &latents), SUMI_STOPPED);
    assert_null(latents);
    CHECK_OK(room->context, encode(room, recipe, &rest, &latents));
    assert_int_equal(rest.calls, 2); /* of three files, the first was there */
    sumi_data_free(latents);
    CHECK_OK(room->context, encode(room, recipe, &none, &latents));
    assert_int_equal(none.calls, 0);
    sumi_data_free(latents);
    sumi_recipe_free(recipe);
}

static void latents_of_another_auto_encoder_or_of_other_pictures_are_refused(void **state)
{
    scratch *room = *state;
    struct count count = {0};
    sumi_data *latents = NULL;
    save_coder(room, "ae", KL, 1);
    sumi_recipe *recipe = make_recipe(room);
    sumi_data_free(encode_all(room, recipe));
    save_coder(room, "ae", KL, 2);
    check_refused(room, encode(room, recipe, &count, &latents),
                  "holds latents of another auto-encoder");
    save_coder(room, "ae", KL, 1);
    set(room, recipe, "data.seed", "2");
    check_refused(room, encode(room, recipe, &count, &latents), "holds latents of other pictures");
    assert_int_equal(count.calls, 0);
    sumi_recipe_free(recipe);
}

/* Writes grey pictures of 28 x 28, of which one has another shade. */
static void write_pictures(scratch *room, int other)
{
    char path[SCRATCH_PATH], name[32];
    float values[28 * 28];
    mkdir(scratch_path(room, "set"), 0777);
    for (int i = 0; i < 200; i++) {
        sumi_array picture = {3, {28, 28, 1}, values};
        for (int k = 0; k < 28 * 28; k++) values[k] = i == other ? 0.5F : 0;
        snprintf(name, sizeof name, "set/%03d.png", i);
        snprintf(path, sizeof path, "%s", scratch_path(room, name));
        CHECK_OK(room->context, sumi_array_write(room->context, path, &picture));
    }
}

/* The mark by which files of latents name these pictures, where they are read on demand. */
static void mark_of_folder(scratch *room, char mark[HASH_TEXT])
{
    sumi_recipe *recipe = make_recipe(room);
    sumi_data *data = NULL;
    set(room, recipe, "data.count", "20000"); /* its default, since folders do not read it */
    set(room, recipe, "data.kind", "folder");
    set(room, recipe, "data.labels", "no");
    set(room, recipe, "data.channels", "1");
    set(room, recipe, "data.memory", "0");
    set(room, recipe, "data.path", scratch_path(room, "set"));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    CHECK_OK(room->context, fingerprint_mark(data, mark));
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

static void latents_are_not_those_of_pictures_of_which_any_file_has_changed(void **state)
{
    scratch *room = *state;
    char first[HASH_TEXT], same[HASH_TEXT], changed[HASH_TEXT], renamed[HASH_TEXT];
    char from[SCRATCH_PATH], to[SCRATCH_PATH];
    write_pictures(room, -1);
    mark_of_folder(room, first);
    mark_of_folder(room, same);
    assert_string_equal(first, same);
    write_pictures(room, 101); /* none of the few that are looked at */
    mark_of_folder(room, changed);
    assert_string_not_equal(first, changed);
    snprintf(from, sizeof from, "%s", scratch_path(room, "set/101.png"));
    snprintf(to, sizeof to, "%s", scratch_path(room, "set/101a.png"));
    assert_int_equal(rename(from, to), 0);
    mark_of_folder(room, renamed);
    assert_string_not_equal(changed, renamed);
}

static void what_cannot_be_encoded_is_refused_with_the_reason(void **state)
{
    static const char *const wrong[][3] = {
        {"data.shift", "2", "data.shift changes pictures while training"},
        {"data.flip_vertical", "yes", "data.flip_vertical changes pictures while training"},
        {"latents.auto_encoder", "/nowhere", "there is no such folder of an auto-encoder"}};
    scratch *room = *state;
    save_coder(room, "ae", KL, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct count count = {0};
        sumi_data *latents = NULL;
        sumi_recipe *recipe = make_recipe(room);
        set(room, recipe, wrong[i][0], wrong[i][1]);
        check_refused(room, encode(room, recipe, &count, &latents), wrong[i][2]);
        sumi_recipe_free(recipe);
    }
    sumi_recipe *points = make_recipe(room);
    struct count count = {0};
    sumi_data *latents = NULL;
    set(room, points, "data.kind", "moons");
    set(room, points, "data.labels", "no");
    check_refused(room, encode(room, points, &count, &latents), "is for pictures");
    sumi_recipe_free(points);
}

/* ---- Training ---- */

static void a_model_is_made_for_the_latents_of_its_recipe_only(void **state)
{
    scratch *room = *state;
    sumi_data *pictures = NULL;
    sumi_model *model = NULL;
    save_coder(room, "ae", KL, 1);
    sumi_recipe *recipe = make_recipe(room);
    choose_network(room, recipe, false);
    sumi_data *latents = encode_all(room, recipe);
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &pictures));
    check_refused(room, sumi_model_create_from_recipe(room->context, recipe, pictures, &model),
                  "these items are no latents");
    set(room, recipe, "noise.clip", "yes");
    check_refused(room, sumi_model_create_from_recipe(room->context, recipe, latents, &model),
                  "set noise.clip = no");
    set(room, recipe, "noise.clip", "no");
    save_coder(room, "ae", KL, 2);
    check_refused(room, sumi_model_create_from_recipe(room->context, recipe, latents, &model),
                  "latents of another auto-encoder");
    set(room, recipe, "latents.auto_encoder", "");
    check_refused(room, sumi_model_create_from_recipe(room->context, recipe, latents, &model),
                  "the items are latents, but the recipe names no auto-encoder");
    sumi_data_free(pictures);
    sumi_data_free(latents);
    sumi_recipe_free(recipe);
}

static sumi_trainer *begin(scratch *room, const sumi_recipe *recipe, sumi_data *latents,
                           sumi_model **model)
{
    sumi_trainer *trainer = NULL;
    CHECK_OK(room->context, sumi_model_create_from_recipe(room->context, recipe, latents, model));
    CHECK_OK(room->context, sumi_trainer_create(room->context, recipe, *model, latents, &trainer));
    return trainer;
}

static void a_resumed_training_on_latents_has_the_same_bits(void **state)
{
    scratch *room = *state;
    sumi_model *whole = NULL, *resumed = NULL;
    double loss = 0;
    char checkpoint[SCRATCH_PATH];
    save_coder(room, "ae", KL, 1);
    sumi_recipe *recipe = make_recipe(room);
    choose_network(room, recipe, false);
    sumi_data *latents = encode_all(room, recipe);
    sumi_trainer *trainer = begin(room, recipe, latents, &whole);
    for (int i = 0; i < 4; i++) CHECK_OK(room->context, sumi_trainer_step(trainer, &loss));
    sumi_trainer_free(trainer);
    sumi_trainer *halves = begin(room, recipe, latents, &resumed);
    snprintf(checkpoint, sizeof checkpoint, "%s/c.safetensors", room->folder);
    for (int i = 0; i < 2; i++) CHECK_OK(room->context, sumi_trainer_step(halves, &loss));
    CHECK_OK(room->context, sumi_trainer_save(halves, checkpoint));
    sumi_trainer_free(halves);
    sumi_model_free(resumed);
    sumi_data_free(latents);
    sumi_data *again = encode_all(room, recipe);
    halves = begin(room, recipe, again, &resumed);
    CHECK_OK(room->context, sumi_trainer_load(halves, checkpoint));
    for (int i = 2; i < 4; i++) CHECK_OK(room->context, sumi_trainer_step(halves, &loss));
    sumi_weight a = {.size = sizeof a}, b = {.size = sizeof b};
    for (int64_t i = 0; sumi_model_weight(whole, i, &a) && sumi_model_weight(resumed, i, &b); i++) {
        int64_t count = 1;
        for (int k = 0; k < a.rank; k++) count *= a.shape[k];
        assert_memory_equal(a.data, b.data, (size_t)count * sizeof *a.data);
    }
    sumi_trainer_free(halves);
    sumi_model_free(resumed);
    sumi_model_free(whole);
    sumi_data_free(again);
    sumi_recipe_free(recipe);
}

static void check_pipeline(scratch *room, const char *pipeline, const char *part)
{
    sumi_model *model = NULL;
    sumi_part found = {.size = sizeof found};
    sumi_array samples = {0};
    char path[SCRATCH_PATH], *index = NULL;
    snprintf(path, sizeof path, "%s/run/model_index.json", room->folder);
    CHECK_OK(room->context, model_read_text(room->context, path, &index));
    assert_non_null(strstr(index, pipeline));
    sumi_text_release(room->context, index);
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "run"), &model));
    assert_true(sumi_model_part(model, 2, &found));
    assert_string_equal(found.name, part);
    sumi_solver *solver = NULL;
    CHECK_OK(room->context, sumi_model_solver(model, "ddim", &solver));
    CHECK_OK(room->context, sumi_solver_set(solver, "steps", "2"));
    CHECK_OK(room->context, sumi_model_sample(model, solver, 2, NULL, &samples));
    assert_int_equal(samples.shape[1], 28);
    assert_int_equal(samples.shape[3], 1);
    sumi_array_release(room->context, &samples);
    sumi_solver_free(solver);
    sumi_model_free(model);
}

static void a_trained_model_is_a_pipeline_with_its_auto_encoder(void **state)
{
    scratch *room = *state;
    save_coder(room, "ae", KL, 1);
    for (int transformer = 0; transformer < 2; transformer++) {
        sumi_recipe *recipe = make_recipe(room);
        choose_network(room, recipe, transformer);
        sumi_data *latents = encode_all(room, recipe);
        sumi_model *model = NULL;
        sumi_trainer *trainer = begin(room, recipe, latents, &model);
        assert_int_equal(sumi_trainer_run(trainer, scratch_path(room, "run"), NULL, NULL), SUMI_OK);
        check_pipeline(room, transformer ? "DiTPipeline" : "LDMPipeline",
                       transformer ? "vae" : "vqvae");
        sumi_trainer_free(trainer);
        sumi_model_free(model);
        sumi_data_free(latents);
        sumi_recipe_free(recipe);
        assert_int_equal(scratch_remove(scratch_path(room, "run")), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(latents_of_a_data_set_are_what_its_auto_encoder_gives),
        SCRATCH_TEST(every_epoch_draws_latents_anew_from_the_same_posterior),
        SCRATCH_TEST(an_auto_encoder_without_a_posterior_gives_the_same_latents_always),
        SCRATCH_TEST(mirrored_pictures_are_encoded_too),
        SCRATCH_TEST(an_interrupted_encoding_goes_on_with_the_next_file),
        SCRATCH_TEST(latents_of_another_auto_encoder_or_of_other_pictures_are_refused),
        SCRATCH_TEST(latents_are_not_those_of_pictures_of_which_any_file_has_changed),
        SCRATCH_TEST(what_cannot_be_encoded_is_refused_with_the_reason),
        SCRATCH_TEST(a_model_is_made_for_the_latents_of_its_recipe_only),
        SCRATCH_TEST(a_resumed_training_on_latents_has_the_same_bits),
        SCRATCH_TEST(a_trained_model_is_a_pipeline_with_its_auto_encoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
