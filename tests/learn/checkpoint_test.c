/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: a resumed run equals the uninterrupted one bit for bit; anything but a checkpoint of
   this run is refused with a message and changes nothing. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files/safetensors.h"
#include "learn/regression.h"
#include "scratch.h"

static const char *const usual[] = {"train.learning_rate=0.05", "train.ema=0.9",
                                    "train.decay=cosine", "train.steps=40", NULL};

/* Reads of the library before one fails, as from a disk that is worn out; -1 for no end. */
static int good_reads = -1;

ssize_t pread(int handle, void *buffer, size_t size, off_t offset)
{
    if (good_reads == 0) {
        errno = EIO;
        return -1;
    }
    if (good_reads > 0) good_reads--;
    return syscall(SYS_pread64, handle, buffer, size, offset);
}

/* The bytes of a file; free them. */
static char *read_bytes(const char *path, size_t *size)
{
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 1 << 20, stream);
    assert_true(*size < 1 << 20);
    fclose(stream);
    return bytes;
}

static void write_bytes(const char *path, const char *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

/* The whole state of a trainer: the bytes of its checkpoint. */
static char *state_of(scratch *room, const sumi_trainer *trainer, size_t *size)
{
    CHECK_OK(room->context, sumi_trainer_save(trainer, scratch_path(room, "state.safetensors")));
    return read_bytes(room->path, size);
}

/* Fails unless loading `name` gives the status and a sentence with `part`, and changes nothing. */
static void check_refused(scratch *room, struct regression_training *t, const char *name,
                          sumi_status status, const char *part)
{
    size_t before_size, after_size;
    char *before = state_of(room, t->trainer, &before_size);
    sumi_status found = sumi_trainer_load(t->trainer, scratch_path(room, name));
    const char *message = sumi_context_message(room->context);
    if (found != status || !strstr(message, part) || !strstr(message, name)) {
        fail_msg("loading %s: %s: \"%s\" does not say \"%s\"", name, sumi_status_name(found),
                 message, part);
    }
    char *after = state_of(room, t->trainer, &after_size);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, after_size);
    free(before);
    free(after);
}

static void check_continued(scratch *room, double dropout, int interrupted_after)
{
    static struct regression_training whole, first, second;
    size_t whole_size, parts_size;
    regression_begin(room->context, dropout, usual, &whole);
    regression_steps(room->context, &whole, 40);

    regression_begin(room->context, dropout, usual, &first);
    regression_steps(room->context, &first, interrupted_after);
    CHECK_OK(room->context, sumi_trainer_save(first.trainer, scratch_path(room, "c.safetensors")));
    regression_end(&first);

    regression_begin(room->context, dropout, usual, &second);
    regression_steps(room->context, &second, 3); /* a state that is overwritten */
    CHECK_OK(room->context, sumi_trainer_use_average(second.trainer, true));
    CHECK_OK(room->context, sumi_trainer_load(second.trainer, scratch_path(room, "c.safetensors")));
    assert_int_equal(sumi_trainer_steps_done(second.trainer), interrupted_after);
    regression_steps(room->context, &second, 40 - interrupted_after);

    char *expected = state_of(room, whole.trainer, &whole_size);
    char *found = state_of(room, second.trainer, &parts_size);
    assert_int_equal(parts_size, whole_size);
    assert_memory_equal(found, expected, whole_size);
    free(expected);
    free(found);
    regression_end(&second);
    regression_end(&whole);
}

static void a_continued_run_is_the_uninterrupted_one_bit_for_bit(void **state)
{
    check_continued(*state, 0, 17);
    check_continued(*state, 0, 0); /* a checkpoint of the very beginning */
}

static void so_is_one_with_dropout(void **state)
{
    check_continued(*state, 0.3, 17);
}

static void dropout_masks_differ_from_step_to_step(void **state)
{
    scratch *room = *state;
    static struct regression_training with, without;
    const float *dropped = NULL, *kept = NULL;
    const char *const settings[] = {"train.learning_rate=0", NULL};
    regression_begin(room->context, 0.3, settings, &with);
    regression_begin(room->context, 0, settings, &without);
    regression_steps(room->context, &with, 2);
    regression_steps(room->context, &without, 2);
    sumi_trainer_losses(with.trainer, &dropped);
    sumi_trainer_losses(without.trainer, &kept);
    assert_true(kept[0] == kept[1]);
    assert_true(dropped[0] != dropped[1]);
    regression_end(&without);
    regression_end(&with);
}

static void saving_while_averages_are_in_saves_the_same(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    size_t raw_size, average_size;
    regression_begin(room->context, 0, usual, &t);
    regression_steps(room->context, &t, 9);
    char *raw = state_of(room, t.trainer, &raw_size);
    CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, true));
    char *average = state_of(room, t.trainer, &average_size);
    assert_int_equal(raw_size, average_size);
    assert_memory_equal(raw, average, raw_size);
    free(raw);
    free(average);
    regression_end(&t);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    size_t size;
    regression_begin(room->context, 0, usual, &t);
    regression_steps(room->context, &t, 5);
    CHECK_OK(room->context, sumi_trainer_save(t.trainer, scratch_path(room, "good.safetensors")));
    char *bytes = read_bytes(room->path, &size);
    regression_steps(room->context, &t, 2);
    for (size_t cut = 0; cut < size; cut += cut < 16 || cut + 40 > size ? 1 : 37) {
        write_bytes(scratch_path(room, "cut.safetensors"), bytes, cut);
        check_refused(room, &t, "cut.safetensors", SUMI_ERROR_FORMAT, "");
    }
    check_refused(room, &t, "absent.safetensors", SUMI_ERROR_FILE, "");
    free(bytes);
    regression_end(&t);
}

/* A file with the regression's tensors, of which one may be changed. */
enum { ENTRIES = 9 };
static const char *const tensor_names[ENTRIES] = {
    "weight/w",       "first_moment/w",  "second_moment/w", "average/w", "weight/b",
    "first_moment/b", "second_moment/b", "average/b",       "losses"};

static void write_entries(scratch *room, const char *name, safetensors_entry *entries, size_t count,
                          const safetensors_text *metadata, size_t metadata_count)
{
    CHECK_OK(room->context, safetensors_write(room->context, scratch_path(room, name), entries,
                                              count, metadata, metadata_count));
}

static void fill_entries(safetensors_entry entries[ENTRIES])
{
    static const double zeros[16];
    for (int i = 0; i < ENTRIES; i++) {
        bool is_w = i < 4;
        entries[i] = (safetensors_entry){.name = tensor_names[i],
                                         .type = NUMBER_F32,
                                         .rank = is_w ? 2 : 1,
                                         .shape = {is_w     ? 1
                                                   : i == 8 ? 5
                                                            : 1,
                                                   is_w ? 3 : 0},
                                         .data = zeros};
    }
}

static void files_of_other_runs_are_refused(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    safetensors_entry entries[ENTRIES];
    const safetensors_text good[] = {{"sumi_checkpoint", "1"}, {"step", "5"}, {"seed", "0"}};
    regression_begin(room->context, 0, usual, &t);
    regression_steps(room->context, &t, 2);

    fill_entries(entries);
    write_entries(room, "foreign.safetensors", entries, ENTRIES, NULL, 0);
    check_refused(room, &t, "foreign.safetensors", SUMI_ERROR_FORMAT, "not a checkpoint");
    write_entries(room, "lacking.safetensors", entries, ENTRIES - 1, good, 3);
    check_refused(room, &t, "lacking.safetensors", SUMI_ERROR_FORMAT, "\"losses\"");
    entries[6].name = "second_moment/c";
    write_entries(room, "other.safetensors", entries, ENTRIES, good, 3);
    check_refused(room, &t, "other.safetensors", SUMI_ERROR_FORMAT, "another network");
    fill_entries(entries);
    entries[3].shape[1] = 2;
    write_entries(room, "shape.safetensors", entries, ENTRIES, good, 3);
    check_refused(room, &t, "shape.safetensors", SUMI_ERROR_FORMAT, "[1, 2]");
    fill_entries(entries);
    entries[0].type = NUMBER_F64;
    write_entries(room, "type.safetensors", entries, ENTRIES, good, 3);
    check_refused(room, &t, "type.safetensors", SUMI_ERROR_FORMAT, "F64");

    fill_entries(entries);
    write_entries(room, "right.safetensors", entries, ENTRIES, good, 3);
    CHECK_OK(room->context, sumi_trainer_load(t.trainer, scratch_path(room, "right.safetensors")));
    assert_int_equal(sumi_trainer_steps_done(t.trainer), 5);
    regression_end(&t);
}

static void metadata_that_does_not_fit_is_refused(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    safetensors_entry entries[ENTRIES];
    static const safetensors_text bad[][3] = {
        {{"sumi_checkpoint", "2"}, {"step", "5"}, {"seed", "0"}},
        {{"sumi_checkpoint", "1"}, {"step", "-5"}, {"seed", "0"}},
        {{"sumi_checkpoint", "1"}, {"step", "five"}, {"seed", "0"}},
        {{"sumi_checkpoint", "1"}, {"step", "6"}, {"seed", "0"}},
        {{"sumi_checkpoint", "1"}, {"step", "9223372036854775807"}, {"seed", "0"}}};
    regression_begin(room->context, 0, usual, &t);
    fill_entries(entries);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_entries(room, "bad.safetensors", entries, ENTRIES, bad[i], 3);
        check_refused(room, &t, "bad.safetensors", SUMI_ERROR_FORMAT, "");
    }
    const safetensors_text seed[] = {{"sumi_checkpoint", "1"}, {"step", "5"}, {"seed", "3"}};
    write_entries(room, "seed.safetensors", entries, ENTRIES, seed, 3);
    check_refused(room, &t, "seed.safetensors", SUMI_ERROR_ARGUMENT, "train.seed=3");
    regression_end(&t);
}

static void a_read_that_fails_anywhere_changes_nothing(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    regression_begin(room->context, 0, usual, &t);
    regression_steps(room->context, &t, 3);
    CHECK_OK(room->context, sumi_trainer_save(t.trainer, scratch_path(room, "worn.safetensors")));
    regression_steps(room->context, &t, 2);
    for (int averaged = 0; averaged < 2; averaged++) {
        CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, averaged));
        for (int reads = 0; reads < 11; reads++) { /* 2 of the header, then 9 tensors */
            good_reads = reads;
            check_refused(room, &t, "worn.safetensors", SUMI_ERROR_FILE, "cannot read");
            good_reads = -1;
        }
    }
    good_reads = 11;
    CHECK_OK(room->context, sumi_trainer_load(t.trainer, scratch_path(room, "worn.safetensors")));
    assert_int_equal(good_reads, 0);
    good_reads = -1;
    assert_int_equal(sumi_trainer_steps_done(t.trainer), 3);
    regression_end(&t);
}

static void a_failed_write_leaves_the_last_good_file(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    size_t good_size, size;
    struct rlimit limit, small;
    regression_begin(room->context, 0, usual, &t);
    regression_steps(room->context, &t, 5);
    CHECK_OK(room->context, sumi_trainer_save(t.trainer, scratch_path(room, "c.safetensors")));
    char *good = read_bytes(room->path, &good_size);
    regression_steps(room->context, &t, 5);

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = good_size / 2; /* like a full disk for writes */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    sumi_status status = sumi_trainer_save(t.trainer, scratch_path(room, "c.safetensors"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(status, SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "c.safetensors"));

    char *now = read_bytes(scratch_path(room, "c.safetensors"), &size);
    assert_int_equal(size, good_size);
    assert_memory_equal(now, good, size);
    int files = 0;
    DIR *folder = opendir(room->folder);
    while (readdir(folder)) files++;
    closedir(folder);
    assert_int_equal(files, 3); /* ".", ".." and the file: nothing half written stays */
    free(now);
    free(good);
    regression_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_continued_run_is_the_uninterrupted_one_bit_for_bit),
        SCRATCH_TEST(so_is_one_with_dropout),
        SCRATCH_TEST(dropout_masks_differ_from_step_to_step),
        SCRATCH_TEST(saving_while_averages_are_in_saves_the_same),
        SCRATCH_TEST(a_file_cut_anywhere_is_refused),
        SCRATCH_TEST(files_of_other_runs_are_refused),
        SCRATCH_TEST(metadata_that_does_not_fit_is_refused),
        SCRATCH_TEST(a_read_that_fails_anywhere_changes_nothing),
        SCRATCH_TEST(a_failed_write_leaves_the_last_good_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
