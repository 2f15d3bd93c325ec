/* SPDX-License-Identifier: Apache-2.0 */
/* CLIP's encoders: where a text ends, that a token sees only those before it, and configs that
   cannot be. The numbers that transformers gives are compared by nets/vectors_test.c. */
#include "nets/clip.h"

#include "../check.h"
#include "graph/plan.h"

#define TINY                                                                                       \
    "\"hidden_size\": 8, \"intermediate_size\": 12, \"num_hidden_layers\": 2, "                    \
    "\"num_attention_heads\": 2, "
#define TEXT "\"architectures\": [\"CLIPTextModel\"], \"vocab_size\": 20, "
enum { TOKENS = 5, WIDTH = 8 };

static void parse(sumi_context *context, const char *json, struct clip_text *text)
{
    CHECK_OK(context, clip_text_parse(context, json, "config", text));
}

static void a_text_ends_at_its_first_end_token(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    struct clip_text text;
    const int32_t ids[3 * TOKENS] = {18, 4, 19, 19, 19, 18, 4, 5, 6, 19, 18, 4, 5, 6, 7};
    int32_t ends[3];
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    parse(context, "{" TEXT TINY "\"eos_token_id\": 19}", &text);
    clip_text_ends(&text, 3, TOKENS, ids, ends);
    assert_int_equal(ends[0], 2);
    assert_int_equal(ends[1], TOKENS + 4);
    assert_int_equal(ends[2], 2 * TOKENS); /* has none */
    sumi_context_free(context);
}

/* Old files say 2, which is a token like others. */
static void the_end_of_old_files_is_the_first_largest_token(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    struct clip_text text;
    const int32_t ids[TOKENS] = {18, 2, 19, 2, 19};
    int32_t end;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    parse(context, "{" TEXT TINY "\"eos_token_id\": 2}", &text);
    clip_text_ends(&text, 1, TOKENS, ids, &end);
    assert_int_equal(end, 2);
    sumi_context_free(context);
}

/* The last states of two texts that differ from token 3 on. */
static void a_token_sees_only_those_before_it(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    sumi_plan *plan = NULL;
    struct clip_text text;
    struct clip_output output;
    const int32_t ids[2 * TOKENS] = {18, 4, 5, 6, 19, 18, 4, 5, 9, 19};
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    parse(context, "{" TEXT TINY "\"eos_token_id\": 19}", &text);
    CHECK_OK(context, sumi_weights_create(context, 7, &weights));
    CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
    sumi_node tokens = sumi_graph_typed_input(graph, "ids", SUMI_INT32, 2, (int64_t[]){2, TOKENS});
    sumi_node ends = sumi_graph_typed_input(graph, "ends", SUMI_INT32, 1, (int64_t[]){2});
    clip_text_build(&text, graph, tokens, ends, &output);
    const sumi_node results[] = {output.last, output.pooled};
    CHECK_OK(context, sumi_plan_create(graph, 2, results, &plan));
    memcpy(sumi_plan_typed_data(plan, tokens, SUMI_INT32), ids, sizeof ids);
    clip_text_ends(&text, 2, TOKENS, ids, sumi_plan_typed_data(plan, ends, SUMI_INT32));
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    const float *first = sumi_plan_data(plan, output.last), *second = first + TOKENS * WIDTH;
    const float *pooled = sumi_plan_data(plan, output.pooled);
    for (int i = 0; i < 3 * WIDTH; i++) CHECK_CLOSE(first[i], second[i], 1e-6);
    for (int token = 3; token < TOKENS; token++) {
        double largest = 0;
        for (int i = token * WIDTH; i < (token + 1) * WIDTH; i++)
            largest = fmax(largest, fabs((double)first[i] - second[i]));
        assert_true(largest > 1e-4);
    }
    for (int i = 0; i < WIDTH; i++) {
        assert_true(pooled[i] == first[4 * WIDTH + i]);
        assert_true(pooled[WIDTH + i] == second[4 * WIDTH + i]);
    }
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    sumi_context_free(context);
}

static void check_refusal(const char *json, sumi_status status, const char *part)
{
    sumi_context *context = NULL;
    struct clip_text text;
    struct clip_vision vision;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    sumi_status given = strstr(json, "Vision") ? clip_vision_parse(context, json, "config", &vision)
                                               : clip_text_parse(context, json, "config", &text);
    if (given != status || !strstr(sumi_context_message(context), part))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), part);
    sumi_context_free(context);
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const sumi_status format = SUMI_ERROR_FORMAT, unsupported = SUMI_ERROR_UNSUPPORTED;
    check_refusal("[]", format, "{...}");
    check_refusal("{}", unsupported, "encoders of class \"\"");
    check_refusal("{\"architectures\": [\"T5\"]}", unsupported, "\"T5\"");
    check_refusal("{\"architectures\": [3]}", unsupported, "encoders of class \"\"");
    check_refusal("{" TEXT "\"num_attention_heads\": 7}", format, "\"num_attention_heads\" 7");
    check_refusal("{" TEXT "\"num_attention_heads\": 0}", format, "\"num_attention_heads\"");
    check_refusal("{" TEXT "\"hidden_act\": \"tanh\"}", format, "\"hidden_act\"");
    check_refusal("{" TEXT "\"attention_dropout\": 0.1}", format, "\"attention_dropout\"");
    check_refusal("{" TEXT "\"eos_token_id\": null}", format, "\"eos_token_id\"");
    check_refusal("{\"architectures\": [\"CLIPVisionModel\"], \"image_size\": 8}", format,
                  "\"image_size\" should be at least");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_ends_at_its_first_end_token),
        cmocka_unit_test(the_end_of_old_files_is_the_first_largest_token),
        cmocka_unit_test(a_token_sees_only_those_before_it),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
