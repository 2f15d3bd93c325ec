/* SPDX-License-Identifier: Apache-2.0 */
/* The usual data sets: where they are published, and their sums. Those of MNIST are of the unpacked
   contents, because mirrors compress them differently. */
#include <stdio.h>
#include <string.h>

#include "files/fetch.h"

#define MIB ((int64_t)1 << 20) /* bytes */
#define STALL_SECONDS 30

static const fetch_file mnist_files[] = {
    {"train-images-idx3-ubyte.gz", "6bbc9ace898e44ae57da46a324031adb", true, 64 * MIB, NULL, 0},
    {"train-labels-idx1-ubyte.gz", "a25bea736e30d166cdddb491f175f624", true, MIB, NULL, 0},
    {"t10k-images-idx3-ubyte.gz", "2646ac647ad5339dbf082846283269ea", true, 16 * MIB, NULL, 0},
    {"t10k-labels-idx1-ubyte.gz", "27ae3e4e09519cfbb04c329615203637", true, MIB, NULL, 0},
};

static const fetch_file fashion_mnist_files[] = {
    {"train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", false, 64 * MIB, NULL, 0},
    {"train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", false, MIB, NULL, 0},
    {"t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", false, 16 * MIB, NULL, 0},
    {"t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", false, MIB, NULL, 0},
};

/* 10,000 records of a label and 32 x 32 x 3 bytes each. */
#define CIFAR10_BATCH_SIZE ((int64_t)10000 * (1 + 3 * 32 * 32))
#define CIFAR10_FOLDER "cifar-10-batches-bin/"

static const archive_member cifar10_members[] = {
    {CIFAR10_FOLDER "data_batch_1.bin", "data_batch_1.bin", CIFAR10_BATCH_SIZE},
    {CIFAR10_FOLDER "data_batch_2.bin", "data_batch_2.bin", CIFAR10_BATCH_SIZE},
    {CIFAR10_FOLDER "data_batch_3.bin", "data_batch_3.bin", CIFAR10_BATCH_SIZE},
    {CIFAR10_FOLDER "data_batch_4.bin", "data_batch_4.bin", CIFAR10_BATCH_SIZE},
    {CIFAR10_FOLDER "data_batch_5.bin", "data_batch_5.bin", CIFAR10_BATCH_SIZE},
    {CIFAR10_FOLDER "test_batch.bin", "test_batch.bin", CIFAR10_BATCH_SIZE},
};

static const fetch_file cifar10_files[] = {
    {"cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", false, 256 * MIB,
     cifar10_members, sizeof cifar10_members / sizeof cifar10_members[0]},
};

static const fetch_file clip_vocabulary_files[] = {
    {"bpe_simple_vocab_16e6.txt.gz", "933b7abbbbde62c36f02f0e6ccde464f", false, 4 * MIB, NULL, 0},
};

#define NOTO "usr/share/fonts/truetype/noto/"
#define LOCALES "usr/share/unicode/cldr/common/"

static const archive_member noto_members[] = {
    {NOTO "NotoColorEmoji.ttf", "NotoColorEmoji.ttf", 10980856},
};

static const archive_member locale_members[] = {
    {LOCALES "annotations/en.xml", "annotations.xml", 260457},
    {LOCALES "annotationsDerived/en.xml", "annotations_derived.xml", 410192},
};

/* Debian 12's packages. */
static const fetch_file emoji_files[] = {
    {"f/fonts-noto-color-emoji/fonts-noto-color-emoji_2.042-0+deb12u1_all.deb",
     "1f2a6a36dea9a3149ddd236f137c3693", false, 16 * MIB, noto_members, 1},
    {"u/unicode-cldr-core/unicode-cldr-core_41-0.1_all.deb", "70f3e035d682e3b1afddd70ae715f2f0",
     false, 32 * MIB, locale_members, 2},
};

static const fetch_set sets[] = {
    {"mnist", "https://ossci-datasets.s3.amazonaws.com/mnist", mnist_files, 4, STALL_SECONDS, NULL},
    {"fashion-mnist", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
     fashion_mnist_files, 4, STALL_SECONDS, NULL},
    {"cifar10", "https://www.cs.toronto.edu/~kriz", cifar10_files, 1, STALL_SECONDS, NULL},
    {"clip-vocabulary", "https://raw.githubusercontent.com/openai/CLIP/main/clip",
     clip_vocabulary_files, 1, STALL_SECONDS, clip_vocabulary_make},
    {"emoji", "https://deb.debian.org/debian/pool/main", emoji_files, 2, STALL_SECONDS, emoji_make},
};
enum { SETS = sizeof sets / sizeof *sets };

void fetch_set_names(char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; i < SETS && length < size; i++) {
        const char *before = i == 0 ? "" : i == SETS - 1 ? " or " : ", ";
        length += (size_t)snprintf(text + length, size - length, "%s%s", before, sets[i].name);
    }
}

const fetch_set *fetch_find_set(const char *name)
{
    for (size_t i = 0; i < SETS; i++) {
        if (strcmp(sets[i].name, name) == 0) return &sets[i];
    }
    return NULL;
}
