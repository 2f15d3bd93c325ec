/* SPDX-License-Identifier: Apache-2.0 */
/* A program of someone else's, built against the installed library in C. */
#include <stdio.h>
#include <string.h>

#include <sumi.h>

int main(int count, char **arguments)
{
    sumi_context *context = NULL;
    sumi_array array = {0};
    const int64_t shape[] = {2, 3};
    if (count != 2 || strcmp(arguments[1], sumi_version()) != 0) return 1;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 1;
    if (sumi_array_create(context, 2, shape, &array) != SUMI_OK) {
        fputs(sumi_context_message(context), stderr);
        return 1;
    }
    printf("%s in C: %d numbers\n", sumi_version(), (int)sumi_array_count(&array));
    sumi_array_release(context, &array);
    sumi_context_free(context);
    return 0;
}
