/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's file: ELF or flat. Its bytes are not trusted. */
#ifndef AXVMM_IMAGE_H
#define AXVMM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_MAX_SEGMENTS	64
#define IMAGE_WHY_BYTES		160

/**
 * struct image_segment - a part of the file that goes to memory
 * @gpa: guest-physical address
 * @offset: in the file
 * @filesz: bytes from the file
 * @memsz: bytes in memory, at least @filesz; the rest is zero
 */
struct image_segment {
	uint64_t gpa;
	uint64_t offset;
	uint64_t filesz;
	uint64_t memsz;
};

/**
 * struct image - what is in the file
 * @data: the file
 * @size: its bytes
 * @elf_bits: 32 or 64; 0: the file is flat
 * @entry: guest-physical address of the first instruction
 * @segments: what goes to memory; no two overlap
 * @nr_segments: elements of @segments
 * @why: room for what image_parse() returns
 */
struct image {
	const uint8_t *data;
	size_t size;
	unsigned int elf_bits;
	uint64_t entry;
	struct image_segment segments[IMAGE_MAX_SEGMENTS];
	unsigned int nr_segments;
	char why[IMAGE_WHY_BYTES];
};

/**
 * image_parse() - look what a file is
 * @data: the file; must outlive @image
 * @size: its bytes
 * @machines: ELF files are for these machines, of 32 and of 64 bits
 * @image: where the result goes
 *
 * A flat file is one segment at address 0, until image_place() moves it.
 *
 * Return: NULL, or what is wrong with the file; valid as long as @image.
 */
const char *image_parse(const void *data, size_t size, const uint16_t machines[2],
			struct image *image);

/**
 * image_place() - give a flat file its address
 * @image: the image
 * @gpa: the address
 */
void image_place(struct image *image, uint64_t gpa);

/**
 * image_fits() - does the image lie within memory?
 * @image: the image
 * @base: guest-physical address of the memory's first byte
 * @size: bytes of memory
 *
 * Return: true if it does.
 */
bool image_fits(const struct image *image, uint64_t base, uint64_t size);

/**
 * image_extent() - where the image lies in memory
 * @image: the image
 * @first: where the lowest address goes
 * @end: where the one behind the highest goes
 */
void image_extent(const struct image *image, uint64_t *first, uint64_t *end);

/**
 * image_load() - copy the image to memory
 * @image: the image; it fits
 * @base: guest-physical address of the memory's first byte
 * @mem: the memory, all zero
 */
void image_load(const struct image *image, uint64_t base, void *mem);

#endif /* AXVMM_IMAGE_H */
