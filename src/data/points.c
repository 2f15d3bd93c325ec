/* SPDX-License-Identifier: Apache-2.0 */
/* Points in the plane inside [-1, 1]: a swiss roll, two moons, a ring of eight Gaussians, a
   checkerboard, two rings, with noise of a given deviation if the recipe asks for it. */
#include <math.h>

#include "base/philox.h"
#include "data/data.h"

#define PI 3.14159265358979323846

enum { GAUSSIANS = 8 };

const struct option data_points_keys[] = {
    {NUMBER_OPTION("data.noise", "0", 0, 10,
                   "standard deviation of noise that is added to generated items"),
     .when = "data.kind=morlet|swissroll|moons|gaussians|checkerboard|rings"},
    {.name = NULL},
};

struct points_source {
    philox_stream stream, noise_stream;
    double noise; /* standard deviation */
};

static sumi_status open_points(sumi_data *data, const sumi_recipe *recipe, int classes)
{
    struct points_source *source = context_allocate(data->context, 1, sizeof *source);
    if (!source) return SUMI_ERROR_MEMORY;
    data->source = source;
    uint64_t seed = recipe_seed(recipe, "data.seed");
    source->stream = (philox_stream){seed, PURPOSE_DATA, 3};
    source->noise_stream = (philox_stream){seed, PURPOSE_DATA, 4};
    source->noise = recipe_number(recipe, "data.noise");
    data->count = recipe_int(recipe, "data.count");
    data->rank = 1;
    data->shape[0] = 2;
    data->classes = classes;
    return SUMI_OK;
}

static void close_points(sumi_data *data)
{
    context_release(data->context, data->source);
}

static double share(const struct points_source *source, int64_t index)
{
    return philox_uniform(&source->stream, (uint64_t)index);
}

static void finish_point(const struct points_source *source, int64_t index, double x, double y,
                         float *item)
{
    float noise[2];
    philox_normal(&source->noise_stream, (uint64_t)index * 2, 2, noise);
    item[0] = (float)(x + source->noise * noise[0]);
    item[1] = (float)(y + source->noise * noise[1]);
}

static sumi_status open_unlabelled(sumi_data *data, const sumi_recipe *recipe)
{
    return open_points(data, recipe, 0);
}

/* One and a half turns of the spiral r = angle, scaled to end at 1. */
static sumi_status read_swissroll(sumi_data *data, int64_t index, float *item)
{
    const struct points_source *source = data->source;
    double angle = PI * (1.5 + 3 * share(source, index)), radius = angle / (4.5 * PI);
    finish_point(source, index, radius * cos(angle), radius * sin(angle), item);
    return SUMI_OK;
}

static sumi_status open_in_two(sumi_data *data, const sumi_recipe *recipe)
{
    return open_points(data, recipe, 2);
}

static sumi_status read_class(sumi_data *data, int64_t index, int32_t *label)
{
    *label = (int32_t)(index % data->classes);
    return SUMI_OK;
}

/* Two half circles of radius 2/3, each with an end inside the other. */
static sumi_status read_moons(sumi_data *data, int64_t index, float *item)
{
    const struct points_source *source = data->source;
    double angle = PI * share(source, index), side = index % 2 ? -1 : 1;
    double x = side * (cos(angle) - 0.5), y = side * (sin(angle) - 0.25);
    finish_point(source, index, x / 1.5, y / 1.5, item);
    return SUMI_OK;
}

static sumi_status open_gaussians(sumi_data *data, const sumi_recipe *recipe)
{
    return open_points(data, recipe, GAUSSIANS);
}

/* Standard deviation 0.05 around eight points on a circle of radius 0.75. */
static sumi_status read_gaussians(sumi_data *data, int64_t index, float *item)
{
    const struct points_source *source = data->source;
    double angle = 2 * PI * (double)(index % GAUSSIANS) / GAUSSIANS;
    float spread[2];
    philox_normal(&source->stream, (uint64_t)index * 2, 2, spread);
    finish_point(source, index, 0.75 * cos(angle) + 0.05 * spread[0],
                 0.75 * sin(angle) + 0.05 * spread[1], item);
    return SUMI_OK;
}

/* Uniform over the eight dark squares of a four by four board. */
static sumi_status read_checkerboard(sumi_data *data, int64_t index, float *item)
{
    const struct points_source *source = data->source;
    int row = (int)(index % 8) / 2, column = 2 * (int)(index % 2) + row % 2;
    double across = philox_uniform(&source->stream, (uint64_t)index * 2);
    double up = philox_uniform(&source->stream, (uint64_t)index * 2 + 1);
    finish_point(source, index, (column + across) / 2 - 1, (row + up) / 2 - 1, item);
    return SUMI_OK;
}

/* Circles of radius 1/2 and 1. */
static sumi_status read_rings(sumi_data *data, int64_t index, float *item)
{
    const struct points_source *source = data->source;
    double angle = 2 * PI * share(source, index), radius = index % 2 ? 0.5 : 1;
    finish_point(source, index, radius * cos(angle), radius * sin(angle), item);
    return SUMI_OK;
}

const struct data_kind data_swissroll = {.name = "swissroll",
                                         .open = open_unlabelled,
                                         .read_floats = read_swissroll,
                                         .close = close_points};
const struct data_kind data_moons = {.name = "moons",
                                     .open = open_in_two,
                                     .read_floats = read_moons,
                                     .read_label = read_class,
                                     .close = close_points};
const struct data_kind data_gaussians = {.name = "gaussians",
                                         .open = open_gaussians,
                                         .read_floats = read_gaussians,
                                         .read_label = read_class,
                                         .close = close_points};
const struct data_kind data_checkerboard = {.name = "checkerboard",
                                            .open = open_unlabelled,
                                            .read_floats = read_checkerboard,
                                            .close = close_points};
const struct data_kind data_rings = {.name = "rings",
                                     .open = open_in_two,
                                     .read_floats = read_rings,
                                     .read_label = read_class,
                                     .close = close_points};
