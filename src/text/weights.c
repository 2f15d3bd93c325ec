/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the weights of a prompt; see prompt.h. */
#include <string.h>

#include "base/text.h"
#include "text/prompt.h"

enum { NUMBER_SIZE = 32, DEPTH_LIMIT = 32 };
static const double WEIGHT_LIMIT = 100;

struct reading {
    sumi_context *context;
    struct stretches *stretches;
    size_t length; /* of the text so far */
    const char *prompt;
    int32_t *close, *colon; /* of the '(' at each place of the prompt; -1 for none */
};

void stretches_release(sumi_context *context, struct stretches *stretches)
{
    context_release(context, stretches->text);
    context_release(context, stretches->items);
    *stretches = (struct stretches){.count = 0};
}

/* ---- Adding ---- */

static sumi_status grow(struct reading *reading)
{
    struct stretches *all = reading->stretches;
    if (all->count < all->capacity) return SUMI_OK;
    int64_t capacity = all->capacity ? 2 * all->capacity : 8;
    struct stretch *more = context_allocate(reading->context, (size_t)capacity, sizeof *more);
    if (!more) return SUMI_ERROR_MEMORY;
    if (all->count) memcpy(more, all->items, (size_t)all->count * sizeof *more);
    context_release(reading->context, all->items);
    all->items = more;
    all->capacity = capacity;
    return SUMI_OK;
}

/* Appends a character of the given weight to the last stretch, or to a new one. */
static sumi_status put(struct reading *reading, char character, double weight)
{
    struct stretches *all = reading->stretches;
    if (all->count == 0 || all->items[all->count - 1].weight != weight) {
        TRY(grow(reading));
        all->items[all->count++] = (struct stretch){reading->length, reading->length, weight};
    }
    all->text[reading->length++] = character;
    all->items[all->count - 1].end = reading->length;
    return SUMI_OK;
}

/* ---- Marks ---- */

static bool is_escaped(const char *text)
{
    return text[0] == '\\' && (text[1] == '(' || text[1] == ')');
}

/* Finds the ')' of each '(', and the last ':' between them that is in no other parentheses. `open`
   is memory for the places of those that are not closed yet. */
static void find_pairs(struct reading *reading, size_t size, int32_t *open)
{
    int64_t depth = 0;
    for (size_t at = 0; at < size; at++) reading->close[at] = reading->colon[at] = -1;
    for (size_t at = 0; at < size; at++) {
        char character = reading->prompt[at];
        if (is_escaped(reading->prompt + at)) at++;
        else if (character == '(') open[depth++] = (int32_t)at;
        else if (character == ')' && depth > 0) reading->close[open[--depth]] = (int32_t)at;
        else if (character == ':' && depth > 0) reading->colon[open[depth - 1]] = (int32_t)at;
    }
}

/* Reads the weight of the '(' at a place; false where it has none. */
static bool read_weight(const struct reading *reading, int32_t open, double *weight)
{
    char number[NUMBER_SIZE];
    int32_t close = reading->close[open], colon = reading->colon[open];
    return close >= 0 && colon >= 0
           && text_copy_trimmed(reading->prompt + colon + 1, reading->prompt + close, number,
                                sizeof number)
           && text_to_number(number, weight);
}

static sumi_status check_weight(const struct reading *reading, int32_t open, double weight)
{
    if (weight >= -WEIGHT_LIMIT && weight <= WEIGHT_LIMIT) return SUMI_OK;
    int length = reading->colon[open] - open - 1;
    return context_fail(reading->context, SUMI_ERROR_ARGUMENT,
                        "the prompt: a weight is from %g to %g, not %g, that of \"%.*s\"",
                        -WEIGHT_LIMIT, WEIGHT_LIMIT, weight, length < 60 ? length : 60,
                        reading->prompt + open + 1);
}

/* Reads the prompt from `at` to `end`, whose words have a weight already. */
static sumi_status read_part(struct reading *reading, int32_t at, int32_t end, double weight,
                             int depth)
{
    while (at < end) {
        double own = 1;
        if (reading->prompt[at] == '(' && depth < DEPTH_LIMIT && read_weight(reading, at, &own)) {
            TRY(check_weight(reading, at, weight * own));
            TRY(read_part(reading, at + 1, reading->colon[at], weight * own, depth + 1));
            at = reading->close[at] + 1;
            continue;
        }
        if (is_escaped(reading->prompt + at)) at++;
        TRY(put(reading, reading->prompt[at++], weight));
    }
    return SUMI_OK;
}

static sumi_status read_whole(struct reading *reading, size_t size)
{
    sumi_context *context = reading->context;
    int32_t *open = context_allocate(context, size, sizeof *open);
    reading->close = context_allocate(context, size, sizeof *reading->close);
    reading->colon = context_allocate(context, size, sizeof *reading->colon);
    sumi_status status = SUMI_ERROR_MEMORY;
    if (open && reading->close && reading->colon) {
        find_pairs(reading, size, open);
        status = read_part(reading, 0, (int32_t)size, 1, 0);
    }
    context_release(context, open);
    context_release(context, reading->close);
    context_release(context, reading->colon);
    return status;
}

sumi_status stretches_read(sumi_context *context, const char *prompt, struct stretches *stretches)
{
    struct reading reading = {.context = context, .stretches = stretches, .prompt = prompt};
    size_t size = strlen(prompt);
    *stretches = (struct stretches){.count = 0};
    if (size > UNICODE_TEXT_LIMIT) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the prompt: a text of %zu bytes is too long; the longest has %zu",
                            size, UNICODE_TEXT_LIMIT);
    }
    stretches->text = context_allocate(context, size + 1, 1);
    sumi_status status = stretches->text ? read_whole(&reading, size) : SUMI_ERROR_MEMORY;
    if (status != SUMI_OK) stretches_release(context, stretches);
    return status;
}
