/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching from a server on loopback that serves, interrupts, refuses and stalls; the
   expected sums are those that md5sum prints and those of RFC 1321's test suite. */
#include <archive.h>
#include <archive_entry.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "check.h"
#include "files/checksum.h"
#include "files/fetch.h"
#include "http_server.h"
#include "real_data.h"

enum { BODY_SIZE = 200000, HALF = 70000, LIMIT = 1 << 20 };

typedef struct fixture {
    sumi_context *context;
    char folder[256], file[300], part[310];
    uint8_t body[BODY_SIZE];
    char sum[CHECKSUM_TEXT_SIZE];
    http_route route;
    http_server *server;
    char url[64];
    fetch_file entry;
    fetch_set set;
} fixture;

static void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

static void assert_holds_body(const fixture *f, const char *path)
{
    uint8_t *bytes = malloc(BODY_SIZE + 1);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_int_equal(fread(bytes, 1, BODY_SIZE + 1, stream), BODY_SIZE);
    assert_memory_equal(bytes, f->body, BODY_SIZE);
    fclose(stream);
    free(bytes);
}

static long long size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long long)info.st_size : -1;
}

static void sum_text(const void *bytes, size_t size, char text[CHECKSUM_TEXT_SIZE])
{
    FILE *pipe = NULL;
    char name[] = "/tmp/sumi-sum-XXXXXX", command[128];
    int handle = mkstemp(name);
    assert_true(handle >= 0);
    close(handle);
    write_bytes(name, bytes, size);
    snprintf(command, sizeof command, "md5sum %s", name);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fread(text, 1, 32, pipe), 32);
    text[32] = 0;
    pclose(pipe);
    unlink(name);
}

static int start(void **state)
{
    setenv("no_proxy", "127.0.0.1", 1);
    fixture *f = calloc(1, sizeof *f);
    assert_int_equal(sumi_context_create(NULL, &f->context), SUMI_OK);
    strcpy(f->folder, "/tmp/sumi-fetch-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->file, sizeof f->file, "%s/data.bin", f->folder);
    snprintf(f->part, sizeof f->part, "%s.part", f->file);
    for (size_t i = 0; i < BODY_SIZE; i++) f->body[i] = (uint8_t)(i * 2654435761u >> 13);
    sum_text(f->body, BODY_SIZE, f->sum);
    f->route = (http_route){.path = "/data.bin", .body = f->body, .size = BODY_SIZE};
    f->server = http_server_start(&f->route, 1);
    assert_non_null(f->server);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d", http_server_port(f->server));
    f->entry = (fetch_file){.name = "data.bin", .md5 = f->sum, .size_limit = LIMIT};
    f->set = (fetch_set){
        .name = "set", .url = f->url, .files = &f->entry, .file_count = 1, .stall_seconds = 20};
    *state = f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    http_server_stop(f->server);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    int result = system(command);
    sumi_context_free(f->context);
    free(f);
    return result;
}

static sumi_status fetch(fixture *f)
{
    return fetch_files(f->context, &f->set, NULL, f->folder, NULL, NULL);
}

static void assert_says(const fixture *f, const char *part)
{
    if (!strstr(sumi_context_message(f->context), part)) {
        fail_msg("\"%s\" is not in \"%s\"", part, sumi_context_message(f->context));
    }
}

/* ---- The plain way ---- */

static void a_file_is_downloaded_whole_and_not_a_second_time(void **state)
{
    fixture *f = *state;
    CHECK_OK(f->context, fetch(f));
    assert_holds_body(f, f->file);
    assert_int_equal(size_of(f->part), -1);
    CHECK_OK(f->context, fetch(f));
    assert_int_equal(http_server_requests(f->server), 1);
}

static void a_damaged_file_is_fetched_again(void **state)
{
    fixture *f = *state;
    write_bytes(f->file, "damaged", 7);
    CHECK_OK(f->context, fetch(f));
    assert_holds_body(f, f->file);
}

static void files_come_from_a_folder_whatever_its_name(void **state)
{
    fixture *f = *state;
    char source[300], path[320];
    snprintf(source, sizeof source, "%s/a %%41#?b", f->folder);
    assert_int_equal(mkdir(source, 0777), 0);
    snprintf(path, sizeof path, "%s/data.bin", source);
    write_bytes(path, f->body, BODY_SIZE);
    write_bytes(f->part, f->body, HALF);
    CHECK_OK(f->context, fetch_files(f->context, &f->set, source, f->folder, NULL, NULL));
    assert_holds_body(f, f->file);
    assert_int_equal(http_server_requests(f->server), 0);
}

static void a_missing_file_and_a_missing_folder_are_distinguished(void **state)
{
    fixture *f = *state;
    assert_int_equal(fetch_files(f->context, &f->set, f->folder, f->folder, NULL, NULL),
                     SUMI_ERROR_FILE);
    assert_says(f, "data.bin: there is no such file");
    assert_int_equal(fetch_files(f->context, &f->set, "/no/such", f->folder, NULL, NULL),
                     SUMI_ERROR_FILE);
    assert_says(f, "/no/such: neither a folder nor an address");
    assert_int_equal(fetch_files(f->context, &f->set, "gopher://x", f->folder, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_says(f, "an http, https or file address is expected");
}

static void a_redirect_is_followed_but_not_for_ever(void **state)
{
    fixture *f = *state;
    char to[96];
    snprintf(to, sizeof to, "%s/data.bin", f->url);
    http_route routes[] = {
        {.path = "/moved/data.bin", .status = 302, .location = to},
        {.path = "/loop/data.bin", .status = 302, .location = "/loop/data.bin"},
        {.path = "/local/data.bin", .status = 302, .location = "file:///etc/hostname"}};
    http_server *server = http_server_start(routes, 3);
    assert_non_null(server);
    char from[96];
    snprintf(from, sizeof from, "http://127.0.0.1:%d/loop/", http_server_port(server));
    assert_int_equal(fetch_files(f->context, &f->set, from, f->folder, NULL, NULL),
                     SUMI_ERROR_BACKEND);
    assert_in_range(http_server_requests(server), 2, 10);
    snprintf(from, sizeof from, "http://127.0.0.1:%d/local", http_server_port(server));
    assert_int_not_equal(fetch_files(f->context, &f->set, from, f->folder, NULL, NULL), SUMI_OK);
    assert_int_equal(size_of(f->file), -1);
    snprintf(from, sizeof from, "http://127.0.0.1:%d/moved", http_server_port(server));
    CHECK_OK(f->context, fetch_files(f->context, &f->set, from, f->folder, NULL, NULL));
    assert_holds_body(f, f->file);
    http_server_stop(server);
}

/* ---- Interruptions ---- */

static void a_cut_download_resumes_where_it_broke_off(void **state)
{
    fixture *f = *state;
    f->route.cuts = 1;
    f->route.cut_after = HALF;
    assert_int_equal(fetch(f), SUMI_ERROR_BACKEND);
    assert_says(f, "the connection broke after 70000 bytes");
    assert_int_equal(size_of(f->part), HALF);
    assert_int_equal(size_of(f->file), -1);
    CHECK_OK(f->context, fetch(f));
    assert_int_equal(http_server_range(f->server), HALF);
    assert_holds_body(f, f->file);
}

static void from_a_server_that_ignores_ranges_the_whole_is_fetched(void **state)
{
    fixture *f = *state;
    f->route.ignores_range = true;
    write_bytes(f->part, f->body, HALF);
    CHECK_OK(f->context, fetch(f));
    assert_holds_body(f, f->file);
}

static void a_partial_file_of_another_version_is_replaced(void **state)
{
    fixture *f = *state;
    uint8_t *other = calloc(BODY_SIZE, 2);
    write_bytes(f->part, other, HALF);
    CHECK_OK(f->context, fetch(f));
    assert_holds_body(f, f->file);
    unlink(f->file);
    write_bytes(f->part, other, BODY_SIZE); /* nothing is left to send: 416 */
    CHECK_OK(f->context, fetch(f));
    assert_holds_body(f, f->file);
    unlink(f->file);
    write_bytes(f->part, other, BODY_SIZE * 2);
    CHECK_OK(f->context, fetch(f));
    assert_holds_body(f, f->file);
    free(other);
}

static void a_complete_partial_file_needs_no_server(void **state)
{
    fixture *f = *state;
    write_bytes(f->part, f->body, BODY_SIZE);
    CHECK_OK(f->context, fetch(f));
    assert_int_equal(http_server_requests(f->server), 0);
    assert_holds_body(f, f->file);
}

typedef struct watcher {
    int64_t stop_at, last_step, last_steps, calls;
    double rate;
} watcher;

static bool watch(void *user, const sumi_progress *progress)
{
    watcher *seen = user;
    assert_string_equal(progress->task, "fetch");
    assert_string_equal(progress->rate_unit, "bytes/s");
    assert_true(progress->step >= seen->last_step);
    seen->last_step = progress->step;
    seen->last_steps = progress->steps;
    seen->rate = progress->rate;
    seen->calls++;
    return seen->stop_at == 0 || progress->step < seen->stop_at;
}

static void progress_ends_with_all_bytes(void **state)
{
    fixture *f = *state;
    watcher seen = {0};
    CHECK_OK(f->context, fetch_files(f->context, &f->set, NULL, f->folder, watch, &seen));
    assert_true(seen.calls > 0);
    assert_int_equal(seen.last_step, BODY_SIZE);
    assert_int_equal(seen.last_steps, BODY_SIZE);
    assert_true(seen.rate > 0);
}

static void a_stop_from_progress_keeps_the_bytes_and_the_next_run_continues(void **state)
{
    fixture *f = *state;
    f->route.cuts = 1;
    f->route.cut_after = HALF;
    f->route.holds = true;
    watcher seen = {.stop_at = HALF};
    assert_int_equal(fetch_files(f->context, &f->set, NULL, f->folder, watch, &seen), SUMI_STOPPED);
    assert_int_equal(size_of(f->part), HALF);
    CHECK_OK(f->context, fetch(f));
    assert_int_equal(http_server_range(f->server), HALF);
    assert_holds_body(f, f->file);
}

static void a_silent_server_is_given_up(void **state)
{
    fixture *f = *state;
    f->route.cuts = 1;
    f->route.cut_after = HALF;
    f->route.holds = true;
    f->set.stall_seconds = 1;
    assert_int_equal(fetch(f), SUMI_ERROR_BACKEND);
    assert_says(f, "the connection broke after 70000 bytes");
    CHECK_OK(f->context, fetch(f));
    assert_holds_body(f, f->file);
}

/* ---- Refusals ---- */

static void a_missing_file_is_reported_with_the_servers_answer(void **state)
{
    fixture *f = *state;
    f->entry.name = "absent.bin";
    assert_int_equal(fetch(f), SUMI_ERROR_FILE);
    assert_says(f, "absent.bin: the server answered 404");
    f->entry.name = "data.bin";
    f->route.status = 503;
    assert_int_equal(fetch(f), SUMI_ERROR_FILE);
    assert_says(f, "503");
    assert_int_equal(size_of(f->part), -1);
}

static void a_closed_port_is_reported_with_what_to_do(void **state)
{
    fixture *f = *state;
    char from[64];
    http_server *server = http_server_start(NULL, 0);
    snprintf(from, sizeof from, "http://127.0.0.1:%d", http_server_port(server));
    http_server_stop(server);
    assert_int_equal(fetch_files(f->context, &f->set, from, f->folder, NULL, NULL),
                     SUMI_ERROR_BACKEND);
    assert_says(f, "check the network");
}

static void a_wrong_sum_is_reported_with_both_sums_and_leaves_nothing(void **state)
{
    fixture *f = *state;
    f->entry.md5 = "00000000000000000000000000000000";
    assert_int_equal(fetch(f), SUMI_ERROR_FORMAT);
    assert_says(f, f->sum);
    assert_says(f, f->entry.md5);
    assert_int_equal(size_of(f->file), -1);
    assert_int_equal(size_of(f->part), -1);
}

static void a_file_beyond_the_limit_is_refused(void **state)
{
    fixture *f = *state;
    f->entry.size_limit = BODY_SIZE - 1;
    assert_int_equal(fetch(f), SUMI_ERROR_FORMAT);
    assert_says(f, "more than the 199999 bytes expected");
    assert_int_equal(size_of(f->part), -1);
    f->entry.size_limit = BODY_SIZE;
    CHECK_OK(f->context, fetch(f));
}

static void a_full_disk_is_reported_and_the_next_run_continues(void **state)
{
    fixture *f = *state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = HALF;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    sumi_status status = fetch(f);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, SUMI_ERROR_FILE);
    assert_says(f, "data.bin.part: cannot write");
    assert_int_equal(size_of(f->part), HALF);
    CHECK_OK(f->context, fetch(f));
    assert_int_equal(http_server_range(f->server), HALF);
    assert_holds_body(f, f->file);
}

static void a_folder_that_cannot_be_created_is_reported(void **state)
{
    fixture *f = *state;
    char below[340];
    write_bytes(f->file, "x", 1);
    snprintf(below, sizeof below, "%s/below", f->file);
    assert_int_equal(fetch_files(f->context, &f->set, NULL, below, NULL, NULL), SUMI_ERROR_FILE);
    assert_says(f, "cannot make the folder");
}

/* ---- Sums and archives ---- */

static void sums_are_those_of_rfc_1321(void **state)
{
    fixture *f = *state;
    static const char *const cases[][2] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sum[CHECKSUM_TEXT_SIZE];
        write_bytes(f->file, cases[i][0], strlen(cases[i][0]));
        CHECK_OK(f->context, checksum_file(f->context, f->file, false, sum));
        assert_string_equal(sum, cases[i][1]);
    }
}

static void an_unpacked_sum_is_that_of_the_contents_and_needs_a_whole_gzip_file(void **state)
{
    fixture *f = *state;
    char sum[CHECKSUM_TEXT_SIZE];
    gzFile stream = gzopen(f->file, "wb");
    assert_int_equal(gzwrite(stream, f->body, BODY_SIZE), BODY_SIZE);
    gzclose(stream);
    CHECK_OK(f->context, checksum_file(f->context, f->file, true, sum));
    assert_string_equal(sum, f->sum);
    assert_int_equal(truncate(f->file, size_of(f->file) - 9), 0);
    assert_int_equal(checksum_file(f->context, f->file, true, sum), SUMI_ERROR_FORMAT);
    write_bytes(f->file, f->body, BODY_SIZE);
    assert_int_equal(checksum_file(f->context, f->file, true, sum), SUMI_ERROR_FORMAT);
}

typedef struct member {
    const char *path;
    size_t size;
    int type;
} member;

static void write_archive(const char *path, const fixture *f, const member *members, int count)
{
    struct archive *archive = archive_write_new();
    archive_write_add_filter_gzip(archive);
    archive_write_set_format_ustar(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    for (int i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, members[i].path);
        archive_entry_set_filetype(entry, (unsigned)members[i].type);
        archive_entry_set_perm(entry, 0644);
        if (members[i].type == AE_IFLNK) archive_entry_set_symlink(entry, "/etc/hostname");
        archive_entry_set_size(entry, (la_int64_t)members[i].size);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        archive_write_data(archive, f->body, members[i].size);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

static void an_archive_is_checked_and_only_its_expected_files_are_taken(void **state)
{
    fixture *f = *state;
    char source[300], archive[320], other[320], sum[CHECKSUM_TEXT_SIZE];
    snprintf(source, sizeof source, "%s/source", f->folder);
    snprintf(archive, sizeof archive, "%s/set.tar.gz", source);
    snprintf(other, sizeof other, "%s/readme.html", f->folder);
    assert_int_equal(mkdir(source, 0777), 0);
    const member members[] = {{"set/readme.html", 10, AE_IFREG},
                              {"set/one.bin", BODY_SIZE, AE_IFREG}};
    write_archive(archive, f, members, 2);
    CHECK_OK(f->context, checksum_file(f->context, archive, false, sum));
    const archive_member wanted = {"set/one.bin", "data.bin", BODY_SIZE};
    f->entry = (fetch_file){.name = "set.tar.gz",
                            .md5 = sum,
                            .size_limit = LIMIT,
                            .members = &wanted,
                            .member_count = 1};
    CHECK_OK(f->context, fetch_files(f->context, &f->set, source, f->folder, NULL, NULL));
    assert_holds_body(f, f->file);
    assert_int_equal(size_of(other), -1);
    assert_int_equal(unlink(archive), 0); /* a second fetch has no need of it */
    CHECK_OK(f->context, fetch_files(f->context, &f->set, source, f->folder, NULL, NULL));
}

static void bad_archives_are_refused(void **state)
{
    fixture *f = *state;
    char archive[320], outside[320];
    snprintf(archive, sizeof archive, "%s/set.tar.gz", f->folder);
    snprintf(outside, sizeof outside, "%s/../sumi-outside.bin", f->folder);
    const archive_member wanted = {"set/one.bin", "data.bin", BODY_SIZE};
    static const struct {
        member member;
        const char *says;
    } cases[] = {
        {{"../sumi-outside.bin", 10, AE_IFREG}, "points outside its folder"},
        {{"/set/one.bin", 10, AE_IFREG}, "points outside its folder"},
        {{"set/../../one.bin", 10, AE_IFREG}, "points outside its folder"},
        {{"set/one.bin", BODY_SIZE - 1, AE_IFREG}, "does not have the expected 200000 bytes"},
        {{"set/one.bin", 0, AE_IFLNK}, "is not in the archive"},
        {{"set/two.bin", BODY_SIZE, AE_IFREG}, "set/one.bin is not in the archive"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_archive(archive, f, &cases[i].member, 1);
        assert_int_equal(archive_extract(f->context, archive, &wanted, 1, f->folder),
                         SUMI_ERROR_FORMAT);
        assert_says(f, cases[i].says);
        assert_int_equal(size_of(f->file), -1);
        assert_int_equal(size_of(outside), -1);
    }
    const member good = {"set/one.bin", BODY_SIZE, AE_IFREG};
    write_archive(archive, f, &good, 1);
    assert_int_equal(truncate(archive, size_of(archive) / 2), 0);
    assert_int_equal(archive_extract(f->context, archive, &wanted, 1, f->folder),
                     SUMI_ERROR_FORMAT);
    write_bytes(archive, f->body, BODY_SIZE);
    assert_int_equal(archive_extract(f->context, archive, &wanted, 1, f->folder),
                     SUMI_ERROR_FORMAT);
    assert_int_equal(size_of(f->file), -1);
}

/* ---- The public call ---- */

static void the_public_call_uses_the_cache_folder_and_has_its_sets(void **state)
{
    fixture *f = *state;
    char folder[PATH_SIZE] = "", small[4];
    setenv("XDG_CACHE_HOME", f->folder, 1);
    assert_int_equal(sumi_fetch(f->context, "mnits", NULL, NULL, NULL, folder, sizeof folder),
                     SUMI_ERROR_ARGUMENT);
    assert_says(f, "choose mnist, fashion-mnist, cifar10, clip-vocabulary or emoji");
    assert_int_equal(sumi_fetch(f->context, "mnist", f->url, NULL, NULL, small, sizeof small),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(http_server_requests(f->server), 0);
    assert_int_equal(sumi_fetch(f->context, "mnist", f->url, NULL, NULL, folder, sizeof folder),
                     SUMI_ERROR_FILE);
    assert_says(f, "train-images-idx3-ubyte.gz: the server answered 404");
    CHECK_OK(f->context, path_cache_folder(f->context, "cifar10", folder));
    assert_true(strncmp(folder, f->folder, strlen(f->folder)) == 0);
    assert_string_equal(folder + strlen(f->folder), "/sumi/cifar10");
    setenv("XDG_CACHE_HOME", "relative", 1);
    setenv("HOME", f->folder, 1);
    CHECK_OK(f->context, path_cache_folder(f->context, "mnist", folder));
    assert_string_equal(folder + strlen(f->folder), "/.cache/sumi/mnist");
}

static void real_mnist_has_the_sums_of_the_table(void **state)
{
    fixture *f = *state;
    char folder[PATH_SIZE], source[PATH_SIZE];
    if (!find_real_data("mnist", "t10k-labels-idx1-ubyte.gz", source)) skip();
    setenv("XDG_CACHE_HOME", f->folder, 1);
    CHECK_OK(f->context,
             sumi_fetch(f->context, "mnist", source, NULL, NULL, folder, sizeof folder));
    CHECK_OK(f->context, sumi_fetch(f->context, "mnist", "/", NULL, NULL, folder, sizeof folder));
}

#define FETCH_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FETCH_TEST(a_file_is_downloaded_whole_and_not_a_second_time),
        FETCH_TEST(a_damaged_file_is_fetched_again),
        FETCH_TEST(files_come_from_a_folder_whatever_its_name),
        FETCH_TEST(a_missing_file_and_a_missing_folder_are_distinguished),
        FETCH_TEST(a_redirect_is_followed_but_not_for_ever),
        FETCH_TEST(a_cut_download_resumes_where_it_broke_off),
        FETCH_TEST(from_a_server_that_ignores_ranges_the_whole_is_fetched),
        FETCH_TEST(a_partial_file_of_another_version_is_replaced),
        FETCH_TEST(a_complete_partial_file_needs_no_server),
        FETCH_TEST(progress_ends_with_all_bytes),
        FETCH_TEST(a_stop_from_progress_keeps_the_bytes_and_the_next_run_continues),
        FETCH_TEST(a_silent_server_is_given_up),
        FETCH_TEST(a_missing_file_is_reported_with_the_servers_answer),
        FETCH_TEST(a_closed_port_is_reported_with_what_to_do),
        FETCH_TEST(a_wrong_sum_is_reported_with_both_sums_and_leaves_nothing),
        FETCH_TEST(a_file_beyond_the_limit_is_refused),
        FETCH_TEST(a_full_disk_is_reported_and_the_next_run_continues),
        FETCH_TEST(a_folder_that_cannot_be_created_is_reported),
        FETCH_TEST(sums_are_those_of_rfc_1321),
        FETCH_TEST(an_unpacked_sum_is_that_of_the_contents_and_needs_a_whole_gzip_file),
        FETCH_TEST(an_archive_is_checked_and_only_its_expected_files_are_taken),
        FETCH_TEST(bad_archives_are_refused),
        FETCH_TEST(the_public_call_uses_the_cache_folder_and_has_its_sets),
        FETCH_TEST(real_mnist_has_the_sums_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
