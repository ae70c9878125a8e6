// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include "events/engine.h"
#include "events/kind.h"
#include "abi.h"
#include "kmemleak.h"
#include "pair.h"
#include "kmemleak.skel.h"

static struct engine engine;
static bool *frees; /* of each spec: is it of --free? */

static const char *add(const char *list, bool free)
{
	unsigned int i = engine_specs()->count;
	const char *wrong = engine_add(list);

	frees = event_have(realloc(frees, (engine_specs()->count + 1) * sizeof(*frees)));
	for (; i < engine_specs()->count; i++)
		frees[i] = free;
	return wrong;
}

const char *pair_add_allocs(const char *list)
{
	return add(list, false);
}

const char *pair_add_frees(const char *list)
{
	return add(list, true);
}

bool pair_given(void)
{
	return engine_specs()->count;
}

bool pair_is_in_process(void)
{
	unsigned int i;

	for (i = 0; i < engine_specs()->count; i++) {
		switch (engine_specs()->specs[i].kind) {
		case SPEC_UPROBE:
		case SPEC_URETPROBE:
		case SPEC_USDT:
			return true;
		default:
			break;
		}
	}
	return false;
}

const char *pair_check(void)
{
	static const enum spec_attr_id known[] = { ATTR_PTR, ATTR_SIZE, ATTR_STACK };
	const struct spec_list *all = engine_specs();
	unsigned int i, sides[2] = {};
	static char wrong[256];

	for (i = 0; i < all->count; i++)
		sides[frees[i]]++;
	if (!sides[false] != !sides[true])
		return "--alloc and --free go together: what makes objects, and what ends them";
	for (i = 0; i < all->count; i++) {
		const struct spec *spec = &all->specs[i];

		if (!spec_attr(spec, ATTR_PTR, 0))
			snprintf(wrong, sizeof(wrong),
				 "%s: what tells its objects? ptr=EXPR, as in kmem:%s", spec->text,
				 frees[i] ? "kfree//ptr=ptr/"
					  : "kmalloc//ptr=ptr/size=bytes_alloc/");
		else if (frees[i] && spec_attr(spec, ATTR_SIZE, 0))
			snprintf(wrong, sizeof(wrong),
				 "%s: size means nothing here: what is freed is known by its ptr=",
				 spec->text);
		if (*wrong)
			return wrong;
	}
	return engine_unknown_attribute(known, sizeof(known) / sizeof(*known));
}

static int fill(struct engine_event *event)
{
	const struct spec_attr *ptr = spec_attr(event->spec, ATTR_PTR, 0);
	const struct spec_attr *size = spec_attr(event->spec, ATTR_SIZE, 0);
	int status = engine_compile(event, ptr->value, SLOT_VALUE, SLOTS);

	if (frees[event->spec - engine_specs()->specs])
		event->slots.value[SLOT_UNIT] = PAIR_FREE;
	if (!status && size)
		status = engine_compile(event, size->value, SLOT_VALUE2, SLOTS);
	return status;
}

int pair_find(const struct settings *settings)
{
	int status = engine_find(&engine, settings, fill);

	return status ? status : engine_setup();
}

void pair_choose(struct kmemleak *skel, bool follow)
{
	skel->rodata->pair_in_process = pair_is_in_process();
	bpf_program__set_autoload(skel->progs.on_event, true);
	bpf_program__set_autoload(skel->progs.pair_execed, pair_is_in_process());
	bpf_program__set_autoload(skel->progs.pair_forked, pair_is_in_process() && follow);
}

int pair_attach(struct kmemleak *skel, const struct settings *settings)
{
	return engine_attach(&engine, skel->obj, settings);
}

uint64_t pair_skipped(void)
{
	return engine_misses(&engine);
}

void pair_free(void)
{
	engine_free(&engine);
	free(frees);
	frees = NULL;
}

const char *pair_name(unsigned int number)
{
	return engine.events[number].event->name;
}
