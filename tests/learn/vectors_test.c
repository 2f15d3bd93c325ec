/* SPDX-License-Identifier: Apache-2.0 */
/* Training steps against numbers that peers gave for tiny networks with weights filled by formula:
   losses, norms of gradients, weights after. See vectors/program.h for what is printed. */
#include "vectors/training.h"

int main(int argc, char **argv)
{
    return vectors_main(argc, argv, "training.json", "runs", training_check);
}
