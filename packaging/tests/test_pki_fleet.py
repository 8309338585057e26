#!/usr/bin/env python3
"""exporter-pki with running exporters: a revoked client is refused, and a rotation of the authority loses no scrape.

The exporter is $BINARY, or the debug build of node-exporter; skipped with a message where there is none.
"""
import contextlib, os, pathlib, re, shutil, socket, ssl, subprocess, sys, tempfile, threading, time, unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PKI = ROOT / 'packaging/pki/exporter-pki'
BINARY = pathlib.Path(os.environ.get('BINARY') or ROOT / 'target/debug/node-exporter')
EXAMPLE = (ROOT / 'packaging/examples/web-config.yml').read_text()
# Seconds to wait for a condition: generous, because speed is not tested.
TIMEOUT = 120


def setUpModule():
    missing = 'openssl is not installed' if not shutil.which('openssl') else None if BINARY.exists() else f'no {BINARY}'
    if missing:
        print(f'SKIPPED: exporter-pki with exporters: {missing}', file=sys.stderr, flush=True)
        raise unittest.SkipTest(missing)


class Fleet(unittest.TestCase):
    def setUp(self):
        with contextlib.ExitStack() as stack:
            self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.addCleanup(stack.pop_all().close)
        self.pki('init')
        self.ports = {}

    def pki(self, *arguments):
        subprocess.run([PKI, *arguments], cwd=self.folder, check=True, capture_output=True, text=True)

    def client(self, name):
        self.pki('client', name)
        self.distribute_to_client(name)

    def distribute_to_client(self, name):
        """Replaces whole directories at once, because reading during a copy is not tested here."""
        new = self.folder / f'{name}.new'
        shutil.copytree(self.folder / 'pki/clients' / name, new)
        with contextlib.suppress(FileNotFoundError):
            (self.folder / name).rename(self.folder / f'{name}.{time.monotonic_ns()}')
        new.rename(self.folder / name)

    def distribute_to_host(self, name):
        """Unpacks NAME.tar as an operator does, each file complete before it gets its name."""
        new, etc = self.folder / f'{name}.unpacked', self.folder / f'{name}.etc'
        new.mkdir(exist_ok=True)
        etc.mkdir(exist_ok=True)
        subprocess.run(['tar', '-C', new, '--no-same-owner', '-xf', self.folder / f'pki/hosts/{name}.tar'], check=True)
        for file in new.iterdir():
            file.rename(etc / file.name)

    def host(self, name):
        self.pki('host', name)
        self.distribute_to_host(name)
        etc = self.folder / f'{name}.etc'
        # The installed example, without the password.
        (etc / 'web-config.yml').write_text(re.sub(r'basic_auth_users:\n.*\n', '', EXAMPLE))
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        log = open(self.folder / f'{name}.log', 'w')
        exporter = subprocess.Popen([BINARY, f'--web.listen-address=127.0.0.1:{port}', f'--web.config.file={etc}/web-config.yml',
                                     '--collector.disable-defaults', '--collector.loadavg'], stdout=log, stderr=log)
        self.addCleanup(log.close)
        self.addCleanup(exporter.wait)
        self.addCleanup(exporter.terminate)
        self.ports[name] = port
        return exporter

    def page(self, host, client, server_name='exporter.internal'):
        """Scrapes over a new connection."""
        response = self.send_scrape(host, client, server_name)
        self.assertTrue(response.startswith('HTTP/1.1 200'), response[:100])
        return response

    def send_scrape(self, host, client, server_name):
        context = ssl.create_default_context(cafile=self.folder / client / 'ca.crt')
        context.load_cert_chain(self.folder / client / 'tls.crt', self.folder / client / 'tls.key')
        with socket.create_connection(('127.0.0.1', self.ports[host]), timeout=TIMEOUT) as plain:
            with context.wrap_socket(plain, server_hostname=server_name) as tls:
                tls.sendall(b'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
                return b''.join(iter(lambda: tls.recv(65536), b'')).decode()

    def wait_until(self, what, condition):
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), deadline, f'{what}; {[log.read_text() for log in self.folder.glob("*.log")]}')
            time.sleep(0.1)

    def try_page(self, host, client):
        with contextlib.suppress(OSError):
            return self.page(host, client)
        return None

    def certificates(self, host, client):
        """The certificates in force: role, subject and expiry."""
        page = self.page(host, client)
        rows = re.findall(r'exporter_certificate_expiry_timestamp_seconds\{([^}]*)\} (\S+)', page)
        return sorted(rows)

    def test_only_the_revoked_client_is_refused(self):
        self.client('prometheus')
        for name in ('a', 'b'):
            self.host(name)
            self.wait_until(f'{name} serves', lambda: self.try_page(name, 'prometheus'))
        stolen = self.folder / 'stolen'
        (self.folder / 'prometheus').rename(stolen)
        self.pki('revoke', 'client', 'prometheus')
        # The new certificate has the name that the web configuration allows.
        self.client('prometheus')
        for name in ('a', 'b'):
            self.assertTrue(self.try_page(name, 'stolen'), 'accepted until the host has the new revocation list')
            self.distribute_to_host(name)
            self.wait_until(f'{name} refuses the revoked client', lambda: not self.try_page(name, 'stolen'))
            self.page(name, 'prometheus')

    def test_certificates_have_the_names_of_fleet_and_host(self):
        self.client('prometheus')
        self.host('a')
        self.wait_until('a serves', lambda: self.try_page('a', 'prometheus'))
        self.page('a', 'prometheus', 'a')
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.page('a', 'prometheus', 'b')

    def test_a_rotation_of_the_authority_loses_no_scrape(self):
        self.client('prometheus')
        for name in ('a', 'b'):
            self.host(name)
            self.wait_until(f'{name} serves', lambda: self.try_page(name, 'prometheus'))
        failures, scrapes, done = [], [], threading.Event()

        def scrape():
            while not done.wait(0.05):
                for name in ('a', 'b'):
                    with files:
                        try:
                            self.page(name, 'prometheus')
                            scrapes.append(name)
                        except (OSError, AssertionError) as error:
                            failures.append(f'{step}: {name}: {error}')

        files, step = threading.Lock(), 'before'
        scraper = threading.Thread(target=scrape)
        scraper.start()
        try:
            for step in ('start', 'switch', 'finish'):
                self.pki('rotate-ca', step)
                # Hosts first and the client last, or the reverse: any order within a step must work.
                orders = {'start': ['a', 'prometheus', 'b'], 'switch': ['prometheus', 'a', 'b'], 'finish': ['a', 'b', 'prometheus']}
                for name in orders[step]:
                    count = len(scrapes)
                    if name == 'prometheus':
                        with files:
                            self.distribute_to_client(name)
                    else:
                        before = self.certificates(name, 'prometheus')
                        self.distribute_to_host(name)
                        self.wait_until(f'{step}: {name} has the new files', lambda: self.certificates(name, 'prometheus') != before)
                    self.wait_until('scrapes go on', lambda: len(scrapes) >= count + 6 or failures)
        finally:
            done.set()
            scraper.join()
        self.assertEqual(failures, [])
        # The old authority is no longer trusted, and the new one has signed all certificates in use.
        for name in ('a', 'b'):
            self.assertNotIn('authority.previous', str(list((self.folder / 'pki').iterdir())))
            self.page(name, 'prometheus')
        self.assertEqual((self.folder / 'prometheus/ca.crt').read_text().count('BEGIN'), 1)


if __name__ == '__main__':
    unittest.main()
