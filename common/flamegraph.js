// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a flame graph can do in a browser: zoom, search, details, keys. It is embedded in each
 * picture by flamegraph.c, which has already drawn all of it; where scripts are off, the still
 * picture and its tooltips remain.
 *
 * Everything is read from the picture's elements and written back as text or numbers, never as
 * markup. Nothing is fetched.
 */
(function () {
	'use strict';

	const svg = document.currentScript.closest('svg');
	const alone = document.documentElement === svg; // not inside a page
	const part = (name) => svg.getElementsByClassName(name)[0];
	const pad = Number(svg.dataset.pad);
	const labelPad = Number(svg.dataset.label);
	const up = svg.dataset.up === '1'; // callees are drawn above their callers
	const height = Number(svg.getAttribute('height'));
	const footHeight = Number(part('bar').getAttribute('height'));
	const NARROWEST = 480;
	const hint = 'Click a frame to zoom in, / to search, arrow keys to walk, Esc to go back.';

	/*
	 * The frames, by rows from the root and in each row from left to right. A frame's place
	 * is [start, start + weight) of the root's [0, weight); of it, callees that are too narrow
	 * to be drawn have the weight hidden.
	 */
	const frames = [];
	const rows = [];
	const frameOf = new Map();

	function readFrames() {
		for (const group of part('frames').children) {
			const above = rows[rows.length - 1];
			const row = [];
			let parent = 0;

			for (const g of group.children) {
				const place = g.dataset.r.split(' ').map(Number);
				const [start, weight, hidden = 0] = place;
				const [title, rect, text] = g.children;
				const [name, ...figures] = title.textContent.split('\n');

				while (above && above[parent].start + above[parent].weight <= start)
					parent++;
				const frame = {
					g, rect, text, name, start, weight, hidden,
					label: name.replace(/_\[k\]$/, ''),
					figures: figures.join(', '),
					depth: rows.length,
					at: row.length,
					parent: above ? above[parent] : null,
				};
				row.push(frame);
				frames.push(frame);
				frameOf.set(g, frame);
			}
			rows.push(row);
		}
	}

	readFrames();
	if (!frames.length)
		return;

	const root = frames[0];
	let zoomed = root;
	let pattern = '';
	let stop = root; // where Tab goes
	let width = 0;
	let column = 7.22; // of the labels' font, until it is measured
	let bar, input, reset; // the controls

	const percent = (weight, of) => (100 * weight / of).toFixed(2) + '%';
	// What svg.c takes for two columns wide.
	const wide = new RegExp('[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff' +
				'\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6' +
				'\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]', 'u');

	/* @text cut to @room columns; nothing, if fewer than three characters of it would stay. */
	function fit(text, room) {
		let used = 0;
		let kept = '';

		if (/^[ -~]*$/.test(text))
			return text.length <= room ? text :
			       room < 4 ? '' : text.slice(0, Math.floor(room) - 1) + '\u2026';
		for (const char of text) {
			used += wide.test(char) ? 2 : 1;
			if (used < room)
				kept += char;
			if (used > room)
				return room < 4 ? '' : kept + '\u2026';
		}
		return text;
	}

	function measure() {
		const text = document.createElementNS(svg.namespaceURI, 'text');

		text.textContent = 'M'.repeat(50);
		root.g.append(text);
		column = text.getComputedTextLength() / 50 || column;
		text.remove();
	}

	const isIn = (inner, outer) =>
		inner.start >= outer.start &&
		inner.start + inner.weight <= outer.start + outer.weight;

	const isShown = (frame) => !!frame && !frame.g.classList.contains('out');
	const focused = () => frameOf.get(document.activeElement);

	/* One frame at a time can be reached by Tab; the arrow keys walk on from there. */
	function stopAt(frame) {
		stop.g.removeAttribute('tabindex');
		stop = frame;
		stop.g.setAttribute('tabindex', 0);
	}

	/* Draws @frame from @left, @wide pixels of it; flamegraph.c does the same. */
	function draw(frame, left, wide) {
		const label = fit(frame.label, Math.floor((wide - 2 * labelPad) / column));

		frame.rect.setAttribute('x', left);
		frame.rect.setAttribute('width', wide - Math.min(1, wide / 8));
		if (!label) {
			if (frame.text)
				frame.text.textContent = '';
			return;
		}
		if (!frame.text) {
			frame.text = document.createElementNS(svg.namespaceURI, 'text');
			frame.text.setAttribute('y', 12.5);
			frame.g.append(frame.text);
		}
		frame.text.setAttribute('x', left + labelPad);
		frame.text.textContent = label;
	}

	function drawFrames() {
		const full = width - 2 * pad;
		const scale = full / zoomed.weight;

		for (const frame of frames) {
			const below = frame.depth < zoomed.depth && isIn(zoomed, frame);
			const inside = frame.depth >= zoomed.depth && isIn(frame, zoomed);

			frame.g.classList.toggle('below', below);
			frame.g.classList.toggle('out', !below && !inside);
			if (below)
				draw(frame, pad, full);
			else if (inside)
				draw(frame, pad + (frame.start - zoomed.start) * scale,
				     frame.weight * scale);
		}
	}

	/* Fits the picture to the window, or to what it is in on a page. */
	function resize() {
		const box = alone ? svg : svg.parentElement;
		const room = Math.max(box.clientWidth || window.innerWidth, NARROWEST);

		if (room === width) {
			pin();
			return;
		}
		width = room;
		svg.setAttribute('width', width);
		svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
		for (const back of svg.querySelectorAll('.head > .back, .bar'))
			back.setAttribute('width', width);
		part('found').setAttribute('x', width - pad);
		if (part('legend')) {
			part('legend').setAttribute('transform', `translate(${width - pad},46)`);
			part('legend').style.display = width < 700 ? 'none' : '';
		}
		bar.setAttribute('width', Math.min(420, width - 2 * pad));
		bar.setAttribute('x', width - pad - bar.getAttribute('width'));
		drawFrames();
		pin();
		tell(focused());
	}

	/* Keeps controls and details in sight where the picture is longer than the window. */
	function pin(printing) {
		if (!alone)
			return;
		const most = Math.max(0, height - window.innerHeight);
		const top = printing ? 0 : Math.max(0, Math.min(window.scrollY, most));
		const bottom = printing ? height : Math.min(height, top + window.innerHeight);

		part('head').setAttribute('transform', `translate(0,${top})`);
		part('foot').setAttribute('transform', `translate(0,${bottom - footHeight})`);
	}

	/* The line at the bottom: @frame's, or what there is to do. */
	function tell(frame) {
		const details = part('details');
		const font = 6.6; // pixels a character: sans-serif of 12
		let room = (width - 2 * pad - 12 - part('found').textContent.length * font) / font;
		let figures = '';

		if (frame) {
			figures = ' \u2014 ' + frame.figures;
			if (zoomed !== root)
				figures += `, ${percent(frame.weight, zoomed.weight)} of `;
			// The names share what the figures leave.
			room -= figures.length;
			if (zoomed !== root) {
				const name = fit(zoomed.label, Math.max(12, room / 3));

				figures += name;
				room -= name.length;
			}
		}
		details.textContent = fit(frame ? frame.name : hint, Math.max(12, room)) + figures;
	}

	/* Without escapes, capitals in a pattern say that case matters. */
	function compile(text) {
		try {
			return new RegExp(text, /[A-Z]/.test(text.replace(/\\./g, '')) ? '' : 'i');
		} catch (error) {
			return null;
		}
	}

	/* Marks what matches, and says how much weight is in it: nested matches count once. */
	function search(text) {
		const regexp = text ? compile(text) : null;
		let all = 0;
		let inside = 0;
		let unseen = 0;

		pattern = text;
		input.value = text;
		input.classList.toggle('bad', !!text && !regexp);
		part('frames').classList.toggle('searched', !!regexp);
		for (const frame of frames) {
			const match = !!regexp &&
				      (regexp.test(frame.name) || regexp.test(frame.label));
			const covered = !!frame.parent && frame.parent.covered;

			frame.g.classList.toggle('match', match);
			frame.covered = match || covered;
			if (!frame.covered)
				unseen += frame.hidden;
			if (!match || covered)
				continue;
			all += frame.weight;
			if (isIn(frame, zoomed) && frame.depth >= zoomed.depth)
				inside += frame.weight;
			else if (isIn(zoomed, frame) && frame.depth < zoomed.depth)
				inside = zoomed.weight;
		}

		let found = '';

		if (text && !regexp) {
			found = 'not a regular expression';
		} else if (text) {
			found = 'matched ' + percent(all, root.weight);
			if (zoomed !== root)
				found += ' of all, ' + percent(inside, zoomed.weight) +
					 ' of what is shown';
			if (unseen / root.weight >= 0.00005)
				found += ' (up to ' + percent(unseen, root.weight) +
					 ' more in frames too narrow to draw)';
		}
		part('found').textContent = found;
		tell(focused());
	}

	function zoom(frame) {
		zoomed = frame;
		reset.hidden = frame === root;
		drawFrames();
		search(pattern);
		if (!isShown(stop))
			stopAt(zoomed);
	}

	/*
	 * What is shown is kept in the address, "#z=DEPTH,START&q=PATTERN", so that it can be
	 * passed on, and so that Back goes back. On a page, the address is the page's.
	 */
	function remember(step) {
		const state = [];

		if (!alone)
			return;
		if (zoomed !== root)
			state.push(`z=${zoomed.depth},${zoomed.start}`);
		if (pattern)
			state.push('q=' + encodeURIComponent(pattern));
		try {
			const fragment = state.length ? '#' + state.join('&') : '';
			const url = location.pathname + location.search + fragment;

			if (step)
				history.pushState(null, '', url);
			else
				history.replaceState(null, '', url);
		} catch (error) {
			// Some sandboxes have no history; then nothing is remembered.
		}
	}

	function recall() {
		const state = new URLSearchParams(alone ? location.hash.slice(1) : '');
		const [depth, start] = (state.get('z') || '0,0').split(',').map(Number);

		pattern = state.get('q') || '';
		zoom((rows[depth] || []).find((frame) => frame.start === start) || root);
	}

	function zoomTo(frame) {
		if (frame === zoomed)
			return;
		zoom(frame);
		remember(true);
	}

	function searchFor(text) {
		search(text);
		remember(false);
	}

	/* The controls are HTML. They come with the script, as they are of no use without. */
	function addTools() {
		const xhtml = 'http://www.w3.org/1999/xhtml';
		const html = (name) => document.createElementNS(xhtml, name);
		const tools = html('div');

		bar = document.createElementNS(svg.namespaceURI, 'foreignObject');
		bar.setAttribute('y', 6);
		bar.setAttribute('height', 30);
		tools.className = 'tools';

		reset = html('button');
		reset.type = 'button';
		reset.className = 'reset';
		reset.textContent = 'Reset zoom';
		reset.hidden = true;
		reset.addEventListener('click', () => zoomTo(root));

		input = html('input');
		input.type = 'search';
		input.className = 'search';
		input.placeholder = 'Search: regular expression';
		input.spellcheck = false;
		input.setAttribute('aria-label', 'Search frames by regular expression');
		input.addEventListener('input', () => searchFor(input.value));

		tools.append(reset, input);
		bar.append(tools);
		part('head').append(bar);
	}

	function neighbour(frame, key) {
		const row = rows[frame.depth];

		if (key === 'ArrowLeft')
			return row[frame.at - 1];
		if (key === 'ArrowRight')
			return row[frame.at + 1];
		if ((key === 'ArrowUp') !== up)
			return frame.parent;
		// The heaviest callee: pressed again and again, the hottest path.
		return (rows[frame.depth + 1] || [])
			.filter((child) => child.parent === frame && isShown(child))
			.reduce((best, child) =>
				(best && best.weight >= child.weight ? best : child), null);
	}

	function onKey(event) {
		const typing = event.target === input;
		const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
		const frame = frameOf.get(event.target);

		if (event.key === 'Escape') {
			if (typing && pattern)
				searchFor('');
			else if (zoomed !== root)
				zoomTo(root);
			else if (pattern)
				searchFor('');
			if (typing)
				input.blur();
		} else if ((event.key === 'f' && (event.ctrlKey || event.metaKey)) ||
			   (event.key === '/' && plain)) {
			// A second Ctrl-F is for the browser's own search.
			if (typing)
				return;
			input.focus();
			input.select();
		} else if (frame && plain && /^Arrow/.test(event.key)) {
			const next = neighbour(frame, event.key);

			if (isShown(next)) {
				stopAt(next);
				next.g.focus();
			}
		} else if (frame && plain && (event.key === 'Enter' || event.key === ' ')) {
			zoomTo(frame);
		} else {
			return;
		}
		event.preventDefault();
	}

	const frameAt = (event) => frameOf.get(event.target.parentNode);

	function listen() {
		const area = part('frames');

		area.addEventListener('click', (event) => {
			const frame = frameAt(event);

			if (!frame)
				return;
			zoomTo(frame);
			stopAt(frame);
			frame.g.focus({ preventScroll: true });
		});
		area.addEventListener('mouseover', (event) => tell(frameAt(event)));
		area.addEventListener('mouseout', () => tell(focused()));
		area.addEventListener('focusin', (event) => tell(frameOf.get(event.target)));
		area.addEventListener('focusout', () => tell());
		(alone ? window : svg).addEventListener('keydown', onKey);
		window.addEventListener('resize', resize);
		if (alone) {
			window.addEventListener('scroll', () => pin(), { passive: true });
			window.addEventListener('popstate', recall);
			window.addEventListener('beforeprint', () => pin(true));
			window.addEventListener('afterprint', () => pin());
		}
	}

	addTools();
	measure();
	resize();
	recall();
	stopAt(root);
	listen();
	part('frames').classList.add('live');
	// The root is where a flame graph begins: show it first.
	if (alone && up && height > window.innerHeight)
		window.scrollTo(0, height);
})();
