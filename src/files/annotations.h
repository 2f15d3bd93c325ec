/* SPDX-License-Identifier: Apache-2.0 */
/* The names of characters in Unicode's common locale data: annotations/LANGUAGE.xml. */
#ifndef SUMI_FILES_ANNOTATIONS_H
#define SUMI_FILES_ANNOTATIONS_H

#include "base/context.h"

enum { ANNOTATION_CHARACTERS = 32, ANNOTATION_NAME = 256 };

struct annotation {
    uint32_t characters[ANNOTATION_CHARACTERS];
    int count;
    char name[ANNOTATION_NAME]; /* UTF-8 */
};

/* Reads the next element <annotation cp="..." type="tts">NAME</annotation> of a text, which ends
   with a zero, and advances *text behind it; false at the end. Elements that are too long or not
   UTF-8 are skipped. */
bool annotation_next(const char **text, struct annotation *annotation);

#endif
