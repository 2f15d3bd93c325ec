/* SPDX-License-Identifier: Apache-2.0 */
/* Linear operators: values by hand, the adjoint, the pseudo-inverse, linear systems, and what is
   refused. */
#include "inverse/operator.h"

#include "models/tiny.h"

static const int64_t picture[3] = {6, 8, 3}, signal[2] = {6, 1};
enum { PICTURE = 144 };

static const char *const names[] = {"blur:0.7",  "blur:2", "down:2",
                                    "bicubic:2", "grey",   "identity"};

static sumi_operator *make(scratch *room, const char *name, int rank, const int64_t *shape)
{
    sumi_operator *operator= NULL;
    CHECK_OK(room->context, sumi_operator_create(room->context, name, rank, shape, &operator));
    return operator;
}

/* Numbers without order. */
static void fill(int64_t count, double phase, float *x)
{
    for (int64_t i = 0; i < count; i++) x[i] = (float)sin(phase + 1.7 * (double)i);
}

static double product(int64_t count, const float *u, const float *v)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)u[i] * v[i];
    return sum;
}

static void means_of_squares_rows_and_channels_are_measured(void **state)
{
    scratch *room = *state;
    float x[PICTURE], y[PICTURE];
    int64_t shape[SUMI_MAX_RANK];
    fill(PICTURE, 0, x);
    sumi_operator *down = make(room, "down:2", 3, picture), *grey = make(room, "grey", 3, picture);
    assert_int_equal(sumi_operator_measured(down, shape), 3);
    assert_true(shape[0] == 3 && shape[1] == 4 && shape[2] == 3);
    CHECK_OK(room->context, sumi_operator_apply(down, 1, x, y));
    for (int i = 0; i < 36; i++) { /* row, column and channel of y */
        int row = i / 12, column = i / 3 % 4, at = (2 * row * 8 + 2 * column) * 3 + i % 3;
        CHECK_CLOSE(y[i], (x[at] + x[at + 3] + x[at + 24] + x[at + 27]) / 4.0, 1e-6);
    }
    CHECK_OK(room->context, sumi_operator_apply(grey, 1, x, y));
    for (int i = 0; i < 48; i++)
        CHECK_CLOSE(y[i], ((double)x[3 * i] + x[3 * i + 1] + x[3 * i + 2]) / 3, 1e-6);
    sumi_operator_free(down);
    sumi_operator_free(grey);
}

static void a_blur_is_the_gaussian_of_its_deviation(void **state)
{
    scratch *room = *state;
    static const int64_t length[2] = {41, 1};
    float x[41] = {0}, y[41];
    sumi_operator *blur = make(room, "blur:2", 2, length);
    x[20] = 1;
    CHECK_OK(room->context, sumi_operator_apply(blur, 1, x, y));
    double sum = 0, squares = 0;
    for (int i = 0; i < 41; i++) {
        sum += y[i];
        squares += y[i] * (i - 20.0) * (i - 20.0);
        if (abs(i - 20) < 8) CHECK_CLOSE(y[i] / y[20], exp(-(i - 20.0) * (i - 20.0) / 8), 1e-5);
    }
    CHECK_CLOSE(sum, 1, 1e-5);
    CHECK_CLOSE(squares, 4, 0.02);
    for (int i = 0; i < 41; i++) x[i] = 3; /* an even item stays, at the borders too */
    CHECK_OK(room->context, sumi_operator_apply(blur, 1, x, y));
    for (int i = 0; i < 41; i++) CHECK_CLOSE(y[i], 3, 1e-5);
    sumi_operator_free(blur);
}

static void the_adjoint_has_the_same_products(void **state)
{
    scratch *room = *state;
    float x[PICTURE], y[PICTURE], r[PICTURE], back[PICTURE];
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        sumi_operator *operator= make(room, names[n], 3, picture);
        fill(PICTURE, 1, x);
        fill(PICTURE, 2, r);
        CHECK_OK(room->context, sumi_operator_apply(operator, 1, x, y));
        CHECK_OK(room->context, sumi_operator_adjoint(operator, 1, r, back));
        CHECK_CLOSE(product(operator->measured_size, y, r), product(PICTURE, x, back), 1e-4);
        sumi_operator_free(operator);
    }
}

/* Penrose's conditions A A^+ A = A and A^+ A A^+ = A^+. */
static void the_pseudo_inverse_is_penroses(void **state)
{
    scratch *room = *state;
    float x[PICTURE], y[PICTURE], again[PICTURE], back[PICTURE], twice[PICTURE];
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        sumi_operator *operator= make(room, names[n], 3, picture);
        fill(PICTURE, 1, x);
        CHECK_OK(room->context, sumi_operator_apply(operator, 1, x, y));
        CHECK_OK(room->context, sumi_operator_inverse(operator, 1, y, back));
        CHECK_OK(room->context, sumi_operator_apply(operator, 1, back, again));
        CHECK_OK(room->context, sumi_operator_inverse(operator, 1, again, twice));
        for (int64_t i = 0; i < operator->measured_size; i++) CHECK_CLOSE(again[i], y[i], 1e-3);
        for (int i = 0; i < PICTURE; i++)
            CHECK_CLOSE(twice[i], back[i], 1e-3 * (1 + fabs(back[i])));
        sumi_operator_free(operator);
    }
}

/* ---- Operators of the caller ---- */

/* Differences of neighbours, [6] to [5]. */
static sumi_status differ(void *user, const float *x, float *y)
{
    (void)user;
    for (int i = 0; i < 5; i++) y[i] = x[i + 1] - x[i];
    return SUMI_OK;
}

static sumi_status differ_across(void *user, const float *y, float *x)
{
    (void)user;
    for (int i = 0; i < 6; i++) x[i] = (i > 0 ? y[i - 1] : 0) - (i < 5 ? y[i] : 0);
    return SUMI_OK;
}

static sumi_status break_off(void *user, const float *x, float *y)
{
    (void)user, (void)x, (void)y;
    return SUMI_ERROR_FORMAT;
}

/* The same matrix in a file. */
static void write_differences(scratch *room, const char *name)
{
    sumi_array matrix;
    CHECK_OK(room->context, sumi_array_create(room->context, 2, (int64_t[]){5, 6}, &matrix));
    for (int i = 0; i < 5; i++) {
        matrix.data[i * 6 + i] = -1;
        matrix.data[i * 6 + i + 1] = 1;
    }
    CHECK_OK(room->context, sumi_array_write(room->context, scratch_path(room, name), &matrix));
    sumi_array_release(room->context, &matrix);
}

static void functions_of_the_caller_and_their_matrix_are_the_same_operator(void **state)
{
    scratch *room = *state;
    const sumi_own_operator own = {
        .size = sizeof own, .measured = 5, .apply = differ, .adjoint = differ_across};
    sumi_operator *functions = NULL;
    char name[SCRATCH_PATH + 8];
    float x[6], y[2][5], back[2][6];
    double distance[2];
    write_differences(room, "d.npy");
    snprintf(name, sizeof name, "matrix:%s", scratch_path(room, "d.npy"));
    sumi_operator *matrix = make(room, name, 2, signal);
    CHECK_OK(room->context, sumi_operator_create_own(room->context, 2, signal, &own, &functions));
    fill(6, 0, x);
    sumi_operator *const both[] = {functions, matrix};
    for (int i = 0; i < 2; i++) {
        CHECK_OK(room->context, sumi_operator_apply(both[i], 1, x, y[i]));
        CHECK_OK(room->context, operator_solve(both[i], 0, 0.7, 0.04, y[i], back[i]));
        CHECK_OK(room->context, operator_distance(both[i], 0, 0.7, 0.04, y[i], &distance[i]));
    }
    for (int i = 0; i < 5; i++) CHECK_CLOSE(y[0][i], y[1][i], 1e-5);
    for (int i = 0; i < 6; i++) CHECK_CLOSE(back[0][i], back[1][i], 1e-4);
    CHECK_CLOSE(distance[0], distance[1], 1e-3);
    CHECK_FAILS(room->context, SUMI_ERROR_UNSUPPORTED, "has no pseudo-inverse",
                sumi_operator_inverse(functions, 1, y[0], back[0]));
    sumi_operator_free(functions);
    const sumi_own_operator broken = {
        .size = sizeof own, .measured = 5, .apply = break_off, .adjoint = break_off};
    CHECK_OK(room->context,
             sumi_operator_create_own(room->context, 2, signal, &broken, &functions));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "the operator",
                sumi_operator_apply(functions, 1, x, y[0]));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "the operator",
                sumi_operator_adjoint(functions, 1, y[0], x));
    sumi_operator_free(functions);
    sumi_operator_free(matrix);
}

/* ---- Masks ---- */

static void masks_keep_what_is_above_zero_each_for_its_item(void **state)
{
    scratch *room = *state;
    const float masks[12] = {1, 0, 0, -1, 2, 0, 0, 1, 0, 0, 0, 0};
    float x[18], y[18];
    sumi_operator *operator= NULL;
    CHECK_OK(room->context,
             sumi_operator_create_mask(room->context, 2, signal, 2, masks, &operator));
    fill(18, 0, x);
    CHECK_OK(room->context, sumi_operator_apply(operator, 3, x, y));
    for (int i = 0; i < 18; i++) CHECK_CLOSE(y[i], masks[i % 12] > 0 ? x[i] : 0, 0);
    assert_int_equal(operator_measures(operator, 0), 2);
    assert_int_equal(operator_measures(operator, 1), 1);
    sumi_operator_free(operator);
}

/* ---- Refusals ---- */

static void refuse(scratch *room, const char *name, int rank, const int64_t *shape,
                   sumi_status status, const char *part)
{
    sumi_operator *operator= NULL;
    CHECK_FAILS(room->context, status, part,
                sumi_operator_create(room->context, name, rank, shape, &operator));
    assert_null(operator);
}

static void operators_that_do_not_fit_are_refused(void **state)
{
    scratch *room = *state;
    static const struct {
        const char *name, *part;
    } cases[] = {{"blury:2", "did you mean \"blur\"?"},
                 {"blur", "is written blur:DEVIATION"},
                 {"blur:", "is written blur:DEVIATION"},
                 {"grey:2", "takes nothing after it"},
                 {"blur:-1", "a number of at least 0.01 after the colon, not \"-1\""},
                 {"blur:nan", "a number of at least"},
                 {"down:4", "needs a whole factor of the item's sizes, but dimension 0 is 6"},
                 {"down:1.5", "a number of at least 2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(room, cases[i].name, 3, picture, SUMI_ERROR_ARGUMENT, cases[i].part);
    refuse(room, NULL, 3, picture, SUMI_ERROR_ARGUMENT, "needs a name, not NULL");
    refuse(room, "grey", 2, signal, SUMI_ERROR_ARGUMENT, "two or more channels");
    refuse(room, "blur:1", 0, picture, SUMI_ERROR_ARGUMENT, "1 to 7 dimensions");
}

/* Writes `count` values to a file of a shape, and names it as a kind of operator. */
static const char *file_of(scratch *room, const char *kind, int rank, const int64_t *shape,
                           float value, char name[SCRATCH_PATH + 16])
{
    sumi_array array;
    CHECK_OK(room->context, sumi_array_create(room->context, rank, shape, &array));
    for (int64_t i = 0; i < sumi_array_count(&array); i++) array.data[i] = 1;
    array.data[sumi_array_count(&array) - 1] = value;
    if (value == 0) memset(array.data, 0, (size_t)sumi_array_count(&array) * sizeof(float));
    CHECK_OK(room->context, sumi_array_write(room->context, scratch_path(room, "f.npy"), &array));
    sumi_array_release(room->context, &array);
    snprintf(name, SCRATCH_PATH + 16, "%s:%s", kind, scratch_path(room, "f.npy"));
    return name;
}

static void files_of_the_wrong_size_or_with_nan_are_refused(void **state)
{
    scratch *room = *state;
    char name[SCRATCH_PATH + 16];
    refuse(room, file_of(room, "matrix", 2, (int64_t[]){3, 5}, 1, name), 2, signal,
           SUMI_ERROR_ARGUMENT, "has the shape [measured, 6], not [3, 5]");
    refuse(room, file_of(room, "matrix", 1, (int64_t[]){6}, 1, name), 2, signal,
           SUMI_ERROR_ARGUMENT, "has the shape [measured, 6]");
    refuse(room, file_of(room, "matrix", 2, (int64_t[]){3, 6}, NAN, name), 2, signal,
           SUMI_ERROR_NUMBER, "number 17 is not finite");
    refuse(room, file_of(room, "matrix", 2, (int64_t[]){3, 6}, 0, name), 2, signal,
           SUMI_ERROR_ARGUMENT, "is zero everywhere");
    refuse(room, file_of(room, "mask", 2, (int64_t[]){5, 1}, 1, name), 2, signal,
           SUMI_ERROR_ARGUMENT, "has 5 numbers; a mask has the shape of an item, with 6");
    refuse(room, file_of(room, "mask", 2, (int64_t[]){6, 1}, NAN, name), 2, signal,
           SUMI_ERROR_NUMBER, "number 5 is not finite");
    refuse(room, file_of(room, "mask", 2, (int64_t[]){6, 1}, 0, name), 2, signal,
           SUMI_ERROR_ARGUMENT, "keeps no number");
    refuse(room, "mask:/nowhere.npy", 2, signal, SUMI_ERROR_FILE, "/nowhere.npy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(means_of_squares_rows_and_channels_are_measured),
        SCRATCH_TEST(a_blur_is_the_gaussian_of_its_deviation),
        SCRATCH_TEST(the_adjoint_has_the_same_products),
        SCRATCH_TEST(the_pseudo_inverse_is_penroses),
        SCRATCH_TEST(functions_of_the_caller_and_their_matrix_are_the_same_operator),
        SCRATCH_TEST(masks_keep_what_is_above_zero_each_for_its_item),
        SCRATCH_TEST(operators_that_do_not_fit_are_refused),
        SCRATCH_TEST(files_of_the_wrong_size_or_with_nan_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
