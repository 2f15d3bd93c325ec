/* SPDX-License-Identifier: Apache-2.0 */
/* Classes by name: --label of a model that was trained on a folder of pictures. */
#include "running.h"

/* Pictures in folders, the names of the classes, and a model trained on them for a step. */
#define FOLDERS                                                                                    \
    "sumi train digits --threads 1 -q --set train.steps=1 --set train.batch=2 --set "              \
    "data.count=8 --set model.channels=8 --set sample.count=2 --set sample.solver=ddim "           \
    "--set sample.steps=2 --out plain\n"                                                           \
    "mkdir -p set/cat set/dog 'set/tench, Tinca' set/10\n"                                         \
    "for place in set/*; do cp plain/samples.png \"$place\"/1.png; done\n"                         \
    "sumi train digits --threads 1 -q --set data.kind=folder data.path=set data.width=8 "          \
    "data.height=8 data.channels=1 data.labels=yes model.class_conditional=yes model.channels=8 "  \
    "train.steps=1 train.batch=2 sample.solver=ddim sample.steps=2 sample.count=2 --out pets\n"

#define SAMPLE "sumi sample pets -n 4 -q "

static void classes_of_folders_are_called_by_their_names(void **state)
{
    place *here = *state;
    run(here, FOLDERS SAMPLE "--label cat dog -o a.npy && " SAMPLE "--label 1,2,1,2 -o b.npy && "
                             "cmp a.npy b.npy && " SAMPLE "--label cat --label 2 -o c.npy && "
                             "cmp a.npy c.npy && " SAMPLE "-o d.npy --label cat && "
                             "! cmp -s a.npy d.npy");
    CHECK_DONE(here);
    run(here, "sumi info pets");
    CHECK_HOLDS(here->out, "class_names\n  0                           10\n");
    CHECK_HOLDS(here->out, "  1                           cat\n");
    run(here, "sumi info pets --json");
    CHECK_HOLDS(here->out, "\"class_names\": {");
    CHECK_HOLDS(here->out, "\"3\": \"tench, Tinca\"");
}

static void the_exact_likelihood_takes_the_classes_of_an_option(void **state)
{
    place *here = *state;
    run(here, FOLDERS "sumi likelihood pets --exact -n 2 --label cat --json >a && "
                      "sumi likelihood pets --exact -n 2 --label 1 --json >b && cmp a b && "
                      "sumi likelihood pets --exact -n 2 --label dog --json >c && ! cmp -s a c");
    CHECK_DONE(here);
    run(here, "sumi likelihood pets --label cat");
    CHECK_FAILED(here, 2,
                 "sumi: likelihood: the bound takes the classes of the data, not --label; --exact "
                 "does");
}

/* The folder "10" is class 0; there is no class of number 10. A comma may belong to a name. */
static void names_come_before_numbers_and_may_hold_commas(void **state)
{
    place *here = *state;
    run(here, FOLDERS SAMPLE "--label 10 -o a.npy && " SAMPLE "--label 0 -o b.npy && "
                             "cmp a.npy b.npy && " SAMPLE "--label 'tench, Tinca' -o a.npy && "
                             "" SAMPLE "--label 3 -o b.npy && cmp a.npy b.npy && "
                             "" SAMPLE "--label Tinca -o c.npy && cmp a.npy c.npy");
    CHECK_DONE(here);
}

static void every_command_with_labels_accepts_names(void **state)
{
    place *here = *state;
    run(here,
        FOLDERS "sumi sample pets -n 2 --label dog -q -o two.npy && "
                "sumi invert pets -i two.npy --label dog --steps 2 -q -o a.npy && "
                "sumi invert pets -i two.npy --label 2 --steps 2 -q -o b.npy && cmp a.npy b.npy && "
                "sumi interpolate pets -n 1 --frames 2 --label cat dog --steps 2 -q -o a.npy && "
                "sumi interpolate pets -n 1 --frames 2 --label 1 2 --steps 2 -q -o b.npy && "
                "cmp a.npy b.npy && "
                "sumi inpaint pets -i two.npy --keep left --label dog --steps 2 -q -o a.npy && "
                "sumi inpaint pets -i two.npy --keep left --label 2 --steps 2 -q -o b.npy && "
                "cmp a.npy b.npy && "
                "sumi denoise pets -i two.npy --label dog --steps 2 -q -o a.png && "
                "sumi denoise pets -i two.npy --label 2 --steps 2 -q -o b.png && cmp a.png b.png");
    CHECK_DONE(here);
}

static void a_name_that_is_none_is_refused_with_the_nearest(void **state)
{
    place *here = *state;
    run(here, FOLDERS "sumi sample pets -q -o a.npy --label cta");
    CHECK_FAILED(here, 2, "sumi: sample: there is no class 'cta'; did you mean 'cat'?");
    run(here, "sumi sample pets -q -o a.npy --label cat,elephant");
    CHECK_FAILED(here, 2,
                 "sumi: sample: there is no class 'elephant'; `sumi info` lists their names");
    run(here, "sumi sample pets -q -o a.npy --label 7");
    CHECK_FAILED(here, 2, "sumi: \"class\" of item 0 is 7; it must be from 0 to 3");
    run(here, "sumi sample pets -q -o a.npy --label 3000000000");
    CHECK_FAILED(here, 2,
                 "sumi: sample: --label takes numbers of classes up to 2147483647, not "
                 "3000000000");
    run(here, "sumi sample pets -q -o a.npy --label ,");
    CHECK_FAILED(here, 2, "sumi: sample: there is no class ''; `sumi info` lists their names");
    run(here, "sed -i 's/\"dog\"/\"cat\"/' pets/model_index.json; "
              "sumi sample pets -q -o a.npy --label cat");
    CHECK_FAILED(here, 2,
                 "sumi: sample: classes 1 and 2 are both named \"cat\"; give --label a number");
    run(here, "sed -i '/_id2label/,/}/d' pets/model_index.json; "
              "sumi sample pets -q -o a.npy --label cat");
    CHECK_FAILED(here, 2,
                 "sumi: sample: --label takes numbers, because the classes of this model have no "
                 "names, not 'cat'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(classes_of_folders_are_called_by_their_names),
        PLACE_TEST(names_come_before_numbers_and_may_hold_commas),
        PLACE_TEST(the_exact_likelihood_takes_the_classes_of_an_option),
        PLACE_TEST(every_command_with_labels_accepts_names),
        PLACE_TEST(a_name_that_is_none_is_refused_with_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
