/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers on the command line. Each function returns NULL, or what is wrong with
 * the text, so that it goes on after "'TEXT', ".
 */
#ifndef AXVMM_NUMBER_H
#define AXVMM_NUMBER_H

#include <stdint.h>

/**
 * parse_number() - a number at the start of a text
 * @text: the text; decimal or, behind 0x, hexadecimal, without a sign
 * @value: where the number goes
 * @end: where the rest of @text goes
 *
 * Return: NULL, or what is wrong.
 */
const char *parse_number(const char *text, uint64_t *value, char **end);

/**
 * parse_in_range() - a text that is a number
 * @text: the text
 * @min: smallest number that will do
 * @max: largest
 * @value: where the number goes
 *
 * Return: NULL, or what is wrong.
 */
const char *parse_in_range(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/**
 * parse_size() - a number of bytes, with K, M, G or T behind it for larger units
 * @text: the text
 * @value: where the bytes go; not 0
 *
 * Return: NULL, or what is wrong.
 */
const char *parse_size(const char *text, uint64_t *value);

/**
 * parse_seconds() - seconds, with up to nine digits behind the point
 * @text: the text
 * @ns: where the nanoseconds go; not 0
 *
 * Return: NULL, or what is wrong.
 */
const char *parse_seconds(const char *text, uint64_t *ns);

#endif /* AXVMM_NUMBER_H */
