/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads of one file over http, https or file addresses, which continue where an earlier one was
   interrupted. */
#ifndef SUMI_FILES_DOWNLOAD_H
#define SUMI_FILES_DOWNLOAD_H

#include "base/context.h"

typedef struct download_request {
    const char *url;
    const char *path;                /* of the partial file, for messages */
    int handle;                      /* the partial file, open for reading and writing */
    int64_t size_limit;              /* bytes; a longer file is refused */
    int connect_seconds;             /* how long a connection may take */
    int stall_seconds;               /* how long not a byte may come */
    sumi_progress_function progress; /* may be NULL */
    void *user;
} download_request;

/* Adds to the partial file what it lacks of the URL's file. Where the server will not continue, the
   file starts afresh. After a failure, what came so far is kept, for a later call. `*continued`
   says whether earlier bytes were kept. */
sumi_status download_file(sumi_context *context, const download_request *request, bool *continued);

#endif
