#!/usr/bin/env python3
"""The Grafana dashboards: a real Prometheus scrapes exporters, and every expression of every panel has a result.

The node exporter ($BINARY, or the debug build) runs here and is scraped over mutual TLS. The pages of the others are in pages/, recorded from a
MariaDB and from the CloudWatch exporter, with charges written by hand; those of MySQL collectors that need a replica, a cluster or locks are the
expected pages of their tests. Prometheus is $PROMETHEUS, or in target/tools or the PATH; skipped with a message where it is missing.
"""
import contextlib, http.server, json, os, pathlib, re, shutil, socket, subprocess, sys, tempfile, threading, time, unittest, urllib.error, urllib.parse, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARDS = sorted((ROOT / 'packaging/grafana/dashboards').glob('*.json'))
PAGES = ROOT / 'packaging/tests/pages'
COLLECTORS = ROOT / 'mysql-exporter/tests/golden'
PKI = ROOT / 'packaging/pki/exporter-pki'
BINARY = pathlib.Path(os.environ.get('BINARY') or ROOT / 'target/debug/node-exporter')
UNPACKED = ROOT / 'target/tools/unpacked/usr/bin/prometheus'
PROMETHEUS = shutil.which(os.environ.get('PROMETHEUS') or (str(UNPACKED) if UNPACKED.exists() else 'prometheus'))
# Metrics that may be missing on a test machine: disks, swap, pressure information, a running replica.
MAY_BE_ABSENT = re.compile(r'node_(disk|pressure|vmstat|filesystem|netstat|timex)_|mysql_slave_status_seconds_behind_master')
TIMEOUT = 120


def setUpModule():
    missing = ('no prometheus in $PROMETHEUS, target/tools or the PATH' if not PROMETHEUS else None if BINARY.exists() else f'no {BINARY}') or (
        None if shutil.which('openssl') else 'openssl is not installed')
    if missing:
        print(f'SKIPPED: the dashboards: {missing}', file=sys.stderr, flush=True)
        raise unittest.SkipTest(missing)


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def pages():
    """The pages by name."""
    found = {page.stem: page.read_text() for page in sorted(PAGES.glob('*.prom'))}
    families, collectors = set(), ''
    for page in sorted(COLLECTORS.glob('*.prom')):
        text = page.read_text()
        of_page = set(re.findall(r'^# TYPE (\S+)', text, re.MULTILINE))
        # Some collectors have a page for each kind of server.
        if not families & of_page:
            families |= of_page
            collectors += text
    return {**found, 'mysql_collectors': collectors}


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = pages()[self.path.strip('/')].encode()
        self.send_response(200)
        self.send_header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def expressions(dashboard):
    for panel in json.loads(dashboard.read_text())['panels']:
        for target in panel['targets']:
            yield panel['title'], target['expr']


class Dashboards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for arguments in (('init',), ('host', 'a'), ('client', 'prometheus')):
                subprocess.run([PKI, *arguments], cwd=folder, check=True, capture_output=True)
            (folder / 'web.yml').write_text('tls_server_config:\n  cert_file: pki/hosts/a/tls.crt\n  key_file: pki/hosts/a/tls.key\n'
                                            '  client_ca_file: pki/ca.crt\n  client_crl_file: pki/crl.pem\n  client_auth_type: RequireAndVerifyClientCert\n')
            server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            node, cls.port = free_port(), free_port()
            jobs = [{'job_name': 'node', 'scheme': 'https', 'static_configs': [{'targets': [f'127.0.0.1:{node}']}],
                     'tls_config': {'ca_file': 'pki/ca.crt', 'cert_file': 'pki/clients/prometheus/tls.crt', 'key_file': 'pki/clients/prometheus/tls.key',
                                    'server_name': 'exporter.internal'}}]
            jobs += [{'job_name': name, 'metrics_path': f'/{name}', 'static_configs': [{'targets': [f'127.0.0.1:{server.server_port}']}]} for name in pages()]
            (folder / 'prometheus.yml').write_text(json.dumps({'global': {'scrape_interval': '1s', 'scrape_timeout': '1s'}, 'scrape_configs': jobs}))
            cls.log = folder / 'log'
            log = stack.enter_context(cls.log.open('w'))
            for command in ([BINARY, f'--web.listen-address=127.0.0.1:{node}', '--web.config.file=web.yml'],
                            [PROMETHEUS, '--config.file=prometheus.yml', '--storage.tsdb.path=data', f'--web.listen-address=127.0.0.1:{cls.port}']):
                process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
                stack.callback(process.wait)
                stack.callback(process.terminate)
            cls.addClassCleanup(stack.pop_all().close)
        deadline = time.monotonic() + TIMEOUT
        while len(cls.query('count_over_time(up[1m] ) > 3 and up == 1')) < len(jobs):
            assert time.monotonic() < deadline, cls.log.read_text()[-4000:]
            time.sleep(0.5)

    @classmethod
    def query(cls, expression):
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{cls.port}/api/v1/query?' + urllib.parse.urlencode({'query': expression}), timeout=TIMEOUT) as response:
                return json.load(response)['data']['result']
        except urllib.error.HTTPError as error:
            raise AssertionError(f'{expression}: {error.read().decode()}') from None
        except OSError:
            return []

    def test_every_expression_has_a_result(self):
        count = 0
        for dashboard in DASHBOARDS:
            for title, expression in expressions(dashboard):
                with self.subTest(dashboard=dashboard.stem, panel=title):
                    count += 1
                    result = self.query(expression.replace('$__rate_interval', '1m').replace('$instance', '.*'))
                    if not MAY_BE_ABSENT.search(expression):
                        self.assertTrue(result, expression)
        self.assertGreater(count, 40)

    def test_metrics_of_the_machine_are_in_the_reference(self):
        """The metrics of MAY_BE_ABSENT, which the test above skips, exist in the reference."""
        reference = set(re.findall(r'^\| `(node_[^`]+)`', (ROOT / 'docs/metrics/node.md').read_text(), re.MULTILINE))
        patterns = [re.compile('^' + re.sub(r'<[^>]*>', '.+', name) + '$') for name in reference | {'node_scrape_collector_duration_seconds'}]
        names = {name for dashboard in DASHBOARDS for _, expression in expressions(dashboard) for name in re.findall(r'\bnode_\w+', expression)}
        self.assertEqual([name for name in sorted(names) if not any(pattern.match(name) for pattern in patterns)], [])

    def test_dashboards_can_be_provisioned(self):
        identifiers = []
        for dashboard in DASHBOARDS:
            document = json.loads(dashboard.read_text())
            identifiers.append(document['uid'])
            self.assertEqual(document['uid'], dashboard.stem)
            variables = {variable['name'] for variable in document['templating']['list']}
            self.assertEqual(variables, {'datasource', 'instance'})
            self.assertEqual(len({panel['id'] for panel in document['panels']}), len(document['panels']))
            for panel in document['panels']:
                self.assertEqual(panel['datasource'], {'type': 'prometheus', 'uid': '${datasource}'}, panel['title'])
        self.assertEqual(len(set(identifiers)), 4)


if __name__ == '__main__':
    unittest.main()
