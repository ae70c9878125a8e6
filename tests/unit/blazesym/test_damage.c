// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged files do no harm: the fuzz target over fixtures that are cut off and changed, always
 * the same way. What is to be seen, a sanitizer has to say, or a signal, or that it takes
 * for ever.
 */
#include "helpers.h"

#include "fuzz.c"

static const char *const fixtures[] = {
	"inline", "inline-mini", "inline-gz",	 "inline-dwarf4", "inline-clang", "cxx",
	"rust",	  "symbols.so",	 "libshared.so", "kernel",	  "i386",
};

struct bytes {
	uint8_t *data; /* the first says that the rest is an ELF file */
	size_t size;
};

static bool load(const char *name, struct bytes *bytes)
{
	FILE *file = fopen(fixture(name), "r");
	long size;

	if (!file)
		return false;
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	bytes->size = (size_t)size + 1;
	bytes->data = malloc(bytes->size);
	assert_non_null(bytes->data);
	bytes->data[0] = 'E';
	assert_int_equal(fread(bytes->data + 1, 1, (size_t)size, file), size);
	fclose(file);
	return true;
}

static void for_each_fixture(void (*check)(struct bytes *))
{
	alarm(400);
	for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
		struct bytes bytes;

		if (!load(fixtures[i], &bytes))
			continue;
		srand(1);
		check(&bytes);
		free(bytes.data);
	}
	alarm(0);
}

static void check_whole(struct bytes *bytes)
{
	LLVMFuzzerTestOneInput(bytes->data, bytes->size);
}

static void whole_files(void **state)
{
	(void)state;
	for_each_fixture(check_whole);
}

/* Each length in the headers, and then some. The copy has its exact size, for ASan's sake. */
static void check_truncated(struct bytes *bytes)
{
	for (size_t size = 1; size < bytes->size; size += size < 128 ? 1 : 997) {
		uint8_t *copy = malloc(size);

		memcpy(copy, bytes->data, size);
		LLVMFuzzerTestOneInput(copy, size);
		free(copy);
	}
}

static void truncated_files(void **state)
{
	(void)state;
	for_each_fixture(check_truncated);
}

/* Each byte of the ELF header, and of the section headers at the end, as extremes. */
static void check_headers(struct bytes *bytes)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0xff };
	size_t header = 1 + sizeof(Elf64_Ehdr);

	for (size_t i = 0; i < header + 200; i++) {
		size_t at = i < header ? i + 1 : bytes->size - 1 - (i - header) * 7;
		uint8_t was = bytes->data[at];

		for (size_t v = 0; v < sizeof(values); v++) {
			bytes->data[at] = values[v];
			LLVMFuzzerTestOneInput(bytes->data, bytes->size);
		}
		bytes->data[at] = was;
	}
}

static void changed_headers(void **state)
{
	(void)state;
	for_each_fixture(check_headers);
}

static void check_random(struct bytes *bytes)
{
	uint8_t *copy = malloc(bytes->size);

	assert_non_null(copy);
	for (int round = 0; round < 300; round++) {
		memcpy(copy, bytes->data, bytes->size);
		for (int i = rand() % 30; i >= 0; i--)
			copy[1 + (size_t)rand() % (bytes->size - 1)] = (uint8_t)rand();
		LLVMFuzzerTestOneInput(copy, bytes->size);
	}
	free(copy);
}

static void random_changes(void **state)
{
	(void)state;
	for_each_fixture(check_random);
}

/* Names that stand for gigabytes: each level has the one before it twice. */
static void names_that_explode(void **state)
{
	char cxx[512] = "_Z1fI1AI", rust[512] = "_RNv";

	(void)state;
	alarm(60);
	/* _Z1fI1AIiiE1AIS0_S0_E1AIS1_S1_E...Evv */
	strcpy(cxx, "_Z1fI1AIiiE");
	for (int i = 0; i < 30; i++)
		sprintf(cxx + strlen(cxx), "S_IS%d_S%d_E", i, i);
	strcat(cxx, "Evv");
	free(demangle(cxx));
	/* Tuples of two back references each. */
	strcpy(rust, "_RINvC1a1bT");
	for (int i = 0; i < 40; i++)
		sprintf(rust + strlen(rust), "TB%c_B%c_E", 'a' + i % 26, 'a' + i % 26);
	strcat(rust, "EE");
	free(demangle(rust));
	/* One name a megabyte long. */
	char *large = malloc(1 << 20);

	memset(large, 'P', (1 << 20) - 1);
	memcpy(large, "_Z1f", 4);
	large[(1 << 20) - 1] = '\0';
	free(demangle(large));
	memset(large, 'R', (1 << 20) - 1);
	memcpy(large, "_RIC1a", 6);
	free(demangle(large));
	free(large);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files),	      cmocka_unit_test(truncated_files),
		cmocka_unit_test(changed_headers),    cmocka_unit_test(random_changes),
		cmocka_unit_test(names_that_explode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
