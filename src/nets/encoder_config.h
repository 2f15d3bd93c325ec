/* SPDX-License-Identifier: Apache-2.0 */
/* The config.json of an encoder of the transformers library, which names its class in
   "architectures". */
#ifndef SUMI_NETS_ENCODER_CONFIG_H
#define SUMI_NETS_ENCODER_CONFIG_H

#include "nets/config.h"

/* The classes that read one table of keys; `second` may be NULL. */
struct encoder_classes {
    const char *first, *second;
    const struct config_key *keys;
};

/* Opens the text of a config.json of one of the classes; *is_second receives which. `source` names
   it in messages. The caller closes `config`. */
sumi_status encoder_config_open(struct config *config, sumi_context *context, const char *json,
                                const char *source, const struct encoder_classes *classes,
                                bool *is_second);

#endif
