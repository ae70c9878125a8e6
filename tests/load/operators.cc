// SPDX-License-Identifier: GPL-2.0-only
/*
 * A C++ program that leaks N objects in leak_new() and N arrays in leak_array(), and none of those
 * in leak_none().
 *
 *	operators N
 */
#include <cstdlib>
#include <memory>
#include <vector>

struct Thing {
	char bytes[72];
};

static Thing *volatile kept;
static char *volatile kept_array;

extern "C" [[gnu::noinline]] void leak_new(long n)
{
	for (long i = 0; i < n; i++)
		kept = new Thing;
	__asm__ volatile("");
}

extern "C" [[gnu::noinline]] void leak_array(long n)
{
	for (long i = 0; i < n; i++)
		kept_array = new char[333];
	__asm__ volatile("");
}

extern "C" [[gnu::noinline]] void leak_none(long n)
{
	for (long i = 0; i < n; i++) {
		kept = new Thing;
		delete kept;
		kept_array = new char[333];
		delete[] kept_array;
		std::vector<std::unique_ptr<Thing>> things(10);
		things.push_back(std::make_unique<Thing>());
	}
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	long n = argc == 2 ? std::strtol(argv[1], nullptr, 10) : 0;

	leak_new(n);
	leak_array(n);
	leak_none(n);
	return n < 1;
}
