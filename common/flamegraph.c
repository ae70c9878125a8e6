// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flame graphs; see flamegraph.h.
 *
 * The model is a trie. A node is a frame under a certain caller; it knows its parent, its name
 * and two weights: self, of stacks that end here, and total, of all that pass. One hash table
 * finds a node by (parent, name), another finds a name's number by its text, so each name is
 * kept once however often it occurs. Children are linked, in the order of their names, only
 * when something is written.
 *
 * The picture is laid out row by row, breadth first: nothing here recurses, since a stack may
 * be thousands of frames deep.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "flamegraph.h"
#include "quantity.h"
#include "svg.h"

/*
 * The script is a file of its own, so that it can be read, checked and tested as one; the
 * assembler copies it in. The path is from the top of the tree, where make runs.
 */
__asm__(".pushsection .rodata.flamegraph_script,\"a\"\n"
	".type flamegraph_script, STT_OBJECT\n"
	"flamegraph_script:\n"
	".incbin \"common/flamegraph.js\"\n"
	".byte 0\n"
	".size flamegraph_script, . - flamegraph_script\n"
	".popsection\n");
extern const char flamegraph_script[] __attribute__((visibility("hidden")));

#define KERNEL_SUFFIX "_[k]"
#define ROOT_NAME     "all"
#define NO_NAME	      "[unknown]"

/* The picture's measures, in hundredths of a pixel. The script has them as data-* attributes. */
#define WIDTH	       (1200 * SVG_PX)
#define PAD	       (10 * SVG_PX)		  /* beside the frames */
#define HEAD	       (58 * SVG_PX)		  /* title, subtitle, controls */
#define FOOT	       (28 * SVG_PX)		  /* the line of details */
#define ROW	       (18 * SVG_PX)		  /* from one row of frames to the next */
#define FRAME	       (17 * SVG_PX)		  /* a frame's height */
#define LABEL_PAD      (4 * SVG_PX)		  /* from a frame's edge to its label */
#define COLUMN	       (12 * SVG_PX * 602 / 1000) /* a character: 12 px, usual fixed-width font */
#define TITLE_CHARS    80			  /* beside the search box, at 1200 pixels */
#define SUBTITLE_CHARS 130			  /* beside the legend */
#define TIP_CHARS      1000			  /* of a name in a tooltip: C++ can do more */

/*
 * Frames narrower than this are not drawn; where that leaves more frames than a browser is
 * quick with, the limit doubles until it does not.
 */
#define NARROWEST  (SVG_PX / 10)
#define MAX_FRAMES 30000

/* Shades of one hue: enough to tell neighbours apart, few enough to be classes in the style. */
#define SHADES 16

#define NONE   UINT32_MAX

struct node {
	uint32_t parent;
	uint32_t name;
	uint32_t child; /* the first, by name; valid after link_children() */
	uint32_t next;	/* the next of the same parent */
	uint64_t self;
	uint64_t total;
};

/* Open addressing, linear probing; a slot holds an item's number plus one, 0 when empty. */
struct index {
	uint32_t *slots;
	size_t size; /* a power of two */
};

struct flamegraph {
	char *title, *subtitle, *unit;
	enum flamegraph_value value;
	enum flamegraph_colors colors;
	bool inverted;

	struct node *nodes; /* 0 is the root, "all" */
	size_t n_nodes, cap_nodes;
	struct index by_child;

	size_t *names; /* where each one begins in text */
	size_t n_names, cap_names;
	char *text;
	size_t text_len, cap_text;
	struct index by_text;

	char *scratch; /* for cleaning a name */
	size_t cap_scratch;

	bool linked; /* no node was added since link_children() */
};

/* Makes room for @need items of @item_size bytes, @array being the pointer to them. */
static int reserve(void *array, size_t *cap, size_t need, size_t item_size)
{
	void **items = array;
	size_t grown = *cap ? *cap : 64;
	void *moved;

	if (need <= *cap)
		return 0;
	while (grown < need)
		grown *= 2;
	moved = realloc(*items, grown * item_size);
	if (!moved)
		return -ENOMEM;
	*items = moved;
	*cap = grown;
	return 0;
}

static const char *name_of(const struct flamegraph *fg, uint32_t name)
{
	return fg->text + fg->names[name];
}

static uint32_t hash_text(const char *text, size_t len)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	while (len--)
		hash = (hash ^ (unsigned char)*text++) * 16777619u;
	/* Spread to the low bits, which FNV leaves alike for names that end alike. */
	hash ^= hash >> 15;
	hash *= 0x2c1b3c6d;
	return hash ^ hash >> 13;
}

static uint32_t hash_name(const struct flamegraph *fg, uint32_t name)
{
	return hash_text(name_of(fg, name), strlen(name_of(fg, name)));
}

static uint32_t hash_child(uint32_t parent, uint32_t name)
{
	return ((uint64_t)parent << 32 | name) * 0x9e3779b97f4a7c15ull >> 32;
}

static uint32_t hash_node(const struct flamegraph *fg, uint32_t node)
{
	return hash_child(fg->nodes[node].parent, fg->nodes[node].name);
}

static void index_put(struct index *index, uint32_t hash, uint32_t item)
{
	size_t at = hash & (index->size - 1);

	while (index->slots[at])
		at = (at + 1) & (index->size - 1);
	index->slots[at] = item + 1;
}

/* Makes room for item number @n_items, at a load of at most one half. */
static int index_reserve(const struct flamegraph *fg, struct index *index, size_t n_items,
			 uint32_t (*hash)(const struct flamegraph *fg, uint32_t item))
{
	struct index grown;
	size_t i;

	if (n_items < index->size / 2)
		return 0;
	grown.size = index->size ? index->size * 2 : 128;
	grown.slots = calloc(grown.size, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (i = 0; i < n_items; i++)
		index_put(&grown, hash(fg, i), i);
	free(index->slots);
	*index = grown;
	return 0;
}

/* Most names are plain ASCII and need no cleaning. */
static bool is_plain(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return !*text;
}

/* The number of the name @text, a new one if need be; in *@name. */
static int intern(struct flamegraph *fg, const char *text, uint32_t *name)
{
	size_t len = strlen(text), at;
	uint32_t hash;
	int err;

	if (!is_plain(text)) {
		err = reserve(&fg->scratch, &fg->cap_scratch, SVG_CLEAN_ROOM(len), 1);
		if (err)
			return err;
		len = svg_clean(fg->scratch, text);
		text = fg->scratch;
	} else if (!len) {
		text = NO_NAME;
		len = strlen(text);
	}

	err = index_reserve(fg, &fg->by_text, fg->n_names, hash_name);
	if (err)
		return err;
	hash = hash_text(text, len);
	for (at = hash & (fg->by_text.size - 1); fg->by_text.slots[at];
	     at = (at + 1) & (fg->by_text.size - 1)) {
		*name = fg->by_text.slots[at] - 1;
		if (!strcmp(name_of(fg, *name), text))
			return 0;
	}

	err = reserve(&fg->names, &fg->cap_names, fg->n_names + 1, sizeof(*fg->names));
	if (!err)
		err = reserve(&fg->text, &fg->cap_text, fg->text_len + len + 1, 1);
	if (err)
		return err;
	if (fg->n_names >= NONE - 1)
		return -ENOMEM;
	*name = fg->n_names++;
	fg->names[*name] = fg->text_len;
	memcpy(fg->text + fg->text_len, text, len + 1);
	fg->text_len += len + 1;
	fg->by_text.slots[at] = *name + 1;
	return 0;
}

/* The node of @name under @parent, a new one if need be; in *@node. */
static int descend(struct flamegraph *fg, uint32_t parent, uint32_t name, uint32_t *node)
{
	size_t at;
	int err;

	err = index_reserve(fg, &fg->by_child, fg->n_nodes, hash_node);
	if (err)
		return err;
	for (at = hash_child(parent, name) & (fg->by_child.size - 1); fg->by_child.slots[at];
	     at = (at + 1) & (fg->by_child.size - 1)) {
		*node = fg->by_child.slots[at] - 1;
		if (fg->nodes[*node].parent == parent && fg->nodes[*node].name == name)
			return 0;
	}

	err = reserve(&fg->nodes, &fg->cap_nodes, fg->n_nodes + 1, sizeof(*fg->nodes));
	if (err)
		return err;
	if (fg->n_nodes >= NONE - 1)
		return -ENOMEM;
	*node = fg->n_nodes++;
	fg->nodes[*node] = (struct node){ .parent = parent, .name = name };
	fg->by_child.slots[at] = *node + 1;
	fg->linked = false;
	return 0;
}

int flamegraph_add(struct flamegraph *fg, const char *const *frames, size_t n, uint64_t weight)
{
	uint32_t node = 0, name;
	uint64_t sum;
	size_t i;
	int err;

	if (!n)
		return -EINVAL;
	if (!weight)
		return 0;
	/* No node weighs more than the root. */
	if (__builtin_add_overflow(fg->nodes[0].total, weight, &sum))
		return -EOVERFLOW;

	/* Nodes made on a path that cannot be finished stay, at weight 0, and do not show. */
	for (i = 0; i < n; i++) {
		err = intern(fg, frames[i], &name);
		if (!err)
			err = descend(fg, node, name, &node);
		if (err)
			return err;
	}
	fg->nodes[node].self += weight;
	for (; node; node = fg->nodes[node].parent)
		fg->nodes[node].total += weight;
	fg->nodes[0].total = sum;
	return 0;
}

struct flamegraph *flamegraph_new(const struct flamegraph_opts *opts)
{
	struct flamegraph *fg = calloc(1, sizeof(*fg));
	uint32_t name, node;

	if (!fg)
		return NULL;
	fg->title = svg_clean_dup(opts->title ? opts->title : "Flame graph");
	fg->subtitle = svg_clean_dup(opts->subtitle);
	fg->unit = svg_clean_dup(opts->unit ? opts->unit : "samples");
	fg->value = opts->value;
	fg->colors = opts->colors;
	fg->inverted = opts->inverted;
	/* The root is its own parent. */
	if (!fg->title || !fg->subtitle || !fg->unit || intern(fg, ROOT_NAME, &name) ||
	    descend(fg, 0, name, &node)) {
		flamegraph_free(fg);
		return NULL;
	}
	return fg;
}

void flamegraph_free(struct flamegraph *fg)
{
	if (!fg)
		return;
	free(fg->title);
	free(fg->subtitle);
	free(fg->unit);
	free(fg->nodes);
	free(fg->by_child.slots);
	free(fg->names);
	free(fg->text);
	free(fg->by_text.slots);
	free(fg->scratch);
	free(fg);
}

/* Splits @line at ';' and adds it. @frames is the caller's, to be used for the next line again. */
static int add_folded(struct flamegraph *fg, char *line, const char ***frames, size_t *cap)
{
	char *weight = strrchr(line, ' '), *end, *name;
	unsigned long long value;
	size_t n = 0;
	int err;

	if (!weight || weight == line || weight[1] < '0' || weight[1] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(weight + 1, &end, 10);
	if (*end || errno)
		return -EINVAL;
	*weight = '\0';
	while ((name = strsep(&line, ";"))) {
		err = reserve(frames, cap, n + 1, sizeof(**frames));
		if (err)
			return err;
		(*frames)[n++] = name;
	}
	return flamegraph_add(fg, *frames, n, value);
}

int flamegraph_read_folded(struct flamegraph *fg, FILE *f, unsigned long *line)
{
	unsigned long number = 0;
	const char **frames = NULL;
	size_t cap = 0, room = 0;
	char *text = NULL;
	ssize_t len;
	int err = 0;

	errno = 0;
	while (!err && (len = getline(&text, &room, f)) >= 0) {
		number++;
		while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
			text[--len] = '\0';
		if (memchr(text, '\0', len))
			err = -EINVAL;
		else if (len && text[0] != '#')
			err = add_folded(fg, text, &frames, &cap);
		errno = 0;
	}
	if (!err && !feof(f))
		err = errno ? -errno : -EIO;
	if (err && line)
		*line = number;
	free(frames);
	free(text);
	return err;
}

struct ranked {
	const char *text;
	uint32_t name;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct ranked *)a)->text, ((const struct ranked *)b)->text);
}

static int compare_down(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Links each node's children in the order of their names. */
static int link_children(struct flamegraph *fg)
{
	struct ranked *ranked = NULL;
	uint64_t *order = NULL; /* the name's rank, then the node */
	uint32_t *rank = NULL;
	int err = -ENOMEM;
	size_t i;

	if (fg->linked)
		return 0;
	ranked = malloc(fg->n_names * sizeof(*ranked));
	rank = malloc(fg->n_names * sizeof(*rank));
	order = malloc(fg->n_nodes * sizeof(*order));
	if (!ranked || !rank || !order)
		goto out;

	for (i = 0; i < fg->n_names; i++)
		ranked[i] = (struct ranked){ .text = name_of(fg, i), .name = i };
	qsort(ranked, fg->n_names, sizeof(*ranked), compare_names);
	for (i = 0; i < fg->n_names; i++)
		rank[ranked[i].name] = i;

	for (i = 0; i < fg->n_nodes; i++) {
		order[i] = (uint64_t)rank[fg->nodes[i].name] << 32 | i;
		fg->nodes[i].child = NONE;
		fg->nodes[i].next = NONE;
	}
	/* The last name goes first, and each is put before its elders. */
	qsort(order, fg->n_nodes, sizeof(*order), compare_down);
	for (i = 0; i < fg->n_nodes; i++) {
		struct node *node = &fg->nodes[(uint32_t)order[i]];
		struct node *parent = &fg->nodes[node->parent];

		if (node == fg->nodes)
			continue;
		node->next = parent->child;
		parent->child = node - fg->nodes;
	}
	fg->linked = true;
	err = 0;
out:
	free(ranked);
	free(rank);
	free(order);
	return err;
}

static void fold_name(char *dst, const char *name, size_t len)
{
	while (len--) {
		*dst++ = *name == ';' ? ':' : *name;
		name++;
	}
}

int flamegraph_write_folded(struct flamegraph *fg, FILE *f, const char *prefix)
{
	char *path = NULL, *clean = svg_clean_dup(prefix);
	size_t len = 0, cap = 0;
	uint32_t at;
	int err;

	err = clean ? link_children(fg) : -ENOMEM;
	if (err)
		goto out;
	fold_name(clean, clean, strlen(clean));

	/* Depth first. @path is the stack down to @at; each name in it is led by a ';'. */
	at = fg->nodes[0].child;
	while (at != NONE) {
		const struct node *node = &fg->nodes[at];
		size_t name_len = strlen(name_of(fg, node->name));

		err = reserve(&path, &cap, len + name_len + 1, 1);
		if (err)
			goto out;
		path[len++] = ';';
		fold_name(path + len, name_of(fg, node->name), name_len);
		len += name_len;
		if (node->self) {
			/* Without a prefix, the first ';' is not for printing. */
			fputs(clean, f);
			fwrite(path + !*clean, 1, len - !*clean, f);
			fprintf(f, " %" PRIu64 "\n", node->self);
		}

		/* To the first child; or up, as far as needed, to the next of kin. */
		if (node->child != NONE) {
			at = node->child;
			continue;
		}
		for (;;) {
			len -= strlen(name_of(fg, fg->nodes[at].name)) + 1;
			if (fg->nodes[at].next != NONE) {
				at = fg->nodes[at].next;
				break;
			}
			at = fg->nodes[at].parent;
			if (!at) {
				at = NONE;
				break;
			}
		}
	}
	err = svg_flush(f);
out:
	free(path);
	free(clean);
	return err;
}

/* A frame that is wide enough to be seen. */
struct place {
	uint32_t node;
	uint32_t depth;
	uint64_t start;	 /* the weight of all to its left */
	uint64_t hidden; /* the weight of callees that are too narrow */
};

struct picture {
	struct place *places; /* by depth, then from left to right */
	size_t n, cap;
	uint32_t rows;
	uint32_t narrowest; /* in hundredths of a pixel */
	bool kernel;	    /* there are kernel frames */
	bool cut;	    /* a stack is too deep to be drawn to its end */
};

static bool is_kernel(const char *name)
{
	size_t len = strlen(name), suffix = strlen(KERNEL_SUFFIX);

	return len > suffix && !strcmp(name + len - suffix, KERNEL_SUFFIX);
}

/* Where a frame's edge at @weight is, from the frames' left, in hundredths of a pixel. */
static uint64_t edge(const struct flamegraph *fg, uint64_t weight)
{
	return svg_scale(weight, fg->nodes[0].total, WIDTH - 2 * PAD);
}

static bool too_narrow(const struct flamegraph *fg, const struct picture *p, uint64_t weight)
{
	return (unsigned __int128)weight * (WIDTH - 2 * PAD) <
	       (unsigned __int128)fg->nodes[0].total * p->narrowest;
}

static int add_place(struct picture *p, uint32_t node, uint32_t depth, uint64_t start)
{
	int err = reserve(&p->places, &p->cap, p->n + 1, sizeof(*p->places));

	if (!err)
		p->places[p->n++] = (struct place){ .node = node, .depth = depth, .start = start };
	return err;
}

/* Lays out what is wide enough. -E2BIG when those are too many frames. */
static int try_lay_out(const struct flamegraph *fg, struct picture *p)
{
	size_t i;
	int err;

	p->n = 0;
	err = add_place(p, 0, 0, 0);
	for (i = 0; !err && i < p->n; i++) {
		struct place parent = p->places[i]; /* the array may move */
		uint64_t start = parent.start;
		uint32_t child;

		p->rows = parent.depth + 1;
		if (is_kernel(name_of(fg, fg->nodes[parent.node].name)))
			p->kernel = true;
		for (child = fg->nodes[parent.node].child; !err && child != NONE;
		     child = fg->nodes[child].next) {
			uint64_t total = fg->nodes[child].total;

			if (too_narrow(fg, p, total))
				p->places[i].hidden += total;
			else if (p->n == MAX_FRAMES)
				err = -E2BIG;
			else
				err = add_place(p, child, parent.depth + 1, start);
			start += total;
		}
	}
	return err;
}

static int lay_out(const struct flamegraph *fg, struct picture *p)
{
	int err;

	if (!fg->nodes[0].total)
		return 0;
	for (p->narrowest = NARROWEST; p->narrowest < WIDTH; p->narrowest *= 2) {
		err = try_lay_out(fg, p);
		if (err != -E2BIG)
			return err;
	}
	/* Even one stack is too much: its outer frames are shown. */
	p->cut = true;
	return 0;
}

struct hues {
	uint32_t user[3], kernel[3];
};

static const struct hues hues[] = {
	[FLAMEGRAPH_HOT] = { { 0xfbd45c, 0xf79a4b, 0xee6a50 }, { 0x8fd6d2, 0x74b5e8, 0x93a3f0 } },
	[FLAMEGRAPH_MEM] = { { 0xcfe07a, 0x86cf7c, 0x4fbf9b }, { 0xb9b4f0, 0xc79be6, 0xe29ad0 } },
	[FLAMEGRAPH_WAIT] = { { 0x9fdbe6, 0x78b8ee, 0x8f9ff0 }, { 0xf2c1a6, 0xf0a0a6, 0xe393c4 } },
};
static const uint32_t comm_hue[] = { 0xd3d6dc, 0xaeb4be };

static void write_shades(FILE *f, char letter, const uint32_t *anchors, size_t n)
{
	unsigned int i;

	for (i = 0; i < SHADES; i++)
		fprintf(f, ".fg .%c%u{fill:#%06x}%s", letter, i,
			svg_color(anchors, n, i, SHADES - 1), i % 8 == 7 ? "\n" : "");
}

/* Every rule is under .fg, so that a picture inside a page leaves the page's style alone. */
static void write_style(const struct flamegraph *fg, FILE *f)
{
	fputs("<style><![CDATA[\n"
	      ".fg{background:#fff;font-family:system-ui,-apple-system,'Segoe UI',Roboto,"
	      "'Helvetica Neue',Arial,'DejaVu Sans',sans-serif}\n"
	      ".fg text{fill:#1d2129}\n"
	      ".fg .title{font-size:18px;font-weight:600}\n"
	      ".fg .sub,.fg .legend text,.fg .foot text{font-size:12px}\n"
	      ".fg .sub,.fg .legend text{fill:#667080}\n"
	      ".fg .back{fill:#fff}\n"
	      ".fg .bar{fill:#f1f3f6}\n"
	      ".fg .frames text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"
	      "'DejaVu Sans Mono',monospace;fill:#14171c;pointer-events:none;white-space:pre}\n"
	      ".fg .frames rect{rx:1px}\n"
	      ".fg .frames g g:hover rect{stroke:#14171c;stroke-width:1}\n",
	      f);
	write_shades(f, 'u', hues[fg->colors].user, 3);
	write_shades(f, 'k', hues[fg->colors].kernel, 3);
	write_shades(f, 'c', comm_hue, 2);
	fputs(".fg .r{fill:#8f98a6}\n"
	      /* What only the script uses. */
	      ".fg .live g g{cursor:pointer}\n"
	      ".fg .live g g:focus{outline:none}\n"
	      ".fg .live g g:focus-visible rect{stroke:#14171c;stroke-width:2}\n"
	      ".fg .out{display:none}\n"
	      ".fg .below{opacity:.5}\n"
	      ".fg .searched g g:not(.match) rect{fill-opacity:.3}\n"
	      ".fg .frames .match rect{fill:#d63fd0}\n"
	      ".fg .frames .match text{fill:#fff}\n"
	      ".fg .tools{display:flex;gap:8px;justify-content:flex-end;font-size:13px}\n"
	      ".fg .tools>*{font:inherit;box-sizing:border-box;height:28px;margin:0;"
	      "border:1px solid #c3c9d2;border-radius:6px;background:#fff;color:#1d2129;"
	      "padding:0 10px}\n"
	      ".fg .tools>input{width:250px}\n"
	      ".fg .tools>button{cursor:pointer;white-space:nowrap}\n"
	      ".fg .tools>[hidden]{display:none}\n"
	      ".fg .tools>.bad{border-color:#d3302f;color:#d3302f}\n"
	      "@media (prefers-color-scheme:dark){\n"
	      ".fg{background:#16181d;color-scheme:dark}\n"
	      ".fg .back{fill:#16181d}\n"
	      ".fg .bar{fill:#23262d}\n"
	      ".fg text{fill:#e4e7ec}\n"
	      ".fg .sub,.fg .legend text{fill:#98a1b0}\n"
	      ".fg .frames g g:hover rect,.fg .live g g:focus-visible rect{stroke:#fff}\n"
	      ".fg .tools>*{background:#23262d;color:#e4e7ec;border-color:#454b57}\n"
	      "}\n"
	      "]]></style>\n",
	      f);
}

static void write_value(const struct flamegraph *fg, FILE *f, uint64_t value)
{
	char buf[QUANTITY_LEN];

	switch (fg->value) {
	case FLAMEGRAPH_NS:
		fputs(format_time(buf, value), f);
		break;
	case FLAMEGRAPH_BYTES:
		fputs(format_size(buf, value), f);
		if (value >= 1024)
			fprintf(f, " (%s bytes)", format_count(buf, value));
		break;
	default:
		fprintf(f, "%s ", format_count(buf, value));
		svg_text(f, fg->unit);
	}
}

/* One swatch and its word, at @x from the legend's right end. */
static void write_swatch(FILE *f, int x, char letter, const char *word)
{
	fprintf(f,
		"<rect class=\"%c4\" x=\"%d\" y=\"-10\" width=\"7\" height=\"12\"/>"
		"<rect class=\"%c11\" x=\"%d\" y=\"-10\" width=\"7\" height=\"12\"/>"
		"<text x=\"%d\">%s</text>\n",
		letter, x, letter, x + 7, x + 19, word);
}

/* After the frames, as it stays in sight, above them, where the page is longer than a window. */
static void write_head(const struct flamegraph *fg, FILE *f, const struct picture *p)
{
	fprintf(f, "<g class=\"head\">\n<rect class=\"back\" width=\"%d\" height=\"%d\"/>\n",
		WIDTH / SVG_PX, HEAD / SVG_PX - 4);
	fprintf(f, "<text class=\"title\" x=\"%d\" y=\"26\">", PAD / SVG_PX);
	svg_text_fit(f, fg->title, strlen(fg->title), TITLE_CHARS);
	fprintf(f, "</text>\n<text class=\"sub\" x=\"%d\" y=\"46\">", PAD / SVG_PX);
	if (*fg->subtitle) {
		svg_text_fit(f, fg->subtitle, strlen(fg->subtitle), SUBTITLE_CHARS);
		fputs(" \xc2\xb7 ", f); /* a middle dot */
	}
	write_value(fg, f, fg->nodes[0].total);
	if (p->cut) {
		fprintf(f, ", only the outer %d frames shown", MAX_FRAMES);
	} else if (p->narrowest > NARROWEST) {
		fputs(", frames under ", f);
		svg_px(f, p->narrowest);
		fputs(" px left out", f);
	}
	fputs("</text>\n", f);
	if (p->kernel) {
		fprintf(f, "<g class=\"legend\" transform=\"translate(%d,46)\">\n",
			(WIDTH - PAD) / SVG_PX);
		write_swatch(f, -196, 'c', "thread");
		write_swatch(f, -124, 'u', "user");
		write_swatch(f, -64, 'k', "kernel");
		fputs("</g>\n", f);
	}
	fputs("</g>\n", f);
}

static void write_foot(FILE *f, int y)
{
	fprintf(f, "<g class=\"foot\" transform=\"translate(0,%d)\">\n", y / SVG_PX);
	fprintf(f, "<rect class=\"bar\" width=\"%d\" height=\"%d\"/>\n", WIDTH / SVG_PX,
		FOOT / SVG_PX);
	fprintf(f,
		"<text class=\"details\" x=\"%d\" y=\"18\"></text>"
		"<text class=\"found\" x=\"%d\" y=\"18\" text-anchor=\"end\" "
		"aria-live=\"polite\"></text>\n</g>\n",
		PAD / SVG_PX, (WIDTH - PAD) / SVG_PX);
}

/* The colour: of the root, a thread (comm), the user's or the kernel's, and one of its shades. */
static void write_class(FILE *f, const char *name, size_t len, uint32_t depth, bool kernel)
{
	char letter = depth == 1 ? 'c' : 'u';

	if (kernel)
		letter = 'k';
	if (!depth)
		fputc('r', f);
	else
		fprintf(f, "%c%u", letter, hash_text(name, len) % SHADES);
}

/* The tooltip. The script reads it too: a line with the name, then lines with figures. */
static void write_tip(const struct flamegraph *fg, FILE *f, const struct node *node)
{
	const char *name = name_of(fg, node->name);
	char buf[QUANTITY_LEN];

	fputs("<title>", f);
	svg_text_fit(f, name, strlen(name), TIP_CHARS);
	fputc('\n', f);
	write_value(fg, f, node->total);
	fprintf(f, ", %s", svg_percent(buf, node->total, fg->nodes[0].total));
	if (node->self && node->self < node->total) {
		fputs("\nself ", f);
		write_value(fg, f, node->self);
		fprintf(f, ", %s", svg_percent(buf, node->self, fg->nodes[0].total));
	}
	fputs("</title>", f);
}

/*
 * data-r has the frame's place exactly: the weight to its left, its own, and how much of that
 * is of callees which are not drawn. A gap is left at the right of a frame, an eighth of it and
 * at most a pixel, so that neighbours of the same shade stay apart; the script draws the same.
 */
static void write_frame(const struct flamegraph *fg, FILE *f, const struct place *place)
{
	const struct node *node = &fg->nodes[place->node];
	const char *name = name_of(fg, node->name);
	uint64_t left = PAD + edge(fg, place->start);
	uint64_t width = PAD + edge(fg, place->start + node->total) - left;
	bool kernel = is_kernel(name);
	size_t len = strlen(name) - (kernel ? strlen(KERNEL_SUFFIX) : 0);
	size_t columns = width > 2 * LABEL_PAD ? (width - 2 * LABEL_PAD) / COLUMN : 0;

	fputs("<g class=\"", f);
	write_class(f, name, len, place->depth, kernel);
	fprintf(f, "\" data-r=\"%" PRIu64 " %" PRIu64, place->start, node->total);
	if (place->hidden)
		fprintf(f, " %" PRIu64, place->hidden);
	fputs("\">", f);
	write_tip(fg, f, node);
	fputs("<rect x=\"", f);
	svg_px(f, left);
	fputs("\" width=\"", f);
	svg_px(f, width - (width < 8 * SVG_PX ? width / 8 : SVG_PX));
	fprintf(f, "\" height=\"%d\"/>", FRAME / SVG_PX);
	/* The label has no "_[k]": the colour says so. */
	if (svg_fit(name, len, columns)) {
		fputs("<text x=\"", f);
		svg_px(f, left + LABEL_PAD);
		fputs("\" y=\"12.5\">", f);
		svg_text_fit(f, name, len, columns);
		fputs("</text>", f);
	}
	fputs("</g>\n", f);
}

static void write_frames(const struct flamegraph *fg, FILE *f, const struct picture *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		uint32_t depth = p->places[i].depth;

		if (!i || depth != p->places[i - 1].depth)
			fprintf(f, "%s<g transform=\"translate(0,%" PRIu64 ")\">\n",
				i ? "</g>\n" : "",
				HEAD / SVG_PX +
					(uint64_t)(ROW / SVG_PX) *
						(fg->inverted ? depth : p->rows - 1 - depth));
		write_frame(fg, f, &p->places[i]);
	}
	if (i)
		fputs("</g>\n", f);
}

int flamegraph_write_svg(struct flamegraph *fg, FILE *f)
{
	struct picture p = { 0 };
	uint64_t height;
	int err;

	err = link_children(fg);
	if (!err)
		err = lay_out(fg, &p);
	if (err)
		goto out;
	height = HEAD + (uint64_t)(p.rows ? p.rows : 3) * ROW + FOOT + 6 * SVG_PX;

	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"fg\" width=\"%d\" "
		"height=\"%" PRIu64 "\" viewBox=\"0 0 %d %" PRIu64 "\" "
		"role=\"graphics-document\" data-pad=\"%d\" data-label=\"%d\" data-up=\"%d\">\n",
		WIDTH / SVG_PX, height / SVG_PX, WIDTH / SVG_PX, height / SVG_PX, PAD / SVG_PX,
		LABEL_PAD / SVG_PX, !fg->inverted);
	fputs("<title>", f);
	svg_text(f, fg->title);
	fputs("</title>\n", f);
	write_style(fg, f);
	fprintf(f, "<rect class=\"back\" width=\"100%%\" height=\"%" PRIu64 "\"/>\n",
		height / SVG_PX);
	fputs("<g class=\"frames\">\n", f);
	write_frames(fg, f, &p);
	fputs("</g>\n", f);
	if (!p.n)
		fprintf(f, "<text class=\"sub\" x=\"%d\" y=\"%d\">Nothing was recorded.</text>\n",
			PAD / SVG_PX, (HEAD + ROW) / SVG_PX);
	write_head(fg, f, &p);
	write_foot(f, height - FOOT);
	fprintf(f, "<script><![CDATA[\n%s]]></script>\n</svg>\n", flamegraph_script);
	err = svg_flush(f);
out:
	free(p.places);
	return err;
}
