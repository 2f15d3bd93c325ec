/* SPDX-License-Identifier: Apache-2.0 */
/* Running auto-encoders; see coding.h. */
#include "coding.h"

#include <math.h>

#include "print.h"

static sumi_status set_all(sumi_auto_encoder *auto_encoder, const struct coding_settings *settings)
{
    sumi_status status = SUMI_OK;
    if (settings->computing.precision)
        status = sumi_auto_encoder_set(auto_encoder, "precision", settings->computing.precision);
    if (status == SUMI_OK && settings->tile)
        status = sumi_auto_encoder_set(auto_encoder, "tile", settings->tile);
    if (status == SUMI_OK && settings->slices)
        status = sumi_auto_encoder_set(auto_encoder, "slices", "true");
    return status;
}

int coding_open(sumi_context *context, const struct coding_settings *settings, const char *folder,
                sumi_auto_encoder **auto_encoder)
{
    int code = computing_apply(context, &settings->computing);
    if (code != EXIT_DONE) return code;
    if (sumi_auto_encoder_open(context, folder, auto_encoder) != SUMI_OK)
        return fail_context(context);
    sumi_status status = set_all(*auto_encoder, settings);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(context, status);
}

double coding_psnr(double rms)
{
    return 20 * log10(2 / rms); /* the range of values is 2 */
}

struct difference coding_difference(const sumi_array *a, const sumi_array *b)
{
    struct difference difference = {0};
    int64_t count = sumi_array_count(a);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double one = fabs((double)a->data[i] - b->data[i]);
        if (one > difference.largest) difference.largest = one;
        sum += one * one;
    }
    difference.rms = sqrt(sum / (double)count);
    difference.psnr = coding_psnr(difference.rms);
    return difference;
}

void coding_add_difference(struct json_object *answer, const char *key,
                           const struct difference *difference)
{
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "largest", json_number(difference->largest));
    json_object_object_add(object, "rms", json_number(difference->rms));
    json_object_object_add(object, "psnr", json_number(difference->psnr));
    json_object_object_add(answer, key, object);
}
