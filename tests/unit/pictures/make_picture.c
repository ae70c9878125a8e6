// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draws a picture of what it reads: of folded lines a flame graph, of a heat map's cells a heat
 * map. For the browser test, and for looking at a picture while working on it.
 *
 *   make_picture flame [-i] [-b | -n] [-s hot|mem|wait] [-t TITLE] [-u SUBTITLE]  < FOLDED > SVG
 *   make_picture heat [-c COLUMN_NS] [-t TITLE] [-u SUBTITLE]                     < LAT > SVG
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flamegraph.h"
#include "heatmap.h"

static int flame(const struct flamegraph_opts *opts)
{
	struct flamegraph *fg = flamegraph_new(opts);
	unsigned long line;
	int err;

	if (!fg)
		return -ENOMEM;
	err = flamegraph_read_folded(fg, stdin, &line);
	if (err)
		fprintf(stderr, "make_picture: line %lu\n", line);
	else
		err = flamegraph_write_svg(fg, stdout);
	flamegraph_free(fg);
	return err;
}

static int heat(const struct heatmap_opts *opts)
{
	struct heatmap *hm = heatmap_new(opts);
	uint64_t time, lo, hi, count;
	char line[256];
	int err = 0;

	if (!hm)
		return -ENOMEM;
	while (!err && fgets(line, sizeof(line), stdin)) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &time, &lo, &hi,
			   &count) != 4)
			err = -EINVAL;
		else
			err = heatmap_add(hm, time, lo, hi, count);
	}
	if (!err)
		err = heatmap_write_svg(hm, stdout);
	heatmap_free(hm);
	return err;
}

static int usage(void)
{
	fputs("usage: make_picture flame|heat [options] < data > picture.svg\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct flamegraph_opts fg = { 0 };
	struct heatmap_opts hm = { .column_ns = 1000000000, .start = 1767323045000000000ull };
	int opt, err;

	while ((opt = getopt(argc, argv, "ibns:t:u:c:")) != -1) {
		switch (opt) {
		case 'i':
			fg.inverted = true;
			break;
		case 'b':
			fg.value = FLAMEGRAPH_BYTES;
			break;
		case 'n':
			fg.value = FLAMEGRAPH_NS;
			break;
		case 's':
			fg.colors = optarg[0] == 'm'   ? FLAMEGRAPH_MEM
				    : optarg[0] == 'w' ? FLAMEGRAPH_WAIT
						       : FLAMEGRAPH_HOT;
			break;
		case 't':
			fg.title = hm.title = optarg;
			break;
		case 'u':
			fg.subtitle = hm.subtitle = optarg;
			break;
		case 'c':
			hm.column_ns = strtoull(optarg, NULL, 10);
			break;
		default:
			return usage();
		}
	}
	if (optind == argc)
		return usage();
	if (!strcmp(argv[optind], "flame"))
		err = flame(&fg);
	else if (!strcmp(argv[optind], "heat"))
		err = heat(&hm);
	else
		return usage();
	if (err)
		fprintf(stderr, "make_picture: %s\n", strerror(-err));
	return err ? 1 : 0;
}
