/* SPDX-License-Identifier: Apache-2.0 */
/* DiTTransformer2DModel: its start, its gradients, sizes and classes, and configs that cannot be.
   The numbers that diffusers gives are compared by nets/vectors_test.c. */
#include "trial.h"

#define TINY                                                                                       \
    "\"num_attention_heads\": 2, \"attention_head_dim\": 4, \"in_channels\": 2, "                  \
    "\"num_layers\": 2, \"sample_size\": 4, \"num_embeds_ada_norm\": 3"

static const char tiny[] = "{\"_class_name\": \"DiTTransformer2DModel\", " TINY "}";

static void fill_inputs(trial *t)
{
    trial_fill_inputs(t);
    t->condition[0] = 3; /* the null class */
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, tiny);
    trial_build(&t, (int64_t[]){2, 4, 6, 2});
    fill_inputs(&t);
    trial_move_weights(&t);
    trial_check_gradients(&t);
    trial_release(&t);
}

static void a_new_network_gives_zero(void **state)
{
    (void)state;
    trial t;
    double *output = NULL;
    trial_parse(&t, tiny);
    trial_build(&t, (int64_t[]){2, 4, 4, 2});
    fill_inputs(&t);
    trial_plan(&t, 1, &t.output, &output);
    for (int64_t i = 0; i < trial_count(&t, t.output); i++) assert_true(output[i] == 0);
    free(output);
    trial_release(&t);
}

static void the_last_row_of_classes_is_the_null_class(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, tiny);
    int number = net_find_input(t.net, "class");
    assert_true(number > NET_TIMES);
    assert_int_equal(t.net->inputs[number].limit, 4);
    assert_true(t.net->null_class);
    assert_int_equal(net_classes(t.net), 3);
    trial_release(&t);
}

static void any_size_that_the_patches_divide_can_be_set(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, tiny);
    assert_int_equal(t.net->item_shape[0], 4);
    CHECK_OK(t.context, net_set_size(t.net, 2, (int64_t[]){6, 10}));
    assert_int_equal(t.net->item_shape[0], 6);
    assert_int_equal(t.net->item_shape[1], 10);
    assert_int_equal(net_set_size(t.net, 2, (int64_t[]){6, 9}), SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(t.context),
                        "this model takes items whose sizes are multiples of 2 up to 1048576, not "
                        "9");
    trial_release(&t);
}

static void the_older_name_is_read_and_the_newer_saved(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, "{\"_class_name\": \"Transformer2DModel\", \"norm_type\": "
                    "\"ada_norm_zero\", \"num_vector_embeds\": null, " TINY "}");
    assert_string_equal(t.net->type->class_name, "DiTTransformer2DModel");
    assert_non_null(strstr(t.net->config, "\"_class_name\": \"DiTTransformer2DModel\""));
    trial_release(&t);
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    trial_refuse("{\"_class_name\": \"DiTTransformer2DModel\", \"sample_size\": 9}",
                 SUMI_ERROR_FORMAT,
                 "\"sample_size\" should be a multiple of \"patch_size\" 2, not 9");
    trial_refuse("{\"_class_name\": \"DiTTransformer2DModel\", \"attention_head_dim\": 3, "
                 "\"num_attention_heads\": 2}",
                 SUMI_ERROR_FORMAT,
                 "\"num_attention_heads\" times \"attention_head_dim\" is the width of "
                 "the tokens, a multiple of 4 up to 32768, not 6");
    trial_refuse("{\"_class_name\": \"DiTTransformer2DModel\", \"activation_fn\": \"gelu-tanh\"}",
                 SUMI_ERROR_FORMAT,
                 "\"activation_fn\" cannot be \"gelu-tanh\"; did you mean \"gelu\"?");
    trial_refuse("{\"_class_name\": \"DiTTransformer2DModel\", \"norm_type\": \"ada_norm\"}",
                 SUMI_ERROR_FORMAT,
                 "\"norm_type\" cannot be \"ada_norm\"; did you mean \"ada_norm_zero\"?");
    trial_refuse("{\"_class_name\": \"DiTTransformer2DModel\", \"num_embeds_ada_norm\": null}",
                 SUMI_ERROR_FORMAT, "\"num_embeds_ada_norm\" should be a whole number, not null");
    trial_refuse("{\"_class_name\": \"Transformer2DModel\"}", SUMI_ERROR_UNSUPPORTED,
                 "of the class Transformer2DModel, networks with \"norm_type\" "
                 "\"ada_norm_zero\" (DiT) and \"ada_norm_single\" (PixArt) are supported, not "
                 "\"layer_norm\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
        cmocka_unit_test(a_new_network_gives_zero),
        cmocka_unit_test(the_last_row_of_classes_is_the_null_class),
        cmocka_unit_test(any_size_that_the_patches_divide_can_be_set),
        cmocka_unit_test(the_older_name_is_read_and_the_newer_saved),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
