/* SPDX-License-Identifier: GPL-2.0-only */
/* The function of the shared library that tests look for: keeper::feed(char const*, int). */
extern "C" int (*keeper_feed(void))(const char *food, int count);
