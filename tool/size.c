/* SPDX-License-Identifier: Apache-2.0 */
/* The size of a model's items; see size.h. */
#include "size.h"

#include "sampling.h"

#include <string.h>

bool size_is_open(const sumi_model *model)
{
    int64_t shape[SUMI_MAX_RANK];
    int rank = sumi_model_shape(model, shape);
    for (int i = 0; i < rank; i++) {
        if (shape[i] == 0) return true;
    }
    return false;
}

/* Reads a whole number of at most seven digits at the start of `text`; returns the text after it,
   or NULL. */
static const char *read_side(const char *text, int64_t *side)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 7) return NULL;
    *side = 0;
    for (size_t i = 0; i < digits; i++) *side = 10 * *side + (text[i] - '0');
    return text + digits;
}

/* The size of a picture becomes that of its latents, in a model over latents. */
static int divide(sumi_context *context, const char *command, const sumi_model *model, int count,
                  int64_t *sides)
{
    int64_t factor = sampling_factor(context, model);
    for (int i = 0; i < count; i++) {
        if (sides[i] % factor)
            return fail(EXIT_USAGE,
                        "%s: the sides of this model's pictures are multiples of %lld, not %lld",
                        command, (long long)factor, (long long)sides[i]);
        sides[i] /= factor;
    }
    return EXIT_DONE;
}

int size_set(sumi_context *context, const char *command, sumi_model *model, const char *size)
{
    int64_t sides[2], shape[SUMI_MAX_RANK];
    int count = sumi_model_shape(model, shape) - 1, given = 1;
    if (!size) return EXIT_DONE;
    const char *rest = read_side(size, &sides[0]);
    sides[1] = sides[0]; /* a square */
    if (rest && rest[0] == 'x') {
        rest = read_side(rest + 1, &sides[1]);
        given = 2;
    }
    if (!rest || rest[0] || count < 1 || count < given) {
        return fail(EXIT_USAGE, "%s: --size is %s, not '%.60s'", command,
                    count == 2   ? "HEIGHTxWIDTH of a picture, such as 32x48"
                    : count == 1 ? "the length of a signal"
                                 : "for models of pictures and signals",
                    size);
    }
    int code = divide(context, command, model, count, sides);
    if (code != EXIT_DONE) return code;
    sumi_status status = sumi_model_set_size(model, count, sides);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(context, status);
}

int size_adopt(sumi_context *context, sumi_model *model, const char *path, const sumi_data *data)
{
    int64_t shape[SUMI_MAX_RANK], own[SUMI_MAX_RANK];
    int rank = sumi_data_shape(data, shape);
    if (!size_is_open(model) || rank != sumi_model_shape(model, own)) return EXIT_DONE;
    if (sumi_model_set_size(model, rank - 1, shape) == SUMI_OK) return EXIT_DONE;
    return fail(EXIT_FAILED, "%s: %s", path, sumi_context_message(context));
}

int size_check(const char *command, const sumi_model *model)
{
    if (!size_is_open(model)) return EXIT_DONE;
    return fail(EXIT_USAGE,
                "%s: the model's config.json has no \"sample_size\"; give the size with --size %s",
                command, sumi_model_kind(model) == SUMI_PICTURE ? "HxW" : "LENGTH");
}
