#!/usr/bin/env python3
"""exporter-enrol and exporter-pki serve: certificates are issued only to authorized hosts, with authorized names."""
import concurrent.futures, contextlib, datetime, fcntl, hashlib, http.client, http.server, io, json, os, pathlib, re, shutil, socket, ssl, subprocess, sys
import tarfile, tempfile, threading, time, unittest, urllib.parse

PKI = pathlib.Path(__file__).resolve().parents[1] / 'pki/exporter-pki'
ENROL = PKI.with_name('exporter-enrol')
# Seconds to wait for a condition: generous, because speed is not tested.
TIMEOUT = 120
DAY = 86400


def setUpModule():
    for program in ('openssl', 'curl'):
        if not shutil.which(program):
            print(f'SKIPPED: enrolment: {program} is not installed', file=sys.stderr, flush=True)
            raise unittest.SkipTest(f'{program} is not installed')


def openssl(*arguments, text=None, check=True):
    return subprocess.run(['openssl', *map(str, arguments)], input=text, capture_output=True, text=True, check=check).stdout


def wait_until(what, condition):
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class EnrolmentTest(unittest.TestCase):
    """An authority that serves on 127.0.0.1, and hosts that are folders."""

    arguments = ()

    def setUp(self):
        with contextlib.ExitStack() as stack:
            self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.addCleanup(stack.pop_all().close)
        self.pki('init')
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        self.url = f'https://127.0.0.1:{self.port}'
        self.serve()

    def serve(self):
        self.log = self.folder / 'log'
        with self.log.open('w') as log:
            self.server = subprocess.Popen([PKI, 'serve', '--name', '127.0.0.1', '--listen', f'127.0.0.1:{self.port}', *self.arguments], cwd=self.folder,
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        wait_until('it serves', lambda: 'serving' in self.log.read_text() or self.server.poll() is not None)
        self.assertIsNone(self.server.poll(), self.log.read_text())

    def pki(self, *arguments, check=True):
        result = subprocess.run([PKI, *arguments], cwd=self.folder, capture_output=True, text=True)
        if check:
            self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.strip() if check else result

    def token(self, *arguments):
        return self.pki('token', *arguments)

    def host(self, name):
        (self.folder / name / 'etc/node-exporter').mkdir(parents=True, exist_ok=True)
        return self.folder / name

    def enrol(self, host, *arguments, status=0, url=None, **environment):
        result = subprocess.run([ENROL, url or self.url, *arguments], env={**os.environ, 'DESTDIR': str(self.host(host)), **environment}, capture_output=True, text=True)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        if status:
            self.assertRegex(result.stderr, r'\Aexporter-enrol: .+\n\Z', 'an error is one line')
        return result.stderr if status else result.stdout

    def renew(self, host, status=0):
        result = subprocess.run([ENROL, 'renew'], env={**os.environ, 'DESTDIR': str(self.host(host))}, capture_output=True, text=True)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stderr

    def audit(self):
        log = self.folder / 'pki/audit.log'
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def certificate(self, host, *arguments):
        return openssl('x509', '-in', self.host(host) / 'etc/node-exporter/tls.crt', '-noout', *arguments)

    def csr(self, subject='/CN=x', *more, key='EC'):
        """A certificate request that exporter-enrol does not create."""
        options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] if key == 'EC' else ['-newkey', key]
        return openssl('req', '-new', *options, '-nodes', '-keyout', self.folder / 'request.key', '-subj', subject, *more)

    def tls_context(self, *chain):
        context = ssl.create_default_context(cafile=self.folder / 'pki/ca.crt')
        if chain:
            context.load_cert_chain(*chain)
        return context

    def post(self, path, context=None, source='127.0.0.1', **form):
        """Returns the status and the body."""
        connection = http.client.HTTPSConnection('127.0.0.1', self.port, timeout=TIMEOUT, context=context or self.tls_context(), source_address=(source, 0))
        with contextlib.closing(connection):
            connection.request('POST', path, urllib.parse.urlencode(form), {'Content-Type': 'application/x-www-form-urlencoded'})
            response = connection.getresponse()
            return response.status, response.read()


class Tokens(EnrolmentTest):
    def test_a_host_is_enrolled_and_its_key_stays_local(self):
        output = self.enrol('web1', self.token('web1', 'web1.example.org', '10.0.0.5'))
        self.assertEqual(output, 'web1:9100\n')
        etc = self.host('web1') / 'etc/node-exporter'
        self.assertEqual({path.name for path in etc.iterdir()}, {'ca.crt', 'crl.pem', 'tls.crt', 'tls.key', 'web-config.yml'})
        for path in etc.iterdir():
            self.assertEqual(path.stat().st_mode & 0o777, 0o640, path)
        names = re.findall(r'(?:DNS|IP Address):([^,\s]+)', self.certificate('web1', '-ext', 'subjectAltName'))
        self.assertEqual(names, ['exporter.internal', 'web1', 'web1.example.org', '10.0.0.5'])
        key = openssl('pkey', '-in', etc / 'tls.key', '-pubout')
        self.assertEqual(key, self.certificate('web1', '-pubkey'))
        secret = (etc / 'tls.key').read_text()
        for path in (self.folder / 'pki').rglob('*'):
            self.assertFalse(path.is_file() and secret in path.read_text(errors='replace'), path)

    def test_a_token_is_used_once(self):
        token = self.token('web1')
        self.enrol('web1', token)
        self.assertIn('has been used', self.enrol('web2', token, status=1))
        self.assertEqual([row['result'] for row in self.audit()], ['ok', 'refused'])

    def test_a_lost_response_is_repeated_only_for_the_same_key(self):
        secret, request = self.token('web1').split('.')[0], self.csr()
        first = self.post('/enrol', token=secret, csr=request)
        self.assertEqual(first[0], 200, first)
        self.assertEqual(self.post('/enrol', token=secret, csr=request), first)
        status, message = self.post('/enrol', token=secret, csr=self.csr())
        self.assertEqual((status, message), (403, b'the token has been used\n'))
        self.pki('revoke', 'host', 'web1')
        self.assertEqual(self.post('/enrol', token=secret, csr=request)[0], 403, 'revoked')

    def test_a_failed_enrolment_can_be_repeated(self):
        token, key = self.token('web1'), self.folder / 'pki/renewal/ca.key'
        key.rename(key.with_suffix('.away'))
        key.write_text('damaged')
        self.assertIn('try again: internal error', self.enrol('web1', token, status=1))
        self.assertTrue((self.folder / 'pki/hosts/web1/tls.crt').exists(), 'it was issued')
        self.assertIn('exporter-pki renewal: ', self.audit()[-1]['reason'])
        key.with_suffix('.away').rename(key)
        self.assertIn('has been used', self.enrol('web2', token, status=1))
        self.assertEqual(self.enrol('web1', token), 'web1:9100\n')
        self.assertFalse((self.host('web1') / 'etc/exporter-enrol/unanswered.key').exists())
        self.renew('web1')

    def test_an_enrolment_that_cannot_be_recorded_fails(self):
        secret, request, log = self.token('web1').split('.')[0], self.csr(), self.folder / 'pki/audit.log'
        log.mkdir()
        self.assertEqual(self.post('/enrol', token=secret, csr=request)[0], 500)
        self.assertIn("audit.log'", self.log.read_text())
        log.rmdir()
        self.assertEqual(self.post('/enrol', token=secret, csr=request)[0], 200)
        self.assertEqual([row['result'] for row in self.audit()], ['ok'])

    def test_only_one_of_concurrent_uses_succeeds(self):
        secret, requests = self.token('web1').split('.')[0], [self.csr() for _ in range(8)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = [status for status, _ in pool.map(lambda request: self.post('/enrol', token=secret, csr=request), requests)]
        self.assertEqual(statuses.count(200), 1, statuses)

    def test_an_expired_token_is_refused(self):
        token = self.token('web1', '--within', '30m')
        file, = (self.folder / 'pki/tokens').iterdir()
        expiry, names = file.read_text().split(' ', 1)
        self.assertTrue(1700 < int(expiry) - time.time() <= 1800, expiry)
        file.write_text(f'{int(time.time()) - 1} {names}')
        self.assertIn('has expired; make a new one: exporter-pki token web1', self.enrol('web1', token, status=1))

    def test_unknown_tokens_are_refused(self):
        fingerprint = self.token('web1').split('.')[1]
        for secret in ('0' * 32, '../../ca', 'x' * 4000):
            self.assertIn('not valid', self.enrol('web1', f'{secret}.{fingerprint}', status=1))
        self.assertFalse((self.host('web1') / 'etc/exporter-enrol').exists())

    def test_names_in_the_request_are_ignored(self):
        request = self.csr('/CN=prometheus/O=admins', '-addext', 'subjectAltName=DNS:prometheus,DNS:web2', '-addext', 'basicConstraints=critical,CA:TRUE',
                               '-addext', 'extendedKeyUsage=clientAuth')
        status, body = self.post('/enrol', token=self.token('web1').split('.')[0], csr=request)
        self.assertEqual(status, 200, body)
        for name, usage in (('tls.crt', 'Server'), ('renewal.crt', 'Client')):
            certificate = tarfile.open(fileobj=io.BytesIO(body)).extractfile(name).read().decode()
            text = openssl('x509', '-noout', '-text', text=certificate)
            self.assertNotIn('prometheus', text)
            self.assertNotIn('web2', text)
            self.assertIn('CA:FALSE', text)
            self.assertRegex(text, rf'Extended Key Usage: *\n *TLS Web {usage} Authentication\n')

    def test_a_renewal_certificate_is_not_accepted_by_exporters(self):
        self.enrol('web1', self.token('web1'))
        ca, renewal = self.folder / 'pki/ca.crt', self.host('web1') / 'etc/exporter-enrol/renewal.crt'
        self.assertNotIn('OK', openssl('verify', '-CAfile', ca, '-purpose', 'sslclient', renewal, check=False))
        self.assertIn('OK', openssl('verify', '-CAfile', self.folder / 'pki/renewal/ca.crt', '-purpose', 'sslclient', renewal))

    def test_invalid_requests_do_not_use_up_the_token(self):
        token = self.token('web1')
        secret, good = token.split('.')[0], self.csr()
        body = re.search(r'-\n(.*)\n-', good, re.S)[1]
        bad = ('', 'x', good.replace(body, body[:-20]), good.replace(body[40:44], 'AAAA'), good + good, self.csr(key='rsa:1024'),
               self.csr(key='ed25519'), (self.folder / 'pki/ca.crt').read_text())
        for request in bad:
            status, message = self.post('/enrol', token=secret, csr=request, source='127.0.0.2')
            self.assertEqual(status, 400, (request, message))
        self.enrol('web1', token)

    def test_bodies_other_than_forms_are_refused(self):
        for headers, body in (({'Content-Length': '99999999'}, b''), ({'Content-Length': '-1'}, b''), ({'Content-Length': 'x'}, b''),
                              ({}, b'a=1&a=2'), ({}, b'\xff=1'), ({}, b'&'.join(b'f%d=1' % n for n in range(2000)))):
            connection = http.client.HTTPSConnection('127.0.0.1', self.port, timeout=TIMEOUT, context=self.tls_context())
            with contextlib.closing(connection):
                connection.request('POST', '/enrol', body, headers)
                self.assertIn(connection.getresponse().status, (400, 413), (headers, body))

    def test_the_token_is_secret(self):
        secret = self.token('web1').split('.')[0]
        self.post('/enrol', token=secret, csr='x')
        self.post('/enrol', token=secret, csr=self.csr())
        for path in (self.folder / 'pki').rglob('*'):
            self.assertNotIn(secret, path.name + (path.read_text(errors='replace') if path.is_file() else ''), path)
        self.assertNotIn(secret, self.log.read_text())

    def test_an_enrolled_host_needs_to_be_revoked_first(self):
        token = self.token('web1')
        self.pki('host', 'web1')
        self.assertIn('web1 is enrolled already', self.enrol('web1', token, status=1))
        self.assertIn('revoke host web1', self.pki('token', 'web1', check=False).stderr)
        self.pki('revoke', 'host', 'web1')
        self.enrol('web1', token)

    def test_invalid_arguments_are_reported_in_one_line(self):
        for arguments, message in ((('token',), 'name'), (('token', 'a b'), 'name'), (('token', 'web1', '--within', '1y'), '1y'), (('token', 'web1', '--within'), 'duration')):
            result = self.pki(*arguments, check=False)
            self.assertRegex(result.stderr, rf'\Aexporter-pki: .*{message}.*\n\Z')
        for arguments, message in (((), 'token'), (('x',), 'token'), (('x.' + '0' * 64, 'bogus-exporter'), 'bogus'), (('x.' + '0' * 64, 'mysql-exporter'), 'not installed')):
            result = subprocess.run([ENROL, self.url, *arguments], env={**os.environ, 'DESTDIR': str(self.host('x'))}, capture_output=True, text=True)
            self.assertNotEqual(result.returncode, 0)
            self.assertRegex(result.stderr, rf'\Aexporter-enrol: .*{message}.*\n\Z')
        self.assertIn('https', self.enrol('x', 'x.' + '0' * 64, url='http://127.0.0.1', status=2))
        self.assertIn('not enrolled', self.renew('x', status=1))


class WrongAuthority(EnrolmentTest):
    def test_a_server_of_another_authority_gets_no_token(self):
        fingerprint = hashlib.sha256(b'another').hexdigest()
        message = self.enrol('web1', f'{"0" * 32}.{fingerprint}', status=1)
        self.assertIn('not the one of the token', message)
        self.assertEqual(self.audit(), [])

    def test_a_server_under_another_name_is_refused(self):
        token = self.token('web1')
        self.assertIn('localhost', self.enrol('web1', token, url=f'https://localhost:{self.port}', status=1))
        self.assertEqual(self.audit(), [])
        self.enrol('web1', token)

    def test_a_host_cannot_impersonate_the_authority(self):
        """The host has a certificate of the same authority, with the name of the fleet."""
        self.enrol('web1', self.token('web1'))
        etc = self.host('web1') / 'etc/node-exporter'
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(etc / 'tls.crt', etc / 'tls.key')
        with socket.create_server(('127.0.0.1', 0)) as listener:
            received = []

            def serve_authority_file():
                # Serves the public file of the authority. The second connection must fail in the handshake.
                for _ in range(2):
                    plain, _ = listener.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as stream:
                        received.append(stream.recv(65536))
                        ca = (self.folder / 'pki/ca.crt').read_bytes()
                        stream.sendall(b'HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s' % (len(ca), ca))

            thread = threading.Thread(target=serve_authority_file)
            thread.start()
            self.enrol('web2', self.token('web2'), url=f'https://127.0.0.1:{listener.getsockname()[1]}', status=1)
            thread.join()
        self.assertEqual([line.split()[1] for line in received if line], [b'/ca.crt'])


class Renewal(EnrolmentTest):
    def age_certificates(self, host, days):
        """Replaces the certificates of the host by ones with a validity of 90 days, issued the given number of days ago."""
        folder = self.folder / 'pki/hosts' / host
        for authority, name, usage in (('authority', 'tls.crt', 'serverAuth'), ('renewal', 'renewal.crt', 'clientAuth')):
            work = self.folder / f'ca-{authority}-{days}'
            work.mkdir()
            (work / 'index').touch()
            (work / 'extensions').write_text(f'extendedKeyUsage={usage}\nsubjectAltName={(folder / "names").read_text()}')
            (work / 'config').write_text(f'[ca]\ndefault_ca=x\n[x]\ndatabase={work}/index\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nnew_certs_dir={work}\n'
                                         '[p]\ncommonName=supplied\n')
            date = lambda day: time.strftime('%Y%m%d%H%M%SZ', time.gmtime(time.time() + day * DAY))
            ca = self.folder / 'pki' / authority
            openssl('ca', '-batch', '-notext', '-config', work / 'config', '-cert', ca / 'ca.crt', '-keyfile', ca / 'ca.key', '-in', folder / 'csr', '-subj',
                    f'/CN={host}', '-startdate', date(-days), '-enddate', date(90 - days), '-extfile', work / 'extensions', '-out', folder / name)
        self.copy_certificates(host)

    def copy_certificates(self, host):
        shutil.copy(self.folder / 'pki/hosts' / host / 'tls.crt', self.host(host) / 'etc/node-exporter/tls.crt')
        shutil.copy(self.folder / 'pki/hosts' / host / 'renewal.crt', self.host(host) / 'etc/exporter-enrol/renewal.crt')

    def test_renewal_after_two_thirds_of_the_validity(self):
        self.enrol('web1', self.token('web1'))
        for days, renewed in ((59, False), (61, True)):
            self.age_certificates('web1', days)
            before = self.certificate('web1', '-serial'), (self.host('web1') / 'etc/exporter-enrol/renewal.crt').read_text()
            self.renew('web1')
            after = self.certificate('web1', '-serial'), (self.host('web1') / 'etc/exporter-enrol/renewal.crt').read_text()
            self.assertEqual([old != new for old, new in zip(before, after)], [renewed, renewed], days)
        self.assertEqual(openssl('pkey', '-in', self.host('web1') / 'etc/node-exporter/tls.key', '-pubout'), self.certificate('web1', '-pubkey'))

    def test_an_expired_certificate_is_not_renewed(self):
        self.enrol('web1', self.token('web1'))
        self.age_certificates('web1', 91)
        self.assertIn('has expired', self.renew('web1', status=1))
        state = self.host('web1') / 'etc/exporter-enrol'
        with self.assertRaises(OSError):
            self.post('/renew', self.tls_context(state / 'renewal.crt', state / 'tls.key'))

    def test_unchanged_files_are_not_written(self):
        self.enrol('web1', self.token('web1'))
        etc = self.host('web1') / 'etc'
        before = {path: path.stat().st_ino for path in etc.rglob('*')}
        self.renew('web1')
        self.assertEqual({path: path.stat().st_ino for path in etc.rglob('*')}, before)

    def test_a_renewal_updates_the_revocation_list_and_the_web_configuration(self):
        self.enrol('web1', self.token('web1'))
        (self.folder / 'pki/web-config.yml').write_text('# mine\n')
        self.pki('client', 'stolen')
        self.pki('revoke', 'client', 'stolen')
        self.renew('web1')
        etc = self.host('web1') / 'etc/node-exporter'
        self.assertEqual((etc / 'web-config.yml').read_text(), '# mine\n')
        self.assertEqual((etc / 'crl.pem').read_text(), (self.folder / 'pki/crl.pem').read_text())

    def test_hosts_follow_a_rotation_of_the_authority(self):
        self.enrol('web1', self.token('web1'))
        first = self.certificate('web1', '-issuer')
        for step in ('start', 'switch', 'finish'):
            self.pki('rotate-ca', step)
            wait_until('the server has its new certificate', self.has_certificate_of_current_authority)
            self.renew('web1')
        self.assertNotEqual(self.certificate('web1', '-issuer'), first)
        self.assertEqual((self.host('web1') / 'etc/node-exporter/ca.crt').read_text().count('BEGIN'), 1)
        self.enrol('web2', self.token('web2'))

    def has_certificate_of_current_authority(self):
        with contextlib.suppress(OSError):
            context = ssl.create_default_context(cafile=self.folder / 'pki/authority/ca.crt')
            with socket.create_connection(('127.0.0.1', self.port)) as plain, context.wrap_socket(plain, server_hostname='127.0.0.1'):
                return True
        return False

    def test_a_revoked_host_is_refused(self):
        self.enrol('web1', self.token('web1'))
        self.pki('revoke', 'host', 'web1')
        self.assertIn('web1 is not enrolled, or has been revoked', self.renew('web1', status=1))

    def test_the_certificate_of_an_earlier_key_is_refused(self):
        self.enrol('web1', self.token('web1'))
        shutil.copytree(self.host('web1'), self.folder / 'stolen')
        self.pki('revoke', 'host', 'web1')
        self.enrol('web1', self.token('web1'))
        self.assertIn('another key', self.renew('stolen', status=1))
        self.renew('web1')

    def test_other_certificates_cannot_renew(self):
        self.enrol('web1', self.token('web1'))
        etc = self.host('web1') / 'etc/node-exporter'
        status, message = self.post('/renew')
        self.assertEqual(status, 403, message)
        self.pki('client', 'web1')
        other = self.folder / 'other'
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{other}.key', '-out', f'{other}.crt', '-subj', '/CN=web1')
        # The certificate of the exporter, one of a Prometheus with the same name, and one of another authority.
        client = self.folder / 'pki/clients/web1'
        for chain in ((etc / 'tls.crt', etc / 'tls.key'), (client / 'tls.crt', client / 'tls.key'), (f'{other}.crt', f'{other}.key')):
            with self.assertRaises(OSError, msg=chain):
                self.post('/renew', self.tls_context(*chain))
            wait_until('it is recorded', lambda: any(row['action'] == 'handshake' for row in self.audit()))
            self.assertRegex(self.audit()[-1]['reason'], 'certificate|purpose', chain)
            (self.folder / 'pki/audit.log').unlink()
        self.renew('web1')


class Load(EnrolmentTest):
    def connect(self, source):
        stream = socket.create_connection(('127.0.0.1', self.port), TIMEOUT, source_address=(source, 0))
        self.addCleanup(stream.close)
        return stream

    def test_a_flood_of_one_address_does_not_keep_others_out(self):
        flood = [self.connect('127.0.0.9') for _ in range(400)]
        self.enrol('web1', self.token('web1'))
        self.assertEqual(len(flood), 400)

    def test_incomplete_requests_are_closed_and_use_up_no_token(self):
        token = self.token('web1')
        body = urllib.parse.urlencode({'token': token.split('.')[0], 'csr': self.csr()}).encode()
        head = b'POST /enrol HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n' % len(body)
        streams = [self.connect('127.0.0.9'), self.connect('127.0.0.9')]
        streams[1].sendall(b'\x16\x03\x01\x02')
        for part in (b'POST /en', head, head + body[:-1]):
            stream = self.tls_context().wrap_socket(self.connect('127.0.0.9'), server_hostname='127.0.0.1')
            self.addCleanup(stream.close)
            stream.sendall(part)
            streams.append(stream)
        # A request that ends in the middle of its body.
        with self.tls_context().wrap_socket(self.connect('127.0.0.9'), server_hostname='127.0.0.1') as stream:
            stream.sendall(head + body[:-1])
        self.enrol('web1', token)
        for stream in streams:
            with contextlib.suppress(OSError):
                while stream.recv(65536):
                    pass

    def test_a_busy_authority_uses_up_no_token(self):
        token = self.token('web1')
        with open(self.folder / 'pki/.lock', 'a') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertIn('busy; try again', self.enrol('web1', token, status=1))
        self.enrol('web1', token)

    def test_a_renewal_waits_a_limited_time_for_a_busy_authority(self):
        self.enrol('web1', self.token('web1'))
        state = self.host('web1') / 'etc/exporter-enrol'
        context = self.tls_context(state / 'renewal.crt', state / 'tls.key')
        with open(self.folder / 'pki/.lock', 'a') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            status, message = self.post('/renew', context)
        self.assertEqual((status, message), (503, b'the authority is busy; try again\n'))
        self.renew('web1')

    def test_an_unreadable_file_is_logged(self):
        (self.folder / 'pki/crl.pem').unlink()
        connection = http.client.HTTPSConnection('127.0.0.1', self.port, timeout=TIMEOUT, context=self.tls_context())
        with contextlib.closing(connection):
            connection.request('GET', '/crl.pem')
            response = connection.getresponse()
            self.assertEqual((response.status, response.read()), (500, b'internal error; see the log of the server\n'))
        self.assertIn('crl.pem', self.audit()[-1]['reason'])

    def test_a_slow_sender_is_closed(self):
        stream = self.tls_context().wrap_socket(self.connect('127.0.0.9'), server_hostname='127.0.0.1')
        self.addCleanup(stream.close)
        stream.sendall(b'GET /ca.crt HTTP/1.1\r\n')
        deadline = time.monotonic() + TIMEOUT
        with contextlib.suppress(OSError):
            while True:
                stream.sendall(b'X: y\r\n')
                time.sleep(0.5)
                self.assertLess(time.monotonic(), deadline)

    def test_rejected_requests_of_one_address_are_limited(self):
        statuses = [self.post('/enrol', source='127.0.0.9', token='0' * 32, csr='x')[0] for _ in range(60)]
        self.assertIn(429, statuses)
        self.enrol('web1', self.token('web1'))

    def test_only_authorities_and_revocation_lists_are_public(self):
        connection = http.client.HTTPSConnection('127.0.0.1', self.port, context=self.tls_context())
        for path, status in (('/ca.crt', 200), ('/crl.pem', 200), ('/', 404), ('/authority/ca.key', 404), ('/../pki/authority/ca.key', 404), ('/web-config.yml', 404)):
            connection.request('GET', path)
            response = connection.getresponse()
            body = response.read()
            self.assertEqual(response.status, status, path)
            if status == 200:
                self.assertEqual(body, (self.folder / 'pki' / path[1:]).read_bytes())


class Metadata(http.server.BaseHTTPRequestHandler):
    """The instance metadata service, version 2."""

    def do_PUT(self):
        self.send(b'session' if self.path == '/latest/api/token' and self.headers['X-aws-ec2-metadata-token-ttl-seconds'] else None)

    def do_GET(self):
        known = self.headers['X-aws-ec2-metadata-token'] == 'session' and self.path == '/latest/dynamic/instance-identity/rsa2048'
        self.send(self.server.signature if known else None)

    def send(self, body):
        self.send_response(200 if body else 404)
        self.send_header('Content-Length', str(len(body or b'')))
        self.end_headers()
        self.wfile.write(body or b'')

    def log_message(self, *_):
        pass


class Ec2(EnrolmentTest):
    """Identity documents are signed by the test instead of AWS."""

    def setUp(self):
        self.signers = tempfile.TemporaryDirectory()
        self.addCleanup(self.signers.cleanup)
        for name in ('aws', 'attacker'):
            openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{self.signers.name}/{name}.key', '-out', f'{self.signers.name}/{name}.crt',
                    '-days', '2', '-subj', f'/CN={name}')
        self.arguments = ('--ec2-account', '123456789012', '--ec2-certificates', f'{self.signers.name}/aws.crt')
        super().setUp()
        self.imds = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Metadata)
        threading.Thread(target=self.imds.serve_forever).start()
        self.addCleanup(self.imds.server_close)
        self.addCleanup(self.imds.shutdown)

    def document(self, signer='aws', flags=(), age=60, **changes):
        started = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
        fields = {'accountId': '123456789012', 'instanceId': 'i-0123456789abcdef0', 'privateIp': '10.0.0.5', 'region': 'eu-central-1',
                  'pendingTime': started.strftime('%Y-%m-%dT%H:%M:%SZ'), **changes}
        message = openssl('smime', '-sign', '-binary', '-nodetach', '-outform', 'PEM', '-signer', f'{self.signers.name}/{signer}.crt', '-inkey',
                          f'{self.signers.name}/{signer}.key', *flags, text=json.dumps(fields))
        self.imds.signature = ''.join(line for line in message.splitlines(True) if not line.startswith('-----')).encode()

    def enrol_instance(self, host='i', status=0):
        return self.enrol(host, self.token('--ec2'), status=status, IMDS=f'http://127.0.0.1:{self.imds.server_port}')

    def test_an_instance_is_enrolled_under_its_id_once(self):
        self.document(flags=('-nocerts',))
        self.assertEqual(self.enrol_instance(), 'i-0123456789abcdef0:9100\n')
        self.assertIn('IP Address:10.0.0.5', self.certificate('i', '-ext', 'subjectAltName'))
        self.assertIn('has been enrolled by its identity document', self.enrol_instance('another', status=1))
        # Also after a revocation: an attacker on the instance may have copied the document.
        self.pki('revoke', 'host', 'i-0123456789abcdef0')
        self.assertIn('use a token', self.enrol_instance('another', status=1))

    def test_documents_of_other_signers_are_refused(self):
        for message, options in (('not signed by AWS', {'signer': 'attacker'}), ('not signed by AWS', {'signer': 'attacker', 'flags': ('-nocerts',)}),
                              ('account 210987654321 is not', {'accountId': '210987654321'}), ('longer ago', {'age': 7200}),
                              ('instanceId', {'instanceId': 'prometheus'}), ('lacks', {'privateIp': 'web1'}), ('lacks', {'pendingTime': None})):
            self.document(**options)
            self.assertIn(message, self.enrol_instance(status=1), options)
        self.document()
        genuine = self.imds.signature
        self.imds.signature = genuine[:200] + (b'A' if genuine[200:201] != b'A' else b'B') + genuine[201:]
        self.assertIn('not signed by AWS', self.enrol_instance(status=1))
        self.imds.signature = b'%%%'
        self.assertIn('not base64', self.enrol_instance(status=1))
        self.assertEqual({row['result'] for row in self.audit()}, {'refused'})

    def test_enrolment_outside_ec2_fails(self):
        message = self.enrol('x', self.token('--ec2'), status=1, IMDS=f'http://127.0.0.1:{self.imds.server_port}/nowhere')
        self.assertIn('is this an EC2 instance', message)


class NoEc2(EnrolmentTest):
    def test_without_an_account_no_instance_is_enrolled(self):
        status, message = self.post('/enrol', csr=self.csr(), ec2='AAAA')
        self.assertEqual((status, b'--ec2-account' in message), (403, True), message)


if __name__ == '__main__':
    unittest.main()
