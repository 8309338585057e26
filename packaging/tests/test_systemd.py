#!/usr/bin/env python3
"""The units under a real systemd: readiness, restarts, watchdog, sockets, credentials, and sandboxes that hide nothing.

usage: test_systemd.py [-v] [-k TEST]     BINARY=target/release/node-exporter unless set; the others are looked for beside it

Skipped with a message where no machine can boot, and for an exporter that has no binary; with PACKAGING_TESTS=required that is
a failure.
"""
import os, pathlib, re, sys, time, unittest

from machine import PROJECT, Machine, Unavailable

BINARY = pathlib.Path(os.environ.get('BINARY') or PROJECT / 'target/release/node-exporter').absolute()
BINARIES = {name: BINARY.with_name(name) for name in ('mysql-exporter', 'cloudwatch-exporter')} | {'node-exporter': BINARY}
MAX_EXPOSURE = 1.9
# TimeoutStopSec of the units: seconds after which systemd kills a service that has not stopped.
STOP_TIMEOUT = 10
# Metrics of the process, or changed by the scrape itself. All others describe the machine and must be equal.
PROCESS_METRICS = re.compile(r'^(process_|exporter_|promhttp_|http_|node_exporter_|node_scrape_collector_duration_seconds)')
# Sizes that no other process changes in the meantime.
CONSTANT_METRICS = re.compile(r'^node_(filesystem_(size_bytes|readonly|device_error)\{|uname_info|memory_MemTotal_bytes|boot_time_seconds|cpu_info|network_mtu_bytes)')


def skip(what, reason):
    """The exception for a missing requirement: it skips the test, or fails it if skipping is not allowed."""
    if os.environ.get('PACKAGING_TESTS') == 'required':
        return AssertionError(f'{what}: {reason}')
    print(f'SKIPPED: {what}: {reason}', file=sys.stderr, flush=True)
    return unittest.SkipTest(reason)


def setUpModule():
    global machine
    if not BINARY.exists():
        raise SystemExit(f'there is no {BINARY}; build it first: cargo build --release')
    binds = {f'/project/{name}': binary for name, binary in BINARIES.items() if binary.exists()}
    try:
        machine = Machine({'/project/packaging': PROJECT / 'packaging', '/project/README.md': PROJECT / 'README.md', **binds}).__enter__()
    except Unavailable as reason:
        raise skip('the units are not tested under systemd', str(reason)) from reason
    unittest.addModuleCleanup(machine.__exit__, None, None, None)
    print(f'systemd booted in {machine.boot_seconds:.1f} s', flush=True)


class Unit(unittest.TestCase):
    """A unit and operations on it. Subclasses set `name`."""

    name = port = None
    # Text that every response contains.
    expected_text = None
    # Other units that a test may start.
    helpers = ''

    @classmethod
    def setUpClass(cls):
        for required in (PROJECT / 'packaging/systemd' / f'{cls.name}.service', BINARIES[cls.name]):
            if not required.exists():
                raise skip(f'the unit of {cls.name} is not tested under systemd', f'there is no {required}')
        cls.unit = f'{cls.name}.service'
        cls.drop_ins = f'/etc/systemd/system/{cls.unit}.d'
        cls.examples = f'/usr/share/doc/{cls.name}/examples'
        machine.run(f'/project/packaging/install --binary /project/{cls.name} {cls.name}')
        cls.configure()
        machine.run('systemctl daemon-reload')

    @classmethod
    def configure(cls):
        """The steps of an administrator before the first start."""

    def setUp(self):
        self.addCleanup(self.remove_drop_ins)
        self.addCleanup(machine.run, f'systemctl stop {self.name}.socket {self.name} {self.helpers}', check=False)

    def run(self, result=None):
        self.started = int(time.time())
        super().run(result)
        if result and any(test is self for test, _ in result.failures + result.errors):
            units = ' '.join(f'-u {unit}' for unit in (self.unit, *self.helpers.split()))
            print(machine.run(f'journalctl --no-pager -n 40 --since=@{self.started} {units}', check=False).stdout, file=sys.stderr)

    def remove_drop_ins(self):
        machine.run(f'rm -rf {self.drop_ins}; systemctl daemon-reload; systemctl reset-failed', check=False)

    def drop_in(self, *names, text=None):
        for name in names:
            machine.run(f'install -D -m 644 {self.examples}/{name} {self.drop_ins}/{name}')
        if text:
            machine.write(f'{self.drop_ins}/test.conf', text)
        machine.run('systemctl daemon-reload')

    def show(self, *properties):
        output = machine.run(f'systemctl show {self.unit} -p ' + ','.join(properties)).stdout
        values = dict(line.split('=', 1) for line in output.splitlines())
        return [values[name] for name in properties] if len(properties) > 1 else values[properties[0]]

    def pid(self):
        pid = int(self.show('MainPID'))
        self.assertGreater(pid, 1, 'the unit does not run')
        return pid

    def wait_until(self, what, condition, seconds=120):
        started = time.monotonic()
        while not condition():
            self.assertLess(time.monotonic() - started, seconds, f'{what}: not within {seconds} s')
            time.sleep(0.05)
        return time.monotonic() - started

    def is_restarted(self, old):
        return lambda: self.show('ActiveState', 'MainPID') not in (['active', str(old)], ['active', '0']) and self.show('ActiveState') == 'active'

    def journal(self):
        """The log of the unit since the test began."""
        return machine.run(f'journalctl --no-pager -o cat --since=@{self.started} -u {self.unit}').stdout

    def url(self, scheme='http', host='127.0.0.1'):
        return f'{scheme}://{host}:{self.port}/metrics'

    def scrape(self, url=None, *flags):
        url = url or self.url()
        return machine.run(f'curl -sS -m 60 {" ".join(flags)} {url}').stdout

    def status(self, url, *flags):
        result = machine.run(f'curl -sS -m 60 -o /dev/null -w "%{{http_code}}" {" ".join(flags)} {url}', check=False)
        return result.stdout.strip() if result.returncode == 0 else f'refused ({result.stdout.strip()})'

    def run_as_unit(self, command):
        """Runs a command with the user and the mount namespace of the unit."""
        pid = self.pid()
        return machine.run(f'nsenter --target={pid} --mount -- setpriv --reuid=$(stat -c %u /proc/{pid}) --regid=$(stat -c %g /proc/{pid}) '
                           f'--clear-groups {command}', check=False)

    def assert_secret_is_private(self, file, secret):
        """Only root can read the original, only the unit can read its copy, and the secret is nowhere else."""
        copy = f'/run/credentials/{self.unit}/{file}'
        self.assertIn(secret, self.run_as_unit(f'cat {copy}').stdout)
        self.assertNotEqual(self.run_as_unit(f'cat /etc/{self.name}/{file}').returncode, 0)
        self.assertNotEqual(machine.run(f'setpriv --reuid=nobody --clear-groups cat {copy}', check=False).returncode, 0)
        visible = machine.run(f'cat /proc/{self.pid()}/environ /proc/{self.pid()}/cmdline').stdout
        self.assertNotIn(secret, self.journal() + visible)


class CommonTests:
    """Tests of every unit."""

    def test_the_exposure_of_the_unit_is_limited(self):
        output = machine.run(f'systemd-analyze --no-pager security {self.unit}').stdout.strip().splitlines()[-1]
        print(output, flush=True)
        self.assertLessEqual(float(re.search(r': ([\d.]+) ', output)[1]), MAX_EXPOSURE)

    def test_units_are_well_formed(self):
        self.drop_in(*machine.run(f'cd {self.examples} && echo *.conf').stdout.split())
        self.assertEqual(machine.run(f'systemd-analyze --man=no verify {self.unit} {self.name}.socket').stdout, '')

    def test_start_waits_until_the_service_listens(self):
        started = time.monotonic()
        machine.run(f'systemctl start {self.unit}')
        took = time.monotonic() - started
        self.assertIn(self.expected_text, self.scrape())
        print(f'serves {took * 1000:.0f} ms after systemctl start', flush=True)
        uid = machine.run(f'stat -c %U /proc/{self.pid()}').stdout.strip()
        self.assertEqual(uid, self.name)
        self.assertNotIn('unset environment variable', machine.run(f'journalctl --no-pager -u {self.unit}').stdout)

    def test_an_invalid_flag_causes_no_restart(self):
        self.drop_in(text='[Service]\nEnvironment=WEB=--no-such-flag\n')
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        self.assertEqual(self.show('ActiveState', 'ExecMainStatus', 'NRestarts'), ['failed', '2', '0'])

    def test_a_killed_service_is_restarted(self):
        machine.run(f'systemctl start {self.unit}')
        old = self.pid()
        machine.run(f'kill -9 {old}')
        took = self.wait_until('a restart', self.is_restarted(old))
        self.assertIn(self.expected_text, self.scrape())
        print(f'back {took:.1f} s after kill -9', flush=True)

    def test_a_reload_is_notified(self):
        machine.run(f'systemctl start {self.unit}; systemctl log-level debug')
        self.addCleanup(machine.run, 'systemctl log-level info')
        old = self.pid()
        machine.run(f'systemctl reload {self.unit}')

        def notified():
            output = machine.run(f'journalctl --no-pager _PID=1 -o cat | grep -aE "notification message from PID {old}[^0-9]"', check=False).stdout
            return re.findall(r'RELOADING=1|READY=1', output)

        self.wait_until('a notice of the reload', lambda: notified()[-2:] == ['RELOADING=1', 'READY=1'])
        self.assertEqual(self.pid(), old)
        self.assertEqual(self.show('ActiveState'), 'active')

    def test_the_service_stops_immediately(self):
        machine.run(f'systemctl start {self.unit}')
        self.scrape()
        started = time.monotonic()
        machine.run(f'systemctl stop {self.unit}')
        took = time.monotonic() - started
        print(f'stopped in {took * 1000:.0f} ms', flush=True)
        self.assertLess(took, STOP_TIMEOUT)
        self.assertEqual(self.show('Result'), 'success')

    def test_socket_activation(self):
        self.drop_in('socket.conf')
        machine.run(f'systemctl start {self.name}.socket')
        self.assertEqual(self.show('ActiveState'), 'inactive')
        self.assertIn(self.expected_text, self.scrape(), 'the first scrape starts it')
        self.wait_until('readiness', lambda: self.show('ActiveState') == 'active')
        # Every new connection gets a response, also during a restart.
        output = machine.run(f'''
            (sleep 0.3; systemctl restart {self.name}; sleep 0.3; systemctl restart {self.name}) &
            failed=0
            ask() {{ curl -sS -m 60 -o /dev/null http://127.0.0.1:{self.port}/; }}
            for i in $(seq 60); do ask || failed=$((failed + 1)); sleep 0.01; done
            wait
            echo "$failed failed"''').stdout
        self.assertEqual(output.strip().splitlines()[-1], '0 failed', output)

    def install_certificates(self):
        """Certificates in the paths of the drop-in mtls.conf. Returns flags of curl: without a certificate, with an allowed one, with another one."""
        machine.run(f'''
            set -e
            if [ ! -e /root/pki/pki ]; then
                mkdir -p /root/pki; cd /root/pki
                exporter-pki init; exporter-pki host this 127.0.0.1; exporter-pki client prometheus; exporter-pki client stranger
            fi
            tar -C /etc/{self.name} --no-same-owner -xf /root/pki/pki/hosts/this.tar''')
        return '--cacert /root/pki/pki/ca.crt', *(
            f'--cert /root/pki/pki/clients/{name}/tls.crt --key /root/pki/pki/clients/{name}/tls.key' for name in ('prometheus', 'stranger'))

    def web_config(self):
        """The shipped example, and the same with a password."""
        hash = machine.run('''perl -e 'print crypt("open sesame", "\\$2b\\$10\\$abcdefghijklmnopqrstuu")' ''').stdout
        self.assertRegex(hash, r'^\$2b\$10\$')
        example = machine.run(f'cat {self.examples}/web-config.yml').stdout
        return example, example.replace('"HASH"', f'"{hash}"')

    def test_mutual_tls(self):
        ca, prometheus, stranger = self.install_certificates()
        template, config = self.web_config()
        file = f'/etc/{self.name}/web-config.yml'
        self.drop_in('mtls.conf')
        # The shipped configuration is rejected, because it has no password.
        machine.write(file, template, 0o640)
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        self.wait_until('what is wrong with it', lambda: 'basic_auth_users' in self.journal())
        machine.write(file, config, 0o640)
        machine.run(f'systemctl start {self.unit}')
        url, password = self.url('https'), "-u 'prometheus:open sesame'"
        self.assertIn(self.expected_text, self.scrape(url, ca, prometheus, password))
        self.assertEqual(self.status(self.url('https', 'exporter.internal'), ca, prometheus, password,
                                     f'--resolve exporter.internal:{self.port}:127.0.0.1'), '200')
        self.assertEqual(self.status(url, ca, prometheus, '-u prometheus:wrong'), '401')
        self.assertEqual(self.status(url, ca, prometheus), '401')
        self.assertRegex(self.status(url, ca, password), 'refused')
        self.assertRegex(self.status(url, ca, stranger, password), 'refused')
        self.assertIn(self.status(self.url())[:3], ('400', 'ref'))
        key = f'/etc/{self.name}/tls.key'
        self.assertEqual(machine.run(f'stat -c "%U %G %a" {key}').stdout.split(), ['root', self.name, '640'])
        self.assertNotEqual(machine.run(f'setpriv --reuid=nobody --clear-groups cat {key}', check=False).returncode, 0)
        visible = machine.run(f'cat /proc/{self.pid()}/environ /proc/{self.pid()}/cmdline').stdout
        self.assertNotIn('PRIVATE KEY', self.journal() + visible)

    def test_renewed_files_are_used_without_a_restart(self):
        ca, prometheus, stranger = self.install_certificates()
        _, config = self.web_config()
        file, password = f'/etc/{self.name}/web-config.yml', "-u 'prometheus:open sesame'"
        url = self.url('https')
        machine.write(file, config, 0o640)
        self.drop_in('mtls.conf')
        machine.run(f'systemctl start {self.unit}')
        old = self.pid()
        serial = lambda: machine.run(f'echo | openssl s_client -connect 127.0.0.1:{self.port} 2>/dev/null | openssl x509 -noout -serial',
                                     check=False).stdout
        scrape_status = lambda *flags: self.status(url, ca, prometheus, *(flags or [password]))
        reloaded = lambda: re.search(r'^exporter_config_last_reload_successful (\d)', self.scrape(url, ca, prometheus, password), re.M)[1]
        self.assertEqual(scrape_status(), '200')
        machine.run(f'''
            cat > /run/loop.sh <<'END'
while [ ! -e /run/loop.stop ]; do
    curl -sS -m 10 -o /dev/null -w '%{{http_code}}\n' {ca} {prometheus} {password} {url} 2>&1
done
END
            rm -f /run/loop.stop; systemd-run -q --unit=loop -p StandardOutput=file:/run/loop.log sh /run/loop.sh''')
        self.addCleanup(machine.run, 'touch /run/loop.stop; systemctl stop loop', check=False)

        # A new certificate and key; the key is replaced first, as some tools do.
        before = serial()
        machine.run(f'''
            set -e; cd /root/pki; rm -rf next; mkdir next; cp -r pki next/; cd next
            exporter-pki host another 127.0.0.1; mkdir -p new; tar -C new --no-same-owner -xf pki/hosts/another.tar
            install -m 640 new/tls.key /etc/{self.name}/; sleep 0.5; install -m 644 new/tls.crt /etc/{self.name}/''')
        took = self.wait_until('the new certificate', lambda: serial() not in ('', before), 30)
        print(f'{self.name}: a new certificate is in force after {took:.1f} s', flush=True)
        # A key that does not match the certificate, then a truncated configuration: nothing changes, and a metric shows the failure.
        machine.run(f'openssl genpkey -algorithm ed25519 2>/dev/null | install -m 640 /dev/stdin /etc/{self.name}/tls.key')
        self.wait_until('the metric of the wrong key', lambda: reloaded() == '0', 30)
        self.assertIn('not the key of the certificate', self.journal())
        machine.run(f'install -m 640 /root/pki/next/new/tls.key /etc/{self.name}/')
        self.wait_until('the right key', lambda: reloaded() == '1', 30)
        machine.write(file, config[:config.index('basic_auth_users')], 0o640)
        self.wait_until('the metric of half a file', lambda: reloaded() == '0', 30)
        self.assertIn('a reload weakens no access', self.journal())
        self.assertEqual(scrape_status(''), '401')
        # A second password is added, then the first is removed.
        other = machine.run('''perl -e 'print crypt("another", "\\$2b\\$10\\$abcdefghijklmnopqrstuu")' ''').stdout
        machine.write(file, config + f'  second: "{other}"\n', 0o640)
        self.wait_until('the new password', lambda: scrape_status("-u 'second:another'") == '200', 30)
        machine.run('touch /run/loop.stop')
        self.wait_until('the end of the loop', lambda: machine.run('systemctl is-active loop', check=False).stdout.strip() != 'active', 30)
        statuses = machine.run('sort /run/loop.log | uniq -c').stdout.split()
        self.assertEqual(statuses[1::2], ['200'], f'failed scrapes: {statuses}')
        print(f'{self.name}: {statuses[0]} scrapes meanwhile, none failed', flush=True)
        self.assertEqual(self.pid(), old, 'it was not restarted')

    def test_a_revoked_client_is_refused_without_a_restart(self):
        ca, prometheus, _ = self.install_certificates()
        _, config = self.web_config()
        machine.write(f'/etc/{self.name}/web-config.yml', config, 0o640)
        self.drop_in('mtls.conf')
        machine.run(f'systemctl start {self.unit}')
        old = self.pid()
        scrape_status = lambda: self.status(self.url('https'), ca, prometheus, "-u 'prometheus:open sesame'")
        self.assertEqual(scrape_status(), '200')
        machine.run(f'''
            set -e; rm -rf /root/pki/revoked; mkdir /root/pki/revoked; cd /root/pki/revoked; cp -r ../pki .
            exporter-pki revoke client prometheus; install -m 644 pki/crl.pem /etc/{self.name}/crl.pem''')
        self.wait_until('the new revocation list', lambda: 'refused' in scrape_status(), 30)
        self.assertIn('revoked', self.journal())
        self.assertEqual(self.pid(), old, 'it was not restarted')

    def test_a_check_under_the_unit(self):
        self.install_certificates()
        _, config = self.web_config()
        machine.write(f'/etc/{self.name}/web-config.yml', config, 0o640)
        self.drop_in('mtls.conf')
        check = f'{self.name} --check --unit'
        good = machine.run(check, check=False)
        self.assertIn('client_auth_type', good.stdout)
        # Root can read it, the user of the unit cannot.
        machine.run(f'chmod 600 /etc/{self.name}/tls.key')
        bad = machine.run(check, check=False)
        self.assertEqual(bad.returncode, 2)
        self.assertIn('Permission denied', bad.stdout)
        self.assertEqual(machine.run(f'ls /run/systemd/system /run | grep {self.name}-check', check=False).stdout, '')

    def test_a_missing_credential_causes_no_restart_loop(self):
        self.drop_in(text=f'[Service]\nLoadCredential=tls.key:/etc/{self.name}/absent.key\n')
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        self.wait_until('the end', lambda: self.show('ActiveState') == 'failed')
        time.sleep(3)
        self.assertEqual(self.show('NRestarts'), '0')

    def test_a_missing_file_is_reported_once(self):
        self.install_certificates()
        _, config = self.web_config()
        machine.write(f'/etc/{self.name}/web-config.yml', config, 0o640)
        self.drop_in('mtls.conf')
        machine.run(f'rm /etc/{self.name}/tls.key')
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        self.wait_until('the end', lambda: self.show('ActiveState') == 'failed')
        time.sleep(3)
        self.assertEqual(self.show('NRestarts', 'ExecMainStatus'), ['0', '2'])
        self.assertNotIn('remains running', self.journal())
        lines = [line for line in self.journal().splitlines() if 'tls.key' in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn('No such file', lines[0])


class NodeExporter(CommonTests, Unit):
    name, port, expected_text = 'node-exporter', 9100, 'node_load1 '
    helpers = 'bare dead squatter'

    @classmethod
    def configure(cls):
        # The same program and user, without a sandbox.
        machine.write('/etc/systemd/system/bare.service', '''[Service]
Type=notify
User=node-exporter
ExecStart=/usr/bin/node-exporter --web.listen-address=127.0.0.1:9199 --collector.textfile.directory=/var/lib/node-exporter/textfile
''')

    def test_a_port_in_use_causes_restarts(self):
        machine.run('systemd-run -q --unit=squatter python3 -m http.server 9100')
        self.addCleanup(machine.run, 'systemctl stop squatter', check=False)
        self.wait_until('the squatter', lambda: machine.run('curl -s -o /dev/null http://127.0.0.1:9100/', check=False).returncode == 0)
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        machine.run('systemctl stop squatter')
        self.wait_until('another attempt', lambda: self.show('ActiveState') == 'active')

    def test_the_watchdog_kills_a_stopped_process(self):
        self.drop_in(text='[Service]\nWatchdogSec=5s\n')
        machine.run(f'systemctl start {self.unit}')
        time.sleep(11)
        old = self.pid()
        self.assertEqual(self.show('NRestarts'), '0', 'the watchdog is fed')
        machine.run(f'kill -STOP {old}')
        took = self.wait_until('a restart by the watchdog', self.is_restarted(old))
        self.assertIn(self.expected_text, self.scrape())
        print(f'back {took:.1f} s after SIGSTOP with WatchdogSec=5s', flush=True)

    def test_a_reload_applies_only_valid_configurations(self):
        file = '/etc/node-exporter/reloaded.yml'
        headers = 'http_server_config: {headers: {X-Frame-Options: deny}}\n'
        machine.write(file, '{}\n')
        self.drop_in(text=f'[Service]\nEnvironment=WEB=--web.config.file={file}\n')
        machine.run(f'systemctl start {self.unit}')
        url = self.url()
        self.assertNotIn('x-frame-options', self.scrape(url, '-i').lower())
        machine.write(file, headers)
        machine.run(f'systemctl reload {self.unit}')
        self.wait_until('the new header', lambda: 'x-frame-options: deny' in self.scrape(url, '-i').lower())
        machine.write(file, 'http_server_config: [\n')
        machine.run(f'systemctl reload {self.unit}')
        self.wait_until('the metric of the failed reload', lambda: 'exporter_config_last_reload_successful 0' in self.scrape(url))
        self.assertIn('x-frame-options: deny', self.scrape(url, '-i').lower())
        self.wait_until('the status', lambda: 'reloaded.yml' in self.show('StatusText'))

    def test_the_sandbox_hides_nothing(self):
        machine.run('''
            mkdir -p /home /srv/late /tmp/below
            mount -t tmpfs -o size=11M tmpfs /home; mount -t tmpfs -o size=12M tmpfs /tmp/below
            echo 'written_by_a_job 1' > /var/lib/node-exporter/textfile/job.prom''')
        self.addCleanup(machine.run, 'umount /home /tmp/below /srv/late', check=False)
        machine.run(f'systemctl start {self.unit} bare')
        # Changes after the start are visible too.
        machine.run('mount -t tmpfs -o size=13M tmpfs /srv/late; hostname renamed')
        bare, hardened = (parse(self.scrape(f'http://127.0.0.1:{port}/metrics')) for port in (9199, 9100))
        self.assertGreater(len(bare), 200)
        self.assertEqual(sorted(bare.keys() - hardened.keys()), [], 'lost in the sandbox')
        self.assertEqual(sorted(hardened.keys() - bare.keys()), [], 'only in the sandbox')
        constant = {name: value for name, value in bare.items() if CONSTANT_METRICS.match(name)}
        self.assertEqual({name: hardened[name] for name in constant}, constant)
        failed = [name for name, value in hardened.items() if name.startswith('node_scrape_collector_success') and value != bare[name]]
        self.assertEqual(failed, [])
        print(f'{len(hardened)} series under the hardened unit and under a bare one, {len(constant)} constant values alike', flush=True)
        for mount, size in (('/home', 11), ('/tmp/below', 12), ('/srv/late', 13)):
            sizes = [float(value) for name, value in hardened.items() if name.startswith('node_filesystem_size_bytes') and f'mountpoint="{mount}"' in name]
            self.assertEqual(sizes, [size << 20], mount)
        self.assertTrue(any(name.startswith('node_uname_info') and 'nodename="renamed"' in name for name in hardened))
        self.assertEqual(hardened.get('written_by_a_job'), '1')

    def test_a_hanging_mount_blocks_nothing(self):
        if machine.run('test -c /dev/fuse', check=False).returncode != 0:
            self.skipTest('no /dev/fuse')
        machine.run('mkdir -p /srv/dead; systemd-run -q --unit=dead python3 /project/packaging/tests/hung_mount.py /srv/dead')
        self.addCleanup(machine.run, 'systemctl stop dead', check=False)
        self.wait_until('the mount', lambda: machine.run('grep -q /srv/dead /proc/mounts', check=False).returncode == 0)
        machine.run(f'systemctl start {self.unit}')
        for _ in range(2):
            started = time.monotonic()
            series = parse(self.scrape())
            took = time.monotonic() - started
            self.assertLess(took, 60, 'a scrape waits no longer than its limit')
            wrong = [name for name, value in series.items() if name.startswith('node_filesystem_device_error') and value == '1']
            self.assertEqual(len(wrong), 1, wrong)
            self.assertIn('/srv/dead', wrong[0])
        old = self.pid()
        started = time.monotonic()
        machine.run(f'systemctl restart {self.unit}')
        took = time.monotonic() - started
        print(f'restarted in {took:.2f} s beside a dead mount', flush=True)
        self.assertLess(took, STOP_TIMEOUT)
        self.assertNotEqual(self.pid(), old)
        self.assertIn(self.expected_text, self.scrape())
        machine.run('systemctl stop dead')
        self.wait_until('the end of the processes that wait for the mount', lambda: machine.run(f'pgrep -P {old}', check=False).returncode != 0)

    def test_files_of_a_web_configuration_may_be_named_in_any_way(self):
        ca, prometheus, _ = self.install_certificates()
        template, config = self.web_config()
        file = '/etc/node-exporter/web-config.yml'
        check = f'node-exporter --check --web.config.file={file}'
        machine.write(file, template, 0o640)
        self.assertEqual(machine.run(check, check=False).returncode, 2)
        machine.write(file, config, 0o640)
        machine.run(check)
        # As an administrator may configure it, and as systemd passes secrets to other services.
        names = ('web-config.yml', 'ca.crt', 'crl.pem', 'tls.crt', 'tls.key')
        self.drop_in(text='[Service]\n' + ''.join(f'LoadCredential={name}:/etc/node-exporter/{name}\n' for name in names)
                     + 'Environment=WEB=--web.config.file=%d/web-config.yml\n')
        for folder in ('', '$CREDENTIALS_DIRECTORY/', '%d/'):
            machine.write(file, re.sub(r'((?:cert|key|client_ca)_file): (\S+)', rf'\1: "{folder}\2"', config), 0o640)
            machine.run(f'systemctl restart {self.unit}')
            self.assertEqual(self.status(self.url('https'), ca, prometheus, "-u 'prometheus:open sesame'"), '200', folder)


class MysqlExporter(CommonTests, Unit):
    """Without a MySQL server: greeter.py imitates one and rejects all logins."""

    name, port, expected_text = 'mysql-exporter', 9104, '\nmysql_up 0\n'
    helpers = 'greeter'
    my_cnf = '/etc/mysql-exporter/my.cnf'
    password = 'kept from all but root'

    @classmethod
    def configure(cls):
        machine.run(f"sed 's/^password=$/password={cls.password}/' {cls.examples}/my.cnf | install -m 600 /dev/stdin {cls.my_cnf}")

    def greeter(self):
        """Starts greeter.py at the address of the example; returns the file in which it records users."""
        machine.run('rm -f /run/mysqld/mysqld.sock /run/greeted')
        machine.run('systemd-run -q --unit=greeter python3 /project/packaging/tests/greeter.py /run/mysqld/mysqld.sock /run/greeted')
        self.wait_until('the greeter', lambda: machine.run('test -S /run/mysqld/mysqld.sock', check=False).returncode == 0)
        return '/run/greeted'

    def test_the_password_is_readable_only_by_the_unit(self):
        users = self.greeter()
        machine.run(f'systemctl start {self.unit}')
        self.assertIn(self.expected_text, self.scrape())
        self.assertIn('exporter\n', machine.run(f'cat {users}').stdout, 'the user of my.cnf tries to log in over the socket')
        self.assert_secret_is_private('my.cnf', self.password)

    def test_a_missing_option_file_is_explained(self):
        machine.run(f'mv {self.my_cnf} {self.my_cnf}.away')
        self.addCleanup(machine.run, f'mv {self.my_cnf}.away {self.my_cnf}')
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        # The exporter ends by itself, which systemd accepts.
        self.assertEqual(self.show('ActiveState', 'ExecMainStatus', 'NRestarts'), ['failed', '2', '0'])
        self.wait_until('what to write', lambda: re.search(r'no user: .*my\.cnf .*\[client\]', self.journal()))
        # The file is not needed if the flag is set in another way.
        self.drop_in(text='[Service]\nEnvironment=WEB=--mysqld.username=other MYSQLD_EXPORTER_PASSWORD=other\n')
        machine.run(f'systemctl start {self.unit}')
        self.assertIn(self.expected_text, self.scrape())

    def test_a_local_server_needs_no_network(self):
        users = self.greeter()
        self.drop_in('socket.conf', 'unix-socket-only.conf')
        machine.run(f'systemctl start {self.name}.socket')
        self.assertIn(self.expected_text, self.scrape())
        self.assertIn('exporter\n', machine.run(f'cat {users}').stdout)
        self.assertEqual(machine.run(f'nsenter --target={self.pid()} --net -- ip -o link').stdout.count('\n'), 1, 'lo only')


class CloudwatchExporter(CommonTests, Unit):
    """Without AWS: greeter.py imitates it and rejects all requests."""

    name, port, expected_text = 'cloudwatch-exporter', 9106, '\ncloudwatch_exporter_build_info{'
    helpers = 'endpoint'
    secret = 'kept-from-all-but-root'

    @classmethod
    def configure(cls):
        machine.run(f'install -m 644 {cls.examples}/config.yml /etc/{cls.name}/config.yml')
        keys = f'[default]\naws_access_key_id=AKIDOFTHETEST\naws_secret_access_key={cls.secret}\n'
        machine.write(f'/etc/{cls.name}/aws-credentials', keys, 0o600)
        machine.run(f'cat >> /etc/default/{cls.name}', text='AWS_ENDPOINT_URL=http://127.0.0.1:8123\nAWS_MAX_ATTEMPTS=1\n')

    def test_the_keys_are_readable_only_by_the_unit(self):
        machine.run('systemd-run -q --unit=endpoint python3 /project/packaging/tests/greeter.py --http 8123 /run/asked')
        self.wait_until('the endpoint', lambda: machine.run('curl -s -o /dev/null http://127.0.0.1:8123/', check=False).returncode == 0)
        machine.run(f'systemctl start {self.unit}')
        self.assertIn(self.expected_text, self.scrape())
        self.assertIn('Credential=AKIDOFTHETEST/', machine.run('cat /run/asked').stdout)
        self.assert_secret_is_private('aws-credentials', self.secret)

    def test_the_service_starts_without_keys(self):
        machine.run(f'mv /etc/{self.name}/aws-credentials /etc/{self.name}/away')
        self.addCleanup(machine.run, f'mv /etc/{self.name}/away /etc/{self.name}/aws-credentials')
        machine.run(f'systemctl start {self.unit}')
        self.assertIn(self.expected_text, self.scrape())


def parse(text):
    """Series (name with labels as written) to value, without those of the process itself."""
    samples = (line.rsplit(' ', 1) for line in text.splitlines() if line and not line.startswith('#'))
    return {name: value for name, value in samples if not PROCESS_METRICS.match(name)}


if __name__ == '__main__':
    unittest.main()
