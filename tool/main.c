/* SPDX-License-Identifier: Apache-2.0 */
/* The command `sumi`: finds the sub-command, reads its arguments, runs it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "waiting.h"

enum { ARGUMENT_LIMIT = 8, NAME_WIDTH = 13 };

static const struct command *const COMMANDS[] = {
    &train_command,   &sample_command,      &interpolate_command, &invert_command, &inpaint_command,
    &denoise_command, &likelihood_command,  &info_command,        &bench_command,  &recipes_command,
    &solvers_command, &convergence_command, &fetch_command,
};

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

/* Names for suggestions: the commands, then the words that main understands itself. */
static const char *command_name(const void *user, int number)
{
    (void)user;
    static const char *const OTHERS[] = {"help", "version"};
    if (number < COMMAND_COUNT) return COMMANDS[number]->name;
    return number < COMMAND_COUNT + 2 ? OTHERS[number - COMMAND_COUNT] : NULL;
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(COMMANDS[i]->name, name) == 0) return COMMANDS[i];
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *meant = nearest_word(name, command_name, NULL);
    if (meant) {
        return fail(EXIT_USAGE, "there is no command '%s'; did you mean '%s'?", name, meant);
    }
    return fail(EXIT_USAGE, "there is no command '%s'; `sumi --help` lists all", name);
}

static int print_overview(void)
{
    puts("usage: sumi COMMAND [ARGUMENT ...]\n\n"
         "Sumi trains diffusion models, and draws from them.\n\n"
         "commands:");
    for (int i = 0; i < COMMAND_COUNT; i++)
        print_entry(COMMANDS[i]->name, NAME_WIDTH, COMMANDS[i]->summary);
    print_entry("version", NAME_WIDTH, "print the version");
    print_entry("help", NAME_WIDTH, "explain a command: sumi help train, or sumi train --help");
    puts("\nbegin with:\n"
         "  sumi recipes                              what can be trained\n"
         "  sumi train digits --out runs/digits       train a small model on built-in data\n"
         "  sumi sample runs/digits -n 64 -o 64.png   draw from it");
    return EXIT_DONE;
}

static int help(int argc, char *const *argv)
{
    if (argc == 0) return print_overview();
    if (argc > 1) return fail(EXIT_USAGE, "help explains one command at a time");
    const struct command *command = find_command(argv[0]);
    if (!command) return unknown_command(argv[0]);
    print_help(command);
    return EXIT_DONE;
}

static int version(int argc)
{
    if (argc) return fail(EXIT_USAGE, "version takes no arguments");
    printf("sumi %s\n", sumi_version());
    return EXIT_DONE;
}

static int run_command(const struct command *command, int argc, char *const *argv)
{
    const char *arguments[ARGUMENT_LIMIT];
    int count;
    bool help_wanted;
    void *settings = calloc(1, command->settings_size);
    if (!settings) return fail(EXIT_FAILED, "out of memory");
    int code = command_parse(command, argc, argv, settings, arguments, ARGUMENT_LIMIT, &count,
                             &help_wanted);
    if (code == EXIT_DONE && help_wanted) {
        print_help(command);
    } else if (code == EXIT_DONE) {
        sumi_context *context = NULL;
        if (sumi_context_create(NULL, &context) != SUMI_OK) code = fail_context(NULL);
        else {
            sumi_context_set_warning(context, print_warning, NULL);
            code = command->run(context, settings, count, arguments);
        }
        sumi_context_free(context);
    }
    free(settings);
    return code;
}

static int run(int argc, char *const *argv)
{
    if (argc < 2) {
        return fail(EXIT_USAGE, "which command? `sumi --help` lists all");
    }
    const char *name = argv[1];
    argc -= 2;
    argv += 2;
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc, argv);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) return version(argc);
    const struct command *command = find_command(name);
    return command ? run_command(command, argc, argv) : unknown_command(name);
}

/* What was printed must have arrived, or the exit code says so. A reader that has seen enough and
   closed the pipe gets no message. */
static int close_output(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    if (errno == EPIPE) return code == EXIT_DONE ? EXIT_FAILED : code;
    return fail(EXIT_FAILED, "cannot write to standard output: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    signal(SIGPIPE, SIG_IGN);
    return close_output(run(argc, argv));
}
