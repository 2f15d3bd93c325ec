/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of PNG files: chunks iTXt, tEXt and zTXt (PNG specification, section 11.3.4). They are read
   and added without decoding the pixels. */
#ifndef SUMI_FILES_PNG_TEXT_H
#define SUMI_FILES_PNG_TEXT_H

#include "base/json.h"

/* Adds the texts of a PNG in memory to an object, as text by keyword; the first of a keyword
   counts. Texts of Latin-1 become UTF-8. Refuses texts that are damaged or too large. */
sumi_status png_texts_read(sumi_context *context, const void *bytes, size_t size, const char *name,
                           json_object *texts);

/* Copies a PNG in memory to *result [*result_size] (for context_release), with the texts before its
   pixels and without those that had their keywords. */
sumi_status png_texts_put(sumi_context *context, const void *bytes, size_t size, const char *name,
                          const sumi_png_text *texts, int count, void **result,
                          size_t *result_size);

#endif
