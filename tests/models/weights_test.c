/* SPDX-License-Identifier: Apache-2.0 */
/* Weights from the files that diffusers writes, and from invalid files. */
#include <unistd.h>

#include "models/tiny.h"

#define PLAIN "m/diffusion_pytorch_model.safetensors"

/* A lone model folder "m" with the config but no weights yet. */
static void begin_folder(scratch *room, const char *config)
{
    tiny_folder(room, "m");
    tiny_write(room, "m/config.json", config);
}

static void write_entries(scratch *room, const char *name, const safetensors_entry *entries,
                          size_t count)
{
    CHECK_OK(room->context,
             safetensors_write(room->context, scratch_path(room, name), entries, count, NULL, 0));
}

/* Keeps seven bits of each weight's fraction, and none of a very small weight, so that F16 and
   BF16 hold it exactly. */
static void round_weights(const sumi_model *model)
{
    sumi_weight weight = {.size = sizeof weight};
    for (int64_t i = 0; sumi_model_weight(model, i, &weight); i++) {
        int64_t count = tiny_count(weight.shape, weight.rank);
        for (int64_t k = 0; k < count; k++) {
            uint32_t bits;
            if (fabsf(weight.data[k]) < 1e-3F) weight.data[k] = 0;
            memcpy(&bits, &weight.data[k], sizeof bits);
            bits &= 0xffff0000U;
            memcpy(&weight.data[k], &bits, sizeof bits);
        }
    }
}

/* Opens "m" and fails unless its weights are those of `model`, bit for bit. */
static void check_same_weights(scratch *room, const sumi_model *model)
{
    sumi_model *opened = NULL;
    sumi_weight mine = {.size = sizeof mine}, theirs = {.size = sizeof theirs};
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "m"), &opened));
    for (int64_t i = 0; sumi_model_weight(model, i, &mine); i++) {
        assert_true(sumi_model_weight(opened, i, &theirs));
        assert_string_equal(mine.name, theirs.name);
        assert_memory_equal(mine.data, theirs.data,
                            (size_t)tiny_count(mine.shape, mine.rank) * sizeof(float));
    }
    sumi_model_free(opened);
}

static void loads(scratch *room, number_type type, const char *name)
{
    safetensors_entry entries[TINY_TENSORS];
    sumi_model *model = tiny_create(room, TINY_UNET);
    round_weights(model);
    begin_folder(room, TINY_UNET);
    write_entries(room, name, entries, tiny_entries(model, type, entries));
    check_same_weights(room, model);
    sumi_model_free(model);
}

static void float32_weights_load(void **state)
{
    loads(*state, NUMBER_F32, PLAIN);
}

static void float16_weights_load(void **state)
{
    loads(*state, NUMBER_F16, PLAIN);
}

static void bfloat16_weights_load(void **state)
{
    loads(*state, NUMBER_BF16, PLAIN);
}

static void the_fp16_variant_is_found(void **state)
{
    loads(*state, NUMBER_F16, "m/diffusion_pytorch_model.fp16.safetensors");
}

/* Writes the index of a set of two shards; tensors from `cut` on are in the second. */
static void write_index(scratch *room, const char *name, const safetensors_entry *entries,
                        size_t count, size_t cut)
{
    FILE *stream = fopen(scratch_path(room, name), "w");
    assert_non_null(stream);
    fputs("{\"metadata\": {\"total_size\": 1}, \"weight_map\": {", stream);
    for (size_t i = 0; i < count; i++) {
        fprintf(stream, "%s\"%s\": \"part-%d.safetensors\"", i ? ", " : "", entries[i].name,
                i < cut ? 1 : 2);
    }
    fputs("}}", stream);
    assert_int_equal(fclose(stream), 0);
}

static void loads_sharded(scratch *room, const char *index)
{
    safetensors_entry entries[TINY_TENSORS];
    sumi_model *model = tiny_create(room, TINY_UNET);
    size_t count = tiny_entries(model, NUMBER_F32, entries), cut = count / 3;
    begin_folder(room, TINY_UNET);
    write_entries(room, "m/part-1.safetensors", entries, cut);
    write_entries(room, "m/part-2.safetensors", entries + cut, count - cut);
    write_index(room, index, entries, count, cut);
    check_same_weights(room, model);
    sumi_model_free(model);
}

static void sharded_weights_load(void **state)
{
    loads_sharded(*state, "m/diffusion_pytorch_model.safetensors.index.json");
}

static void the_sharded_fp16_variant_is_found(void **state)
{
    loads_sharded(*state, "m/diffusion_pytorch_model.safetensors.index.fp16.json");
}

/* Replaces the first `from` in `name` by `to`, into new memory. */
static char *replaced(const char *name, const char *from, const char *to)
{
    char *result = malloc(strlen(name) + strlen(to) + 1);
    const char *place = strstr(name, from);
    if (!place) return strcpy(result, name);
    memcpy(result, name, (size_t)(place - name));
    strcpy(result + (place - name), to);
    return strcat(result, place + strlen(from));
}

static void attention_under_its_old_names_loads(void **state)
{
    static const char *const pairs[][2] = {{".to_q.", ".query."},
                                           {".to_k.", ".key."},
                                           {".to_v.", ".value."},
                                           {".to_out.0.", ".proj_attn."}};
    scratch *room = *state;
    safetensors_entry entries[TINY_TENSORS];
    char *names[TINY_TENSORS];
    int renamed = 0;
    sumi_model *model = tiny_create(room, TINY_UNET);
    size_t count = tiny_entries(model, NUMBER_F32, entries);
    for (size_t i = 0; i < count; i++) {
        int pair = 0;
        while (pair < 4 && !strstr(entries[i].name, pairs[pair][0])) pair++;
        names[i] = pair < 4 ? replaced(entries[i].name, pairs[pair][0], pairs[pair][1])
                            : replaced(entries[i].name, "", "");
        renamed += pair < 4;
        entries[i].name = names[i];
    }
    assert_true(renamed >= 4 * 2 * 3); /* down, mid and up have attention */
    begin_folder(room, TINY_UNET);
    write_entries(room, PLAIN, entries, count);
    check_same_weights(room, model);
    for (size_t i = 0; i < count; i++) free(names[i]);
    sumi_model_free(model);
}

/* ---- Files that are refused ---- */

/* Writes the weights of a tiny model as `change` leaves them, and expects the refusal. */
static void check_refused(scratch *room, void (*change)(safetensors_entry *entries, size_t *count),
                          const char *part)
{
    safetensors_entry entries[TINY_TENSORS];
    sumi_model *model = tiny_create(room, TINY_UNET), *opened = NULL;
    size_t count = tiny_entries(model, NUMBER_F32, entries);
    begin_folder(room, TINY_UNET);
    change(entries, &count);
    write_entries(room, PLAIN, entries, count);
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, part,
                sumi_model_open(room->context, scratch_path(room, "m"), &opened));
    assert_null(opened);
    assert_non_null(strstr(sumi_context_message(room->context), PLAIN));
    sumi_model_free(model);
}

static void drop_last(safetensors_entry *entries, size_t *count)
{
    entries[--*count].name = NULL;
}

static void a_missing_tensor_is_named(void **state)
{
    check_refused(*state, drop_last, "\"conv_out.bias\", which config.json requires, is missing");
}

static void add_one(safetensors_entry *entries, size_t *count)
{
    static const float number = 1;
    assert_true(*count < TINY_TENSORS);
    entries[(*count)++] = (safetensors_entry){"conv_extra.bias", NUMBER_F32, 1, {1}, &number};
}

static void an_unknown_tensor_is_named(void **state)
{
    check_refused(*state, add_one, "\"conv_extra.bias\" is not part of the network");
}

static void turn_shape(safetensors_entry *entries, size_t *count)
{
    (void)count;
    assert_string_equal(entries[0].name, "time_embedding.linear_1.weight");
    entries[0].shape[0] = 4;
    entries[0].shape[1] = 16;
}

static void another_shape_is_named(void **state)
{
    check_refused(*state, turn_shape,
                  "\"time_embedding.linear_1.weight\" has the shape [4, 16], where config.json "
                  "describes [16, 4]");
}

static void spoil_number(safetensors_entry *entries, size_t *count)
{
    (void)count;
    ((float *)(uintptr_t)entries[0].data)[5] = NAN;
}

static void a_weight_that_is_no_number_is_named(void **state)
{
    check_refused(*state, spoil_number, "linear_1.weight\" holds NaN at element 5");
}

static void spoil_with_infinity(safetensors_entry *entries, size_t *count)
{
    (void)count;
    ((float *)(uintptr_t)entries[1].data)[0] = INFINITY;
}

static void an_infinite_weight_is_named(void **state)
{
    check_refused(*state, spoil_with_infinity, "linear_1.bias\" holds infinity at element 0");
}

static void make_whole(safetensors_entry *entries, size_t *count)
{
    (void)count;
    entries[1].type = NUMBER_I32;
}

static void whole_numbers_are_no_weights(void **state)
{
    check_refused(*state, make_whole, "linear_1.bias\" has numbers of type I32");
}

/* A config may describe any number of weights; memory is allocated only for those that the file
   has. */
static void a_config_larger_than_its_file_takes_no_memory(void **state)
{
    scratch *room = *state;
    safetensors_entry entries[TINY_TENSORS];
    sumi_model *model = tiny_create(room, TINY_UNET), *opened = NULL;
    begin_folder(room, "{\"sample_size\": 8, \"in_channels\": 1, \"out_channels\": 1,"
                       " \"block_out_channels\": [4096, 4096],"
                       " \"down_block_types\": [\"DownBlock2D\", \"DownBlock2D\"],"
                       " \"up_block_types\": [\"UpBlock2D\", \"UpBlock2D\"]}");
    write_entries(room, PLAIN, entries, tiny_entries(model, NUMBER_F32, entries));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "config.json describes [16384, 4096]",
                sumi_model_open(room->context, scratch_path(room, "m"), &opened));
    sumi_model_free(model);
}

static void a_file_cut_short_is_refused(void **state)
{
    scratch *room = *state;
    safetensors_entry entries[TINY_TENSORS];
    struct stat about;
    sumi_model *model = tiny_create(room, TINY_UNET), *opened = NULL;
    begin_folder(room, TINY_UNET);
    write_entries(room, PLAIN, entries, tiny_entries(model, NUMBER_F32, entries));
    const char *path = scratch_path(room, PLAIN);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(truncate(path, about.st_size - 4), 0);
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "cut short",
                sumi_model_open(room->context, scratch_path(room, "m"), &opened));
    sumi_model_free(model);
}

static void a_pickle_is_refused_with_the_way_to_convert_it(void **state)
{
    scratch *room = *state;
    sumi_model *opened = NULL;
    begin_folder(room, TINY_UNET);
    tiny_write(room, "m/diffusion_pytorch_model.bin", "pickle");
    CHECK_FAILS(room->context, SUMI_ERROR_UNSUPPORTED, "safe_serialization=True",
                sumi_model_open(room->context, scratch_path(room, "m"), &opened));
}

static void a_folder_without_weights_says_what_it_lacks(void **state)
{
    scratch *room = *state;
    sumi_model *opened = NULL;
    begin_folder(room, TINY_UNET);
    CHECK_FAILS(room->context, SUMI_ERROR_FILE, "there is no diffusion_pytorch_model.safetensors",
                sumi_model_open(room->context, scratch_path(room, "m"), &opened));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(float32_weights_load),
        SCRATCH_TEST(float16_weights_load),
        SCRATCH_TEST(bfloat16_weights_load),
        SCRATCH_TEST(the_fp16_variant_is_found),
        SCRATCH_TEST(sharded_weights_load),
        SCRATCH_TEST(the_sharded_fp16_variant_is_found),
        SCRATCH_TEST(attention_under_its_old_names_loads),
        SCRATCH_TEST(a_missing_tensor_is_named),
        SCRATCH_TEST(an_unknown_tensor_is_named),
        SCRATCH_TEST(another_shape_is_named),
        SCRATCH_TEST(a_weight_that_is_no_number_is_named),
        SCRATCH_TEST(an_infinite_weight_is_named),
        SCRATCH_TEST(whole_numbers_are_no_weights),
        SCRATCH_TEST(a_config_larger_than_its_file_takes_no_memory),
        SCRATCH_TEST(a_file_cut_short_is_refused),
        SCRATCH_TEST(a_pickle_is_refused_with_the_way_to_convert_it),
        SCRATCH_TEST(a_folder_without_weights_says_what_it_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
