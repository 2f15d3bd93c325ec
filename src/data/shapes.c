/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes of plain objects as a data set: square pictures, whose class is the kind and the colour of
   the largest object. */
#include "data/data.h"
#include "data/scene.h"

const struct option data_shapes_keys[] = {
    {CHOICE_OPTION("data.size", "32", "32|64|128", "height and width of a scene, in pixels"),
     .when = "data.kind=shapes"},
    {WHOLE_OPTION("data.objects", "4", 1, SCENE_OBJECTS, "largest number of objects in a scene"),
     .when = "data.kind=shapes"},
    {.name = NULL},
};

struct shapes_source {
    uint64_t seed;
    int objects; /* the most in a scene */
};

static sumi_status open_shapes(sumi_data *data, const sumi_recipe *recipe)
{
    struct shapes_source *source = context_allocate(data->context, 1, sizeof *source);
    char name[SCENE_NAME];
    if (!source) return SUMI_ERROR_MEMORY;
    *source = (struct shapes_source){.seed = recipe_seed(recipe, "data.seed"),
                                     .objects = (int)recipe_int(recipe, "data.objects")};
    data->source = source;
    data->count = recipe_int(recipe, "data.count");
    data->rank = 3;
    data->shape[0] = data->shape[1] = recipe_int(recipe, "data.size");
    data->shape[2] = 3;
    data->classes = SCENE_CLASSES;
    for (int i = 0; i < SCENE_CLASSES; i++) {
        scene_class_name(i, name);
        TRY(names_set(data->context, &data->class_names, i, name));
    }
    return SUMI_OK;
}

static void describe(const sumi_data *data, int64_t index, struct scene *scene)
{
    const struct shapes_source *source = data->source;
    scene_describe(source->seed, index, source->objects, data->shape[0], data->shape[1], scene);
}

static sumi_status read_scene(sumi_data *data, int64_t index, uint8_t *item)
{
    struct scene scene;
    describe(data, index, &scene);
    scene_draw(&scene, data->shape[0], data->shape[1], item);
    return SUMI_OK;
}

static sumi_status read_scene_label(sumi_data *data, int64_t index, int32_t *label)
{
    struct scene scene;
    describe(data, index, &scene);
    *label = scene_class(&scene);
    return SUMI_OK;
}

/* A scene has no size of its own; its aspect ratio is drawn, from 1:2 to 2:1. */
static sumi_status measure_scene(sumi_data *data, int64_t index, int64_t size[2])
{
    const struct shapes_source *source = data->source;
    scene_aspect(source->seed, index, size);
    return SUMI_OK;
}

static void close_shapes(sumi_data *data)
{
    context_release(data->context, data->source);
}

const struct data_kind data_shapes = {.name = "shapes",
                                      .open = open_shapes,
                                      .read_bytes = read_scene,
                                      .read_label = read_scene_label,
                                      .measure = measure_scene,
                                      .close = close_shapes};
