#!/usr/bin/env python3
"""exporter-pki: what it issues is what it says, and nothing that is there is overwritten."""
import os, pathlib, re, shutil, stat, subprocess, sys, tempfile, unittest

PKI = pathlib.Path(__file__).resolve().parents[1] / 'pki/exporter-pki'


def setUpModule():
    if not shutil.which('openssl'):
        print('SKIPPED: exporter-pki: openssl is not installed', file=sys.stderr, flush=True)
        raise unittest.SkipTest('openssl is not installed')


class Pki(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def call(self, *arguments, status=0, **environment):
        done = subprocess.run([PKI, *arguments], cwd=self.folder, env={**os.environ, **environment}, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, f'{arguments}: {done.stdout}{done.stderr}')
        if status and not done.stdout:
            self.assertRegex(done.stderr, r'\Aexporter-pki: .+\n\Z', 'an error is one line')
        return done.stdout + done.stderr

    def text(self, certificate):
        return subprocess.run(['openssl', 'x509', '-in', self.folder / certificate, '-noout', '-text'], capture_output=True, text=True, check=True).stdout

    def verify(self, certificate, purpose, *more):
        return subprocess.run(['openssl', 'verify', '-x509_strict', '-CAfile', 'pki/ca.crt', '-purpose', purpose, *more, certificate],
                              cwd=self.folder, capture_output=True, text=True).returncode == 0

    def test_a_host_serves_and_a_client_asks_and_not_the_other_way_round(self):
        self.call('init')
        self.call('host', 'web1', 'web1.example.org', '10.0.0.5', 'fd00::5')
        self.call('client', 'prometheus')
        host, client = 'pki/hosts/web1/tls.crt', 'pki/clients/prometheus/tls.crt'
        self.assertTrue(self.verify(host, 'sslserver'))
        self.assertFalse(self.verify(host, 'sslclient'))
        self.assertTrue(self.verify(client, 'sslclient'))
        self.assertFalse(self.verify(client, 'sslserver'))
        for name in ('web1', 'web1.example.org', 'exporter.internal'):
            self.assertTrue(self.verify(host, 'sslserver', '-verify_hostname', name), name)
        for address in ('10.0.0.5', 'fd00::5'):
            self.assertTrue(self.verify(host, 'sslserver', '-verify_ip', address), address)
        self.assertFalse(self.verify(host, 'sslserver', '-verify_hostname', 'web2'))
        self.assertIn('DNS:prometheus', self.text(client))

    def test_the_authority_signs_no_further_authority(self):
        self.call('init')
        self.assertIn('CA:TRUE, pathlen:0', self.text('pki/ca.crt'))

    def test_what_is_secret_only_its_owner_reads(self):
        self.call('init')
        self.call('host', 'web1')
        for path in [self.folder / 'pki', *(self.folder / 'pki').rglob('*')]:
            if path.suffix != '.crt':
                self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path)

    def test_the_bundle_has_all_that_a_target_needs(self):
        self.call('init')
        bundle = self.call('host', 'web1').strip()
        listed = subprocess.run(['tar', '-tvf', bundle], cwd=self.folder, capture_output=True, text=True, check=True).stdout
        self.assertEqual(sorted(line.split()[-1] for line in listed.splitlines()), ['ca.crt', 'tls.crt', 'tls.key'])
        self.assertRegex(listed, r'-rw------- (0/0|root/root) .* tls\.key')

    def test_nothing_is_overwritten(self):
        self.call('init')
        self.call('host', 'web1')
        self.call('client', 'prometheus')
        before = {path: path.read_bytes() for path in (self.folder / 'pki').rglob('*') if path.is_file()}
        self.call('init', status=1)
        self.call('host', 'web1', status=1)
        self.call('client', 'prometheus', status=1)
        self.assertEqual(before, {path: path.read_bytes() for path in (self.folder / 'pki').rglob('*') if path.is_file()})

    def test_renewal_keeps_key_and_names(self):
        self.call('init')
        self.call('host', 'web1', '10.0.0.5', DAYS='1')
        folder = self.folder / 'pki/hosts/web1'
        key, certificate = (folder / 'tls.key').read_bytes(), (folder / 'tls.crt').read_bytes()
        self.assertRegex(self.call('list', '30', status=1), r'\Apki/hosts/web1/tls.crt  [01] days left\n\Z')
        self.call('renew', 'host', 'web1')
        self.assertEqual(self.call('list', '30'), '')
        self.assertEqual(key, (folder / 'tls.key').read_bytes())
        self.assertNotEqual(certificate, (folder / 'tls.crt').read_bytes())
        self.assertTrue(self.verify(folder / 'tls.crt', 'sslserver', '-verify_ip', '10.0.0.5'))
        self.assertTrue(self.verify(folder / 'tls.crt', 'sslserver', '-verify_hostname', 'exporter.internal'))
        bundled = subprocess.run(['tar', '-xOf', self.folder / 'pki/hosts/web1.tar', 'tls.crt'], capture_output=True, check=True).stdout
        self.assertEqual(bundled, (folder / 'tls.crt').read_bytes())

    def test_a_key_made_on_the_target_stays_there(self):
        self.call('init')
        subprocess.run(['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'tls.key',
                        '-out', 'csr', '-subj', '/CN=whatever'], cwd=self.folder, capture_output=True, check=True)
        self.call('sign', 'csr', 'db1', 'db1.example.org')
        self.assertTrue(self.verify('pki/hosts/db1/tls.crt', 'sslserver', '-verify_hostname', 'db1.example.org'))
        self.assertIn('CN = db1', self.text('pki/hosts/db1/tls.crt'))
        self.assertFalse((self.folder / 'pki/hosts/db1.tar').exists())
        self.call('renew', 'host', 'db1')
        self.assertTrue(self.verify('pki/hosts/db1/tls.crt', 'sslserver'))

    def test_no_certificate_outlives_its_authority(self):
        self.call('init', CA_DAYS='30')
        self.assertRegex(self.call('host', 'web1'), '(29|30) days only')
        left = dict(re.findall(r'(\S+)  (\d+) days left', self.call('list')))
        self.assertLessEqual(int(left['pki/hosts/web1/tls.crt']), int(left['pki/ca.crt']))

    def test_what_makes_no_sense_is_refused(self):
        self.call('list', status=1)
        self.call('init')
        for arguments in ((), ('nonsense',), ('init', 'x'), ('host',), ('host', 'a/b'), ('host', '../x'), ('host', '*.x'), ('host', 'x' * 65),
                          ('host', 'ok', 'not ok'), ('host', 'ok', 'a,IP:1.2.3.4'), ('client', 'a', 'b'), ('renew', 'host'),
                          ('renew', 'authority', 'x'), ('sign', 'x'), ('list', 'soon')):
            self.call(*arguments, status=2)
        self.call('sign', 'missing.csr', 'web1', status=1)
        self.call('renew', 'host', 'web1', status=1)
        self.call('list', status=2, DAYS='often')
        self.call('host', 'ok', status=2, FLEET='a b')
        self.assertEqual(sorted(path.name for path in (self.folder / 'pki').iterdir()), ['ca.crt', 'ca.key'])


if __name__ == '__main__':
    unittest.main()
