/* SPDX-License-Identifier: Apache-2.0 */
/* Generates sixteen items with a trained model: sample MODEL FILE.png
   Build: cc sample.c -o sample $(pkg-config --cflags --libs sumi) */
#include <stdio.h>

#include <sumi.h>

int main(int count, char **arguments)
{
    sumi_context *context = NULL;
    sumi_model *model = NULL;
    sumi_solver *solver = NULL;
    sumi_array items = {0};
    if (count != 3) return fputs("usage: sample MODEL FILE.png\n", stderr), 2;
    sumi_status status = sumi_context_create(NULL, &context);
    if (!status) status = sumi_model_open(context, arguments[1], &model);
    if (!status) status = sumi_model_solver(model, "ddim", &solver);
    if (!status) status = sumi_solver_set(solver, "steps", "50");
    if (!status) status = sumi_model_sample(model, solver, 16, NULL, &items);
    if (!status) status = sumi_draw_grid(context, &items, 4, arguments[2]);
    if (status) fprintf(stderr, "%s\n", sumi_context_message(context));
    sumi_array_release(context, &items);
    sumi_solver_free(solver);
    sumi_model_free(model);
    sumi_context_free(context);
    return status ? 1 : 0;
}
