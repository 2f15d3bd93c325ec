/* SPDX-License-Identifier: Apache-2.0 */
/* Implements sumi_fetch: downloads files of known sums into a folder, checks and unpacks them. */
#ifndef SUMI_FILES_FETCH_H
#define SUMI_FILES_FETCH_H

#include "base/context.h"
#include "base/file.h"
#include "files/archive.h"

typedef struct fetch_file {
    const char *name; /* at the source, where it may lie in folders of the address; in the folder or
                         at another source, only the last part of it */
    const char *md5;  /* of the file, or of the contents of a gzip file */
    bool md5_unpacked;
    int64_t size_limit;            /* bytes */
    const archive_member *members; /* the members of an archive, which is not kept; else NULL */
    int member_count;
} fetch_file;

typedef struct fetch_set {
    const char *name, *url; /* url: the address of the files, without a slash at the end */
    const fetch_file *files;
    int file_count;
    int stall_seconds; /* time limit without any received byte */
    /* Makes further files of the fetched ones, unless they are there; NULL for none. */
    sumi_status (*finish)(sumi_context *context, const char *folder);
} fetch_set;

/* The set of that name, or NULL. */
const fetch_set *fetch_find_set(const char *name);

/* Ensures that all files of the set are in `folder` with the right sums, and downloads only what is
   missing. `from` (a URL or a folder, or NULL) replaces set->url. */
sumi_status fetch_files(sumi_context *context, const fetch_set *set, const char *from,
                        const char *folder, sumi_progress_function progress, void *user);

/* The names of all sets, to complete a sentence: "mnist, fashion-mnist or cifar10". */
void fetch_set_names(char *text, size_t size);

/* Makes vocab.json and merges.txt from the text of CLIP's vocabulary (clip_vocabulary.c). */
sumi_status clip_vocabulary_make(sumi_context *context, const char *folder);

/* Makes pictures and metadata.jsonl from the font and the names of emoji (emoji.c). */
sumi_status emoji_make(sumi_context *context, const char *folder);

#endif
