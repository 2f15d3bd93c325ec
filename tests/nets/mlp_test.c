/* SPDX-License-Identifier: Apache-2.0 */
/* The network for points: its shapes, and its gradients against difference quotients in double. */
#include "trial.h"

static void fill_inputs(trial *t)
{
    trial_fill_inputs(t);
    if (t->condition) t->condition[1] = 2;
}

static void check_gradients(const char *config, int64_t channels)
{
    trial t;
    trial_parse(&t, config);
    trial_build(&t, (int64_t[]){3, channels});
    fill_inputs(&t);
    trial_check_gradients(&t);
    trial_release(&t);
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    check_gradients("{\"_class_name\": \"SumiMLPModel\", \"width\": 6, \"depth\": 2}", 2);
    check_gradients("{\"_class_name\": \"SumiMLPModel\", \"width\": 5, \"depth\": 1,"
                    " \"in_channels\": 3, \"out_channels\": 1, \"act_fn\": \"gelu\","
                    " \"num_class_embeds\": 4, \"time_embedding_type\": \"fourier\"}",
                    3);
}

static void output_has_a_row_for_each_point(void **state)
{
    (void)state;
    trial t;
    int64_t shape[SUMI_MAX_RANK];
    trial_parse(&t, "{\"_class_name\": \"SumiMLPModel\", \"out_channels\": 5}");
    trial_build(&t, (int64_t[]){7, 2});
    assert_int_equal(sumi_graph_shape(t.graph, t.output, shape), 2);
    assert_int_equal(shape[0], 7);
    assert_int_equal(shape[1], 5);
    assert_int_equal(t.net->out_channels, 5);
    trial_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
        cmocka_unit_test(output_has_a_row_for_each_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
