#!/usr/bin/env python3
"""Packages under a real systemd: install, scrape over mutual TLS, upgrade under scrapes, downgrade, remove, reinstall, purge.

usage: test_packages.py [-v] [-k TEST]     BINARY=target/release/node-exporter unless set; the others are taken from beside it

Skipped with a message where no machine can boot or a tool is missing; with PACKAGING_TESTS=required that is a failure.
"""
import hashlib, json, os, pathlib, re, shutil, subprocess, sys, tempfile, time, unittest, urllib.request

from machine import PROJECT, Machine, Unavailable, root

BINARY = pathlib.Path(os.environ.get('BINARY') or PROJECT / 'target/release/node-exporter').absolute()
EXPORTERS = [name for name in ('cloudwatch-exporter', 'mysql-exporter', 'node-exporter') if BINARY.with_name(name).exists()]
PORTS = {'cloudwatch-exporter': 9106, 'mysql-exporter': 9104, 'node-exporter': 9100}
SUFFIXES = {'deb': 'deb', 'rpm': 'rpm', 'tarball': 'tar.gz', 'image': 'oci.tar'}
# Not in target/packages, which may have packages of the user.
OUTPUT = PROJECT / 'target/packages-of-tests'
# 1 to compile static binaries, or the folder that has them.
STATIC = os.environ.get('STATIC_PACKAGES')
OLD, NEW = '0.1.0', '0.1.1'
# The oldest Debian on which the units work.
OLDEST_DEBIAN = 'bullseye'
# Fast compression, because the size is not tested.
FAST_COMPRESSION = {'DPKG_DEB_COMPRESSOR_TYPE': 'gzip', 'DPKG_DEB_COMPRESSOR_LEVEL': '1'}


def skip(what, reason):
    """The exception for a missing requirement: it skips the test, or fails it if skipping is not allowed."""
    if os.environ.get('PACKAGING_TESTS') == 'required':
        return AssertionError(f'{what}: {reason}')
    print(f'SKIPPED: {what}: {reason}', file=sys.stderr, flush=True)
    return unittest.SkipTest(reason)


def build(kind, version, *exporters, binaries=BINARY.parent):
    """Builds packages from binaries that exist, and returns their paths."""
    command = [PROJECT / 'packaging/build', '--output', OUTPUT, '--version', version,
               *(f for name in exporters for f in ('--exporter', name)), kind]
    if binaries:
        command[1:1] = ['--binaries', binaries]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **FAST_COMPRESSION, 'EXPORTER_REVISION': 'test'})
    if result.returncode:
        raise AssertionError(f'packaging/build: {result.stdout}{result.stderr}')
    separator = '_' if kind == 'deb' else '-'
    names = [*exporters, *(['exporter-common'] if kind in ('deb', 'rpm') else [])]
    return [next(OUTPUT.glob(f'{name}{separator}{version}*.{SUFFIXES[kind]}')) for name in names]


def setUpModule():
    if 'node-exporter' not in EXPORTERS:
        raise SystemExit(f'there is no {BINARY}; build it first: cargo build --release')


class Lifecycle:
    """Tests of both kinds of packages, each in its own machine. Tests are numbered, because each continues from the state of the previous one."""

    kind = tool = None

    @classmethod
    def setUpClass(cls):
        for tool, package in cls.tools.items():
            if not shutil.which(tool):
                raise skip(f'packages of kind {cls.kind}', f'{tool} is not installed (package {package})')
        cls.old = build(cls.kind, OLD, *EXPORTERS)
        cls.new = build(cls.kind, NEW, 'node-exporter')
        try:
            cls.machine = Machine({'/packages': OUTPUT}).__enter__()
        except Unavailable as reason:
            raise skip(f'packages of kind {cls.kind} under systemd', str(reason)) from reason
        cls.addClassCleanup(cls.machine.__exit__, None, None, None)

    def run_in(self, command, **options):
        return self.machine.run(command, **options).stdout

    def install(self, files, *flags):
        self.run_in(f'{self.install_command} {" ".join(flags)} ' + ' '.join(f'/packages/{file.name}' for file in files))

    def state(self, name='node-exporter'):
        return self.run_in(f'systemctl is-active {name}.service', check=False).strip()

    def pid(self, name='node-exporter'):
        return self.run_in(f'systemctl show -p MainPID --value {name}').strip()

    flags = ("--cacert /root/pki/ca.crt --cert /root/pki/clients/prometheus/tls.crt --key /root/pki/clients/prometheus/tls.key "
             "-u 'prometheus:open sesame'")

    def assert_scraped(self):
        self.assertIn('node_load1 ', self.run_in(f'curl -sS -m 60 {self.flags} https://127.0.0.1:9100/metrics'))

    def test_1_installation_starts_no_service(self):
        self.install(self.old)
        for name in EXPORTERS:
            self.assertEqual(self.state(name), 'inactive', name)
            self.assertEqual(self.run_in(f'systemctl is-enabled {name}.service {name}.socket', check=False).split(), ['disabled'] * 2, name)
            self.assertEqual(self.run_in(f'stat -c %U:%G:%a /etc/{name}').strip(), f'root:{name}:2750')
            self.assertEqual(self.run_in(f'{name} --version').split()[:2], [name, '0.1.0'])
            self.run_in(f'test -s /usr/share/man/man1/{name}.1.gz -a -s /usr/share/bash-completion/completions/{name}')
            self.assertIn('  rustls ', self.run_in(f'zcat -f {self.licenses}/{name}/THIRD-PARTY-LICENSES*'))
        self.assertEqual(self.run_in('stat -c %U:%a /var/lib/node-exporter/textfile').strip(), 'root:755')
        self.run_in('bash -c "source /usr/share/bash-completion/completions/node-exporter && complete -p node-exporter"')

    def test_2_the_exporter_is_scraped_over_mutual_tls(self):
        hash = self.run_in("echo 'open sesame' | node-exporter --hash-password").split()[-1]
        self.run_in(f'''
            set -e; mkdir -p /root/pki; cd /root; exporter-pki init; exporter-pki client prometheus; exporter-pki host this 127.0.0.1
            tar -C /etc/node-exporter --no-same-owner -xf pki/hosts/this.tar
            sed 's|HASH|{hash}|' /usr/share/doc/node-exporter/examples/web-config.yml | install -m 640 /dev/stdin /etc/node-exporter/web-config.yml
            install -D -m 644 -t /etc/systemd/system/node-exporter.service.d /usr/share/doc/node-exporter/examples/{{mtls,socket}}.conf
            echo '# changed' >> /etc/default/node-exporter
            systemctl daemon-reload; systemctl enable --now node-exporter.socket node-exporter''')
        self.assert_scraped()
        self.assertEqual(self.run_in('stat -c "%G %a" /etc/node-exporter/tls.key').split(), ['node-exporter', '640'])

    def install_under_scrapes(self, files, *flags):
        """Installs other versions while new connections are made without a pause; none of them may fail."""
        before = self.pid()
        self.machine.write('/run/loop.sh', f'''
while [ ! -e /run/loop.stop ]; do
    curl -sS -m 60 -o /dev/null -w '%{{http_code}}\\n' {self.flags} https://127.0.0.1:9100/metrics 2>&1
done
''')
        self.run_in('rm -f /run/loop.stop; systemd-run -q --unit=loop -p StandardOutput=file:/run/loop.log sh /run/loop.sh')
        try:
            self.run_in('until [ -s /run/loop.log ]; do sleep 0.1; done')
            self.install(files, *flags)
            self.run_in('n=$(wc -l </run/loop.log); until [ $(wc -l </run/loop.log) -gt $((n + 5)) ]; do sleep 0.1; done')
        finally:
            self.run_in('touch /run/loop.stop; while systemctl -q is-active loop; do sleep 0.1; done')
        statuses = self.run_in('sort /run/loop.log | uniq -c; rm /run/loop.log').split()
        self.assertEqual(statuses[1::2], ['200'], f'failed scrapes: {statuses}')
        self.assertNotIn(self.pid(), ('0', before), 'the new version runs')
        print(f'{self.kind}: {statuses[0]} scrapes meanwhile, none failed', flush=True)

    def test_3_an_upgrade_fails_no_scrape(self):
        self.install_under_scrapes(self.new)
        self.assertIn(NEW, self.version())

    def test_4_a_downgrade_fails_no_scrape(self):
        self.install_under_scrapes([file for file in self.old if 'mysql' not in file.name and 'cloudwatch' not in file.name], *self.downgrade_flags)
        self.assertIn(OLD, self.version())
        self.assertIn('# changed', self.run_in('cat /etc/default/node-exporter'))
        self.assertEqual(self.run_in('stat -c %U:%G:%a /etc/node-exporter').strip(), 'root:node-exporter:2750')

    def test_5_all_exporters_run_together(self):
        if len(EXPORTERS) < len(PORTS):
            raise skip('all exporters together', f'only {EXPORTERS} are built')
        self.run_in('''
            install -m 600 /usr/share/doc/mysql-exporter/examples/my.cnf /etc/mysql-exporter/
            install -m 640 /usr/share/doc/cloudwatch-exporter/examples/config.yml /etc/cloudwatch-exporter/
            systemctl enable --now mysql-exporter cloudwatch-exporter''')
        self.assertIn('mysql_up 0', self.run_in('curl -sS -m 60 http://127.0.0.1:9104/metrics'))
        self.assertIn('cloudwatch_exporter_build_info', self.run_in('curl -sS -m 60 http://127.0.0.1:9106/metrics'))
        self.assert_scraped()

    def test_6_a_socket_without_its_drop_in_breaks_nothing(self):
        name = 'mysql-exporter' if 'mysql-exporter' in EXPORTERS else 'node-exporter'
        self.run_in(f'rm -f /etc/systemd/system/{name}.service.d/socket.conf; systemctl daemon-reload; systemctl stop {name}.socket {name}')
        self.run_in(f'install -D -m 600 /usr/share/doc/{name}/examples/my.cnf /etc/{name}/my.cnf', check=False)
        self.run_in(f'systemctl enable --now {name}.socket && systemctl restart {name}')
        self.assertEqual(self.state(name), 'active')
        self.assertEqual(self.run_in(f'curl -sS -m 60 -o /dev/null http://127.0.0.1:{PORTS[name]}/ 2>&1', check=False).count('refused'), 0)
        # Also while the service already uses the port.
        self.run_in(f'systemctl disable --now {name}.socket; systemctl restart {name}; systemctl start {name}.socket', check=False)
        self.assertEqual(self.state(name), 'active')
        self.run_in(f'systemctl stop {name}.socket; systemctl restart {name}', check=False)

    def test_7_removal_stops_the_service_and_keeps_keys(self):
        self.remove('node-exporter')
        self.assertNotEqual(self.state(), 'active')
        self.assertEqual(self.run_in('ss -Hltn sport = :9100').strip(), '')
        self.run_in('test -s /etc/node-exporter/tls.key -a ! -e /usr/bin/node-exporter')

    def test_8_a_reinstallation_uses_the_kept_files(self):
        self.install(self.new)
        self.run_in('systemctl enable --now node-exporter.socket node-exporter')
        self.assert_scraped()

    def test_9_a_purge_leaves_no_files(self):
        self.remove(*EXPORTERS, 'exporter-common')
        left = lambda: self.run_in(r'find / -xdev \( -name "*-exporter*" -o -name "exporter-*" -o -name "_*-exporter" \) -not -path "/packages/*" '
                                   r'-not -path "/root/*" -not -path "/run/*" -not -path "/tmp/*" -not -path "/var/cache/*" | sort').split()
        if self.kind == 'rpm':
            # rpm has no purge: modified configuration files remain, and nothing else.
            self.assertEqual([path for path in left() if not re.match(r'/(etc|var/lib)/', path)], [])
            return
        self.run_in('dpkg --purge ' + ' '.join((*EXPORTERS, 'exporter-common')))
        self.assertEqual(left(), [])
        self.assertEqual(self.run_in('getent passwd | grep -e -exporter', check=False), '')
        self.assertEqual(self.run_in('systemctl list-units --all --plain --no-legend "*-exporter*"').strip(), '')


class Deb(Lifecycle, unittest.TestCase):
    kind = 'deb'
    tools = {'dh': 'debhelper', 'dpkg-buildpackage': 'dpkg-dev'}
    install_command = 'dpkg --install --force-confold'
    licenses = '/usr/share/doc'
    downgrade_flags = ['--force-downgrade']

    def version(self):
        return self.run_in("dpkg-query -W -f '${Version}' node-exporter")

    def remove(self, *names):
        self.run_in('dpkg --remove ' + ' '.join(names))

    def test_0_lintian_finds_no_error(self):
        if not shutil.which('lintian'):
            raise skip('the Debian packages', 'lintian is not installed')
        result = subprocess.run(['lintian', '--allow-root', '--fail-on', 'error', *self.old], capture_output=True, text=True)
        errors = [line for line in result.stdout.splitlines() if line.startswith('E:') and not (
            # A debug build, if the test runs with one.
            'unstripped-binary' in line and 'debug' in str(BINARY))]
        self.assertEqual(errors, [])

    def test_0_a_second_build_gives_the_same_bytes(self):
        digests = lambda: [hashlib.sha256(file.read_bytes()).hexdigest() for file in self.old]
        first = digests()
        build(self.kind, OLD, *EXPORTERS)
        self.assertEqual(digests(), first)


class Rpm(Lifecycle, unittest.TestCase):
    """On Debian's systemd, with rpm as the package manager; --nodeps, because its database knows none of the packages of Debian."""

    kind = 'rpm'
    tools = {'rpmbuild': 'rpm'}
    install_command = 'rpm --upgrade --nodeps'
    licenses = '/usr/share/licenses'
    downgrade_flags = ['--oldpackage']

    def version(self):
        return self.run_in('rpm -q node-exporter')

    def remove(self, *names):
        self.run_in('rpm --erase --nodeps ' + ' '.join(names))

    def test_0_rpmlint_finds_no_error(self):
        if not shutil.which('rpmlint'):
            raise skip('the rpm packages', 'rpmlint is not installed')
        result = subprocess.run(['rpmlint', '--config', PROJECT / 'packaging/rpm/rpmlint.toml', *self.old], capture_output=True, text=True)
        self.assertIn(f'{len(self.old)} packages', result.stdout)
        self.assertEqual([line for line in result.stdout.splitlines() if ': E: ' in line], [])

    test_0_a_second_build_gives_the_same_bytes = Deb.test_0_a_second_build_gives_the_same_bytes


class RpmRoot(unittest.TestCase):
    """rpm packages in a root file system where no systemd runs yet, as when an image of a machine is made, and in the machine that boots from it. It has the
    files of Debian below a database of rpm that knows only our packages: Fedora's own packages are not available here."""

    # The dependencies that Red Hat Enterprise Linux 9 provides; for glibc and rpm, the newest version.
    REQUIREMENTS = re.compile(r'/bin/(sh|bash)|/usr/bin/(python3|bash)|bash|curl|openssl|python3|systemd|rtld\(GNU_HASH\)|'
                              r'(ld-linux-x86-64|libc|libm|libgcc_s)\.so\.[0-9]+\((GLIBC_(?P<glibc>[0-9.]+)|GCC_[0-9.]+)?\)(\(64bit\))?|'
                              r'rpmlib\(\w+\) <= (?P<rpm>[0-9.]+)-[0-9]+')
    NEWEST = {'glibc': [2, 34], 'rpm': [4, 16]}
    # Programs that are built with this one need no newer symbols than those of 2.34.
    DEBIAN_12 = [2, 36]

    @classmethod
    def setUpClass(cls):
        for tool in ('rpmbuild', 'rpm'):
            if not shutil.which(tool):
                raise skip('a root of rpm packages', f'{tool} is not installed (package rpm)')
        cls.old, cls.new = build('rpm', OLD, *EXPORTERS), build('rpm', NEW, *EXPORTERS)

    def test_requirements_are_those_of_red_hat(self):
        limits, glibc = dict(self.NEWEST), [int(part) for part in os.confstr('CS_GNU_LIBC_VERSION').split()[1].split('.')]
        if glibc > self.DEBIAN_12:
            skip('the glibc that rpm packages require', 'it is that of this machine, which is newer than that of Debian 12')
            limits['glibc'] = glibc
        for package in self.old:
            listed = subprocess.run(['rpm', '-qp', '--requires', package], capture_output=True, text=True, check=True).stdout.splitlines()
            for requirement in listed:
                if not requirement or requirement.startswith('config('):
                    continue
                match = self.REQUIREMENTS.fullmatch(requirement)
                self.assertTrue(match, f'{package.name}: {requirement}')
                for name, newest in limits.items():
                    if match[name]:
                        self.assertLessEqual([int(part) for part in match[name].split('.')][:2], newest, f'{package.name}: {requirement}')

    def test_packages_are_installed_into_a_root_that_boots_and_removed(self):
        folder = tempfile.TemporaryDirectory(dir=OUTPUT)
        self.addCleanup(folder.cleanup)
        root_dir = pathlib.Path(folder.name, 'root')
        try:
            subprocess.run(['cp', '-a', '--reflink=auto', root(), root_dir], check=True)
        except Unavailable as reason:
            raise skip('a root of rpm packages', str(reason)) from reason
        for path in ('var/lib/dpkg', 'var/lib/apt', 'etc/apt'):
            shutil.rmtree(root_dir / path)
        (root_dir / 'dev').mkdir(exist_ok=True)
        rpm = lambda *arguments: subprocess.run(['rpm', '--root', root_dir, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout
        before = self.files(root_dir)
        output = rpm('--install', '--nodeps', *self.old)
        self.assertNotIn('scriptlet', output)
        passwd = (root_dir / 'etc/passwd').read_text()
        for name in EXPORTERS:
            self.assertIn(f'\n{name}:', passwd)
            self.assertEqual((root_dir / 'etc' / name).stat().st_mode & 0o7777, 0o2750)
        self.assertEqual(list((root_dir / 'etc/systemd/system').rglob('*-exporter*')), [], 'nothing is enabled')

        with Machine({'/packages': OUTPUT}, root_dir=root_dir) as machine:
            self.assertEqual(machine.run("rpm -qa --qf '%{NAME}\n' | sort").stdout.split(), sorted([*EXPORTERS, 'exporter-common']))
            machine.run('systemctl enable --now node-exporter')
            self.assertIn('node_load1 ', machine.run('curl -sS -m 60 http://127.0.0.1:9100/metrics').stdout)
            machine.run('rpm --upgrade --nodeps ' + ' '.join(f'/packages/{file.name}' for file in self.new))
            self.assertIn(NEW, machine.run('rpm -q node-exporter').stdout)
            self.assertIn('node_load1 ', machine.run('curl -sS -m 60 http://127.0.0.1:9100/metrics').stdout)
            machine.run('rpm --verify --nodeps ' + ' '.join(EXPORTERS))
            machine.run('rpm --erase --nodeps ' + ' '.join((*EXPORTERS, 'exporter-common')))
            self.assertEqual(machine.run('systemctl list-units --all --plain --no-legend "*-exporter*"').stdout.strip(), '')

        rpm('--upgrade', '--nodeps', *self.new)
        rpm('--erase', '--nodeps', *EXPORTERS, 'exporter-common')
        self.assertEqual(sorted(self.files(root_dir) - before), [])

    def files(self, root_dir):
        """Paths, except the database of rpm, the copies that systemd-sysusers makes of the files that it changes, and a folder that Red Hat's filesystem has."""
        others = ('/root/.rpmdb*', '/var/lib/rpm*', '/usr/lib/sysimage/rpm*', '/etc/*-', '/usr/share/licenses')
        found = subprocess.run(['find', '.', '-xdev', *(argument for path in others for argument in ('-not', '-path', f'.{path}'))], cwd=root_dir, capture_output=True,
                               text=True, check=True).stdout
        return set(found.splitlines())


class Static(unittest.TestCase):
    """Tarballs and images, which have static binaries. These are compiled here, where Rust has the target, which takes minutes, or taken from a folder."""

    @classmethod
    def setUpClass(cls):
        if not STATIC:
            raise skip('the tarballs and the images', 'compiling them takes minutes; STATIC_PACKAGES=1 packaging/tests/test_packages.py Static does')
        cls.binaries = None if STATIC == '1' else STATIC
        target = subprocess.run(['rustc', '--print', 'target-libdir', '--target', f'{os.uname().machine}-unknown-linux-musl'],
                                capture_output=True, text=True).stdout.strip()
        for what, found, reason in (('rust-std', target and os.path.isdir(target), 'rustup target add x86_64-unknown-linux-musl'),
                                    ('musl-gcc', shutil.which('musl-gcc'), 'apt-get install musl-tools')):
            if not found and not cls.binaries:
                raise skip('the tarballs and the images', f'no {what}; {reason}')

    def build(self, kind):
        """Builds the packages of all exporters twice, and checks that both builds are identical."""
        digests = lambda files: [hashlib.sha256(file.read_bytes()).digest() for file in files]
        first = digests(build(kind, OLD, *PORTS, binaries=self.binaries))
        files = build(kind, OLD, *PORTS, binaries=self.binaries)
        self.assertEqual(digests(files), first)
        for file in files:
            print(f'{file.name}: {file.stat().st_size / 1e6:.2f} MB', flush=True)
        return dict(zip(PORTS, files))

    def temporary_folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def unpack(self, archive):
        folder = self.temporary_folder()
        subprocess.run(['tar', '-C', folder, '-xf', archive], check=True)
        return folder

    def test_the_tarballs_install_on_an_old_system(self):
        folders = {name: next(self.unpack(tarball).iterdir()) for name, tarball in self.build('tarball').items()}
        try:
            machine = Machine({f'/unpacked/{name}': folder for name, folder in folders.items()}, suite=OLDEST_DEBIAN)
            machine.__enter__()
        except Unavailable as reason:
            raise skip(f'the tarballs on {OLDEST_DEBIAN}', str(reason)) from reason
        self.addCleanup(machine.__exit__, None, None, None)
        print('the tarballs on:', machine.run('systemctl --version | head -n 1; ldd --version | head -n 1').stdout.split('\n')[:2], flush=True)
        for name in PORTS:
            machine.run(f'/unpacked/{name}/packaging/install {name}; grep -q "^  rustls " /usr/share/doc/{name}/THIRD-PARTY-LICENSES')
        machine.run('''
            set -e
            install -m 600 /usr/share/doc/mysql-exporter/examples/my.cnf /etc/mysql-exporter/
            install -m 640 /usr/share/doc/cloudwatch-exporter/examples/config.yml /etc/cloudwatch-exporter/
            install -D -m 644 -t /etc/systemd/system/node-exporter.service.d /usr/share/doc/node-exporter/examples/socket.conf
            systemctl daemon-reload; systemctl enable --now node-exporter.socket node-exporter mysql-exporter cloudwatch-exporter''')
        for name, expected in (('node-exporter', 'node_load1 '), ('mysql-exporter', 'mysql_up 0'), ('cloudwatch-exporter', 'cloudwatch_exporter_build_info')):
            self.assertIn(expected, machine.run(f'curl -sS -m 60 http://127.0.0.1:{PORTS[name]}/metrics').stdout)
        machine.run('node-exporter --check --unit')
        for name in PORTS:
            machine.run(f'/unpacked/{name}/packaging/install uninstall --purge {name}; test ! -e /usr/bin/{name} -a ! -e /etc/{name}')

    def test_the_images_are_small_and_serve(self):
        if not shutil.which('buildah'):
            raise skip('the images', 'buildah is not installed')
        for name, archive in self.build('image').items():
            with self.subTest(name):
                self.assertLessEqual(archive.stat().st_size, 12_000_000)
                self.assert_minimal(name, archive)
                self.assert_serves(name, archive)

    def assert_minimal(self, name, archive):
        layout = self.unpack(archive)
        blob = lambda digest: layout / 'blobs' / digest.replace(':', '/')
        manifest = json.loads(blob(json.loads((layout / 'index.json').read_text())['manifests'][0]['digest']).read_text())
        config = json.loads(blob(manifest['config']['digest']).read_text())['config']
        self.assertEqual((config['User'], config['Entrypoint'], list(config['ExposedPorts'])), ('65534:65534', [f'/usr/bin/{name}'], [f'{PORTS[name]}/tcp']))
        root = self.unpack(blob(manifest['layers'][0]['digest']))
        sections = subprocess.run(['readelf', '--sections', '--wide', root / 'usr/bin' / name], capture_output=True, text=True, check=True).stdout
        self.assertNotIn('.symtab', sections, 'the binary is stripped')
        files = sorted(str(path.relative_to(root)) for path in root.rglob('*') if path.is_file())
        self.assertEqual(files, ['etc/group', 'etc/passwd', f'usr/bin/{name}', *(f'usr/share/licenses/{name}/{file}' for file in ('LICENSE', 'THIRD-PARTY-LICENSES'))])

    def assert_serves(self, name, archive):
        """A container of the image, as its user, is scraped. It has the network of this machine."""
        if os.geteuid() != 0:
            raise skip(f'the image of {name} is not started', 'buildah needs root')
        work = self.temporary_folder()
        buildah = ['buildah', '--root', work / 'containers', '--runroot', work / 'run', '--storage-driver', 'vfs']
        container = subprocess.run([*buildah, 'from', f'oci-archive:{archive}'], capture_output=True, text=True, check=True).stdout.strip()
        configuration = self.temporary_folder()
        (configuration / 'my.cnf').write_text('[client]\nuser=exporter\nhost=127.0.0.1\nport=1\n')
        (configuration / 'config.yml').write_text((PROJECT / 'packaging/examples/cloudwatch-exporter/config.yml').read_text())
        configuration.chmod(0o755)
        expected, flags = {'node-exporter': ('node_load1 ', []),
                           'mysql-exporter': ('mysql_up 0', ['--config.my-cnf=/configuration/my.cnf']),
                           'cloudwatch-exporter': ('cloudwatch_exporter_build_info', ['--config.file=/configuration/config.yml'])}[name]
        log = work / 'log'
        with log.open('w') as output:
            running = subprocess.Popen([*buildah, 'run', '--isolation', 'chroot', '--volume', f'{configuration}:/configuration:ro', container, '--',
                                        f'/usr/bin/{name}', '--web.listen-address=127.0.0.1:0', *flags], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + 120
            while not (found := re.search(r'127\.0\.0\.1:(\d+)', log.read_text())):
                self.assertIsNone(running.poll(), log.read_text())
                self.assertLess(time.monotonic(), deadline, log.read_text())
                time.sleep(0.1)
            with urllib.request.urlopen(f'http://127.0.0.1:{found[1]}/metrics', timeout=60) as page:
                self.assertIn(expected, page.read().decode())
        finally:
            running.terminate()
            running.wait(60)


if __name__ == '__main__':
    unittest.main()
