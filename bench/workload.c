/* SPDX-License-Identifier: Apache-2.0 */
/* Sumi's side of the workloads of `make bench`: a process that creates a model, reads commands on
   standard input, and answers each with one line on standard output. It uses only the public
   header.

   workload FOLDER [--forward] [--outputs N] [--precision NAME] [--threads N] RECIPE
            [section.key=value ...]

   FOLDER receives the model (or has it already), so that the peer can open the same weights.
   --outputs N is the number of channels of a result, where it is not that of an item. For the
   commands see side.h; `check N` writes x.npy, times.npy and output.npy to FOLDER, and answers with
   the loss mean(output^2) and, without --forward, the norm of its gradient by all weights. Item i
   is of class (7 i + 3) modulo the number of classes, and a text has 77 tokens, the states of which
   are sin(0.37 k) for the k-th of all their numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "side.h"

enum { PATH_ROOM = 4096 };

struct workload {
    sumi_context *context;
    const char *folder;
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;
    sumi_session *session;
    sumi_trainer *trainer;  /* NULL for evaluations */
    int64_t batch, outputs; /* outputs: channels of a result; 0 for those of an item */
    sumi_array x, output;   /* [batch, item] */
    float *times;           /* [batch] */
};

/* ---- Preparing ---- */

/* Opens the model of the folder, or creates one there. */
static sumi_status open_model(struct workload *w)
{
    char path[PATH_ROOM];
    struct stat about;
    snprintf(path, sizeof path, "%s/model_index.json", w->folder);
    sumi_status status;
    if (stat(path, &about) == 0) {
        status = sumi_model_open(w->context, w->folder, &w->model);
    } else {
        status = sumi_model_create_from_recipe(w->context, w->recipe, w->data, &w->model);
        if (status == SUMI_OK) status = sumi_model_save(w->model, w->folder);
    }
    if (status == SUMI_OK) status = sumi_session_create(w->context, w->model, &w->session);
    const char *precision = sumi_recipe_get(w->recipe, "train.precision");
    return status == SUMI_OK ? sumi_session_set(w->session, "precision", precision) : status;
}

/* Fills x[count, item] from the data, and times spread over the schedule. */
static sumi_status fill_inputs(struct workload *w, int64_t count, sumi_array *x, float *times)
{
    int64_t steps = atoll(sumi_recipe_get(w->recipe, "noise.steps"));
    int64_t size = sumi_array_count(x) / count;
    sumi_status status = SUMI_OK;
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        int64_t index = i % sumi_data_count(w->data);
        times[i] = (float)((i * 677 + 17) % steps);
        status = sumi_data_read(w->data, &index, 1, x->data + i * size, NULL);
    }
    return status;
}

static sumi_status create_items(const struct workload *w, int64_t count, sumi_array *items)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {count};
    int rank = 1 + sumi_model_shape(w->model, shape + 1);
    return sumi_array_create(w->context, rank, shape, items);
}

static sumi_status create_results(const struct workload *w, int64_t count, sumi_array *results)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {count};
    int rank = 1 + sumi_model_shape(w->model, shape + 1);
    if (w->outputs) shape[rank - 1] = w->outputs;
    return sumi_array_create(w->context, rank, shape, results);
}

/* Sets an input of whole numbers: the class of each of `count` items. */
static sumi_status set_integers(sumi_condition *condition, const sumi_input *input, int64_t count)
{
    int32_t *labels = calloc((size_t)count, sizeof *labels);
    if (!labels) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++)
        labels[i] = (int32_t)((7 * i + 3) % (input->limit ? input->limit : INT32_MAX));
    sumi_status status = sumi_condition_set_integers(condition, input->name, 1, &count, labels);
    free(labels);
    return status;
}

/* Sets an input of numbers, the open sizes of which are those of a text. */
static sumi_status set_numbers(sumi_condition *condition, const sumi_input *input, int64_t count)
{
    enum { TOKENS = 77 };
    int64_t shape[SUMI_MAX_RANK] = {count}, size = count;
    for (int i = 1; i < input->rank; i++) {
        shape[i] = input->shape[i] ? input->shape[i] : TOKENS;
        size *= shape[i];
    }
    float *numbers = calloc((size_t)size, sizeof *numbers);
    if (!numbers) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < size; i++) numbers[i] = (float)sin(0.37 * (double)i);
    sumi_status status = sumi_condition_set(condition, input->name, input->rank, shape, numbers);
    free(numbers);
    return status;
}

/* Sets what the network takes beside x and times, for `count` items. */
static sumi_status set_condition(const struct workload *w, int64_t count)
{
    sumi_condition *condition = NULL;
    sumi_input input = {.size = sizeof input};
    sumi_status status = sumi_condition_create(w->context, &condition);
    bool any = false;
    for (int i = 2; status == SUMI_OK && sumi_model_input(w->model, i, &input); i++) {
        if (input.optional) continue;
        any = true;
        status = input.element == SUMI_INT32 ? set_integers(condition, &input, count)
                                             : set_numbers(condition, &input, count);
    }
    if (status == SUMI_OK && any) status = sumi_session_set_condition(w->session, condition);
    sumi_condition_free(condition);
    return status;
}

static sumi_status prepare_inputs(struct workload *w)
{
    w->times = calloc((size_t)w->batch, sizeof *w->times);
    if (!w->times) return SUMI_ERROR_MEMORY;
    sumi_status status = create_items(w, w->batch, &w->x);
    if (status == SUMI_OK) status = create_results(w, w->batch, &w->output);
    if (status == SUMI_OK) status = set_condition(w, w->batch);
    return status == SUMI_OK ? fill_inputs(w, w->batch, &w->x, w->times) : status;
}

static sumi_status prepare(struct workload *w, const struct side_options *a)
{
    w->folder = a->folder;
    w->outputs = a->outputs;
    sumi_status status = side_open_recipe(w->context, a, &w->recipe);
    if (status == SUMI_OK) w->batch = atoll(sumi_recipe_get(w->recipe, "train.batch"));
    if (status == SUMI_OK) status = sumi_data_open(w->context, w->recipe, &w->data);
    if (status == SUMI_OK) status = open_model(w);
    if (status == SUMI_OK && a->precision)
        status = sumi_session_set(w->session, "precision", a->precision);
    if (status != SUMI_OK) return status;
    if (a->forward) return prepare_inputs(w);
    return sumi_trainer_create(w->context, w->recipe, w->model, w->data, &w->trainer);
}

static void release(struct workload *w)
{
    sumi_array_release(w->context, &w->x);
    sumi_array_release(w->context, &w->output);
    free(w->times);
    sumi_trainer_free(w->trainer);
    sumi_session_free(w->session);
    sumi_model_free(w->model);
    sumi_data_free(w->data);
    sumi_recipe_free(w->recipe);
    sumi_context_free(w->context);
}

/* ---- Commands ---- */

static sumi_status write_array(const struct workload *w, const char *name, const sumi_array *array)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    return sumi_array_write(w->context, path, array);
}

/* Allocates the gradient of every weight; returns the number of weights, -1 if memory runs out. */
static int64_t make_gradients(const struct workload *w, float ***gradients)
{
    int64_t count = 0;
    sumi_weight weight = {.size = sizeof weight};
    while (sumi_model_weight(w->model, count, &weight)) count++;
    *gradients = calloc((size_t)count + 1, sizeof **gradients);
    for (int64_t i = 0; *gradients && i < count; i++) {
        sumi_model_weight(w->model, i, &weight);
        size_t size = 1;
        for (int k = 0; k < weight.rank; k++) size *= (size_t)weight.shape[k];
        if (!weight.trainable) continue;
        (*gradients)[i] = malloc(size * sizeof(float));
        if (!(*gradients)[i]) return -1;
    }
    return *gradients ? count : -1;
}

static double norm_of(const struct workload *w, int64_t count, float **gradients)
{
    double sum = 0;
    sumi_weight weight = {.size = sizeof weight};
    for (int64_t i = 0; i < count; i++) {
        sumi_model_weight(w->model, i, &weight);
        int64_t size = 1;
        for (int k = 0; k < weight.rank; k++) size *= weight.shape[k];
        for (int64_t k = 0; gradients[i] && k < size; k++)
            sum += (double)gradients[i][k] * gradients[i][k];
    }
    return sqrt(sum);
}

/* The norm of the loss's gradient, by the session's condition. */
static sumi_status find_norm(struct workload *w, int64_t count, const sumi_array *x,
                             const sumi_array *times, double *norm)
{
    float **gradients = NULL;
    double loss = 0;
    int64_t weights = make_gradients(w, &gradients);
    sumi_status status = weights < 0 ? SUMI_ERROR_MEMORY : SUMI_OK;
    if (status == SUMI_OK)
        status = sumi_session_gradient(w->session, count, x->data, times->data, &loss, gradients);
    if (status == SUMI_OK) *norm = norm_of(w, weights, gradients);
    for (int64_t i = 0; i < weights; i++) free(gradients[i]);
    free(gradients);
    return status;
}

static double mean_of_squares(const sumi_array *array)
{
    const int64_t count = sumi_array_count(array);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)array->data[i] * array->data[i];
    return sum / (double)count;
}

static sumi_status check_with(struct workload *w, int64_t count, sumi_array *x, sumi_array *output,
                              sumi_array *times)
{
    double norm = 0;
    sumi_status status = create_items(w, count, x);
    if (status == SUMI_OK) status = create_results(w, count, output);
    if (status == SUMI_OK) status = set_condition(w, count);
    if (status == SUMI_OK) status = sumi_array_create(w->context, 1, &count, times);
    if (status == SUMI_OK) status = fill_inputs(w, count, x, times->data);
    if (status == SUMI_OK)
        status = sumi_session_predict(w->session, count, x->data, times->data, output->data);
    if (status == SUMI_OK && w->trainer) status = find_norm(w, count, x, times, &norm);
    if (status == SUMI_OK) status = write_array(w, "x.npy", x);
    if (status == SUMI_OK) status = write_array(w, "times.npy", times);
    if (status == SUMI_OK) status = write_array(w, "output.npy", output);
    if (status != SUMI_OK) return status;
    printf("check %.9g", mean_of_squares(output));
    if (w->trainer) printf(" %.9g", norm);
    putchar('\n');
    return SUMI_OK;
}

static sumi_status check(void *user, int64_t count)
{
    struct workload *w = user;
    sumi_array x = {0}, output = {0}, times = {0};
    sumi_status status = check_with(w, count, &x, &output, &times);
    if (status == SUMI_OK) status = set_condition(w, w->batch);
    sumi_array_release(w->context, &x);
    sumi_array_release(w->context, &output);
    sumi_array_release(w->context, &times);
    return status;
}

static sumi_status run_once(void *user)
{
    struct workload *w = user;
    if (w->trainer) return sumi_trainer_step(w->trainer, NULL);
    return sumi_session_predict(w->session, w->batch, w->x.data, w->times, w->output.data);
}

int main(int argc, char **argv)
{
    struct workload w = {.context = NULL};
    struct side_options options;
    if (!side_read_options(argc, argv, &options)) return 2;
    if (side_create_context(&options, &w.context) != SUMI_OK) return side_fail(NULL, "context");
    const struct subject subject = {w.context, &w, run_once, check};
    int code =
        prepare(&w, &options) == SUMI_OK ? side_answer(&subject) : side_fail(w.context, "prepare");
    release(&w);
    return code;
}
