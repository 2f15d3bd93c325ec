/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of measurements; see stream.h. */
#include "stream.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "draws.h"
#include "interrupt.h"

enum { WORD_SIZE = 64 };

/* Reads the next word of standard input; returns its length, 0 at the end. */
static size_t read_word(char word[WORD_SIZE])
{
    size_t length = 0;
    int letter = getchar();
    while (letter != EOF && (isspace(letter) || letter == ',')) letter = getchar();
    for (; letter != EOF && !isspace(letter) && letter != ','; letter = getchar())
        if (length + 1 < WORD_SIZE) word[length++] = (char)letter;
    word[length] = '\0';
    return length;
}

/* Fills a block; *count is less than its size at the end of the input. */
static int read_block(sumi_array *block, int64_t *count)
{
    char word[WORD_SIZE], *end;
    int64_t size = sumi_array_count(block);
    for (*count = 0; *count < size && read_word(word); (*count)++) {
        double number = strtod(word, &end);
        if (*end || !isfinite(number))
            return fail(EXIT_FAILED, "standard input: \"%s\" is not a finite number", word);
        block->data[*count] = (float)number;
    }
    return EXIT_DONE;
}

static void print_item(const sumi_array *mean)
{
    int64_t channels = mean->rank > 2 ? mean->shape[mean->rank - 1] : 1;
    for (int64_t i = 0; i < sumi_array_count(mean); i++)
        printf("%.9g%c", (double)mean->data[i], (i + 1) % channels ? ',' : '\n');
    fflush(stdout);
}

static int restore_block(sumi_context *context, const struct sampling *sampling,
                         sumi_restorer *restorer, int64_t draws, const sumi_array *block)
{
    sumi_array drawn = {0};
    struct draws summary = {0};
    sumi_status status = sampling_restore(sampling, restorer, block, draws, &drawn);
    int code = status == SUMI_OK ? draws_summarise(context, &drawn, 1, &summary)
                                 : fail_argument(context, status);
    if (code == EXIT_DONE) print_item(&summary.mean);
    draws_release(context, &summary);
    sumi_array_release(context, &drawn);
    return code;
}

int stream_restore(sumi_context *context, const struct sampling *sampling,
                   const sumi_operator *linear, sumi_restorer *restorer, int64_t draws)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {1}, count = 0;
    int rank = 1 + sumi_operator_measured(linear, shape + 1);
    sumi_array block = {0};
    if (sumi_array_create(context, rank, shape, &block) != SUMI_OK) return fail_context(context);
    const int64_t size = sumi_array_count(&block);
    int code = read_block(&block, &count);
    interrupt_catch();
    while (code == EXIT_DONE && count == size) {
        code = restore_block(context, sampling, restorer, draws, &block);
        if (code == EXIT_DONE) code = read_block(&block, &count);
    }
    if (code == EXIT_DONE && count > 0)
        code = fail(EXIT_FAILED,
                    "standard input ends after %lld of the %lld numbers of a block; the blocks "
                    "before are restored",
                    (long long)count, (long long)size);
    sumi_array_release(context, &block);
    return code;
}
