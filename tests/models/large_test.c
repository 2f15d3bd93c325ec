/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a process that opens a transformer and samples with guidance: no more than its file
   and some activations. SUMI_TEST_GIGABYTE=1 makes it DiT-XL/2, whose folder has 3.0 GB in float32
   and 1.5 GB in bfloat16. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/safetensors.h"
#include "models/tiny.h"
#include "vectors/formula.h"

#define DIT(heads, width, layers)                                                                  \
    "{\"_class_name\": \"DiTTransformer2DModel\", \"sample_size\": 32, \"in_channels\": 4,"        \
    " \"out_channels\": 8, \"num_attention_heads\": " heads ", \"attention_head_dim\": " width "," \
    " \"num_layers\": " layers ", \"num_embeds_ada_norm\": 1000}"
static const double GIB = 0x1p30;

/* Fills the weights by formula and writes the folder "dit". */
static void write_folder(scratch *room, const char *config, number_type type)
{
    enum { MOST = 1024 };
    static safetensors_entry entries[MOST];
    sumi_weight weight = {.size = sizeof weight};
    sumi_model *model = tiny_create(room, config);
    size_t count = 0;
    for (; sumi_model_weight(model, (int64_t)count, &weight); count++) {
        assert_true(count < MOST);
        struct formula_weight formula = {.name = weight.name,
                                         .number = (int64_t)count,
                                         .rank = weight.rank,
                                         .first_size = weight.shape[0],
                                         .count = tiny_count(weight.shape, weight.rank)};
        assert_true(formula_fill("mix", &formula, weight.data));
        entries[count] = (safetensors_entry){weight.name, type, weight.rank, {0}, weight.data};
        memcpy(entries[count].shape, weight.shape, sizeof weight.shape);
    }
    tiny_folder(room, "dit");
    tiny_write(room, "dit/config.json", config);
    CHECK_OK(room->context,
             safetensors_write(room->context,
                               scratch_path(room, "dit/diffusion_pytorch_model.safetensors"),
                               entries, count, NULL, 0));
    sumi_model_free(model);
}

/* Two steps to one sample of a class, guided against the null class. */
static void sample_from(scratch *room, const char *precision)
{
    const int32_t class = 207;
    sumi_model *model = NULL;
    sumi_session *session = NULL;
    sumi_solver *solver = NULL;
    sumi_condition *condition = NULL;
    sumi_guide *guide = NULL;
    sumi_array samples = {.rank = 0};
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "dit"), &model));
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    CHECK_OK(room->context, sumi_session_set(session, "precision", precision));
    CHECK_OK(room->context, sumi_condition_create(room->context, &condition));
    CHECK_OK(room->context,
             sumi_condition_set_integers(condition, "class", 1, (int64_t[]){1}, &class));
    CHECK_OK(room->context, sumi_session_set_condition(session, condition));
    CHECK_OK(room->context, sumi_session_add_guide(session, "classifier-free", &guide));
    CHECK_OK(room->context, sumi_guide_set_number(guide, "scale", 4));
    CHECK_OK(room->context, sumi_session_solver(session, "ddim", &solver));
    CHECK_OK(room->context, sumi_solver_set(solver, "steps", "2"));
    CHECK_OK(room->context, sumi_session_sample(session, solver, 1, NULL, NULL, &samples));
    for (int64_t i = 0; i < sumi_array_count(&samples); i++) assert_true(isfinite(samples.data[i]));
    sumi_array_release(room->context, &samples);
    sumi_solver_free(solver);
    sumi_condition_free(condition);
    sumi_session_free(session);
    sumi_model_free(model);
}

/* The peak memory of a process in which `precision` is sampled, or with NULL the folder written. */
static double peak_of(scratch *room, const char *config, number_type type, const char *precision)
{
    struct rusage usage;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        if (precision) sample_from(room, precision);
        else write_folder(room, config, type);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return (double)usage.ru_maxrss * 1024;
}

static void check_peak(scratch *room, number_type type, const char *precision, double most)
{
    const bool large = getenv("SUMI_TEST_GIGABYTE") != NULL;
    struct stat file;
    peak_of(room, large ? DIT("16", "72", "28") : DIT("4", "32", "2"), type, NULL);
    assert_int_equal(stat(scratch_path(room, "dit/diffusion_pytorch_model.safetensors"), &file), 0);
    double peak = peak_of(room, NULL, type, precision);
    if (large) {
        print_message("a file of %.2f GiB, sampled in %s, takes %.2f GiB\n",
                      (double)file.st_size / GIB, precision, peak / GIB);
    }
    if (!(peak < (large ? most * GIB : (double)file.st_size + GIB)))
        fail_msg("%.3f GiB", peak / GIB);
}

static void a_transformer_of_float32_is_sampled_in_little_more_than_its_file(void **state)
{
    check_peak(*state, NUMBER_F32, "float32", 8);
}

static void a_transformer_of_bfloat16_is_sampled_in_little_more_than_its_file(void **state)
{
    check_peak(*state, NUMBER_BF16, "float32", 5);
}

static void a_transformer_of_bfloat16_is_sampled_in_bf16(void **state)
{
    check_peak(*state, NUMBER_BF16, "bf16", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_transformer_of_float32_is_sampled_in_little_more_than_its_file),
        SCRATCH_TEST(a_transformer_of_bfloat16_is_sampled_in_little_more_than_its_file),
        SCRATCH_TEST(a_transformer_of_bfloat16_is_sampled_in_bf16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
