/* SPDX-License-Identifier: Apache-2.0 */
/* A classifier composed and trained through the public header on real MNIST, and the samples of a
   model as it judges them. Skips, saying so, where MNIST or the model is not there. */
#include "classifier.h"
#include "check.h"
#include "real_data.h"

enum { TEST_IMAGES = 10000, SAMPLES = 500, CLASSES = 10, SIZE = 28 * 28, STEPS = 1406 };

static sumi_context *context;
static struct classifier *judge; /* NULL where there is no MNIST */
static char folder[4096];

/* Three times over all training images, in about a minute on one core. */
static int train_classifier(void **state)
{
    const struct classifier_plan plan = {.steps = STEPS};
    sumi_data *data = NULL;
    (void)state;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return -1;
    if (!find_real_data("mnist", "train-images-idx3-ubyte.gz", folder)
        && !find_real_data("mnist", "train-images-idx3-ubyte", folder))
        return 0;
    sumi_status status = mnist_open(context, folder, "train", &data);
    if (status == SUMI_OK) status = classifier_train(context, data, &plan, &judge);
    sumi_data_free(data);
    if (status == SUMI_OK) return 0;
    fprintf(stderr, "training the classifier: %s\n", sumi_context_message(context));
    return -1;
}

static int free_classifier(void **state)
{
    (void)state;
    classifier_free(judge);
    sumi_context_free(context);
    return 0;
}

/* The test images and their labels; free both. */
static float *read_test_images(int32_t **labels)
{
    sumi_data *data = NULL;
    CHECK_OK(context, mnist_open(context, folder, "test", &data));
    assert_int_equal(sumi_data_count(data), TEST_IMAGES);
    float *images = malloc((size_t)TEST_IMAGES * SIZE * sizeof *images);
    int64_t *indices = malloc(TEST_IMAGES * sizeof *indices);
    *labels = malloc(TEST_IMAGES * sizeof **labels);
    assert_true(images && indices && *labels);
    for (int64_t i = 0; i < TEST_IMAGES; i++) indices[i] = i;
    CHECK_OK(context, sumi_data_read(data, indices, TEST_IMAGES, images, *labels));
    free(indices);
    sumi_data_free(data);
    return images;
}

static void the_classifier_is_right_on_more_than_98_percent_of_the_test_images(void **state)
{
    (void)state;
    if (!judge) skip();
    int64_t right = 0;
    int32_t *labels = NULL;
    float *images = read_test_images(&labels);
    CHECK_OK(context, classifier_count_right(judge, TEST_IMAGES, images, labels, &right));
    fprintf(stderr, "%.2f %% of the test images are classified rightly\n", (double)right / 100.0);
    assert_true(right > 9800);
    free(images);
    free(labels);
}

static void it_is_confident_of_real_digits_but_not_of_noise(void **state)
{
    (void)state;
    if (!judge) skip();
    int32_t *labels = NULL;
    struct verdict real, noise;
    float *images = read_test_images(&labels);
    CHECK_OK(context, classifier_verdict(judge, TEST_IMAGES, images, &real));
    uint64_t random = 1;
    for (int i = 0; i < SAMPLES * SIZE; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        images[i] = (float)(random >> 40) / (float)(1 << 23) - 1;
    }
    CHECK_OK(context, classifier_verdict(judge, SAMPLES, images, &noise));
    fprintf(stderr, "confident of %.2f %% of real digits, and of %.1f %% of images of noise\n",
            100.0 * (double)real.confident / TEST_IMAGES,
            100.0 * (double)noise.confident / SAMPLES);
    assert_true(real.confident >= TEST_IMAGES * 95 / 100);
    assert_true(noise.confident <= SAMPLES / 10);
    free(images);
    free(labels);
}

static void samples_of_a_model_are_digits_of_every_class(void **state)
{
    (void)state;
    const char *path = getenv("SUMI_MNIST_MODEL");
    if (!path || !judge) {
        fprintf(stderr, "skipped: SUMI_MNIST_MODEL names no model folder, or there is no MNIST\n");
        skip();
    }
    sumi_model *model = NULL;
    sumi_array samples = {0};
    struct verdict verdict;
    CHECK_OK(context, sumi_model_open(context, path, &model));
    CHECK_OK(context, sumi_model_sample(model, NULL, SAMPLES, NULL, &samples));
    assert_int_equal(sumi_array_count(&samples), SAMPLES * SIZE);
    CHECK_OK(context, classifier_verdict(judge, SAMPLES, samples.data, &verdict));
    fprintf(stderr, "confident of %.1f %% of %d samples\n",
            100.0 * (double)verdict.confident / SAMPLES, SAMPLES);
    assert_true(verdict.confident >= SAMPLES * 85 / 100);
    for (int k = 0; k < CLASSES; k++) assert_true(verdict.of_class[k] > 0);
    sumi_array_release(context, &samples);
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_classifier_is_right_on_more_than_98_percent_of_the_test_images),
        cmocka_unit_test(it_is_confident_of_real_digits_but_not_of_noise),
        cmocka_unit_test(samples_of_a_model_are_digits_of_every_class),
    };
    return cmocka_run_group_tests(tests, train_classifier, free_classifier);
}
