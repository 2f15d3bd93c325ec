/* SPDX-License-Identifier: Apache-2.0 */
/* Networks against numbers that peers gave for tiny ones with weights filled by formula: outputs,
   loss and gradients. See vectors/program.h for what is printed. */
#include "vectors/network.h"

int main(int argc, char **argv)
{
    return vectors_main(argc, argv, "models_more.json", "models", network_check);
}
