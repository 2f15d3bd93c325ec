/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: limits when reading, all or nothing when writing, path names. */
#include "check.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "scratch.h"

/* Fails unless the file holds exactly `text`. */
static void expect_text(scratch *room, const char *path, const char *text)
{
    char *bytes = NULL;
    size_t size = 0;
    CHECK_OK(room->context, file_read(room->context, path, 1000, (void **)&bytes, &size));
    assert_int_equal(size, strlen(text));
    assert_string_equal(bytes, text);
    context_release(room->context, bytes);
}

/* Entries of the folder besides "." and "..". */
static int count_entries(const scratch *room)
{
    int count = -2;
    DIR *folder = opendir(room->folder);
    assert_non_null(folder);
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static void what_is_written_is_read(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    CHECK_OK(room->context, file_write(room->context, path, "hello", 5));
    expect_text(room, path, "hello");
    CHECK_OK(room->context, file_write(room->context, path, NULL, 0));
    expect_text(room, path, "");
    assert_int_equal(count_entries(room), 1);
}

static void unfinished_files_of_processes_that_are_gone_are_cleared(void **state)
{
    scratch *room = *state;
    char own[64];
    snprintf(own, sizeof own, "b.%ld.part", (long)getpid());
    /* the system has no process 2^30 */
    const char *const names[] = {"a.1073741824.part", own, "part", ".part", "c.part", "d.12x.part",
                                 "1073741824.part"};
    for (int i = 0; i < 7; i++)
        CHECK_OK(room->context, file_write(room->context, scratch_path(room, names[i]), "x", 1));
    folder_clear_unfinished(room->folder);
    assert_int_equal(count_entries(room), 6);
    assert_false(path_exists(scratch_path(room, names[0])));
    folder_clear_unfinished(scratch_path(room, "nowhere"));
}

static void a_file_over_the_limit_is_refused(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    void *bytes = NULL;
    size_t size = 0;
    CHECK_OK(room->context, file_write(room->context, path, "hello", 5));
    assert_int_equal(file_read(room->context, path, 4, &bytes, &size), SUMI_ERROR_FORMAT);
    assert_null(bytes);
    CHECK_OK(room->context, file_read(room->context, path, 5, &bytes, &size));
    context_release(room->context, bytes);
}

static void folders_and_missing_files_are_refused(void **state)
{
    scratch *room = *state;
    void *bytes = NULL;
    size_t size = 0;
    assert_int_equal(file_read(room->context, room->folder, 100, &bytes, &size), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "folder"));
    assert_int_equal(file_read(room->context, "/nowhere/a", 100, &bytes, &size), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "/nowhere/a"));
    assert_int_equal(file_write(room->context, "/nowhere/a", "x", 1), SUMI_ERROR_FILE);
    assert_int_equal(file_write(room->context, room->folder, "x", 1), SUMI_ERROR_FILE);
}

static void a_pipe_without_a_writer_is_refused_at_once(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "pipe");
    void *bytes = NULL;
    size_t size = 0;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_read(room->context, path, 100, &bytes, &size), SUMI_ERROR_FILE);
    assert_null(bytes);
    assert_non_null(strstr(sumi_context_message(room->context), "a device or pipe"));
}

static void an_abandoned_write_leaves_the_old_file(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    file_writer writer;
    CHECK_OK(room->context, file_write(room->context, path, "old", 3));
    CHECK_OK(room->context, file_writer_open(room->context, &writer, path));
    CHECK_OK(room->context, file_writer_put(room->context, &writer, "new", 3));
    expect_text(room, path, "old");
    file_writer_abandon(&writer);
    file_writer_abandon(&writer);
    expect_text(room, path, "old");
    assert_int_equal(count_entries(room), 1);
}

static void a_committed_write_replaces_the_old_file(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    file_writer writer;
    CHECK_OK(room->context, file_write(room->context, path, "old", 3));
    CHECK_OK(room->context, file_writer_open(room->context, &writer, path));
    CHECK_OK(room->context, file_writer_put(room->context, &writer, "ne", 2));
    CHECK_OK(room->context, file_writer_put(room->context, &writer, "w", 1));
    CHECK_OK(room->context, file_writer_commit(room->context, &writer));
    file_writer_abandon(&writer);
    expect_text(room, path, "new");
    assert_int_equal(count_entries(room), 1);
}

/* A limit on the size of files simulates a full disk: a write fails in the middle. */
static void a_full_disk_leaves_the_old_file_and_no_rest(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    static char large[1 << 16];
    struct rlimit before, small;
    CHECK_OK(room->context, file_write(room->context, path, "old", 3));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 5000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    sumi_status status = file_write(room->context, path, large, sizeof large);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), path));
    expect_text(room, path, "old");
    assert_int_equal(count_entries(room), 1);
}

static void a_read_only_folder_is_a_clear_error(void **state)
{
    scratch *room = *state;
    if (geteuid() == 0) {
        print_message("skipped: the superuser may write everywhere\n");
        skip();
    }
    assert_int_equal(chmod(room->folder, 0500), 0);
    sumi_status status = file_write(room->context, scratch_path(room, "a"), "x", 1);
    assert_int_equal(chmod(room->folder, 0700), 0);
    assert_int_equal(status, SUMI_ERROR_FILE);
}

static void names_too_long_are_refused(void **state)
{
    scratch *room = *state;
    char name[PATH_SIZE + 10], path[PATH_SIZE];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = 0;
    assert_int_equal(file_write(room->context, name, "x", 1), SUMI_ERROR_FILE);
    assert_int_equal(path_join(room->context, name, "b", path), SUMI_ERROR_FILE);
    assert_int_equal(folder_make(room->context, name), SUMI_ERROR_FILE);
}

static void path_names_are_taken_apart_and_put_together(void **state)
{
    scratch *room = *state;
    char path[PATH_SIZE];
    CHECK_OK(room->context, path_join(room->context, "a/b", "c", path));
    assert_string_equal(path, "a/b/c");
    assert_true(path_has_ending("x/a.PNG", ".png") && path_has_ending(".png", ".png"));
    assert_false(path_has_ending("a.png.txt", ".png") || path_has_ending("png", ".png"));
    assert_true(path_exists(room->folder) && path_is_folder(room->folder));
    assert_false(path_exists("/nowhere") || path_is_folder("/dev/null"));
}

static void folders_are_made_with_their_parents(void **state)
{
    scratch *room = *state;
    char deep[SCRATCH_PATH], parent[SCRATCH_PATH];
    snprintf(parent, sizeof parent, "%s", scratch_path(room, "p"));
    snprintf(deep, sizeof deep, "%s", scratch_path(room, "p/q"));
    CHECK_OK(room->context, folder_make(room->context, deep));
    assert_true(path_is_folder(deep));
    CHECK_OK(room->context, folder_make(room->context, deep));
    assert_int_equal(remove(deep), 0);
    CHECK_OK(room->context, file_write(room->context, deep, "x", 1));
    assert_int_equal(folder_make(room->context, deep), SUMI_ERROR_FILE);
    assert_int_equal(remove(deep), 0);
    assert_int_equal(remove(parent), 0);
}

/* Reading the type of the existing file fails with another error than creating the folder. */
static void a_folder_that_cannot_be_made_is_refused_for_its_own_reason(void **state)
{
    scratch *room = *state;
    assert_int_equal(symlink("nowhere", scratch_path(room, "link")), 0);
    assert_int_equal(folder_make(room->context, scratch_path(room, "link")), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), strerror(EEXIST)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(what_is_written_is_read),
        SCRATCH_TEST(unfinished_files_of_processes_that_are_gone_are_cleared),
        SCRATCH_TEST(a_file_over_the_limit_is_refused),
        SCRATCH_TEST(folders_and_missing_files_are_refused),
        SCRATCH_TEST(a_pipe_without_a_writer_is_refused_at_once),
        SCRATCH_TEST(an_abandoned_write_leaves_the_old_file),
        SCRATCH_TEST(a_committed_write_replaces_the_old_file),
        SCRATCH_TEST(a_full_disk_leaves_the_old_file_and_no_rest),
        SCRATCH_TEST(a_read_only_folder_is_a_clear_error),
        SCRATCH_TEST(names_too_long_are_refused),
        SCRATCH_TEST(path_names_are_taken_apart_and_put_together),
        SCRATCH_TEST(folders_are_made_with_their_parents),
        SCRATCH_TEST(a_folder_that_cannot_be_made_is_refused_for_its_own_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
