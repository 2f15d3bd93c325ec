/* SPDX-License-Identifier: Apache-2.0 */
/* Adding LoRA files to a model; see lora.h. */
#include "lora.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Splits FILE:SCALE; a file that is there by the whole name has no scale. */
static int split(sumi_context *context, const char *task, const char *word, char path[4096],
                 double *scale)
{
    static const sumi_option SCALE = {
        .size = sizeof SCALE, .name = "lora", .type = "number", .low = -100, .high = 100};
    char subject[96];
    const char *colon = strrchr(word, ':');
    int length = (int)(colon ? colon - word : (ptrdiff_t)strlen(word));
    *scale = 1;
    if (!colon || access(word, F_OK) == 0) {
        snprintf(path, 4096, "%s", word);
        return EXIT_DONE;
    }
    snprintf(path, 4096, "%.*s", length, word);
    snprintf(subject, sizeof subject, "%s: the SCALE of --lora", task);
    sumi_status status = sumi_option_read(context, &SCALE, subject, colon + 1, scale);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(context, status);
}

int lora_apply(sumi_context *context, const char *task, sumi_model *model,
               const struct texts *files)
{
    for (int i = 0; i < files->count; i++) {
        char path[4096];
        double scale = 1;
        int code = split(context, task, files->items[i], path, &scale);
        if (code != EXIT_DONE) return code;
        if (sumi_model_add_lora(model, path, scale) != SUMI_OK) return fail_context(context);
    }
    return EXIT_DONE;
}
