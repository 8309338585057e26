#!/usr/bin/env python3
"""packaging/install: installs all files, and keeps the configuration."""
import os, pathlib, re, shutil, subprocess, sys, tempfile, unittest

PACKAGING = pathlib.Path(__file__).resolve().parents[1]
INSTALL = PACKAGING / 'install'
# The files of every exporter, and those that only one has.
FILES = {
    'etc/default/{}': 0o644,
    'usr/bin/exporter-enrol': 0o755,
    'usr/bin/exporter-pki': 0o755,
    'usr/bin/{}': 0o755,
    'usr/lib/exporter-pki/authority.sh': 0o644,
    'usr/lib/exporter-pki/serve/server.py': 0o644,
    'usr/lib/systemd/system/exporter-enrol.service': 0o644,
    'usr/lib/systemd/system/exporter-enrol.timer': 0o644,
    'usr/lib/systemd/system/exporter-pki.service': 0o644,
    'usr/lib/systemd/system/{}.service': 0o644,
    'usr/lib/systemd/system/{}.socket': 0o644,
    'usr/lib/sysusers.d/{}.conf': 0o644,
    'usr/share/doc/{}/README.md': 0o644,
    'usr/share/doc/{}/examples/mtls.conf': 0o644,
    'usr/share/doc/{}/examples/socket.conf': 0o644,
    'usr/share/doc/exporter-common/docs/operations.md': 0o644,
    'usr/share/doc/exporter-common/examples/prometheus/static.yml': 0o644,
    'usr/share/man/man1/exporter-pki.1': 0o644,
    'usr/share/man/man1/exporter-enrol.1': 0o644,
    'usr/share/man/man1/{}.1': 0o644,
    'usr/share/doc/{}/examples/web-config.yml': 0o644,
}
OWN_FILES = {
    'node-exporter': ('usr/lib/tmpfiles.d/{}.conf', 'usr/share/doc/{}/examples/capabilities.conf'),
    'mysql-exporter': ('usr/share/doc/{}/examples/my.cnf', 'usr/share/doc/{}/examples/unix-socket-only.conf'),
    'cloudwatch-exporter': ('usr/share/doc/{}/examples/config.yml',),
}


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.destdir = pathlib.Path(folder.name, 'root')
        self.binary = pathlib.Path(folder.name, 'binary')
        self.binary.write_text('one')

    def install(self, *arguments, status=0):
        result = subprocess.run([INSTALL, *arguments], env={**os.environ, 'DESTDIR': str(self.destdir)}, capture_output=True, text=True)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stderr

    def test_files_are_installed(self):
        os.umask(0o077)
        self.addCleanup(os.umask, os.umask(0o022))
        for name, own_files in OWN_FILES.items():
            self.install('--binary', self.binary, name)
            for path, mode in {**FILES, **dict.fromkeys(own_files, 0o644)}.items():
                self.assertEqual((self.destdir / path.format(name)).stat().st_mode & 0o7777, mode, path.format(name))
            self.assertEqual((self.destdir / 'etc' / name).stat().st_mode & 0o7777, 0o2750)
        self.assertEqual([path for path in self.destdir.rglob('*.new')], [])

    def test_every_exporter_is_tested(self):
        self.assertEqual({unit.stem for unit in PACKAGING.glob('systemd/*.service')}, set(OWN_FILES))

    def test_both_parts_together_are_a_full_installation(self):
        self.install('--binary', self.binary, 'node-exporter')
        full = self.files()
        shutil.rmtree(self.destdir)
        self.install('--part', 'common', 'node-exporter')
        common = self.files()
        shutil.rmtree(self.destdir)
        self.install('--part=exporter', '--binary', self.binary, 'node-exporter')
        self.assertEqual(full, common | self.files())
        self.assertEqual(common.keys() & self.files().keys(), set())

    def test_units_and_drop_ins_are_those_of_the_exporter(self):
        for name in OWN_FILES:
            self.install('--binary', self.binary, name)
            files = [*self.destdir.glob(f'usr/lib/*/**/{name}.*'), *self.destdir.glob(f'usr/share/doc/{name}/examples/*.conf'),
                     self.destdir / 'etc/default' / name]
            self.assertGreaterEqual(len(files), 6, files)
            for file in files:
                self.assertLessEqual(set(re.findall(r'\w+-exporter', file.read_text())), {name}, file)

    def test_reinstallation_keeps_the_configuration(self):
        self.install('--binary', self.binary, 'node-exporter')
        flags = self.destdir / 'etc/default/node-exporter'
        flags.write_text('ARGS="--mine"')
        (self.destdir / 'etc/node-exporter').chmod(0o700)
        self.binary.write_text('two')
        self.install(f'--binary={self.binary}', 'node-exporter')
        self.assertEqual(flags.read_text(), 'ARGS="--mine"')
        self.assertEqual((self.destdir / 'etc/node-exporter').stat().st_mode & 0o7777, 0o700)
        self.assertEqual((self.destdir / 'usr/bin/node-exporter').read_text(), 'two')

    def files(self):
        return {path.relative_to(self.destdir): path.read_bytes() for path in self.destdir.rglob('*') if path.is_file()}

    def test_uninstall_keeps_only_the_configuration(self):
        for name in OWN_FILES:
            self.install('--binary', self.binary, name)
        key = self.destdir / 'etc/node-exporter/tls.key'
        key.write_text('secret')
        self.install('uninstall', 'node-exporter')
        self.assertEqual([path for path in self.files() if 'node-exporter' in str(path) and path.parts[0] != 'etc' and 'exporter-common' not in path.parts], [])
        self.assertEqual(key.read_text(), 'secret')
        self.assertTrue((self.destdir / 'etc/default/node-exporter').exists())
        self.assertTrue((self.destdir / 'usr/bin/exporter-pki').exists(), 'the others use it')
        for name in OWN_FILES:
            self.install('uninstall', '--purge', name)
        self.assertEqual(self.files(), {})
        self.assertFalse(key.parent.exists())

    def test_a_full_disk_changes_nothing(self):
        # In a separate mount namespace, so that no mount is left behind.
        script = '''
            mount -t tmpfs -o size=2M tmpfs "$DESTDIR" || exit 77
            "$1" --binary "$2" node-exporter >/dev/null || exit 78
            head -c 1900000 /dev/zero >"$2"
            "$1" --binary "$2" node-exporter
            echo "status $?"
            find "$DESTDIR" -name '*.new'
            cat "$DESTDIR/usr/bin/node-exporter"
        '''
        self.destdir.mkdir()
        result = subprocess.run(['unshare', '--mount', '--map-root-user', 'sh', '-c', script, 'sh', INSTALL, self.binary],
                              env={**os.environ, 'DESTDIR': str(self.destdir)}, capture_output=True, text=True)
        if result.returncode == 77 or 'unshare' in result.stderr:
            print(f'SKIPPED: installation on a full disk: {result.stderr.strip()}', file=sys.stderr, flush=True)
            self.skipTest('no namespace to mount a small disk in')
        self.assertRegex(result.stderr, r'\Ainstall: nothing was changed: .*No space left on device\n\Z')
        self.assertEqual(result.stdout, 'status 1\none')

    def test_errors_are_reported_in_one_line(self):
        for arguments, word in (((), 'which'), (('nothing-exporter',), 'nothing-exporter'), (('--bogus', 'node-exporter'), '--bogus'),
                                (('--binary', '/nowhere/x', 'node-exporter'), '/nowhere/x'), (('--binary',), 'path'),
                                (('node-exporter', 'mysql-exporter'), 'one exporter'), (('--purge', 'node-exporter'), '--purge'),
                                (('--part', 'x', 'node-exporter'), 'exporter or common'), (('uninstall',), 'which'), (('uninstall', '--binary', 'x', 'node-exporter'), '--binary')):
            error = self.install(*arguments, status=2)
            self.assertRegex(error, rf'\Ainstall: .*{word}.*\n\Z')
        self.assertFalse(self.destdir.exists())


if __name__ == '__main__':
    unittest.main()
