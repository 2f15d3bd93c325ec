/* SPDX-License-Identifier: Apache-2.0 */
/* What encode and decode share: how they run an auto-encoder, and how far two arrays differ. */
#ifndef TOOL_CODING_H
#define TOOL_CODING_H

#include <json-c/json.h>

#include "computing.h"

struct coding_settings {
    struct computing computing;
    const char *tile;
    bool slices, quiet, json;
};

/* Rows of a command's table of options, for a member `coding` of its settings. */
#define CODING_OPTIONS(SETTINGS)                                                                   \
    OPTION_ROW(SETTINGS, coding.tile, 0, "PIXELS|auto",                                            \
               A_TEXT("tile", "compute pictures larger than this side by overlapping tiles,\n"     \
                              "which takes less memory; auto: the size that the auto-encoder\n"    \
                              "was made for")),                                                    \
        OPTION_ROW(SETTINGS, coding.slices, 0, NULL,                                               \
                   A_FLAG("slices", "compute one picture at a time, which takes less memory")),    \
        COMPUTING_OPTIONS(SETTINGS, coding.computing),                                             \
        OPTION_ROW(SETTINGS, coding.quiet, 'q', NULL, A_FLAG("quiet", "only errors")),             \
        OPTION_ROW(SETTINGS, coding.json, 0, NULL,                                                 \
                   A_FLAG("json", "print what was done and measured as JSON"))

/* Opens the auto-encoder of a folder with these settings. Prints what is wrong and returns an exit
   code. */
int coding_open(sumi_context *context, const struct coding_settings *settings, const char *folder,
                sumi_auto_encoder **auto_encoder);

/* How far two arrays of one shape are from each other. */
struct difference {
    double largest, rms;
    double psnr; /* in dB, for values from -1 to 1 */
};
struct difference coding_difference(const sumi_array *a, const sumi_array *b);
double coding_psnr(double rms);

/* Adds a difference to an answer under `key`. */
void coding_add_difference(struct json_object *answer, const char *key,
                           const struct difference *difference);

#endif
