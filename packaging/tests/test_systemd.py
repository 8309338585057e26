#!/usr/bin/env python3
"""The units under a real systemd: readiness, restarts, watchdog, sockets, credentials, and sandboxes that hide nothing.

usage: test_systemd.py [-v] [-k TEST]     BINARY=target/release/node-exporter unless set; the others are looked for beside it

Skipped, and loudly so, where no machine can boot, and for an exporter that has no binary; with PACKAGING_TESTS=required that is
a failure.
"""
import os, pathlib, re, sys, time, unittest

from machine import PROJECT, Machine, Unavailable

BINARY = pathlib.Path(os.environ.get('BINARY') or PROJECT / 'target/release/node-exporter').absolute()
BINARIES = {name: BINARY.with_name(name) for name in ('mysql-exporter', 'cloudwatch-exporter')} | {'node-exporter': BINARY}
MOST_EXPOSED = 1.9
# Seconds after which systemd kills what has not ended by itself: TimeoutStopSec of the units.
STOP_TIMEOUT = 10
# Of the process itself, or counted by the scrape itself; the rest is the machine's and has to agree.
OWN = re.compile(r'^(process_|exporter_|promhttp_|http_|node_exporter_|node_scrape_collector_duration_seconds)')
# Sizes that nobody else changes in the meantime.
STEADY = re.compile(r'^node_(filesystem_(size_bytes|readonly|device_error)\{|uname_info|memory_MemTotal_bytes|boot_time_seconds|cpu_info|network_mtu_bytes)')


def skip(what, reason):
    """An exception to raise: of a test that is left out, or of one that fails because none may be."""
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
    """A unit and what can be done with it. Those who inherit say which, in `name`."""

    name = port = None
    # What every answer of it has in it.
    sign = None
    # What else a test may start.
    helpers = ''

    @classmethod
    def setUpClass(cls):
        for needed in (PROJECT / 'packaging/systemd' / f'{cls.name}.service', BINARIES[cls.name]):
            if not needed.exists():
                raise skip(f'the unit of {cls.name} is not tested under systemd', f'there is no {needed}')
        cls.unit = f'{cls.name}.service'
        cls.drop_ins = f'/etc/systemd/system/{cls.unit}.d'
        cls.examples = f'/usr/share/doc/{cls.name}/examples'
        machine.run(f'/project/packaging/install --binary /project/{cls.name} {cls.name}')
        cls.configure()
        machine.run('systemctl daemon-reload')

    @classmethod
    def configure(cls):
        """What an administrator does before the first start."""

    def setUp(self):
        self.addCleanup(self.forget_drop_ins)
        self.addCleanup(machine.run, f'systemctl stop {self.name}.socket {self.name} {self.helpers}', check=False)

    def run(self, result=None):
        self.started = int(time.time())
        super().run(result)
        if result and any(test is self for test, _ in result.failures + result.errors):
            units = ' '.join(f'-u {unit}' for unit in (self.unit, *self.helpers.split()))
            print(machine.run(f'journalctl --no-pager -n 40 --since=@{self.started} {units}', check=False).stdout, file=sys.stderr)

    def forget_drop_ins(self):
        machine.run(f'rm -rf {self.drop_ins}; systemctl daemon-reload; systemctl reset-failed', check=False)

    def drop_in(self, *names, text=None):
        for name in names:
            machine.run(f'install -D -m 644 {self.examples}/{name} {self.drop_ins}/{name}')
        if text:
            machine.write(f'{self.drop_ins}/test.conf', text)
        machine.run('systemctl daemon-reload')

    def show(self, *properties):
        shown = machine.run(f'systemctl show {self.unit} -p ' + ','.join(properties)).stdout
        values = dict(line.split('=', 1) for line in shown.splitlines())
        return [values[name] for name in properties] if len(properties) > 1 else values[properties[0]]

    def pid(self):
        pid = int(self.show('MainPID'))
        self.assertGreater(pid, 1, 'the unit does not run')
        return pid

    def until(self, what, condition, seconds=120):
        started = time.monotonic()
        while not condition():
            self.assertLess(time.monotonic() - started, seconds, f'{what}: not within {seconds} s')
            time.sleep(0.05)
        return time.monotonic() - started

    def restarted(self, old):
        return lambda: self.show('ActiveState', 'MainPID') not in (['active', str(old)], ['active', '0']) and self.show('ActiveState') == 'active'

    def journal(self):
        """What the unit said since the test began."""
        return machine.run(f'journalctl --no-pager -o cat --since=@{self.started} -u {self.unit}').stdout

    def url(self, scheme='http', host='127.0.0.1'):
        return f'{scheme}://{host}:{self.port}/metrics'

    def scrape(self, url=None, *flags):
        url = url or self.url()
        return machine.run(f'curl -sS -m 60 {" ".join(flags)} {url}').stdout

    def status(self, url, *flags):
        done = machine.run(f'curl -sS -m 60 -o /dev/null -w "%{{http_code}}" {" ".join(flags)} {url}', check=False)
        return done.stdout.strip() if done.returncode == 0 else f'refused ({done.stdout.strip()})'

    def as_the_unit(self, command):
        """A command as the user that the unit runs as, among the files that it sees."""
        pid = self.pid()
        return machine.run(f'nsenter --target={pid} --mount -- setpriv --reuid=$(stat -c %u /proc/{pid}) --regid=$(stat -c %g /proc/{pid}) '
                           f'--clear-groups {command}', check=False)

    def kept(self, file, secret):
        """Only root reads the original, only the unit its copy; the secret is nowhere else."""
        copy = f'/run/credentials/{self.unit}/{file}'
        self.assertIn(secret, self.as_the_unit(f'cat {copy}').stdout)
        self.assertNotEqual(self.as_the_unit(f'cat /etc/{self.name}/{file}').returncode, 0)
        self.assertNotEqual(machine.run(f'setpriv --reuid=nobody --clear-groups cat {copy}', check=False).returncode, 0)
        seen = machine.run(f'cat /proc/{self.pid()}/environ /proc/{self.pid()}/cmdline').stdout
        self.assertNotIn(secret, self.journal() + seen)


class Shared:
    """What holds of every unit."""

    def test_exposure(self):
        said = machine.run(f'systemd-analyze --no-pager security {self.unit}').stdout.strip().splitlines()[-1]
        print(said, flush=True)
        self.assertLessEqual(float(re.search(r': ([\d.]+) ', said)[1]), MOST_EXPOSED)

    def test_units_are_well_formed(self):
        self.drop_in(*machine.run(f'cd {self.examples} && echo *.conf').stdout.split())
        self.assertEqual(machine.run(f'systemd-analyze --man=no verify {self.unit} {self.name}.socket').stdout, '')

    def test_start_returns_when_it_serves(self):
        started = time.monotonic()
        machine.run(f'systemctl start {self.unit}')
        took = time.monotonic() - started
        self.assertIn(self.sign, self.scrape())
        print(f'serves {took * 1000:.0f} ms after systemctl start', flush=True)
        uid = machine.run(f'stat -c %U /proc/{self.pid()}').stdout.strip()
        self.assertEqual(uid, self.name)
        self.assertNotIn('unset environment variable', machine.run(f'journalctl --no-pager -u {self.unit}').stdout)

    def test_a_wrong_flag_is_not_tried_again(self):
        self.drop_in(text='[Service]\nEnvironment=WEB=--no-such-flag\n')
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        self.assertEqual(self.show('ActiveState', 'ExecMainStatus', 'NRestarts'), ['failed', '2', '0'])

    def test_killed_it_comes_back(self):
        machine.run(f'systemctl start {self.unit}')
        old = self.pid()
        machine.run(f'kill -9 {old}')
        took = self.until('a restart', self.restarted(old))
        self.assertIn(self.sign, self.scrape())
        print(f'back {took:.1f} s after kill -9', flush=True)

    def test_a_reload_is_notified(self):
        machine.run(f'systemctl start {self.unit}; systemctl log-level debug')
        self.addCleanup(machine.run, 'systemctl log-level info')
        old = self.pid()
        machine.run(f'systemctl reload {self.unit}')

        def notified():
            said = machine.run(f'journalctl --no-pager _PID=1 -o cat | grep -aE "notification message from PID {old}[^0-9]"', check=False).stdout
            return re.findall(r'RELOADING=1|READY=1', said)

        self.until('a notice of the reload', lambda: notified()[-2:] == ['RELOADING=1', 'READY=1'])
        self.assertEqual(self.pid(), old)
        self.assertEqual(self.show('ActiveState'), 'active')

    def test_it_stops_at_once(self):
        machine.run(f'systemctl start {self.unit}')
        self.scrape()
        started = time.monotonic()
        machine.run(f'systemctl stop {self.unit}')
        took = time.monotonic() - started
        print(f'stopped in {took * 1000:.0f} ms', flush=True)
        self.assertLess(took, STOP_TIMEOUT)
        self.assertEqual(self.show('Result'), 'success')

    def test_a_socket_of_systemd(self):
        self.drop_in('socket.conf')
        machine.run(f'systemctl start {self.name}.socket')
        self.assertEqual(self.show('ActiveState'), 'inactive')
        self.assertIn(self.sign, self.scrape(), 'the first scrape starts it')
        self.until('readiness', lambda: self.show('ActiveState') == 'active')
        # Every new connection is answered, also while it restarts.
        asked = machine.run(f'''
            (sleep 0.3; systemctl restart {self.name}; sleep 0.3; systemctl restart {self.name}) &
            failed=0
            ask() {{ curl -sS -m 60 -o /dev/null http://127.0.0.1:{self.port}/; }}
            for i in $(seq 60); do ask || failed=$((failed + 1)); sleep 0.01; done
            wait
            echo "$failed failed"''').stdout
        self.assertEqual(asked.strip().splitlines()[-1], '0 failed', asked)

    def keys(self):
        """A CA's certificates where the drop-in mtls.conf looks for them. The flags of curl: for anybody, a client, another one."""
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
        """The example as it ships, and with a password in it."""
        hash = machine.run('''perl -e 'print crypt("open sesame", "\\$2b\\$10\\$abcdefghijklmnopqrstuu")' ''').stdout
        self.assertRegex(hash, r'^\$2b\$10\$')
        example = machine.run(f'cat {self.examples}/web-config.yml').stdout
        return example, example.replace('"HASH"', f'"{hash}"')

    def test_mutual_tls(self):
        ca, prometheus, stranger = self.keys()
        template, config = self.web_config()
        file = f'/etc/{self.name}/web-config.yml'
        self.drop_in('mtls.conf')
        # As it ships it is refused: it has no password yet.
        machine.write(file, template, 0o640)
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        self.until('what is wrong with it', lambda: 'basic_auth_users' in self.journal())
        machine.write(file, config, 0o640)
        machine.run(f'systemctl start {self.unit}')
        url, password = self.url('https'), "-u 'prometheus:open sesame'"
        self.assertIn(self.sign, self.scrape(url, ca, prometheus, password))
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
        seen = machine.run(f'cat /proc/{self.pid()}/environ /proc/{self.pid()}/cmdline').stdout
        self.assertNotIn('PRIVATE KEY', self.journal() + seen)

    def test_what_is_renewed_is_in_force_without_a_restart(self):
        ca, prometheus, stranger = self.keys()
        _, config = self.web_config()
        file, password = f'/etc/{self.name}/web-config.yml', "-u 'prometheus:open sesame'"
        url = self.url('https')
        machine.write(file, config, 0o640)
        self.drop_in('mtls.conf')
        machine.run(f'systemctl start {self.unit}')
        old = self.pid()
        serial = lambda: machine.run(f'echo | openssl s_client -connect 127.0.0.1:{self.port} 2>/dev/null | openssl x509 -noout -serial',
                                     check=False).stdout
        scraped = lambda *flags: self.status(url, ca, prometheus, *(flags or [password]))
        reloaded = lambda: re.search(r'^exporter_config_last_reload_successful (\d)', self.scrape(url, ca, prometheus, password), re.M)[1]
        self.assertEqual(scraped(), '200')
        machine.run(f'''
            cat > /run/loop.sh <<'END'
while [ ! -e /run/loop.stop ]; do
    curl -sS -m 10 -o /dev/null -w '%{{http_code}}\n' {ca} {prometheus} {password} {url} 2>&1
done
END
            rm -f /run/loop.stop; systemd-run -q --unit=loop -p StandardOutput=file:/run/loop.log sh /run/loop.sh''')
        self.addCleanup(machine.run, 'touch /run/loop.stop; systemctl stop loop', check=False)

        # A new certificate and key, the key first, as some tools do.
        before = serial()
        machine.run(f'''
            set -e; cd /root/pki; rm -rf next; mkdir next; cp -r pki next/; cd next
            exporter-pki host another 127.0.0.1; mkdir -p new; tar -C new --no-same-owner -xf pki/hosts/another.tar
            install -m 640 new/tls.key /etc/{self.name}/; sleep 0.5; install -m 644 new/tls.crt /etc/{self.name}/''')
        took = self.until('the new certificate', lambda: serial() not in ('', before), 30)
        print(f'{self.name}: a new certificate is in force after {took:.1f} s', flush=True)
        # A key that is not the certificate's, then half a configuration: nothing changes, and it can be seen.
        machine.run(f'openssl genpkey -algorithm ed25519 2>/dev/null | install -m 640 /dev/stdin /etc/{self.name}/tls.key')
        self.until('the metric of the wrong key', lambda: reloaded() == '0', 30)
        self.assertIn('not the key of the certificate', self.journal())
        machine.run(f'install -m 640 /root/pki/next/new/tls.key /etc/{self.name}/')
        self.until('the right key', lambda: reloaded() == '1', 30)
        machine.write(file, config[:config.index('basic_auth_users')], 0o640)
        self.until('the metric of half a file', lambda: reloaded() == '0', 30)
        self.assertIn('a reload weakens no access', self.journal())
        self.assertEqual(scraped(''), '401')
        # A second password, then the first one goes.
        other = machine.run('''perl -e 'print crypt("another", "\\$2b\\$10\\$abcdefghijklmnopqrstuu")' ''').stdout
        machine.write(file, config + f'  second: "{other}"\n', 0o640)
        self.until('the new password', lambda: scraped("-u 'second:another'") == '200', 30)
        machine.run('touch /run/loop.stop')
        self.until('the end of the loop', lambda: machine.run('systemctl is-active loop', check=False).stdout.strip() != 'active', 30)
        answers = machine.run('sort /run/loop.log | uniq -c').stdout.split()
        self.assertEqual(answers[1::2], ['200'], f'failed scrapes: {answers}')
        print(f'{self.name}: {answers[0]} scrapes meanwhile, none failed', flush=True)
        self.assertEqual(self.pid(), old, 'it was not restarted')

    def test_a_revoked_client_is_refused_without_a_restart(self):
        ca, prometheus, _ = self.keys()
        _, config = self.web_config()
        machine.write(f'/etc/{self.name}/web-config.yml', config, 0o640)
        self.drop_in('mtls.conf')
        machine.run(f'systemctl start {self.unit}')
        old = self.pid()
        scraped = lambda: self.status(self.url('https'), ca, prometheus, "-u 'prometheus:open sesame'")
        self.assertEqual(scraped(), '200')
        machine.run(f'''
            set -e; rm -rf /root/pki/revoked; mkdir /root/pki/revoked; cd /root/pki/revoked; cp -r ../pki .
            exporter-pki revoke client prometheus; install -m 644 pki/crl.pem /etc/{self.name}/crl.pem''')
        self.until('the new revocation list', lambda: 'refused' in scraped(), 30)
        self.assertIn('revoked', self.journal())
        self.assertEqual(self.pid(), old, 'it was not restarted')

    def test_a_check_as_the_unit_runs_it(self):
        self.keys()
        _, config = self.web_config()
        machine.write(f'/etc/{self.name}/web-config.yml', config, 0o640)
        self.drop_in('mtls.conf')
        check = f'{self.name} --check --unit'
        good = machine.run(check, check=False)
        self.assertIn('client_auth_type', good.stdout)
        # Root could read it, the unit's user cannot.
        machine.run(f'chmod 600 /etc/{self.name}/tls.key')
        bad = machine.run(check, check=False)
        self.assertEqual(bad.returncode, 2)
        self.assertIn('Permission denied', bad.stdout)
        self.assertEqual(machine.run(f'ls /run/systemd/system /run | grep {self.name}-check', check=False).stdout, '')

    def test_a_missing_credential_is_no_loop(self):
        self.drop_in(text=f'[Service]\nLoadCredential=tls.key:/etc/{self.name}/absent.key\n')
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        self.until('the end', lambda: self.show('ActiveState') == 'failed')
        time.sleep(3)
        self.assertEqual(self.show('NRestarts'), '0')

    def test_a_missing_file_is_named_once(self):
        self.keys()
        _, config = self.web_config()
        machine.write(f'/etc/{self.name}/web-config.yml', config, 0o640)
        self.drop_in('mtls.conf')
        machine.run(f'rm /etc/{self.name}/tls.key')
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        self.until('the end', lambda: self.show('ActiveState') == 'failed')
        time.sleep(3)
        self.assertEqual(self.show('NRestarts', 'ExecMainStatus'), ['0', '2'])
        self.assertNotIn('remains running', self.journal())
        lines = [line for line in self.journal().splitlines() if 'tls.key' in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn('No such file', lines[0])


class NodeExporter(Shared, Unit):
    name, port, sign = 'node-exporter', 9100, 'node_load1 '
    helpers = 'bare dead squatter'

    @classmethod
    def configure(cls):
        # The same program for the same user, with no sandbox around it.
        machine.write('/etc/systemd/system/bare.service', '''[Service]
Type=notify
User=node-exporter
ExecStart=/usr/bin/node-exporter --web.listen-address=127.0.0.1:9199 --collector.textfile.directory=/var/lib/node-exporter/textfile
''')

    def test_a_port_that_is_taken_is_tried_again(self):
        machine.run('systemd-run -q --unit=squatter python3 -m http.server 9100')
        self.addCleanup(machine.run, 'systemctl stop squatter', check=False)
        self.until('the squatter', lambda: machine.run('curl -s -o /dev/null http://127.0.0.1:9100/', check=False).returncode == 0)
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        machine.run('systemctl stop squatter')
        self.until('another attempt', lambda: self.show('ActiveState') == 'active')

    def test_the_watchdog_ends_what_no_longer_answers(self):
        self.drop_in(text='[Service]\nWatchdogSec=5s\n')
        machine.run(f'systemctl start {self.unit}')
        time.sleep(11)
        old = self.pid()
        self.assertEqual(self.show('NRestarts'), '0', 'the watchdog is fed')
        machine.run(f'kill -STOP {old}')
        took = self.until('a restart by the watchdog', self.restarted(old))
        self.assertIn(self.sign, self.scrape())
        print(f'back {took:.1f} s after SIGSTOP with WatchdogSec=5s', flush=True)

    def test_a_reload_takes_up_what_is_right_and_keeps_what_was(self):
        file = '/etc/node-exporter/reloaded.yml'
        headers = 'http_server_config: {headers: {X-Frame-Options: deny}}\n'
        machine.write(file, '{}\n')
        self.drop_in(text=f'[Service]\nEnvironment=WEB=--web.config.file={file}\n')
        machine.run(f'systemctl start {self.unit}')
        url = self.url()
        self.assertNotIn('x-frame-options', self.scrape(url, '-i').lower())
        machine.write(file, headers)
        machine.run(f'systemctl reload {self.unit}')
        self.until('the new header', lambda: 'x-frame-options: deny' in self.scrape(url, '-i').lower())
        machine.write(file, 'http_server_config: [\n')
        machine.run(f'systemctl reload {self.unit}')
        self.until('word of the bad file', lambda: 'exporter_config_last_reload_successful 0' in self.scrape(url))
        self.assertIn('x-frame-options: deny', self.scrape(url, '-i').lower())
        self.until('the status', lambda: 'reloaded.yml' in self.show('StatusText'))

    def test_the_sandbox_hides_nothing(self):
        machine.run('''
            mkdir -p /home /srv/late /tmp/below
            mount -t tmpfs -o size=11M tmpfs /home; mount -t tmpfs -o size=12M tmpfs /tmp/below
            echo 'written_by_a_job 1' > /var/lib/node-exporter/textfile/job.prom''')
        self.addCleanup(machine.run, 'umount /home /tmp/below /srv/late', check=False)
        machine.run(f'systemctl start {self.unit} bare')
        # What changes after the start is seen too.
        machine.run('mount -t tmpfs -o size=13M tmpfs /srv/late; hostname renamed')
        bare, hardened = (parse(self.scrape(f'http://127.0.0.1:{port}/metrics')) for port in (9199, 9100))
        self.assertGreater(len(bare), 200)
        self.assertEqual(sorted(bare.keys() - hardened.keys()), [], 'lost in the sandbox')
        self.assertEqual(sorted(hardened.keys() - bare.keys()), [], 'only in the sandbox')
        steady = {name: value for name, value in bare.items() if STEADY.match(name)}
        self.assertEqual({name: hardened[name] for name in steady}, steady)
        failed = [name for name, value in hardened.items() if name.startswith('node_scrape_collector_success') and value != bare[name]]
        self.assertEqual(failed, [])
        print(f'{len(hardened)} series under the hardened unit and under a bare one, {len(steady)} steady values alike', flush=True)
        for mount, size in (('/home', 11), ('/tmp/below', 12), ('/srv/late', 13)):
            sizes = [float(value) for name, value in hardened.items() if name.startswith('node_filesystem_size_bytes') and f'mountpoint="{mount}"' in name]
            self.assertEqual(sizes, [size << 20], mount)
        self.assertTrue(any(name.startswith('node_uname_info') and 'nodename="renamed"' in name for name in hardened))
        self.assertEqual(hardened.get('written_by_a_job'), '1')

    def test_a_dead_mount_holds_nothing_up(self):
        if machine.run('test -c /dev/fuse', check=False).returncode != 0:
            self.skipTest('no /dev/fuse')
        machine.run('mkdir -p /srv/dead; systemd-run -q --unit=dead python3 /project/packaging/tests/hung_mount.py /srv/dead')
        self.addCleanup(machine.run, 'systemctl stop dead', check=False)
        self.until('the mount', lambda: machine.run('grep -q /srv/dead /proc/mounts', check=False).returncode == 0)
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
        self.assertIn(self.sign, self.scrape())
        machine.run('systemctl stop dead')
        self.until('the end of what waited for the mount', lambda: machine.run(f'pgrep -P {old}', check=False).returncode != 0)

    def test_files_of_a_web_configuration_are_found_however_they_are_named(self):
        ca, prometheus, _ = self.keys()
        template, config = self.web_config()
        file = '/etc/node-exporter/web-config.yml'
        check = f'node-exporter --check --web.config.file={file}'
        machine.write(file, template, 0o640)
        self.assertEqual(machine.run(check, check=False).returncode, 2)
        machine.write(file, config, 0o640)
        machine.run(check)
        # As an administrator may have it, and as systemd hands out secrets to others.
        names = ('web-config.yml', 'ca.crt', 'crl.pem', 'tls.crt', 'tls.key')
        self.drop_in(text='[Service]\n' + ''.join(f'LoadCredential={name}:/etc/node-exporter/{name}\n' for name in names)
                     + 'Environment=WEB=--web.config.file=%d/web-config.yml\n')
        for folder in ('', '$CREDENTIALS_DIRECTORY/', '%d/'):
            machine.write(file, re.sub(r'((?:cert|key|client_ca)_file): (\S+)', rf'\1: "{folder}\2"', config), 0o640)
            machine.run(f'systemctl restart {self.unit}')
            self.assertEqual(self.status(self.url('https'), ca, prometheus, "-u 'prometheus:open sesame'"), '200', folder)


class MysqlExporter(Shared, Unit):
    """Beside nothing that is a server, but for what greets like one and lets nobody in."""

    name, port, sign = 'mysql-exporter', 9104, '\nmysql_up 0\n'
    helpers = 'greeter'
    my_cnf = '/etc/mysql-exporter/my.cnf'
    password = 'kept from all but root'

    @classmethod
    def configure(cls):
        machine.run(f"sed 's/^password=$/password={cls.password}/' {cls.examples}/my.cnf | install -m 600 /dev/stdin {cls.my_cnf}")

    def greeter(self):
        """Starts it where the example looks for a server; returns the file that it notes users in."""
        machine.run('rm -f /run/mysqld/mysqld.sock /run/greeted')
        machine.run('systemd-run -q --unit=greeter python3 /project/packaging/tests/greeter.py /run/mysqld/mysqld.sock /run/greeted')
        self.until('the greeter', lambda: machine.run('test -S /run/mysqld/mysqld.sock', check=False).returncode == 0)
        return '/run/greeted'

    def test_the_password_is_a_copy_for_it_alone(self):
        users = self.greeter()
        machine.run(f'systemctl start {self.unit}')
        self.assertIn(self.sign, self.scrape())
        self.assertIn('exporter\n', machine.run(f'cat {users}').stdout, 'the user of my.cnf asked to be let in, over the socket')
        self.kept('my.cnf', self.password)

    def test_without_the_file_it_says_what_to_write(self):
        machine.run(f'mv {self.my_cnf} {self.my_cnf}.away')
        self.addCleanup(machine.run, f'mv {self.my_cnf}.away {self.my_cnf}')
        self.assertNotEqual(machine.run(f'systemctl start {self.unit}', check=False).returncode, 0)
        # Of its own accord: systemd does not mind.
        self.assertEqual(self.show('ActiveState', 'ExecMainStatus', 'NRestarts'), ['failed', '2', '0'])
        self.until('what to write', lambda: re.search(r'no user: .*my\.cnf .*\[client\]', self.journal()))
        # Nor is the file needed by those who say it otherwise.
        self.drop_in(text='[Service]\nEnvironment=WEB=--mysqld.username=other MYSQLD_EXPORTER_PASSWORD=other\n')
        machine.run(f'systemctl start {self.unit}')
        self.assertIn(self.sign, self.scrape())

    def test_it_needs_no_network_for_a_server_of_this_machine(self):
        users = self.greeter()
        self.drop_in('socket.conf', 'unix-socket-only.conf')
        machine.run(f'systemctl start {self.name}.socket')
        self.assertIn(self.sign, self.scrape())
        self.assertIn('exporter\n', machine.run(f'cat {users}').stdout)
        self.assertEqual(machine.run(f'nsenter --target={self.pid()} --net -- ip -o link').stdout.count('\n'), 1, 'lo only')


class CloudwatchExporter(Shared, Unit):
    """Beside nothing that is AWS, but for what greets like it and lets nobody in."""

    name, port, sign = 'cloudwatch-exporter', 9106, '\ncloudwatch_exporter_build_info{'
    helpers = 'endpoint'
    secret = 'kept-from-all-but-root'

    @classmethod
    def configure(cls):
        machine.run(f'install -m 644 {cls.examples}/config.yml /etc/{cls.name}/config.yml')
        keys = f'[default]\naws_access_key_id=AKIDOFTHETEST\naws_secret_access_key={cls.secret}\n'
        machine.write(f'/etc/{cls.name}/aws-credentials', keys, 0o600)
        machine.run(f'cat >> /etc/default/{cls.name}', text='AWS_ENDPOINT_URL=http://127.0.0.1:8123\nAWS_MAX_ATTEMPTS=1\n')

    def test_the_keys_are_a_copy_for_it_alone(self):
        machine.run('systemd-run -q --unit=endpoint python3 /project/packaging/tests/greeter.py --http 8123 /run/asked')
        self.until('the endpoint', lambda: machine.run('curl -s -o /dev/null http://127.0.0.1:8123/', check=False).returncode == 0)
        machine.run(f'systemctl start {self.unit}')
        self.assertIn(self.sign, self.scrape())
        self.assertIn('Credential=AKIDOFTHETEST/', machine.run('cat /run/asked').stdout)
        self.kept('aws-credentials', self.secret)

    def test_without_keys_it_serves_all_the_same(self):
        machine.run(f'mv /etc/{self.name}/aws-credentials /etc/{self.name}/away')
        self.addCleanup(machine.run, f'mv /etc/{self.name}/away /etc/{self.name}/aws-credentials')
        machine.run(f'systemctl start {self.unit}')
        self.assertIn(self.sign, self.scrape())


def parse(text):
    """Series (name with labels as written) to value, without those of the process itself."""
    samples = (line.rsplit(' ', 1) for line in text.splitlines() if line and not line.startswith('#'))
    return {name: value for name, value in samples if not OWN.match(name)}


if __name__ == '__main__':
    unittest.main()
