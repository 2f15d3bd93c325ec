/* SPDX-License-Identifier: Apache-2.0 */
/* Training on your own array, without any file: points on a circle of radius 1. Prints the distance
   of the model's points from the centre. Build: cc own_data.c -o own_data $(pkg-config --cflags
   --libs sumi) -lm */
#include <math.h>
#include <stdio.h>

#include <sumi.h>

enum { COUNT = 4000, DRAWN = 500 };

static const char recipe_text[] = "[model]\n"
                                  "kind = mlp\n"
                                  "width = 64\n"
                                  "[noise]\n"
                                  "steps = 100\n"
                                  "beta_start = 0.001\n"
                                  "beta_end = 0.1\n"
                                  "clip = no\n"
                                  "[train]\n"
                                  "steps = 800\n"
                                  "batch = 256\n"
                                  "learning_rate = 0.002\n";

/* A model trained on points[COUNT, 2]. */
static sumi_status train(sumi_context *context, const sumi_array *points, sumi_model **model)
{
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_trainer *trainer = NULL;
    sumi_status status = sumi_recipe_parse(context, recipe_text, "the program's recipe", &recipe);
    if (!status) status = sumi_data_from_array(context, points, NULL, SUMI_POINTS, &data);
    if (!status) status = sumi_model_create_from_recipe(context, recipe, data, model);
    if (!status) status = sumi_trainer_create(context, recipe, *model, data, &trainer);
    if (!status) status = sumi_trainer_run(trainer, NULL, NULL, NULL);
    sumi_trainer_free(trainer);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return status;
}

int main(void)
{
    static float points[COUNT][2];
    const sumi_array items = {2, {COUNT, 2}, &points[0][0]};
    sumi_array samples = {0};
    sumi_context *context = NULL;
    sumi_model *model = NULL;
    double mean = 0, square = 0;
    for (int i = 0; i < COUNT; i++) {
        points[i][0] = (float)cos(0.1 * i);
        points[i][1] = (float)sin(0.1 * i);
    }
    sumi_status status = sumi_context_create(NULL, &context);
    if (!status) status = train(context, &items, &model);
    if (!status) status = sumi_model_sample(model, NULL, DRAWN, NULL, &samples);
    for (int i = 0; i < DRAWN && !status; i++) {
        double distance = hypot(samples.data[2 * i], samples.data[2 * i + 1]);
        mean += distance / DRAWN;
        square += distance * distance / DRAWN;
    }
    if (status) fprintf(stderr, "%s\n", sumi_context_message(context));
    else printf("radius %.3f, deviation %.3f (data: 1, 0)\n", mean, sqrt(square - mean * mean));
    sumi_array_release(context, &samples);
    sumi_model_free(model);
    sumi_context_free(context);
    return status ? 1 : 0;
}
