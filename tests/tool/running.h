/* SPDX-License-Identifier: Apache-2.0 */
/* Running the command as people do, from a shell, in an empty folder. CTest names the command in
   the variable SUMI. */
#ifndef TESTS_TOOL_RUNNING_H
#define TESTS_TOOL_RUNNING_H

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

typedef struct place {
    char folder[64];
    int code;        /* exit code of the last run */
    char *out, *err; /* what it printed */
} place;

/* The whole of a file of the folder, "" where there is none. Release with free. */
static inline char *read_whole(const place *here, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", here->folder, name);
    char *text = calloc(1, 1);
    size_t size = 0;
    FILE *file = fopen(path, "rb");
    for (int letter; file && (letter = fgetc(file)) != EOF;) {
        text = realloc(text, size + 2);
        text[size++] = (char)letter;
        text[size] = '\0';
    }
    if (file) fclose(file);
    return text;
}

/* Runs a line of shell in the folder, where `sumi` is the command. */
static inline void run(place *here, const char *line)
{
    char whole[4096];
    int length = snprintf(whole, sizeof whole,
                          "sumi() { \"$SUMI\" \"$@\"; }; cd %s || exit 99; { %s\n} >out 2>err",
                          here->folder, line);
    assert_true(length < (int)sizeof whole);
    free(here->out);
    free(here->err);
    int status = system(whole);
    here->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    here->out = read_whole(here, "out");
    here->err = read_whole(here, "err");
}

static inline int place_set_up(void **state)
{
    if (!getenv("SUMI")) {
        fputs("set SUMI to the path of the command\n", stderr);
        return -1;
    }
    place *here = calloc(1, sizeof *here);
    if (!here) return -1;
    /* Tiny models gain nothing by threads, and their waiting for each other takes the time of
       whatever else runs. */
    setenv("OMP_NUM_THREADS", "1", 1);
    strcpy(here->folder, "/tmp/sumi-tool-XXXXXX");
    *state = here;
    return mkdtemp(here->folder) ? 0 : -1;
}

static inline int place_tear_down(void **state)
{
    place *here = *state;
    char line[192];
    snprintf(line, sizeof line, "chmod -R u+w %s; rm -rf %s", here->folder, here->folder);
    int status = system(line);
    free(here->out);
    free(here->err);
    free(here);
    return status;
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)

/* The last run failed with this code and this one sentence. */
#define CHECK_FAILED(here, wanted, sentence)                                                       \
    do {                                                                                           \
        assert_string_equal((here)->err, sentence "\n");                                           \
        assert_string_equal((here)->out, "");                                                      \
        assert_int_equal((here)->code, wanted);                                                    \
    } while (0)

/* The last run ended well; else its error is shown. */
#define CHECK_DONE(here)                                                                           \
    do {                                                                                           \
        if ((here)->code != 0) fail_msg("exit code %d: %s", (here)->code, (here)->err);            \
    } while (0)

#define CHECK_HOLDS(text, part)                                                                    \
    do {                                                                                           \
        if (!strstr(text, part)) fail_msg("'%s' is missing in: %s", part, text);                   \
    } while (0)

#endif
