/* SPDX-License-Identifier: Apache-2.0 */
/* The guides of --guide, "NAME:VALUE,...", and the models that they need. */
#ifndef TOOL_STEERING_H
#define TOOL_STEERING_H

#include "command.h"

enum { STEERING_MOST = 8 };

/* Models of guides, open until the session is closed. */
struct steering {
    int count;
    sumi_model *models[STEERING_MOST];
    sumi_session *sessions[STEERING_MOST];       /* NULL where the model is a classifier */
    sumi_classifier *classifiers[STEERING_MOST]; /* NULL where it is not */
    int followers;
    sumi_guide *following[STEERING_MOST]; /* guides that need the levels of the solver */
    bool classified;                      /* a classifier has the classes of --label */
};

/* Rows of a command's table of options, for a member of its settings. */
#define STEERING_ROWS(SETTINGS, MEMBER)                                                            \
    LIST_ROW(SETTINGS, MEMBER, 0, "NAME:VALUES ...", TAKES_WORDS,                                  \
             A_TEXT("guide", "further guides, in the order in which they wrap the network:\n"      \
                             "negative:CLASS,W interval:LO,HI rescale:PHI cfg++:W\n"               \
                             "autoguidance:MODEL,W classifier:MODEL,W; `sumi guides`\n"            \
                             "explains them"))

/* Adds the guides `words` to a session; classifiers get the classes of `labels`, or all in turn.
   Prints what is wrong, with the name of the command, `task`, and returns an exit code;
   steering_close in either case, after the session. */
int steering_apply(sumi_context *context, const char *task, sumi_session *session,
                   const struct texts *words, const struct texts *labels,
                   struct steering *steering);
void steering_close(struct steering *steering);

/* Names the solver that will run to the guides that need its levels. */
sumi_status steering_follow(const struct steering *steering, sumi_solver *solver);

#endif
