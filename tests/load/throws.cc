// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions: throws N Throws a number N times, and catches it. The C++ library has probes at both.
 */
#include <cstdlib>

static volatile long caught;

int main(int argc, char **argv)
{
	for (long i = 0, n = argc > 1 ? atol(argv[1]) : 0; i < n; i++) {
		try {
			throw i;
		} catch (long number) {
			caught += number;
		}
	}
	return 0;
}
