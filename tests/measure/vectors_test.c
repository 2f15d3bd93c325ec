/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of samples against numbers that peers gave for sets, fields, signals and pictures made
   by formula. See vectors/program.h for what is printed. */
#include "vectors/measures.h"

int main(int argc, char **argv)
{
    return vectors_main(argc, argv, "metrics.json", "rows", measures_check);
}
