/* SPDX-License-Identifier: Apache-2.0 */
/* Printing errors and warnings, and checks before the work; see command.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "terminal.h"

/* Replaces control characters, which may come from the command line, by '?'. */
int fail(int code, const char *format, ...)
{
    char text[8192];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    }
    fprintf(stderr, "sumi: %s\n", text);
    return code;
}

void print_warning(void *user, const char *sentence)
{
    (void)user;
    const char *clear = terminal_can_redraw(stderr) ? "\r\033[K" : ""; /* erases a progress line */
    fprintf(stderr, "%ssumi: warning: %s\n", clear, sentence);
}

int fail_context(const sumi_context *context)
{
    const char *message = sumi_context_message(context);
    return fail(EXIT_FAILED, "%s", message[0] ? message : "out of memory");
}

int fail_argument(const sumi_context *context, sumi_status status)
{
    int code = fail_context(context);
    return status == SUMI_ERROR_ARGUMENT ? EXIT_USAGE : code;
}

int fail_recipe(const sumi_context *context, sumi_status status)
{
    int code = fail_context(context);
    return status == SUMI_ERROR_ARGUMENT || status == SUMI_ERROR_FORMAT ? EXIT_USAGE : code;
}

int check_output(const char *path)
{
    char folder[4096];
    struct stat present;
    if (has_ending(path, ".png") && !sumi_has("draw")) {
        return fail(EXIT_FAILED,
                    "%s: this build of libsumi cannot draw; build it with -DSUMI_DRAW=ON", path);
    }
    if (stat(path, &present) == 0 && !S_ISREG(present.st_mode)) {
        return fail(EXIT_FAILED, "%s: cannot be written: it is %s", path,
                    S_ISDIR(present.st_mode) ? "a folder" : "a device or pipe");
    }
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (strlen(path) >= sizeof folder) return fail(EXIT_FAILED, "%.80s...: too long a name", path);
    memcpy(folder, path, length);
    folder[length] = '\0';
    const char *asked = !slash ? "." : length ? folder : "/";
    if (access(asked, W_OK | X_OK) == 0) return EXIT_DONE;
    return fail(EXIT_FAILED, "%s: cannot be written: the folder %s: %s", path, asked,
                strerror(errno));
}

bool has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path), wanted = strlen(ending);
    return length >= wanted && strcasecmp(path + length - wanted, ending) == 0;
}

void format_shape(int rank, const int64_t *shape, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; i < rank && length < size; i++) {
        length += (size_t)snprintf(text + length, size - length, "%s%lld", i ? "x" : "",
                                   (long long)shape[i]);
    }
}
