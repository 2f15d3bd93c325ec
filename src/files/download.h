/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads one file from an http, https or file address, and continues an interrupted download. */
#ifndef SUMI_FILES_DOWNLOAD_H
#define SUMI_FILES_DOWNLOAD_H

#include "base/context.h"

typedef struct download_request {
    const char *url;
    const char *path;                /* of the partial file, for messages */
    int handle;                      /* the partial file, open for reading and writing */
    int64_t size_limit;              /* in bytes; a longer file is refused */
    int connect_seconds;             /* time limit for a connection */
    int stall_seconds;               /* time limit without any received byte */
    sumi_progress_function progress; /* may be NULL */
    void *user;
} download_request;

/* Completes the partial file with the rest of the URL's file. Starts from the beginning if the
   server cannot continue. After a failure, the received bytes are kept for a later call.
   `*continued` receives whether earlier bytes were kept. */
sumi_status download_file(sumi_context *context, const download_request *request, bool *continued);

#endif
