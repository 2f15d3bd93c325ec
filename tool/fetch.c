/* SPDX-License-Identifier: Apache-2.0 */
/* sumi fetch: downloads a common data set to the cache folder. */
#include <stdio.h>

#include "interrupt.h"
#include "print.h"
#include "progress.h"

struct settings {
    const char *from;
    bool json, quiet;
};

struct watch {
    progress_line line;
    bool quiet;
};

static bool show(void *user, const sumi_progress *progress)
{
    struct watch *watch = user;
    if (!watch->quiet) progress_show(&watch->line, progress);
    return !interrupt_came();
}

static int print_folder(const char *name, const char *folder, bool json)
{
    if (!json) {
        puts(folder);
        return EXIT_DONE;
    }
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "name", json_object_new_string(name));
    json_object_object_add(answer, "folder", json_object_new_string(folder));
    return print_json(answer);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    char folder[4096];
    struct watch watch = {.quiet = settings->quiet};
    (void)count;
    progress_open(&watch.line, stderr, NULL);
    interrupt_catch();
    sumi_status status =
        sumi_fetch(context, arguments[0], settings->from, show, &watch, folder, sizeof folder);
    progress_close(&watch.line);
    if (status == SUMI_OK) return print_folder(arguments[0], folder, settings->json);
    return fail_argument(context, status);
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, from, 0, "URL|FOLDER",
               A_TEXT("from", "take the files from another source")),
    OPTION_ROW(struct settings, quiet, 'q', NULL, A_FLAG("quiet", "no progress")),
    OPTION_ROW(struct settings, json, 0, NULL, A_FLAG("json", "print JSON")),
    {.letter = 0},
};

const struct command fetch_command = {
    .name = "fetch",
    .summary = "download a common data set to the cache folder",
    .usage = "mnist|fashion-mnist|cifar10|clip-vocabulary|emoji [--from URL|FOLDER] [--quiet]\n"
             "       [--json]",
    .details =
        "Downloads a data set, checks its sums, and prints its folder. Skips files that\n"
        "exist already, and continues interrupted downloads. The folder is in\n"
        "$XDG_CACHE_HOME/sumi, or else ~/.cache/sumi, where recipes look for it.\n"
        "Of clip-vocabulary, the vocabulary of CLIP's texts, it makes vocab.json and\n"
        "merges.txt; of emoji, pictures with their English names as captions.\n\n"
        "examples:\n"
        "  sumi fetch mnist\n"
        "  sumi fetch mnist --from ~/Downloads    the files are there, under their own names\n"
        "  sumi fetch clip-vocabulary\n"
        "  sumi train ddpm-mnist",
    .options = OPTIONS,
    .arguments = "the name of a data set (mnist, fashion-mnist, cifar10, clip-vocabulary or emoji)",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};
