/* A crew: a few threads that work through numbered tasks while their owner does other things. */
#ifndef SUMI_BASE_CREW_H
#define SUMI_BASE_CREW_H

#include "base/context.h"

enum { CREW_LIMIT = 64 };

struct crew;

/* Does task `task`. `member` is from 1 to the crew's size, or 0 for the owner, who helps at the
   end; no two tasks run at once under the same number. */
typedef sumi_status (*crew_function)(void *user, int member, int64_t task);

/* A crew that may grow to `most` members (cut to CREW_LIMIT); it has none yet. */
sumi_status crew_create(sumi_context *context, int most, struct crew **crew);
/* What is not begun is left undone. Accepts NULL. */
void crew_free(struct crew *crew);

/* Adds a member, unless there are as many as may be or the system gives no thread: the work is then
   done all the same. */
void crew_grow(struct crew *crew);

/* Begins tasks 0 .. count - 1, in this order, and returns at once. The ones before must be over. */
void crew_begin(struct crew *crew, crew_function function, void *user, int64_t count);

/* Whether all tasks are over. */
bool crew_is_done(struct crew *crew);

/* Helps until all tasks are over. If some failed, the status and the message are those of the first
   of them by number. */
sumi_status crew_finish(struct crew *crew);

/* Leaves undone what is not begun, and waits for what is. */
void crew_abandon(struct crew *crew);

#endif
