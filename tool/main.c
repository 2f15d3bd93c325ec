/* SPDX-License-Identifier: Apache-2.0 */
/* The command `sumi`: finds the sub-command, reads its arguments, and runs it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "print.h"
#include "waiting.h"

enum { ARGUMENT_LIMIT = 256, NAME_WIDTH = 13 };

static const struct command help_command, version_command;

static const struct command *const COMMANDS[] = {
    &train_command,      &sample_command,  &interpolate_command, &invert_command, &restore_command,
    &edit_command,       &inpaint_command, &denoise_command,     &encode_command, &decode_command,
    &likelihood_command, &eval_command,    &info_command,        &bench_command,  &recipes_command,
    &solvers_command,    &guides_command,  &convergence_command, &fetch_command,  &merge_command,
    &version_command,    &help_command,
};

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(COMMANDS[i]->name, name) == 0) return COMMANDS[i];
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    for (int i = 0; i < COMMAND_COUNT; i++) names[i] = COMMANDS[i]->name;
    const char *meant = sumi_nearest_word(name, names);
    if (meant) {
        return fail(EXIT_USAGE, "there is no command '%s'; did you mean '%s'?", name, meant);
    }
    return fail(EXIT_USAGE, "there is no command '%s'; `sumi --help` lists all", name);
}

static int print_overview(void)
{
    puts("usage: sumi COMMAND [ARGUMENT ...]\n\n"
         "Sumi trains diffusion models and samples from them.\n\n"
         "commands:");
    for (int i = 0; i < COMMAND_COUNT; i++)
        print_entry(COMMANDS[i]->name, NAME_WIDTH, COMMANDS[i]->summary);
    puts("\n"
         "begin with:\n"
         "  sumi recipes                              list what can be trained\n"
         "  sumi train digits --out runs/digits       train a small model on built-in data\n"
         "  sumi sample runs/digits -n 64 -o 64.png   sample from it");
    return EXIT_DONE;
}

/* ---- The commands about commands ---- */

static const struct option NO_OPTIONS[] = {{.letter = 0}};

static int help(sumi_context *context, const void *settings, int count,
                const char *const *arguments)
{
    (void)context;
    (void)settings;
    if (count == 0) return print_overview();
    const struct command *command = find_command(arguments[0]);
    if (!command) return unknown_command(arguments[0]);
    print_help(command);
    return EXIT_DONE;
}

static const struct command help_command = {
    .name = "help",
    .summary = "explain a command: sumi help train, or sumi train --help",
    .usage = "[COMMAND]",
    .details = "Explains a command and its options; without one, lists all commands.\n\n"
               "example:\n"
               "  sumi help train",
    .options = NO_OPTIONS,
    .arguments = "a COMMAND",
    .most = 1,
    .run = help,
};

static int version(sumi_context *context, const void *settings, int count,
                   const char *const *arguments)
{
    (void)context;
    (void)settings;
    (void)count;
    (void)arguments;
    printf("sumi %s\n", sumi_version());
    return EXIT_DONE;
}

static const struct command version_command = {
    .name = "version",
    .summary = "print the version",
    .usage = "",
    .details = "Prints the version of Sumi. Programs read it with sumi_version().\n\n"
               "example:\n"
               "  sumi version",
    .options = NO_OPTIONS,
    .run = version,
};

/* ---- Running a command ---- */

/* SUMI_MMAP=0: weights are read from copies of their files, for files that others may write to. */
static bool maps_files(void)
{
    const char *wish = getenv("SUMI_MMAP");
    return !wish || strcmp(wish, "0") != 0;
}

static int parse_and_run(sumi_context *context, const struct command *command, int argc,
                         char *const *argv, void *settings)
{
    const char *arguments[ARGUMENT_LIMIT];
    int count;
    bool help_wanted;
    int code = command_parse(context, command, argc, argv, settings, arguments, ARGUMENT_LIMIT,
                             &count, &help_wanted);
    if (code != EXIT_DONE) return code;
    if (!help_wanted) return command->run(context, settings, count, arguments);
    print_help(command);
    return EXIT_DONE;
}

static int run_command(const struct command *command, int argc, char *const *argv)
{
    sumi_context *context = NULL;
    void *settings = calloc(1, command->settings_size + 1); /* help and version have none */
    if (!settings) return fail(EXIT_FAILED, "out of memory");
    int code = EXIT_DONE;
    if (sumi_context_create(NULL, &context) != SUMI_OK) code = fail_context(NULL);
    else {
        sumi_context_set_warning(context, print_warning, NULL);
        sumi_context_set_mapping(context, maps_files());
        code = parse_and_run(context, command, argc, argv, settings);
    }
    sumi_context_free(context);
    free(settings);
    return code;
}

static int run(int argc, char *const *argv)
{
    if (argc < 2) {
        return fail(EXIT_USAGE, "which command? `sumi --help` lists all");
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = help_command.name;
    if (strcmp(name, "--version") == 0) name = version_command.name;
    const struct command *command = find_command(name);
    return command ? run_command(command, argc - 2, argv + 2) : unknown_command(name);
}

/* The error of writing the output, or 0. If an earlier write failed, errno may have been
   overwritten, so it writes one more newline to get the error again. */
static int find_reason(void)
{
    bool refused = ferror(stdout);
    if (fflush(stdout) != 0) return errno;
    return refused && write(STDOUT_FILENO, "\n", 1) < 0 ? errno : 0;
}

/* Fails if not all output could be written. A closed pipe, whose reader needs no more, causes no
   message. */
static int close_output(int code)
{
    int reason = find_reason();
    if (reason == 0 && !ferror(stdout)) return code;
    if (reason == EPIPE) return code == EXIT_DONE ? EXIT_FAILED : code;
    return fail(EXIT_FAILED, "cannot write to standard output: %s",
                reason ? strerror(reason) : "a part of it could not be written");
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    signal(SIGPIPE, SIG_IGN);
    return close_output(run(argc, argv));
}
