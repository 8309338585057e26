#!/usr/bin/env python3
"""packaging/install: what goes where, and that configuration survives it."""
import os, pathlib, subprocess, tempfile, unittest

INSTALL = pathlib.Path(__file__).resolve().parents[1] / 'install'
FILES = {
    'etc/default/node-exporter': 0o644,
    'usr/bin/exporter-pki': 0o755,
    'usr/bin/node-exporter': 0o755,
    'usr/lib/systemd/system/node-exporter.service': 0o644,
    'usr/lib/systemd/system/node-exporter.socket': 0o644,
    'usr/lib/sysusers.d/node-exporter.conf': 0o644,
    'usr/lib/tmpfiles.d/node-exporter.conf': 0o644,
    'usr/share/doc/node-exporter/README.md': 0o644,
    'usr/share/doc/node-exporter/examples/mtls.conf': 0o644,
    'usr/share/doc/node-exporter/examples/socket.conf': 0o644,
    'usr/share/doc/node-exporter/examples/static.yml': 0o644,
    'usr/share/doc/node-exporter/examples/web-config.yml': 0o644,
}


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.destdir = pathlib.Path(folder.name, 'root')
        self.binary = pathlib.Path(folder.name, 'binary')
        self.binary.write_text('one')

    def install(self, *arguments, status=0):
        done = subprocess.run([INSTALL, *arguments], env={**os.environ, 'DESTDIR': str(self.destdir)}, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stderr

    def test_files_are_where_they_belong(self):
        os.umask(0o077)
        self.addCleanup(os.umask, os.umask(0o022))
        self.install('--binary', self.binary, 'node-exporter')
        for path, mode in FILES.items():
            self.assertEqual((self.destdir / path).stat().st_mode & 0o7777, mode, path)
        self.assertEqual((self.destdir / 'etc/node-exporter').stat().st_mode & 0o7777, 0o750)
        self.assertEqual([path for path in self.destdir.rglob('*.new')], [])

    def test_a_second_time_replaces_the_program_and_keeps_the_configuration(self):
        self.install('--binary', self.binary, 'node-exporter')
        flags = self.destdir / 'etc/default/node-exporter'
        flags.write_text('ARGS="--mine"')
        (self.destdir / 'etc/node-exporter').chmod(0o700)
        self.binary.write_text('two')
        self.install(f'--binary={self.binary}', 'node-exporter')
        self.assertEqual(flags.read_text(), 'ARGS="--mine"')
        self.assertEqual((self.destdir / 'etc/node-exporter').stat().st_mode & 0o7777, 0o700)
        self.assertEqual((self.destdir / 'usr/bin/node-exporter').read_text(), 'two')

    def test_what_cannot_be_installed_is_said_in_one_line(self):
        for arguments, word in (((), 'which'), (('nothing-exporter',), 'nothing-exporter'), (('--bogus', 'node-exporter'), '--bogus'),
                                (('--binary', '/nowhere/x', 'node-exporter'), '/nowhere/x'), (('--binary',), 'path'),
                                (('node-exporter', 'mysql-exporter'), 'one exporter')):
            said = self.install(*arguments, status=2)
            self.assertRegex(said, rf'\Ainstall: .*{word}.*\n\Z')
        self.assertFalse(self.destdir.exists())


if __name__ == '__main__':
    unittest.main()
