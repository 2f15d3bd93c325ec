/* SPDX-License-Identifier: Apache-2.0 */
/* Binary heartbeats (Sohl-Dickstein et al. 2015, section 3.1.2): sequences of bits, -1 or 1, with a
   pulse at every fifth position. The position of the first pulse is the only information: log2(5) =
   2.322 bits per sequence. */
#include "base/philox.h"
#include "data/data.h"

enum { PERIOD = 5 };

const struct option data_heartbeat_keys[] = {
    {WHOLE_OPTION("data.bits", "20", 5, 1 << 16, "number of bits of a heartbeat"),
     .when = "data.kind=heartbeat"},
    {.name = NULL},
};

static sumi_status open_heartbeat(sumi_data *data, const sumi_recipe *recipe)
{
    philox_stream *stream = context_allocate(data->context, 1, sizeof *stream);
    if (!stream) return SUMI_ERROR_MEMORY;
    *stream = (philox_stream){recipe_seed(recipe, "data.seed"), PURPOSE_DATA, 5};
    data->source = stream;
    data->count = recipe_int(recipe, "data.count");
    data->rank = 1;
    data->shape[0] = recipe_int(recipe, "data.bits");
    data->classes = PERIOD;
    return SUMI_OK;
}

static sumi_status read_phase(sumi_data *data, int64_t index, int32_t *label)
{
    *label = (int32_t)philox_below(data->source, (uint64_t)index, PERIOD);
    return SUMI_OK;
}

static sumi_status read_heartbeat(sumi_data *data, int64_t index, float *item)
{
    int32_t phase = 0;
    TRY(read_phase(data, index, &phase));
    for (int64_t i = 0; i < data->shape[0]; i++) item[i] = i % PERIOD == phase ? 1 : -1;
    return SUMI_OK;
}

static void close_heartbeat(sumi_data *data)
{
    context_release(data->context, data->source);
}

const struct data_kind data_heartbeat = {.name = "heartbeat",
                                         .open = open_heartbeat,
                                         .read_floats = read_heartbeat,
                                         .read_label = read_phase,
                                         .close = close_heartbeat};
