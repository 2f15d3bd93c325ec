/* SPDX-License-Identifier: Apache-2.0 */
/* Formatting and pacing the progress line; see progress.h. */
#include "progress.h"

#include <math.h>
#include <string.h>
#include <time.h>

static const double LINE_PERIOD = 0.1, PICTURE_PERIOD = 0.25; /* seconds */

enum { PARTS = 5, PART_SIZE = 64, LINE_SIZE = 256, BAR_LEAST = 10, BAR_MOST = 30 };

static double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double fraction_done(const sumi_progress *progress)
{
    if (progress->steps <= 0) return 0;
    return fmin(fmax((double)progress->step / (double)progress->steps, 0), 1);
}

static bool counts_bytes(const sumi_progress *progress)
{
    return progress->rate_unit && strncmp(progress->rate_unit, "bytes", 5) == 0;
}

/* The power of 1000 for a number of bytes, and its name. */
static double byte_unit(double bytes, const char **name)
{
    static const char *const NAMES[] = {"B", "kB", "MB", "GB", "TB"};
    double unit = 1;
    int i = 0;
    for (; i < 4 && bytes >= 1000 * unit; i++) unit *= 1000;
    *name = NAMES[i];
    return unit;
}

static void format_steps(const sumi_progress *progress, char part[PART_SIZE])
{
    if (counts_bytes(progress)) {
        const char *name;
        double done = (double)progress->step, all = (double)progress->steps;
        double unit = byte_unit(all > 0 ? all : done, &name);
        int digits = unit > 1;
        if (all > 0)
            snprintf(part, PART_SIZE, "%.*f/%.*f %s", digits, done / unit, digits, all / unit,
                     name);
        else snprintf(part, PART_SIZE, "%.*f %s", digits, done / unit, name);
    } else if (progress->steps > 0) {
        snprintf(part, PART_SIZE, "%lld/%lld", (long long)progress->step,
                 (long long)progress->steps);
    } else {
        snprintf(part, PART_SIZE, "%lld", (long long)progress->step);
    }
}

static void format_rate(const sumi_progress *progress, char part[PART_SIZE])
{
    double rate = progress->rate;
    if (!(rate > 0) || isinf(rate)) return;
    if (counts_bytes(progress)) {
        const char *name;
        double unit = byte_unit(rate, &name);
        snprintf(part, PART_SIZE, "%.*f %s/s", unit > 1, rate / unit, name);
        return;
    }
    int digits = rate >= 99.5 ? 0 : rate >= 9.95 ? 1 : 2;
    snprintf(part, PART_SIZE, "%.*f %.24s", digits, rate,
             progress->rate_unit ? progress->rate_unit : "/s");
}

static void format_time_left(double seconds, char part[PART_SIZE])
{
    const double day = 86400;
    if (!(seconds >= 0) || seconds > 1000 * day) return;
    long whole = lround(seconds);
    if (seconds >= 4 * day) snprintf(part, PART_SIZE, "%.0f days left", seconds / day);
    else if (whole >= 3600)
        snprintf(part, PART_SIZE, "%ld:%02ld:%02ld left", whole / 3600, whole / 60 % 60,
                 whole % 60);
    else snprintf(part, PART_SIZE, "%ld:%02ld left", whole / 60, whole % 60);
}

/* Joins the non-empty parts with two spaces; returns the length. */
static int join_parts(char parts[PARTS][PART_SIZE], char text[LINE_SIZE + PARTS * PART_SIZE])
{
    int length = 0;
    for (int i = 0; i < PARTS; i++) {
        if (!parts[i][0]) continue;
        length += sprintf(text + length, "%s%s", length ? "  " : "", parts[i]);
    }
    return length;
}

static int add_bar(char *text, int length, int columns, double part)
{
    int inside = columns - length - 4; /* two spaces, two brackets */
    if (inside < BAR_LEAST) return length;
    if (inside > BAR_MOST) inside = BAR_MOST;
    int full = (int)(part * inside);
    length += sprintf(text + length, "  [");
    for (int i = 0; i < inside; i++) text[length++] = i < full ? '#' : '.';
    text[length++] = ']';
    return length;
}

void progress_format(const sumi_progress *progress, int width, bool bar, char *text, size_t size)
{
    enum { TASK, STEPS, LOSS, RATE, LEFT };
    static const int LEAST_NEEDED[] = {RATE, LEFT, LOSS, TASK};
    char parts[PARTS][PART_SIZE] = {{0}};
    char whole[LINE_SIZE + PARTS * PART_SIZE];
    snprintf(parts[TASK], PART_SIZE, "%s", progress->task ? progress->task : "");
    format_steps(progress, parts[STEPS]);
    if (progress->loss != 0) {
        snprintf(parts[LOSS], PART_SIZE, fabs(progress->loss) < 99.95 ? "loss %#.3g" : "loss %.4g",
                 progress->loss);
    }
    format_rate(progress, parts[RATE]);
    format_time_left(progress->seconds_left, parts[LEFT]);

    if (width > LINE_SIZE - 1) width = LINE_SIZE - 1;
    int length = join_parts(parts, whole);
    for (int i = 0; i < 4 && length > width; i++) {
        parts[LEAST_NEEDED[i]][0] = 0;
        length = join_parts(parts, whole);
    }
    if (bar && progress->steps > 0) length = add_bar(whole, length, width, fraction_done(progress));
    whole[length < width ? length : width] = 0;
    snprintf(text, size, "%s", whole);
}

bool progress_plain_due(const progress_line *line, const sumi_progress *progress, double now)
{
    if (progress->steps > 0 && progress->step >= progress->steps) return line->tenths < 10;
    if (now - line->plain_time >= 10) return true;
    return now - line->plain_time >= 1 && (int)(10 * fraction_done(progress)) > line->tenths;
}

void progress_open(progress_line *line, FILE *stream, struct preview *preview)
{
    *line = (progress_line){.stream = stream, .preview = preview};
    line->live = terminal_can_redraw(stream);
    line->line_time = line->picture_time = -1;
    line->plain_time = clock_seconds();
}

static void show_live(progress_line *line, const sumi_progress *progress, double now)
{
    bool last = progress->steps > 0 && progress->step >= progress->steps;
    if (!last && line->line_time >= 0 && now - line->line_time < LINE_PERIOD) return;
    char text[LINE_SIZE];
    terminal_size size = terminal_measure(line->stream);
    progress_format(progress, size.columns - 1, true, text, sizeof text);
    bool due = last || line->picture_time < 0 || now - line->picture_time >= PICTURE_PERIOD;
    if (due && line->preview && progress->preview) {
        if (line->visible) fputs("\r\033[K", line->stream);
        line->preview->size = size;
        preview_show(line->preview, progress->preview, 0);
        line->picture_time = now;
    }
    fprintf(line->stream, "\r%s\033[K", text);
    fflush(line->stream);
    line->visible = true;
    line->line_time = now;
}

void progress_show(progress_line *line, const sumi_progress *progress)
{
    double now = clock_seconds();
    if (line->live) {
        show_live(line, progress, now);
        return;
    }
    if (!progress_plain_due(line, progress, now)) return;
    char text[LINE_SIZE];
    progress_format(progress, LINE_SIZE, false, text, sizeof text);
    fprintf(line->stream, "%s\n", text);
    fflush(line->stream);
    line->plain_time = now;
    line->tenths = (int)(10 * fraction_done(progress));
}

void progress_close(progress_line *line)
{
    if (line->visible) fputc('\n', line->stream);
    line->visible = false;
    if (line->preview) line->preview->lines = 0;
}
