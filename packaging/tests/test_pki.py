#!/usr/bin/env python3
"""exporter-pki: certificates have the right contents, and existing files are not overwritten."""
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

    def pki(self, *arguments, status=0, **environment):
        result = subprocess.run([PKI, *arguments], cwd=self.folder, env={**os.environ, **environment}, capture_output=True, text=True)
        self.assertEqual(result.returncode, status, f'{arguments}: {result.stdout}{result.stderr}')
        if status and not result.stdout:
            self.assertRegex(result.stderr, r'\Aexporter-pki: .+\n\Z', 'an error is one line')
        return result.stdout + result.stderr

    def text(self, certificate):
        return subprocess.run(['openssl', 'x509', '-in', self.folder / certificate, '-noout', '-text'], capture_output=True, text=True, check=True).stdout

    def verify(self, certificate, purpose, *more):
        return subprocess.run(['openssl', 'verify', '-x509_strict', '-CAfile', 'pki/ca.crt', '-purpose', purpose, *more, certificate],
                              cwd=self.folder, capture_output=True, text=True).returncode == 0

    def test_certificates_are_for_servers_or_clients(self):
        self.pki('init')
        self.pki('host', 'web1', 'web1.example.org', '10.0.0.5', 'fd00::5')
        self.pki('client', 'prometheus')
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

    def test_the_authority_cannot_sign_authorities(self):
        self.pki('init')
        self.assertIn('CA:TRUE, pathlen:0', self.text('pki/ca.crt'))

    def test_secrets_are_readable_only_by_their_owner(self):
        self.pki('init')
        self.pki('host', 'web1')
        for path in [self.folder / 'pki', *(self.folder / 'pki').rglob('*')]:
            if path.suffix != '.crt' and path.name != 'crl.pem':
                self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path)

    def test_the_bundle_is_complete(self):
        self.pki('init')
        bundle = self.pki('host', 'web1').strip()
        listed = subprocess.run(['tar', '-tvf', bundle], cwd=self.folder, capture_output=True, text=True, check=True).stdout
        self.assertEqual(sorted(line.split()[-1] for line in listed.splitlines()), ['ca.crt', 'crl.pem', 'tls.crt', 'tls.key'])
        self.assertRegex(listed, r'-rw-r----- (0/0|root/root) .* tls\.key')

    def test_nothing_is_overwritten(self):
        self.pki('init')
        self.pki('host', 'web1')
        self.pki('client', 'prometheus')
        before = {path: path.read_bytes() for path in (self.folder / 'pki').rglob('*') if path.is_file()}
        self.pki('init', status=1)
        self.pki('host', 'web1', status=1)
        self.pki('client', 'prometheus', status=1)
        self.assertEqual(before, {path: path.read_bytes() for path in (self.folder / 'pki').rglob('*') if path.is_file()})

    def test_renewal_keeps_key_and_names(self):
        self.pki('init')
        self.pki('host', 'web1', '10.0.0.5', DAYS='1')
        folder = self.folder / 'pki/hosts/web1'
        key, certificate = (folder / 'tls.key').read_bytes(), (folder / 'tls.crt').read_bytes()
        self.assertRegex(self.pki('list', '30', status=1), r'\Apki/hosts/web1/tls.crt  [01] days left\n\Z')
        self.pki('renew', 'host', 'web1')
        self.assertEqual(self.pki('list', '30'), '')
        self.assertEqual(key, (folder / 'tls.key').read_bytes())
        self.assertNotEqual(certificate, (folder / 'tls.crt').read_bytes())
        self.assertTrue(self.verify(folder / 'tls.crt', 'sslserver', '-verify_ip', '10.0.0.5'))
        self.assertTrue(self.verify(folder / 'tls.crt', 'sslserver', '-verify_hostname', 'exporter.internal'))
        bundled = subprocess.run(['tar', '-xOf', self.folder / 'pki/hosts/web1.tar', 'tls.crt'], capture_output=True, check=True).stdout
        self.assertEqual(bundled, (folder / 'tls.crt').read_bytes())

    def test_a_key_created_on_the_target_stays_there(self):
        self.pki('init')
        subprocess.run(['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'tls.key',
                        '-out', 'csr', '-subj', '/CN=whatever'], cwd=self.folder, capture_output=True, check=True)
        self.pki('sign', 'csr', 'db1', 'db1.example.org')
        self.assertTrue(self.verify('pki/hosts/db1/tls.crt', 'sslserver', '-verify_hostname', 'db1.example.org'))
        self.assertRegex(self.text('pki/hosts/db1/tls.crt'), 'CN ?= ?db1')
        listed = subprocess.run(['tar', '-tf', 'pki/hosts/db1.tar'], cwd=self.folder, capture_output=True, text=True, check=True).stdout
        self.assertEqual(sorted(listed.split()), ['ca.crt', 'crl.pem', 'tls.crt'])
        self.pki('renew', 'host', 'db1')
        self.assertTrue(self.verify('pki/hosts/db1/tls.crt', 'sslserver'))

    def test_no_certificate_outlives_its_authority(self):
        self.pki('init', CA_DAYS='30')
        self.assertRegex(self.pki('host', 'web1'), '29 days only')
        left = dict(re.findall(r'(\S+)  (\d+) days left', self.pki('list')))
        self.assertLessEqual(int(left['pki/hosts/web1/tls.crt']), int(left['pki/authority/ca.crt']))

    def test_invalid_arguments_are_refused(self):
        self.pki('list', status=1)
        self.pki('init')
        for arguments in ((), ('nonsense',), ('init', 'x'), ('host',), ('host', 'a/b'), ('host', '../x'), ('host', '*.x'), ('host', 'x' * 65),
                          ('host', 'ok', 'not ok'), ('host', 'ok', 'a,IP:1.2.3.4'), ('client', 'a', 'b'), ('renew', 'host'),
                          ('renew', 'authority', 'x'), ('sign', 'x'), ('list', 'soon'), ('renew', '--all', '--within'),
                          ('renew', '--all', '--within', 'soon'), ('renew', '--all', 'x'), ('revoke', 'web1'), ('revoke', 'x', 'web1'),
                          ('crl', 'x'), ('rotate-ca',), ('rotate-ca', 'x')):
            self.pki(*arguments, status=2)
        self.pki('sign', 'missing.csr', 'web1', status=1)
        for arguments in (('renew', 'host', 'web1'), ('revoke', 'host', 'web1'), ('rotate-ca', 'switch'), ('rotate-ca', 'finish')):
            self.pki(*arguments, status=1)
        self.pki('list', status=2, DAYS='often')
        self.pki('host', 'ok', status=2, FLEET='a b')
        self.assertEqual(sorted(path.name for path in (self.folder / 'pki').iterdir()), ['.lock', 'authority', 'ca.crt', 'crl.pem'])

    def serials(self):
        """Serial numbers that a revocation list in crl.pem has."""
        text = subprocess.run(['openssl', 'crl', '-noout', '-text'], input=(self.folder / 'pki/crl.pem').read_text(), capture_output=True, text=True, check=True).stdout
        self.assertIn('Version 2', text)
        return text, re.findall(r'Serial Number: (\w+)', text)

    def serial(self, certificate):
        result = subprocess.run(['openssl', 'x509', '-in', self.folder / certificate, '-noout', '-serial'], capture_output=True, text=True, check=True)
        return result.stdout.strip().partition('=')[2]

    def test_revocation_covers_every_certificate_of_a_name(self):
        self.pki('init')
        self.assertEqual(self.serials()[1], [])
        self.pki('host', 'web1')
        self.pki('client', 'web1')
        first = self.serial('pki/hosts/web1/tls.crt')
        self.pki('renew', 'host', 'web1')
        second = self.serial('pki/hosts/web1/tls.crt')
        self.pki('revoke', 'host', 'web1')
        self.assertEqual(sorted(self.serials()[1]), sorted([first, second]))
        self.assertFalse((self.folder / 'pki/hosts/web1').exists() or (self.folder / 'pki/hosts/web1.tar').exists())
        self.assertTrue((self.folder / 'pki/clients/web1/tls.crt').exists())
        self.assertEqual((self.folder / 'pki/clients/web1/crl.pem').read_bytes(), (self.folder / 'pki/crl.pem').read_bytes())
        self.pki('host', 'web1')
        self.assertNotIn(self.serial('pki/hosts/web1/tls.crt'), self.serials()[1])

    def test_revocation_lists_are_numbered_and_outlive_the_certificates(self):
        self.pki('init', DAYS='10')
        number = lambda: int(re.search(r'CRL Number: *\n *(\d+)', self.serials()[0])[1])
        before = number()
        self.pki('crl')
        self.assertEqual(number(), before + 1)
        self.pki('host', 'web1')
        left = dict(re.findall(r'(\S+)  (\d+) days left', self.pki('list')))
        self.assertGreater(int(left['pki/crl.pem']), int(left['pki/hosts/web1/tls.crt']))

    def test_all_expiring_certificates_are_renewed(self):
        self.pki('init')
        for name in ('web1', 'web2'):
            self.pki('host', name, DAYS='5')
        self.pki('client', 'prometheus', DAYS='5')
        self.pki('host', 'web3')
        # Without the key in the archive: the key in the directory is used, as for a key that was created on the host.
        (self.folder / 'pki/hosts/web2/tls.key').unlink()
        self.assertEqual(sorted(self.pki('renew', '--all', '--within', '30d').split()),
                         ['pki/clients/prometheus/tls.crt', 'pki/hosts/web1/tls.crt', 'pki/hosts/web2/tls.crt'])
        self.assertEqual(self.pki('list', '30'), '')
        self.assertTrue(self.verify('pki/hosts/web2/tls.crt', 'sslserver', '-verify_hostname', 'web2'))
        self.assertEqual(len(self.pki('renew', '--all').split()), 4)

    def test_a_failed_renewal_does_not_stop_the_others(self):
        self.pki('init')
        for name in ('web1', 'web2', 'web3'):
            self.pki('host', name, DAYS='5')
        (self.folder / 'pki/hosts/web2/csr').write_text('nonsense')
        result = subprocess.run([PKI, 'renew', '--all', '--within=30'], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn('pki/hosts/web2 was not renewed', result.stderr)
        self.assertRegex(self.pki('list', '30', status=1), r'\Apki/hosts/web2/tls.crt  .*\n\Z')

    def test_a_damaged_certificate_is_reported(self):
        self.pki('init')
        self.pki('host', 'web1')
        self.pki('host', 'web2')
        (self.folder / 'pki/hosts/web1/tls.crt').write_text('nonsense')
        for command in (('list',), ('renew', '--all')):
            self.assertIn('pki/hosts/web1/tls.crt is not a certificate', self.pki(*command, status=1))

    def test_rotations_have_an_order_and_distinct_subjects(self):
        self.pki('init')
        self.pki('host', 'web1')
        subjects = lambda: set(re.findall(r'Subject: (.*)', ''.join(self.text(path) for path in (self.folder / 'pki').glob('authority*/ca.crt'))))
        self.pki('rotate-ca', 'start')
        self.assertEqual(len(subjects()), 2)
        self.assertIn('switch', self.pki('rotate-ca', 'start', status=1))
        self.pki('rotate-ca', 'finish', status=1)
        self.pki('rotate-ca', 'switch')
        self.assertIn('finish', self.pki('rotate-ca', 'start', status=1))
        self.pki('rotate-ca', 'finish')
        self.assertEqual((self.folder / 'pki/ca.crt').read_text().count('BEGIN'), 1)
        self.assertTrue(self.verify('pki/hosts/web1/tls.crt', 'sslserver', '-verify_hostname', 'web1'))
        self.pki('rotate-ca', 'start')

    def test_a_directory_of_the_first_version_is_migrated(self):
        self.pki('init')
        self.pki('host', 'web1', '10.0.0.5')
        pki = self.folder / 'pki'
        (pki / 'authority/ca.key').rename(pki / 'ca.key')
        shutil.rmtree(pki / 'authority')
        for name in ('hosts/web1/names', 'hosts/web1/csr', 'crl.pem'):
            (pki / name).unlink()
        old = self.serial('pki/hosts/web1/tls.crt')
        self.pki('renew', 'host', 'web1')
        self.assertTrue(self.verify('pki/hosts/web1/tls.crt', 'sslserver', '-verify_ip', '10.0.0.5'))
        self.assertNotEqual(self.serial('pki/hosts/web1/tls.crt'), old)
        self.pki('revoke', 'host', 'web1')
        self.assertEqual(len(self.serials()[1]), 1)


if __name__ == '__main__':
    unittest.main()
