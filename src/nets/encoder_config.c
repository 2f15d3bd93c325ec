/* SPDX-License-Identifier: Apache-2.0 */
/* The config.json of encoders; see encoder_config.h. */
#include "nets/encoder_config.h"

#include <string.h>

#include "base/json.h"

/* The class that a config names, "" for none. */
static const char *class_of(json_object *given)
{
    json_object *list = NULL, *name = NULL;
    if (json_object_object_get_ex(given, "_class_name", &name)
        && json_object_is_type(name, json_type_string))
        return json_object_get_string(name);
    if (!json_object_object_get_ex(given, "architectures", &list)
        || !json_object_is_type(list, json_type_array))
        return "";
    name = json_object_array_get_idx(list, 0);
    return json_object_is_type(name, json_type_string) ? json_object_get_string(name) : "";
}

static sumi_status choose_class(sumi_context *context, json_object *given, const char *source,
                                const struct encoder_classes *classes, bool *is_second)
{
    if (!json_object_is_type(given, json_type_object)) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: an encoder's config should be a JSON object, {...}", source);
    }
    const char *name = class_of(given), *second = classes->second;
    *is_second = second && strcmp(name, second) == 0;
    if (*is_second || strcmp(name, classes->first) == 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s: encoders of class \"%.80s\" are not supported; the supported class%s "
                        "\"%s\"%s%s%s",
                        source, name, second ? "es are" : " is", classes->first,
                        second ? " and \"" : "", second ? second : "", second ? "\"" : "");
}

sumi_status encoder_config_open(struct config *config, sumi_context *context, const char *json,
                                const char *source, const struct encoder_classes *classes,
                                bool *is_second)
{
    json_object *given = NULL;
    *is_second = false;
    TRY(json_parse(context, json, strlen(json), source, &given));
    sumi_status status = choose_class(context, given, source, classes, is_second);
    const char *class_name = *is_second ? classes->second : classes->first;
    if (status == SUMI_OK)
        status = config_open(config, context, given, source, class_name, classes->keys);
    json_object_put(given);
    return status;
}
