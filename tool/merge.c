/* SPDX-License-Identifier: Apache-2.0 */
/* sumi merge: a model with LoRA files added to its weights, as a folder. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lora.h"

struct settings {
    const char *output;
    struct texts loras;
};

/* Refuses to write over another model. */
static int check_folder(const char *folder)
{
    char path[4096];
    if (!folder) return fail(EXIT_USAGE, "merge needs -o FOLDER; see `sumi merge --help`");
    int length = snprintf(path, sizeof path, "%s/model_index.json", folder);
    if (length < (int)sizeof path && access(path, F_OK) != 0) return EXIT_DONE;
    return fail(EXIT_FAILED, "%s: there is a model already; choose another folder", folder);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    sumi_model *model = NULL;
    (void)count;
    int code = check_folder(settings->output);
    if (code == EXIT_DONE && sumi_model_open(context, arguments[0], &model) != SUMI_OK)
        code = fail_context(context);
    if (code == EXIT_DONE) code = lora_apply(context, "merge", model, &settings->loras);
    if (code == EXIT_DONE && sumi_model_save(model, settings->output) != SUMI_OK)
        code = fail_context(context);
    if (code == EXIT_DONE) printf("%s: the model of %s", settings->output, arguments[0]);
    for (int i = 0; i < settings->loras.count && code == EXIT_DONE; i++)
        printf("%s%s", i ? ", " : " with ", settings->loras.items[i]);
    if (code == EXIT_DONE) putchar('\n');
    sumi_model_free(model);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, output, 'o', "FOLDER",
               A_TEXT("output", "the folder to write, in diffusers' layout")),
    LORA_ROW(struct settings, loras),
    {.letter = 0},
};

const struct command merge_command = {
    .name = "merge",
    .summary = "write a model with LoRA files added to its weights",
    .usage = "MODEL -o FOLDER [--lora FILE[:SCALE]]...",
    .details =
        "Adds LoRA files to the weights of a model and writes it as a folder in diffusers' "
        "layout.\n"
        "MODEL is a folder or a checkpoint in one file; without --lora it is only rewritten.\n\n"
        "examples:\n"
        "  sumi merge model --lora style.safetensors:0.8 --lora detail.safetensors -o merged\n"
        "  sumi merge sd-v1-5.safetensors -o sd-v1-5",
    .options = OPTIONS,
    .arguments = "a MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};
