/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of Python's pickles that executes nothing: names of functions and classes stay names,
   and a call of one becomes a value that has the name and the arguments. What is built from them is
   the caller's choice. */
#ifndef SUMI_FILES_PICKLE_H
#define SUMI_FILES_PICKLE_H

#include "base/context.h"

enum pickle_type {
    PICKLE_NONE,
    PICKLE_FLAG,
    PICKLE_WHOLE,
    PICKLE_NUMBER,
    PICKLE_TEXT,   /* or bytes */
    PICKLE_NAME,   /* of a function or class; see pickle_is_name */
    PICKLE_TUPLE,  /* or a list or set */
    PICKLE_DICT,   /* keys and values in turn */
    PICKLE_CALL,   /* a function and its arguments: [name, tuple] */
    PICKLE_OUTSIDE /* what lies outside the pickle: [its identifier] */
};

/* A value; numbers of others refer to pickle_get. */
struct pickle_value {
    enum pickle_type type;
    int64_t whole; /* or a flag */
    double number;
    const char *text; /* [size], in the pickle, without a zero at its end */
    size_t size;
    int64_t *items; /* [count]: numbers of values */
    int64_t count, capacity;
};

typedef struct pickle pickle;

/* Reads a pickle from memory, which must outlive it; protocols 0 to 5, as far as they have values
   of the types above. `name` is for messages. */
sumi_status pickle_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                         pickle **parsed);
void pickle_free(pickle *parsed); /* accepts NULL */

/* The value that the pickle is. */
const struct pickle_value *pickle_root(const pickle *parsed);
/* A value by the number that another has of it. */
const struct pickle_value *pickle_get(const pickle *parsed, int64_t number);
/* Item i of a tuple or call, or NULL. */
const struct pickle_value *pickle_item(const pickle *parsed, const struct pickle_value *value,
                                       int64_t i);
/* The value under a text of a dict, or NULL; `dict` may be NULL or of another type. */
const struct pickle_value *pickle_member(const pickle *parsed, const struct pickle_value *dict,
                                         const char *key);
/* Whether a value, which may be NULL, is that text, or the name of a function or class. */
bool pickle_is_text(const struct pickle_value *value, const char *text);
bool pickle_is_name(const pickle *parsed, const struct pickle_value *value, const char *module,
                    const char *name);

#endif
