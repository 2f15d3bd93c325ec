/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a program's own, read as the library reads its own. */
#include <string.h>

#include "base/options.h"
#include "base/structure.h"

/* The type of that name; false where there is none. */
static bool find_type(const char *name, enum option_type *type)
{
    for (int i = OPTION_FLAG; i <= OPTION_WORDS; i++) {
        *type = (enum option_type)i;
        if (strcmp(option_type_name(*type), name) == 0) return true;
    }
    return false;
}

static sumi_status row_of(sumi_context *context, const sumi_option *option, struct option *row)
{
    sumi_option own;
    TRY(structure_read(context, "sumi_option", option, &own, sizeof own));
    *row = (struct option){.name = own.name,
                           .default_value = own.default_value ? own.default_value : "",
                           .low = own.low,
                           .high = own.high,
                           .choices = own.choices};
    bool known = own.name && own.type && find_type(own.type, &row->type)
                 && row->type != OPTION_NUMBERS && (row->type != OPTION_CHOICE || own.choices);
    if (known) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "an option to be read needs a name, the name of a type other than"
                        " \"numbers\", and the choices of a choice");
}

sumi_status sumi_option_read(sumi_context *context, const sumi_option *option, const char *subject,
                             const char *text, void *value)
{
    struct option row;
    TRY(row_of(context, option, &row));
    return option_from_plain(context, subject ? subject : row.name, &row, text, value);
}
