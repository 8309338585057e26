#!/usr/bin/env python3
"""The landing page in a browser: on a phone and a desktop, light and dark.

It has to fit the width of the window, its text has to have the contrast that WCAG 2 asks for (4.5), and a collector that fails has
to be seen without scrolling. Needs Chromium, which is driven through its debugging pipe.
"""
import contextlib, json, os, pathlib, re, shutil, subprocess, tempfile, time, unittest, urllib.request

BINARY = pathlib.Path(os.environ.get('BINARY') or pathlib.Path(__file__).resolve().parents[2] / 'target/release/node-exporter')
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
# With opt-in collectors, so that the page has its maximum length.
OPT_IN = 'buddyinfo cgroups cpu_vulnerabilities ksmd lnstat meminfo_numa processes slabinfo softirqs swap tcpstat zoneinfo'.split()
PHONE, DESKTOP = (390, 844), (1280, 800)

# For each element with text: the contrast between its color and the nearest background.
CONTRASTS = '''(() => {
    const luminance = color => {
        const channels = color.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2];
    };
    const background = element => {
        for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor;
            if (color !== 'rgba(0, 0, 0, 0)') return color;
        }
        return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll('body *')]
        .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.offsetParent && e.tagName !== 'BUTTON')
        .map(e => {
            const [one, other] = [luminance(getComputedStyle(e).color), luminance(background(e))];
            return [(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), e.outerHTML.slice(0, 80)];
        });
})()'''


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, files):
        browser_input, self.write = os.pipe()
        self.read, browser_output = os.pipe()

        def set_up_descriptors():
            # The browser reads commands from descriptor 3 and writes to 4.
            copies = os.dup(browser_input), os.dup(browser_output)
            os.dup2(copies[0], 3)
            os.dup2(copies[1], 4)

        self.process = subprocess.Popen(
            [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe',
             f'--user-data-dir={files}/profile', 'about:blank'],
            pass_fds=(3, 4, browser_input, browser_output), preexec_fn=set_up_descriptors, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, 'HOME': str(files)})
        os.close(browser_input)
        os.close(browser_output)
        self.buffer, self.last_id, self.session = b'', 0, None
        while not (pages := [t for t in self.call('Target.getTargets')['targetInfos'] if t['type'] == 'page']):
            time.sleep(0.1)
        self.session = self.call('Target.attachToTarget', targetId=pages[0]['targetId'], flatten=True)['sessionId']

    def call(self, method, **params):
        self.last_id += 1
        message = {'id': self.last_id, 'method': method, 'params': params} | ({'sessionId': self.session} if self.session else {})
        os.write(self.write, json.dumps(message).encode() + b'\0')
        while True:
            while b'\0' not in self.buffer:
                read = os.read(self.read, 1 << 16)
                if not read:
                    raise EOFError('the browser has ended')
                self.buffer += read
            line, self.buffer = self.buffer.split(b'\0', 1)
            response = json.loads(line)
            if response.get('id') == self.last_id:
                if 'error' in response:
                    raise RuntimeError(response['error'])
                return response['result']

    def evaluate(self, expression):
        return self.call('Runtime.evaluate', expression=expression, returnByValue=True)['result'].get('value')

    def show(self, url, size, scheme):
        width, height = size
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])
        self.call('Page.navigate', url='about:blank')
        self.call('Page.navigate', url=url)
        while self.evaluate('location.href + document.readyState') != f'{url}complete':
            time.sleep(0.05)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.write)
        os.close(self.read)


@unittest.skipUnless(CHROMIUM, 'no chromium')
class LandingPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        files = contextlib.ExitStack()
        cls.addClassCleanup(files.close)
        directory = pathlib.Path(files.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        # A failing collector with a long word in its message.
        failing = ['--collector.supervisord', f'--collector.supervisord.url=unix://{directory}/{"long_" * 20}']
        exporter = subprocess.Popen([BINARY, '--web.listen-address=127.0.0.1:0', *(f'--collector.{name}' for name in OPT_IN), *failing],
                                    stderr=subprocess.PIPE, text=True)
        files.callback(exporter.stderr.close)
        files.callback(exporter.wait)
        files.callback(exporter.kill)
        for line in exporter.stderr:
            if found := re.search(r'address="?(127\.0\.0\.1:\d+)', line):
                break
        cls.url = f'http://{found[1]}/'
        for _ in range(20):
            urllib.request.urlopen(cls.url + 'metrics').read()
        cls.browser = Browser(directory)
        cls.addClassCleanup(cls.browser.close)

    def each_view(self):
        for size in (PHONE, DESKTOP):
            for scheme in ('light', 'dark'):
                for path in ('', '?search=cpu'):
                    self.browser.show(self.url + path, size, scheme)
                    with self.subTest(size=size, scheme=scheme, path=path):
                        yield size

    def test_the_page_fits_the_width_of_the_window(self):
        for width, _ in self.each_view():
            self.assertLessEqual(self.browser.evaluate('document.documentElement.scrollWidth'), width)

    def test_text_has_contrast(self):
        for _ in self.each_view():
            contrasts = self.browser.evaluate(CONTRASTS)
            self.assertGreater(len(contrasts), 100)
            self.assertEqual([c for c in contrasts if c[0] < 4.5], [])

    def test_failures_are_seen_without_scrolling(self):
        for size in (PHONE, DESKTOP):
            self.browser.show(self.url, size, 'light')
            top = self.browser.evaluate("document.querySelector('tr.failed').getBoundingClientRect().top")
            self.assertLess(top, size[1])
            self.assertIn('failing', self.browser.evaluate("document.querySelector('.summary .failed').textContent"))

    def test_a_search_shows_values(self):
        self.browser.show(self.url + '?search=load1', DESKTOP, 'light')
        self.assertRegex(self.browser.evaluate("document.querySelector('pre').textContent"), r'node_load1 [\d.]+')


if __name__ == '__main__':
    if not CHROMIUM:
        print('SKIPPED: the landing page: no chromium')
    unittest.main()
