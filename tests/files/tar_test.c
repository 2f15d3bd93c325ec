/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives, made header by header. */
#include "files/tar.h"

#include "one_context.h"
#include "tar_bytes.h"

static struct tar_bytes tar;

static void open_tar(byte_source *source)
{
    CHECK_OK(context, source_from_memory(context, tar.bytes, tar.size, "a.tar", source));
}

/* Expects a member at *place with that name and data. */
static void check_member(const byte_source *source, uint64_t *place, const char *name,
                         const char *data)
{
    struct tar_member member;
    bool found = false;
    CHECK_OK(context, tar_next(source, place, &member, &found));
    assert_true(found);
    assert_string_equal(member.name, name);
    assert_int_equal(member.size, strlen(data));
    assert_memory_equal(tar.bytes + member.offset, data, strlen(data));
}

static void check_end(const byte_source *source, uint64_t *place)
{
    struct tar_member member;
    bool found = true;
    CHECK_OK(context, tar_next(source, place, &member, &found));
    assert_false(found);
}

static void files_are_found_and_folders_and_links_are_skipped(void **state)
{
    (void)state;
    byte_source source;
    uint64_t place = 0;
    tar.size = 0;
    tar_put(&tar, "set/", '5', "", 0);
    tar_put(&tar, "set/a.txt", '0', "one", 3);
    tar_put(&tar, "set/link", '2', "", 0);
    tar_put(&tar, "empty", '0', "", 0);
    char large[1500];
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = 0;
    tar_put(&tar, "b", 0, large, strlen(large));
    tar_put(&tar, "last", '0', "end", 3);
    tar_end(&tar);
    open_tar(&source);
    check_member(&source, &place, "set/a.txt", "one");
    check_member(&source, &place, "empty", "");
    check_member(&source, &place, "b", large);
    check_member(&source, &place, "last", "end");
    check_end(&source, &place);
    check_end(&source, &place);
    source_close(&source);
}

static void long_names_of_all_three_kinds_are_read(void **state)
{
    (void)state;
    byte_source source;
    uint64_t place = 0;
    char name[301], prefixed[256], record[400];
    memset(name, 'n', 300);
    name[300] = 0;
    tar.size = 0;
    tar_put(&tar, "././@LongLink", 'L', name, 301);
    tar_put(&tar, "cut", '0', "gnu", 3);
    snprintf(record, sizeof record, "309 path=%s\n", name);
    assert_int_equal(strlen(record), 310);
    memcpy(record, "310", 3);
    tar_put(&tar, "PaxHeader", 'x', record, 310);
    tar_put(&tar, "cut", '0', "pax", 3);
    uint8_t *header = tar_put(&tar, "file", '0', "ustar", 5);
    memset(header + 345, 'p', 155);
    tar_sum(header);
    tar_put(&tar, "plain", '0', "plain", 5);
    tar_end(&tar);
    open_tar(&source);
    check_member(&source, &place, name, "gnu");
    check_member(&source, &place, name, "pax");
    memset(prefixed, 'p', 155);
    strcpy(prefixed + 155, "/file");
    check_member(&source, &place, prefixed, "ustar");
    check_member(&source, &place, "plain", "plain");
    source_close(&source);
}

static void sizes_in_pax_and_binary_headers_are_read(void **state)
{
    (void)state;
    byte_source source;
    uint64_t place = 0;
    tar.size = 0;
    tar_put(&tar, "PaxHeader", 'x', "10 size=3\n", 10);
    uint8_t *header = tar_put(&tar, "a", '0', "abc", 3);
    memcpy(header + 124, "00000000000", 12);
    tar_sum(header);
    header = tar_put(&tar, "b", '0', "bcde", 4);
    memset(header + 124, 0, 12);
    header[124] = 0x80;
    header[135] = 4;
    tar_sum(header);
    tar_end(&tar);
    open_tar(&source);
    check_member(&source, &place, "a", "abc");
    check_member(&source, &place, "b", "bcde");
    check_end(&source, &place);
    source_close(&source);
}

static void check_refused(const char *reason)
{
    byte_source source;
    struct tar_member member;
    bool found = true;
    uint64_t place = 0;
    sumi_status status = SUMI_OK;
    open_tar(&source);
    while (status == SUMI_OK && found) status = tar_next(&source, &place, &member, &found);
    source_close(&source);
    assert_int_equal(status, SUMI_ERROR_FORMAT);
    assert_string_equal(sumi_context_message(context), reason);
}

static void damaged_archives_are_refused_with_the_place(void **state)
{
    (void)state;
    tar.size = 0;
    tar_put(&tar, "a", '0', "abc", 3);
    tar_put(&tar, "b", '0', "abc", 3);
    tar.bytes[1024] = 'c';
    check_refused("a.tar: damaged tar archive: the header at byte 1024 has a wrong checksum");
    tar.bytes[0] = 0x1f;
    check_refused("a.tar: damaged tar archive: the header at byte 0 has a wrong checksum: is it an "
                  "uncompressed tar archive?");
    tar.size = 0;
    tar_put(&tar, "a", '0', "abc", 3);
    tar.size = 514;
    check_refused("a.tar: damaged tar archive: the header at byte 0 announces data beyond the end: "
                  "cut short?");
    tar.size = 100;
    check_refused("a.tar: cut short: 512 bytes were expected at byte 0 of 100");
    tar.size = 0;
    uint8_t *header = tar_put(&tar, "a", '0', "abc", 3);
    memcpy(header + 124, "hundreds", 9);
    tar_sum(header);
    check_refused("a.tar: damaged tar archive: the header at byte 0 has a damaged size");
    tar.size = 0;
    tar_put(&tar, "PaxHeader", 'x', "99 path=a\n", 10);
    check_refused("a.tar: damaged tar archive: the header at byte 0 has a damaged extension");
    tar.size = 0;
    header = tar_put(&tar, "a", '0', "abc", 3);
    memset(header + 124, 0xff, 12);
    tar_sum(header);
    check_refused("a.tar: damaged tar archive: the header at byte 0 has a damaged size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(files_are_found_and_folders_and_links_are_skipped),
        CONTEXT_TEST(long_names_of_all_three_kinds_are_read),
        CONTEXT_TEST(sizes_in_pax_and_binary_headers_are_read),
        CONTEXT_TEST(damaged_archives_are_refused_with_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
