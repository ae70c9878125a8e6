#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Do the pictures do in a browser what they are for?

Draws pictures with make_picture from $BPF_PROF_BUILD, opens them as files in headless Chromium,
clicks, types and points as a person would, and looks at what is then shown. Chromium is driven
by chromedriver, in the WebDriver protocol. Exits 77 where there is no Chromium.

  browser_test.py [--shots DIRECTORY]     keep screenshots of what is tested
"""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

BUILD = os.environ.get('BPF_PROF_BUILD', 'build')
MAKE_PICTURE = os.path.join(BUILD, 'tests/unit/pictures/make_picture')
CHROMIUM = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
            '--hide-scrollbars', '--window-size=1200,800']
ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'  # the protocol's name for a reference to one
CONTROL, ESCAPE, ENTER, TAB = '\ue009', '\ue00c', '\ue007', '\ue004'
UP, DOWN, LEFT, RIGHT = '\ue013', '\ue015', '\ue012', '\ue014'

HOSTILE = [
    '</script><script>window.hacked=1</script>',
    '"><img src=x onerror=window.hacked=1>',
    '<svg onload="window.hacked=1">',
    '&ltb&gt&amp&#60i&#62',  # without the semicolons, which divide folded frames
    ']]><script>window.hacked=1</script>',
    'std::map<int, std::vector<char> >::operator[](int const&)',
    "'${window.hacked=1}`",
]

# 1000 samples in all. "read" is in 350 of them, though nested in itself.
STACKS = '''\
nginx;main;handle;do_syscall_64_[k];vfs_read_[k] 200
nginx;main;handle;do_syscall_64_[k];vfs_read_[k];pipe_read_[k] 100
nginx;main;handle;do_syscall_64_[k];vfs_write_[k] 50
nginx;main;handle;render<int, char> 150
nginx;main;parse 100
worker;main;handle;read_config 50
worker;main;sleep 200
''' + ''.join(f'worker;names;{name} 10\n' for name in HOSTILE) + 'worker;rest 80\n'


class Browser:
    """A Chromium with a profile of its own, which is removed in the end."""

    def __init__(self, directory, *arguments):
        self.profile = tempfile.mkdtemp(dir=directory)
        self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True,
                                       start_new_session=True)
        self.session = None
        for line in self.driver.stdout:
            found = re.search(r'started successfully on port (\d+)', line)
            if found:
                self.base = f'http://127.0.0.1:{found[1]}'
                break
        else:
            sys.exit('browser_test: chromedriver does not start')
        options = {'args': CHROMIUM + [f'--user-data-dir={self.profile}', *arguments]}
        self.session = self.call('/session', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:chromeOptions': options,
            'goog:loggingPrefs': {'performance': 'ALL', 'browser': 'ALL'}}}})['sessionId']
        self.base += f'/session/{self.session}'

    def call(self, path, data=None, method=None):
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.base + path, body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            message = json.load(error)['value']['message'].splitlines()[0]
            raise RuntimeError(f'{path}: {message}') from None

    def close(self):
        try:
            if self.session:
                self.call('', method='DELETE')
        finally:
            # What is left of the browser is in the driver's process group.
            try:
                os.killpg(self.driver.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
            self.driver.wait()

    def open(self, path, fragment=''):
        # By way of another page, so that it is loaded anew.
        self.call('/url', {'url': 'about:blank'})
        self.call('/url', {'url': f'file://{path}{fragment}'})

    def run(self, script, *args):
        return self.call('/execute/sync', {'script': script, 'args': list(args)})

    def click(self, element):
        self.call(f'/element/{element[ELEMENT]}/click', {})

    def hover(self, element):
        self.act('pointer', [{'type': 'pointerMove', 'origin': element, 'x': 0, 'y': 0,
                              'duration': 0}])

    def keys(self, *keys):
        """Presses the keys together."""
        self.act('key', [{'type': 'keyDown', 'value': key} for key in keys] +
                 [{'type': 'keyUp', 'value': key} for key in reversed(keys)])

    def act(self, kind, actions):
        source = {'type': kind, 'id': kind, 'actions': actions}
        if kind == 'pointer':
            source['parameters'] = {'pointerType': 'mouse'}
        self.call('/actions', {'actions': [source]})

    def type(self, text):
        for char in text:
            self.keys(char)

    def log(self, kind):
        return self.call('/se/log', {'type': kind})

    def forget(self):
        """Empties the logs: the browser's own first page, and others of no interest."""
        self.log('performance')
        self.log('browser')

    def cdp(self, command, **params):
        return self.call('/goog/cdp/execute', {'cmd': command, 'params': params})

    def screenshot(self, path):
        with open(path, 'wb') as file:
            file.write(base64.b64decode(self.call('/screenshot')))


FIND = '''
const svg = document.documentElement.localName === 'svg' ? document.documentElement :
            document.querySelectorAll('svg')[arguments[1] || 0];
const nameOf = (g) => g.querySelector('title').textContent.split('\\n')[0];
const all = [...svg.querySelectorAll('.frames > g > g')];
const find = (name) => all.find((g) => nameOf(g) === name);
const shown = (g) => getComputedStyle(g).display !== 'none';
'''


class Page:
    """A flame graph in a browser, with words for what a person does and sees."""

    def __init__(self, browser, which=0):
        self.browser = browser
        self.which = which

    def look(self, expression, argument=None):
        return self.browser.run(FIND + f'return {expression};', argument, self.which)

    def rect(self, name):
        rect = self.look('find(arguments[0]).querySelector("rect")', name)
        assert rect, name
        return rect

    def click(self, name):
        self.browser.click(self.rect(name))

    def shown(self):
        return self.look('all.filter(shown).map(nameOf)')

    def below(self):
        return self.look('all.filter((g) => g.classList.contains("below")).map(nameOf)')

    def width(self, name):
        return self.look('find(arguments[0]).querySelector("rect").getBoundingClientRect().width',
                         name)

    def full(self):
        return self.look('svg.getBoundingClientRect().width') - 20

    def label(self, name):
        return self.look('(find(arguments[0]).querySelector("text") || {}).textContent', name)

    def matches(self):
        return sorted(self.look('all.filter((g) => g.classList.contains("match")).map(nameOf)'))

    def found(self):
        return self.look('svg.querySelector(".found").textContent')

    def details(self):
        return self.look('svg.querySelector(".details").textContent')

    def search(self, text):
        self.browser.run(FIND + 'const i = svg.querySelector(".search"); i.focus(); i.select();',
                         None, self.which)
        self.browser.type(text)

    def can_reset(self):
        return self.look('!svg.querySelector(".reset").hidden')


def equal(got, expected):
    assert got == expected, f'{got!r}, not {expected!r}'


def near(got, expected, by=2):
    assert abs(got - expected) <= by, f'{got}, not about {expected}'


def zoom_shows_one_frame_in_full(page):
    everything = page.shown()
    near(page.width('handle'), 0.5 * page.full())
    page.click('do_syscall_64_[k]')
    near(page.width('do_syscall_64_[k]'), page.full())
    near(page.width('vfs_read_[k]'), page.full() * 300 / 350)
    # Those it is called from are in full too, and dimmed; all others are gone.
    equal(page.below(), ['all', 'nginx', 'main', 'handle'])
    for name in page.below():
        near(page.width(name), page.full())
    equal(sorted(page.shown()), sorted(page.below() + ['do_syscall_64_[k]', 'vfs_read_[k]',
                                                       'vfs_write_[k]', 'pipe_read_[k]']))
    equal(page.label('do_syscall_64_[k]'), 'do_syscall_64')
    assert page.can_reset()
    # From there to a caller, and by the root back to all of it.
    page.click('handle')
    near(page.width('do_syscall_64_[k]'), page.full() * 350 / 500)
    page.click('all')
    equal(page.shown(), everything)
    equal(page.below(), [])
    near(page.width('handle'), 0.5 * page.full())
    assert not page.can_reset()


def zoom_is_reset_by_button_and_by_escape(page):
    everything = page.shown()
    page.click('parse')
    near(page.width('parse'), page.full())
    page.browser.click(page.look('svg.querySelector(".reset")'))
    equal(page.shown(), everything)
    page.click('parse')
    page.browser.keys(ESCAPE)
    equal(page.shown(), everything)
    near(page.width('parse'), 0.1 * page.full())


def labels_grow_with_their_frames(page):
    name = 'std::map<int, std::vector<char> >::operator[](int const&)'
    assert not page.label(name)
    page.click('names')
    label = page.label(name)
    assert label.endswith('\u2026') and name.startswith(label[:-1]) and len(label) > 10, label
    page.click(name)
    equal(page.label(name), name)
    page.browser.keys(ESCAPE)
    assert not page.label(name)


def search_marks_and_counts_once(page):
    page.search('read')
    equal(page.matches(), ['pipe_read_[k]', 'read_config', 'vfs_read_[k]'])
    equal(page.found(), 'matched 35.00%')
    fill = page.look('getComputedStyle(find("vfs_read_[k]").querySelector("rect")).fill')
    other = page.look('getComputedStyle(find("vfs_write_[k]").querySelector("rect")).fill')
    assert fill != other
    page.search('^(vfs|pipe)_')
    equal(page.matches(), ['pipe_read_[k]', 'vfs_read_[k]', 'vfs_write_[k]'])
    equal(page.found(), 'matched 35.00%')
    page.search('^vfs_read$')  # the mark of the kernel need not be typed
    equal(page.found(), 'matched 30.00%')
    page.search('_\\[k\\]$')
    equal(page.found(), 'matched 35.00%')
    page.search('RENDER')  # capitals are meant
    equal(page.found(), 'matched 0.00%')
    page.search('handle|read')
    equal(page.found(), 'matched 55.00%')
    page.search('vector<int>{')  # which is lenient, as a person's pattern may be
    equal(page.found(), 'matched 0.00%')
    page.search('(')
    equal(page.matches(), [])
    equal(page.found(), 'not a regular expression')
    page.browser.keys(ESCAPE)
    equal(page.found(), '')
    equal(page.look('svg.querySelectorAll(".match, .searched").length'), 0)


def search_tells_what_it_cannot_see(page):
    page.search('tiny')
    equal(page.found(), 'matched 0.00% (up to 0.01% more in frames too narrow to draw)')
    page.search('main|tiny')  # which is in what has matched anyway
    equal(page.found(), 'matched 99.99%')


def search_knows_the_zoom(page):
    page.search('read')
    page.click('nginx')
    equal(page.found(), 'matched 35.00% of all, 50.00% of what is shown')
    page.click('vfs_read_[k]')
    equal(page.found(), 'matched 35.00% of all, 100.00% of what is shown')
    page.click('pipe_read_[k]')  # within a match
    equal(page.found(), 'matched 35.00% of all, 100.00% of what is shown')
    page.browser.keys(ESCAPE)
    equal(page.found(), 'matched 35.00%')
    page.browser.keys(ESCAPE)
    equal(page.found(), '')


def pointing_tells_the_figures(page):
    page.browser.hover(page.rect('parse'))
    equal(page.details(), 'parse \u2014 100 samples, 10.00%')
    page.browser.hover(page.rect('vfs_read_[k]'))
    equal(page.details(), 'vfs_read_[k] \u2014 300 samples, 30.00%, self 200 samples, 20.00%')
    page.click('nginx')
    page.browser.hover(page.rect('parse'))
    equal(page.details(), 'parse \u2014 100 samples, 10.00%, 16.67% of nginx')
    page.browser.keys(ESCAPE)


def keys_do_it_all(page):
    focus = 'document.activeElement === svg.querySelector(".search")'
    page.browser.keys(CONTROL, 'f')
    assert page.look(focus)
    page.browser.type('read')
    equal(page.found(), 'matched 35.00%')
    page.browser.keys(ESCAPE)
    assert not page.look(focus)
    equal(page.found(), '')
    page.browser.keys('/')
    assert page.look(focus)
    page.browser.keys(ESCAPE)
    # Tab comes from the search box to the frames, of which only one is a stop.
    equal(page.look('svg.querySelectorAll(".frames [tabindex]").length'), 1)
    page.click('parse')
    equal(page.look('svg.querySelectorAll(".frames [tabindex]").length'), 1)
    page.click('all')
    # Up from the root: the heaviest callee, again and again.
    for name in ('nginx', 'main', 'handle', 'do_syscall_64_[k]', 'vfs_read_[k]'):
        page.browser.keys(UP)
        equal(page.look('nameOf(document.activeElement)'), name)
        assert page.details().startswith(name + ' ')
    page.browser.keys(RIGHT)
    equal(page.look('nameOf(document.activeElement)'), 'vfs_write_[k]')
    page.browser.keys(LEFT)
    page.browser.keys(DOWN)
    page.browser.keys(ENTER)
    near(page.width('do_syscall_64_[k]'), page.full())
    page.browser.keys(ESCAPE)
    near(page.width('do_syscall_64_[k]'), 0.35 * page.full())


def the_address_keeps_what_is_shown(page):
    browser = page.browser
    page.search('vfs_(read|write)')
    page.click('handle')
    address = browser.call('/url')
    assert '#z=' in address, address
    browser.call('/url', {'url': 'about:blank'})
    browser.call('/url', {'url': address})
    near(page.width('handle'), page.full())
    equal(page.matches(), ['vfs_read_[k]', 'vfs_write_[k]'])
    page.click('vfs_read_[k]')
    browser.call('/back', {})
    near(page.width('handle'), page.full())
    browser.call('/forward', {})
    near(page.width('vfs_read_[k]'), page.full())
    browser.keys(ESCAPE)
    browser.keys(ESCAPE)
    assert '#' not in browser.call('/url')


def a_hostile_address_does_nothing(page):
    browser = page.browser
    path = browser.call('/url').split('#')[0]
    for fragment in ('#z=99,1', '#z=%3Cimg', '#z=-1,x&q=%3Cscript%3Ewindow.hacked=1%3C/script%3E',
                     '#q=%28%28%28', '#%00&&=', '#z=constructor,0'):
        browser.call('/url', {'url': 'about:blank'})
        browser.call('/url', {'url': path + fragment})
        near(page.width('all'), page.full())
        equal(page.look('window.hacked === undefined'), True)
    browser.call('/url', {'url': 'about:blank'})
    browser.call('/url', {'url': path})


def hostile_names_are_text(page):
    equal(page.look('window.hacked === undefined'), True)
    equal(page.look('svg.querySelectorAll("script").length'), 1)
    equal(page.look('svg.querySelectorAll("img, b").length'), 0)
    page.click('names')
    for name in HOSTILE:
        page.browser.hover(page.rect(name))
        assert page.details().startswith(name[:40]), page.details()
        page.click(name)
        equal(page.label(name), name)
        page.click('names')
    page.search('hacked')
    equal(len(page.matches()), 5)
    equal(page.look('window.hacked === undefined'), True)
    page.browser.keys(ESCAPE)
    page.browser.keys(ESCAPE)


def it_fits_the_window(page):
    browser = page.browser
    for width in (700, 1600, 1200):
        browser.call('/window/rect', {'width': width, 'height': 800})
        for _ in range(50):
            if abs(page.full() + 20 - width) <= 20:
                break
            time.sleep(0.1)
        near(page.full() + 20, browser.run('return window.innerWidth'), 1)
        near(page.width('handle'), 0.5 * page.full())


def it_is_dark_where_the_desktop_is(page):
    browser = page.browser
    fill = 'getComputedStyle(svg.querySelector(".back")).fill'
    light = page.look(fill)
    browser.cdp('Emulation.setEmulatedMedia',
                features=[{'name': 'prefers-color-scheme', 'value': 'dark'}])
    assert page.look(fill) != light
    browser.cdp('Emulation.setEmulatedMedia', features=[])
    equal(page.look(fill), light)


def nothing_was_fetched(browser, files):
    """No request but for the pages themselves, and nothing to complain about."""
    equal(browser.run('return performance.getEntriesByType("resource").length'), 0)
    for entry in browser.log('performance'):
        message = json.loads(entry['message'])['message']
        if message['method'] == 'Network.requestWillBeSent':
            url = message['params']['request']['url'].split('#')[0]
            # What the browser itself opens when it starts does not count.
            if url != 'about:blank' and not message['params']['documentURL'].startswith('chrome:'):
                assert url in files, f'fetched {url}'
    equal([entry['message'] for entry in browser.log('browser')], [])


FLAME_TESTS = [
    zoom_shows_one_frame_in_full,
    zoom_is_reset_by_button_and_by_escape,
    labels_grow_with_their_frames,
    search_marks_and_counts_once,
    search_knows_the_zoom,
    pointing_tells_the_figures,
    keys_do_it_all,
    the_address_keeps_what_is_shown,
    a_hostile_address_does_nothing,
    hostile_names_are_text,
    it_fits_the_window,
    it_is_dark_where_the_desktop_is,
]


def draw(directory, name, data, *arguments):
    path = os.path.join(directory, name)
    with open(path, 'wb') as file:
        subprocess.run([MAKE_PICTURE, *arguments], input=data.encode(), stdout=file, check=True,
                       env={**os.environ, 'TZ': 'UTC'})
    return path


def many_stacks(frames):
    """As many frames of about the same width, in a tree of two or three callees each."""
    lines = []
    level = ['main']
    count = 1
    while count < frames:
        nxt = []
        for path in level:
            for i in range(2 + len(path) % 2):
                nxt.append(f'{path};function_{len(nxt) % 97}_{i}')
        level = nxt
        count += len(level)
    for i, path in enumerate(level):
        lines.append(f'app;{path} {10 + i % 7}\n')
    return ''.join(lines)


def heat_cells():
    cells = []
    for second in range(120):
        for row in range(40):
            lo = 1 << (10 + row // 4)
            lo += lo // 4 * (row % 4)
            cells.append(f'{second}500000000 {lo} {lo + (1 << (8 + row // 4))} '
                         f'{1 + (row * row + second) % 300}\n')
    return ''.join(cells)


class Report:
    """Runs what is to be tested and says how it went."""

    def __init__(self):
        self.failed = 0
        self.passed = 0

    def check(self, name, test, *args):
        try:
            test(*args)
            self.passed += 1
            print(f'ok   {name}')
        except (AssertionError, RuntimeError) as error:
            self.failed += 1
            frames = traceback.extract_tb(error.__traceback__)
            line = next(frame.lineno for frame in reversed(frames)
                        if frame.name not in ('equal', 'near', 'call'))
            print(f'FAIL {name}: line {line}: {error}')


def flame_in_a_file(report, browser, path, shots):
    page = Page(browser)
    browser.forget()
    for test in FLAME_TESTS:
        browser.open(path)
        report.check(test.__name__, test, page)
    browser.open(path)
    if shots:
        browser.screenshot(os.path.join(shots, 'flame.png'))
        page.click('nginx')
        page.search('read')
        browser.hover(page.rect('vfs_read_[k]'))
        browser.screenshot(os.path.join(shots, 'flame-zoomed-searched.png'))
    report.check('nothing_was_fetched', nothing_was_fetched, browser, [f'file://{path}'])


def one_with_hidden_frames(report, browser, directory):
    path = draw(directory, 'hidden.svg', 'app;main;a 99980\napp;main;tiny1 5\napp;main;tiny2 5\n'
                'app;b 10\n', 'flame')
    browser.open(path)
    report.check('search_tells_what_it_cannot_see', search_tells_what_it_cannot_see,
                 Page(browser))


def icicle_in_a_file(report, browser, path):
    page = Page(browser)
    browser.open(path)

    def the_root_is_on_top(page):
        top = 'find(arguments[0]).getBoundingClientRect().top'
        assert page.look(top, 'all') < page.look(top, 'nginx') < page.look(top, 'handle')
        page.click('all')
        page.browser.keys(DOWN)
        equal(page.look('nameOf(document.activeElement)'), 'nginx')

    report.check('an_icicle_has_its_root_on_top', the_root_is_on_top, page)


def two_in_a_page(report, browser, directory, path):
    with open(path, encoding='utf-8') as file:
        svg = file.read()
    host = os.path.join(directory, 'host.html')
    browser.forget()
    with open(host, 'w', encoding='utf-8') as file:
        file.write('<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,">'
                   '<style>body{margin:0;width:900px}</style>'
                   f'<p class="title">A page</p><div>{svg}</div><div>{svg}</div>')

    def each_is_on_its_own():
        first, second = Page(browser), Page(browser, 1)
        browser.open(host)
        near(first.full() + 20, 900)
        first.click('handle')
        near(first.width('handle'), first.full())
        near(second.width('handle'), 0.5 * second.full())
        second.search('parse')
        equal(second.found(), 'matched 10.00%')
        equal(first.found(), '')
        assert '#' not in browser.call('/url')
        equal(browser.run('return window.hacked === undefined'), True)
        equal(browser.run('return document.querySelectorAll("img, b").length'), 0)

    report.check('two_in_a_page_are_on_their_own', each_is_on_its_own)
    report.check('nothing_was_fetched_by_the_page', nothing_was_fetched, browser,
                 [f'file://{host}'])


def still_pictures(report, browser, directory, paths):
    host = os.path.join(directory, 'still.html')
    with open(host, 'w', encoding='utf-8') as file:
        file.write('<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,">' +
                   ''.join(f'<img src="{os.path.basename(path)}">' for path in paths))

    def without_a_script():
        browser.open(host)
        sizes = browser.run('return [...document.images].map((i) => '
                            '[i.complete, i.naturalWidth, i.naturalHeight > 100])')
        equal(sizes, [[True, 1200, True]] * len(paths))

    report.check('without_a_script_they_are_still_pictures', without_a_script)


def a_large_one(report, browser, directory, shots):
    path = draw(directory, 'large.svg', many_stacks(10000), 'flame')
    frames = None

    def is_quick():
        nonlocal frames
        page = Page(browser)
        began = time.monotonic()
        browser.open(path)
        loaded = time.monotonic()
        frames = page.look('all.length')
        page.click('main')
        page.click('all')
        page.search('function_5')
        searched = time.monotonic()
        assert page.found().startswith('matched ')
        print(f'     {frames} frames, {os.path.getsize(path)} bytes: opened in '
              f'{loaded - began:.2f} s; two zooms and a search of ten letters took '
              f'{searched - loaded:.2f} s')
        if shots:
            browser.screenshot(os.path.join(shots, 'large.png'))
        assert 9000 < frames < 30001 and os.path.getsize(path) < 200 * frames

    report.check('ten_thousand_frames_are_handled', is_quick)


def a_long_one(report, browser, directory):
    """Deeper than the window is high: the controls stay in sight, and it opens at its root."""
    deep = ';'.join(f'frame_{i}' for i in range(200))
    path = draw(directory, 'deep.svg', f'app;{deep} 5\n', 'flame')

    def keeps_its_controls():
        page = Page(browser)
        browser.open(path)
        box = 'svg.querySelector(arguments[0]).getBoundingClientRect().'
        frame = 'return new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))'

        def in_sight():
            inner = browser.run('return window.innerHeight')
            near(page.look(box + 'top', '.head'), 0)
            near(page.look(box + 'bottom', '.bar'), inner)
            return inner

        assert page.look('find("all").getBoundingClientRect().bottom') <= in_sight()
        browser.run('window.scrollTo(0, 0);' + frame)
        assert page.look('find("all").getBoundingClientRect().top') > in_sight()
        browser.call('/window/rect', {'width': 1200, 'height': 600})
        browser.run(frame)
        in_sight()
        browser.call('/window/rect', {'width': 1200, 'height': 800})

    report.check('a_deep_one_keeps_its_controls_in_sight', keeps_its_controls)


def heat_in_a_file(report, browser, directory, shots):
    path = draw(directory, 'heat.svg', heat_cells(), 'heat', '-t', '<b>&"rundelay"')

    def shows_its_cells():
        browser.forget()
        browser.open(path)
        cells = browser.run('return [...document.querySelectorAll(".cells rect")].map((r) => '
                            '[r.querySelector("title").textContent, '
                            'r.getBoundingClientRect().height])')
        equal(len(cells), 120 * 40)
        assert all(height >= 1 for _, height in cells)
        title, _ = cells[0]
        assert re.fullmatch(r'03:04:05 \.\. 03:04:06\n1\.024 us \.\. 1\.28 us\n'
                            r'1 events, 0\.\d\d% of the column', title), title
        equal(browser.run('return document.querySelector(".title").textContent'),
              '<b>&"rundelay"')
        if shots:
            browser.screenshot(os.path.join(shots, 'heat.png'))

    report.check('a_heat_map_shows_its_cells', shows_its_cells)
    report.check('nothing_was_fetched_by_the_heat_map', nothing_was_fetched, browser,
                 [f'file://{path}'])


def main():
    shots = sys.argv[2] if sys.argv[1:2] == ['--shots'] else None
    for program in ('chromium', 'chromedriver'):
        if not shutil.which(program):
            print(f'skip: there is no {program} (Debian: apt install chromium chromium-driver)')
            return 77
    if not os.access(MAKE_PICTURE, os.X_OK):
        print(f'browser_test: {MAKE_PICTURE} is not built')
        return 1

    report = Report()
    with tempfile.TemporaryDirectory(prefix='browser_test.') as directory:
        flame = draw(directory, 'flame.svg', STACKS, 'flame', '-t', '<i>nginx & "co"</i>',
                     '-u', 'a test')
        icicle = draw(directory, 'icicle.svg', STACKS, 'flame', '-i', '-s', 'wait')
        browser = Browser(directory)
        try:
            flame_in_a_file(report, browser, flame, shots)
            icicle_in_a_file(report, browser, icicle)
            one_with_hidden_frames(report, browser, directory)
            two_in_a_page(report, browser, directory, flame)
            still_pictures(report, browser, directory, [flame, icicle])
            a_long_one(report, browser, directory)
            a_large_one(report, browser, directory, shots)
            heat_in_a_file(report, browser, directory, shots)
        finally:
            browser.close()
    print(f'{report.passed} passed, {report.failed} failed')
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
