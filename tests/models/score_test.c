/* SPDX-License-Identifier: Apache-2.0 */
/* The score of a model: the same for every type of prediction on every path, given exact
   predictions. */
#include "noise/path.h"
#include "scratch.h"
#include "solvers/solver.h"
#include "sumi_graph.h"

/* What a perfect network says of x0 = 0.25 everywhere: e = (x - a x0) / s, by which all
   else goes. */
struct truth {
    struct noise_path path;
    enum prediction_type type;
};

/* The network's input is scaled on edm, so it is undone by constants: at one time all is linear. */
static sumi_node build(void *user, sumi_graph *graph, const sumi_node *inputs)
{
    const struct truth *truth = user;
    struct noise_level level = path_level(&truth->path, path_time_of(&truth->path, 0.5));
    double scale = path_input_scale(&truth->path, &level);
    struct prediction_target target = path_target(&truth->path, truth->type, &level);
    sumi_node state = sumi_op_affine(graph, inputs[0], 1 / scale, 0);
    sumi_node noise =
        sumi_op_affine(graph, state, 1 / level.noise, -0.25 * level.signal / level.noise);
    return sumi_op_affine(graph, noise, target.of_noise, 0.25 * target.of_clean);
}

static void check(sumi_context *context, const char *path, const char *prediction)
{
    char scheduler[160];
    struct truth truth;
    const sumi_network network = {
        .size = sizeof network, .user = &truth, .rank = 1, .shape = {2}, .build = build};
    sumi_model *model = NULL;
    sumi_solver *solver = NULL;
    const struct noise_path *found = NULL;
    const float x[4] = {1, -2, 0.5f, 0};
    float score[4];
    snprintf(scheduler, sizeof scheduler,
             "{\"_class_name\": \"SumiPathScheduler\", \"path\": \"%s\","
             " \"prediction_type\": \"%s\"}",
             path, prediction);
    CHECK_OK(context, sumi_solver_create(context, "heun", &solver));
    CHECK_OK(context, sumi_solver_configure(solver, scheduler));
    CHECK_OK(context, solver_path(solver, &found));
    truth = (struct truth){*found, (enum prediction_type)solver_options(solver)->prediction_type};
    CHECK_OK(context, sumi_model_compose(context, &network, 1, &model));
    CHECK_OK(context, sumi_model_set_scheduler(model, scheduler));
    double time = path_time_of(&truth.path, 0.5);
    struct noise_level level = path_level(&truth.path, time);
    sumi_session *session = NULL;
    CHECK_OK(context, sumi_session_create(context, model, &session));
    CHECK_OK(context, sumi_session_score(session, 2, x, time, score));
    sumi_session_free(session);
    for (int i = 0; i < 4; i++) { /* of N(a x0, s^2) */
        double wanted = -(x[i] - 0.25 * level.signal) / (level.noise * level.noise);
        CHECK_CLOSE(score[i], wanted, 1e-5 * (1 + fabs(wanted)));
    }
    sumi_model_free(model);
    sumi_solver_free(solver);
}

static void it_is_the_same_for_every_path_and_prediction(void **state)
{
    scratch *room = *state;
    static const char *const paths[] = {"vp", "sub_vp", "ve", "edm", "flow", "cosine"};
    static const char *const predictions[] = {"epsilon", "sample",          "v_prediction",
                                              "score",   "flow_prediction", "velocity"};
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 6; k++) check(room->context, paths[i], predictions[k]);
    }
}

static void a_time_without_noise_is_refused(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    float x[2] = {0}, score[2];
    static const char config[] = "{\"_class_name\": \"SumiMLPModel\", \"width\": 4, \"depth\": 1}";
    CHECK_OK(room->context, sumi_model_create(room->context, config, 1, &model));
    CHECK_OK(room->context,
             sumi_model_set_scheduler(model,
                                      "{\"_class_name\": \"SumiPathScheduler\", \"path\": \"flow\","
                                      " \"prediction_type\": \"velocity\"}"));
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    assert_int_equal(sumi_session_score(session, 1, x, 0, score), SUMI_ERROR_ARGUMENT);
    sumi_session_free(session);
    assert_non_null(strstr(sumi_context_message(room->context), "no noise"));
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(it_is_the_same_for_every_path_and_prediction),
        SCRATCH_TEST(a_time_without_noise_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
