// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program whose symbols are known, for the tests of symbolize.
 *
 *	zoo maps	prints its /proc/self/maps, then the addresses of functions ("NAME 0xADDR")
 *	zoo wait	prints "ready PID", the same addresses and one of executable memory that is in
 *			no file, and ends when standard input does
 *	zoo leak	leaks 10 objects of 12345 bytes, from zoo::Cage::lose
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "keeper.h"

#define NOINLINE __attribute__((noinline, noclone))

namespace zoo
{

template <class T> struct Cage {
	T size;
	NOINLINE void *lose(int count) const;
};

template <class T> void *Cage<T>::lose(int count) const
{
	void *lost = malloc(size * count);

	memset(lost, 1, size * count);
	return lost;
}

} // namespace zoo

static volatile int meals = 3;

/* Functions inlined into each other: what lies in visit() is of all three. */
static inline __attribute__((always_inline)) int chew(int food)
{
	while (food < 1000)
		food = food * 3 + meals;
	return food;
}

static inline __attribute__((always_inline)) int eat(int food)
{
	int chewed = chew(food);

	return chewed ^ meals;
}

extern "C" NOINLINE int visit(int guests)
{
	return eat(guests) + meals;
}

static NOINLINE int hidden(int x)
{
	return x + meals;
}

template <class F> static void print(const char *name, F function)
{
	void *addr;

	memcpy(&addr, &function, sizeof(addr));
	printf("%s %p\n", name, addr);
}

static void print_all()
{
	print("zoo::Cage::lose", &zoo::Cage<int>::lose);
	print("visit", visit);
	print("hidden", hidden);
	print("keeper::feed", keeper_feed());
}

static void print_maps()
{
	char line[4096];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps && fgets(line, sizeof(line), maps))
		fputs(line, stdout);
}

int main(int argc, char **argv)
{
	const zoo::Cage<int> cage = { 12345 };
	const char *what = argc > 1 ? argv[1] : "";
	void *volatile lost;

	if (!strcmp(what, "maps")) {
		print_maps();
		print_all();
	} else if (!strcmp(what, "wait")) {
		printf("ready %d\n", getpid());
		print_all();
		printf("nothing %p\n",
		       mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		fflush(stdout);
		while (getchar() != EOF)
			;
	} else if (!strcmp(what, "leak")) {
		for (int i = 0; i < 10; i++)
			lost = cage.lose(1);
		lost = NULL;
		(void)lost;
	} else {
		return 2 + visit(argc) - hidden(argc) * 0;
	}
	return 0;
}
