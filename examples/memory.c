/* SPDX-License-Identifier: Apache-2.0 */
/* A model in memory, samples of it as a PNG in memory: nothing is read from or written to a disk.
   The PNG goes to the standard output: memory > sample.png
   Build: cc memory.c -o memory $(pkg-config --cflags --libs sumi) */
#include <stdio.h>

#include <sumi.h>

/* The three files of a model, from any source: an archive, a network, the program itself. */
struct files {
    const char *config, *scheduler;
    void *weights; /* safetensors */
    size_t weights_size;
};

static const char config[] =
    "{\"_class_name\": \"UNet2DModel\", \"sample_size\": 16, \"in_channels\": 3,"
    " \"out_channels\": 3, \"block_out_channels\": [8, 16], \"layers_per_block\": 1,"
    " \"norm_num_groups\": 4, \"down_block_types\": [\"DownBlock2D\", \"AttnDownBlock2D\"],"
    " \"up_block_types\": [\"AttnUpBlock2D\", \"UpBlock2D\"]}";
static const char scheduler[] =
    "{\"_class_name\": \"DDIMScheduler\", \"num_train_timesteps\": 1000,"
    " \"beta_start\": 0.0001, \"beta_end\": 0.02, \"beta_schedule\": \"linear\"}";

/* Provides the files of a model; here of one with random weights. */
static sumi_status get_files(sumi_context *context, struct files *files)
{
    sumi_model *model = NULL;
    files->config = config;
    files->scheduler = scheduler;
    sumi_status status = sumi_model_create(context, config, 1, &model);
    if (!status) status = sumi_model_write_weights(model, &files->weights, &files->weights_size);
    sumi_model_free(model);
    return status;
}

int main(void)
{
    sumi_context *context = NULL;
    sumi_model *model = NULL;
    sumi_solver *solver = NULL;
    sumi_array samples = {0};
    struct files files = {0};
    void *png = NULL;
    size_t size = 0;
    sumi_status status = sumi_context_create(NULL, &context);
    if (!status) status = get_files(context, &files);
    if (!status)
        status = sumi_model_read_memory(context, files.config, files.scheduler, files.weights,
                                        files.weights_size, &model);
    sumi_bytes_release(context, files.weights); /* the model does not need them any more */
    if (!status) status = sumi_model_solver(model, NULL, &solver);
    if (!status) status = sumi_solver_set(solver, "steps", "10");
    if (!status) status = sumi_model_sample(model, solver, 4, NULL, &samples);
    if (!status) status = sumi_draw_grid_memory(context, &samples, 2, &png, &size);
    if (status) fprintf(stderr, "%s\n", sumi_context_message(context));
    else fwrite(png, 1, size, stdout);
    sumi_bytes_release(context, png);
    sumi_array_release(context, &samples);
    sumi_solver_free(solver);
    sumi_model_free(model);
    sumi_context_free(context);
    return status ? 1 : 0;
}
