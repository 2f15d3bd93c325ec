/* SPDX-License-Identifier: Apache-2.0 */
/* Digits that the program draws itself: 28 x 28 pictures like MNIST's, white on black. */
#ifndef SUMI_DATA_DIGITS_H
#define SUMI_DATA_DIGITS_H

#include <stdint.h>

#define DIGITS_SIDE 28

/* Draws digit `number` % 10 of the set that `seed` keys: pixels[28, 28], 0 black to 255 white. */
void digits_draw(uint64_t seed, int64_t number, uint8_t *pixels);

#endif
