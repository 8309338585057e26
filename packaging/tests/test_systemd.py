#!/usr/bin/env python3
"""The unit of node-exporter under a real systemd: readiness, restarts, watchdog, sockets, credentials, and a sandbox that hides nothing.

usage: test_systemd.py [-v] [-k TEST]     BINARY=target/release/node-exporter unless set

Skipped, and loudly so, where no machine can boot; with PACKAGING_TESTS=required that is a failure.
"""
import os, pathlib, re, sys, time, unittest

from machine import PROJECT, Machine, Unavailable

BINARY = pathlib.Path(os.environ.get('BINARY') or PROJECT / 'target/release/node-exporter').resolve()
UNIT = 'node-exporter.service'
DROP_INS = f'/etc/systemd/system/{UNIT}.d'
EXAMPLES = '/usr/share/doc/node-exporter/examples'
MOST_EXPOSED = 1.9
# Of the process itself, or counted by the scrape itself; the rest is the machine's and has to agree.
OWN = re.compile(r'^(process_|exporter_|promhttp_|http_|node_exporter_|node_scrape_collector_duration_seconds)')
# Sizes that nobody else changes in the meantime.
STEADY = re.compile(r'^node_(filesystem_(size_bytes|readonly|device_error)\{|uname_info|memory_MemTotal_bytes|boot_time_seconds|cpu_info|network_mtu_bytes)')


def setUpModule():
    global machine
    if not BINARY.exists():
        raise SystemExit(f'there is no {BINARY}; build it first: cargo build --release')
    try:
        machine = Machine({'/project/packaging': PROJECT / 'packaging', '/project/README.md': PROJECT / 'README.md', '/project/binary': BINARY}).__enter__()
    except Unavailable as reason:
        if os.environ.get('PACKAGING_TESTS') == 'required':
            raise
        print(f'SKIPPED: the unit is not tested under systemd: {reason}', file=sys.stderr, flush=True)
        raise unittest.SkipTest(str(reason)) from reason
    unittest.addModuleCleanup(machine.__exit__, None, None, None)
    print(f'systemd booted in {machine.boot_seconds:.1f} s', flush=True)
    machine.run('/project/packaging/install --binary /project/binary node-exporter')
    # The same program for the same user, with no sandbox around it.
    machine.write('/etc/systemd/system/bare.service', '''[Service]
Type=notify
User=node-exporter
ExecStart=/usr/bin/node-exporter --web.listen-address=127.0.0.1:9199 --collector.textfile.directory=/var/lib/node-exporter/textfile
''')
    machine.run('systemctl daemon-reload')


class Unit(unittest.TestCase):
    def setUp(self):
        self.forget_drop_ins()
        self.addCleanup(self.forget_drop_ins)
        self.addCleanup(machine.run, 'systemctl stop node-exporter.socket node-exporter bare', check=False)

    def run(self, result=None):
        self.started = int(time.time())
        super().run(result)
        if result and any(test is self for test, _ in result.failures + result.errors):
            print(machine.run(f'journalctl --no-pager -n 40 --since=@{self.started} -u {UNIT} -u bare -u dead', check=False).stdout, file=sys.stderr)

    def forget_drop_ins(self):
        machine.run(f'rm -rf {DROP_INS}; systemctl daemon-reload; systemctl reset-failed', check=False)

    def drop_in(self, *names, text=None):
        for name in names:
            machine.run(f'install -D -m 644 {EXAMPLES}/{name} {DROP_INS}/{name}')
        if text:
            machine.write(f'{DROP_INS}/test.conf', text)
        machine.run('systemctl daemon-reload')

    def show(self, *properties):
        shown = machine.run(f'systemctl show {UNIT} -p ' + ','.join(properties)).stdout
        values = dict(line.split('=', 1) for line in shown.splitlines())
        return [values[name] for name in properties] if len(properties) > 1 else values[properties[0]]

    def pid(self):
        pid = int(self.show('MainPID'))
        self.assertGreater(pid, 1, 'the unit does not run')
        return pid

    def until(self, what, condition, seconds=15):
        started = time.monotonic()
        while not condition():
            self.assertLess(time.monotonic() - started, seconds, f'{what}: not within {seconds} s')
            time.sleep(0.05)
        return time.monotonic() - started

    def restarted(self, old):
        return lambda: self.show('ActiveState', 'MainPID') not in (['active', str(old)], ['active', '0']) and self.show('ActiveState') == 'active'

    def scrape(self, url='http://127.0.0.1:9100/metrics', *flags):
        return machine.run(f'curl -sS -m 20 {" ".join(flags)} {url}').stdout

    def status(self, url, *flags):
        done = machine.run(f'curl -sS -m 20 -o /dev/null -w "%{{http_code}}" {" ".join(flags)} {url}', check=False)
        return done.stdout.strip() if done.returncode == 0 else f'refused ({done.stdout.strip()})'

    def test_exposure(self):
        said = machine.run(f'systemd-analyze --no-pager security {UNIT}').stdout.strip().splitlines()[-1]
        print(said, flush=True)
        self.assertLessEqual(float(re.search(r': ([\d.]+) ', said)[1]), MOST_EXPOSED)

    def test_units_are_well_formed(self):
        self.drop_in('mtls.conf', 'socket.conf')
        self.assertEqual(machine.run(f'systemd-analyze --man=no verify {UNIT} node-exporter.socket').stdout, '')

    def test_start_returns_when_it_serves(self):
        machine.run(f'systemctl start {UNIT}')
        self.assertIn('node_load1 ', self.scrape())
        uid = machine.run(f'stat -c %U /proc/{self.pid()}').stdout.strip()
        self.assertEqual(uid, 'node-exporter')
        self.assertNotIn('unset environment variable', machine.run(f'journalctl --no-pager -u {UNIT}').stdout)

    def test_a_wrong_flag_is_not_tried_again(self):
        self.drop_in(text='[Service]\nEnvironment=WEB=--no-such-flag\n')
        self.assertNotEqual(machine.run(f'systemctl start {UNIT}', check=False).returncode, 0)
        self.assertEqual(self.show('ActiveState', 'ExecMainStatus', 'NRestarts'), ['failed', '2', '0'])

    def test_a_port_that_is_taken_is_tried_again(self):
        machine.run('systemd-run -q --unit=squatter python3 -m http.server 9100')
        self.addCleanup(machine.run, 'systemctl stop squatter', check=False)
        self.until('the squatter', lambda: machine.run('curl -s -o /dev/null http://127.0.0.1:9100/', check=False).returncode == 0)
        self.assertNotEqual(machine.run(f'systemctl start {UNIT}', check=False).returncode, 0)
        machine.run('systemctl stop squatter')
        self.until('another attempt', lambda: self.show('ActiveState') == 'active')

    def test_killed_it_comes_back(self):
        machine.run(f'systemctl start {UNIT}')
        old = self.pid()
        machine.run(f'kill -9 {old}')
        took = self.until('a restart', self.restarted(old))
        self.assertIn('node_load1 ', self.scrape())
        print(f'back {took:.1f} s after kill -9', flush=True)

    def test_the_watchdog_ends_what_no_longer_answers(self):
        self.drop_in(text='[Service]\nWatchdogSec=1s\n')
        machine.run(f'systemctl start {UNIT}')
        time.sleep(2.5)
        old = self.pid()
        self.assertEqual(self.show('NRestarts'), '0', 'the watchdog is fed')
        machine.run(f'kill -STOP {old}')
        took = self.until('a restart by the watchdog', self.restarted(old))
        self.assertIn('node_load1 ', self.scrape())
        print(f'back {took:.1f} s after SIGSTOP with WatchdogSec=1s', flush=True)

    def test_a_reload_is_notified(self):
        machine.run(f'systemctl start {UNIT}; systemctl log-level debug')
        self.addCleanup(machine.run, 'systemctl log-level info')
        old = self.pid()
        machine.run(f'systemctl reload {UNIT}')

        def notified():
            said = machine.run(f'journalctl --no-pager _PID=1 -o cat | grep -aE "notification message from PID {old}[^0-9]"', check=False).stdout
            return re.findall(r'RELOADING=1|READY=1', said)

        self.until('a notice of the reload', lambda: notified()[-2:] == ['RELOADING=1', 'READY=1'], 5)
        self.assertEqual(self.pid(), old)
        self.assertEqual(self.show('ActiveState'), 'active')

    def test_a_reload_takes_up_what_is_right_and_keeps_what_was(self):
        file = '/etc/node-exporter/reloaded.yml'
        headers = 'http_server_config: {headers: {X-Frame-Options: deny}}\n'
        machine.write(file, '{}\n')
        self.drop_in(text=f'[Service]\nEnvironment=WEB=--web.config.file={file}\n')
        machine.run(f'systemctl start {UNIT}')
        url = 'http://127.0.0.1:9100/metrics'
        self.assertNotIn('x-frame-options', self.scrape(url, '-i').lower())
        machine.write(file, headers)
        machine.run(f'systemctl reload {UNIT}')
        self.until('the new header', lambda: 'x-frame-options: deny' in self.scrape(url, '-i').lower(), 5)
        machine.write(file, 'http_server_config: [\n')
        machine.run(f'systemctl reload {UNIT}')
        self.until('word of the bad file', lambda: 'exporter_config_last_reload_successful 0' in self.scrape(url), 5)
        self.assertIn('x-frame-options: deny', self.scrape(url, '-i').lower())
        self.until('the status', lambda: 'reloaded.yml' in self.show('StatusText'), 5)

    def test_it_stops_at_once(self):
        machine.run(f'systemctl start {UNIT}')
        self.scrape()
        started = time.monotonic()
        machine.run(f'systemctl stop {UNIT}')
        took = time.monotonic() - started
        print(f'stopped in {took * 1000:.0f} ms', flush=True)
        self.assertLess(took, 2)
        self.assertEqual(self.show('Result'), 'success')

    def test_a_socket_of_systemd(self):
        self.drop_in('socket.conf')
        machine.run('systemctl start node-exporter.socket')
        self.assertEqual(self.show('ActiveState'), 'inactive')
        self.assertIn('node_load1 ', self.scrape(), 'the first scrape starts it')
        self.until('readiness', lambda: self.show('ActiveState') == 'active')
        # Every new connection is answered, also while it restarts.
        asked = machine.run('''
            (sleep 0.5; systemctl restart node-exporter; sleep 0.5; systemctl restart node-exporter) &
            failed=0
            for i in $(seq 100); do curl -sS -m 10 -o /dev/null http://127.0.0.1:9100/ || failed=$((failed + 1)); sleep 0.01; done
            wait
            echo "$failed failed"''').stdout
        self.assertEqual(asked.strip().splitlines()[-1], '0 failed', asked)

    def test_mutual_tls_with_credentials(self):
        machine.run('''
            set -e
            mkdir -p /root/pki; cd /root/pki; [ -e pki ] && exit 0
            exporter-pki init; exporter-pki host this 127.0.0.1; exporter-pki client prometheus; exporter-pki client stranger
            tar -C /etc/node-exporter -xf pki/hosts/this.tar''')
        hash = machine.run('''perl -e 'print crypt("open sesame", "\\$2b\\$10\\$abcdefghijklmnopqrstuu")' ''').stdout
        self.assertRegex(hash, r'^\$2b\$10\$')
        ca, prometheus, stranger = '--cacert /root/pki/pki/ca.crt', *(
            f'--cert /root/pki/pki/clients/{name}/tls.crt --key /root/pki/pki/clients/{name}/tls.key' for name in ('prometheus', 'stranger'))
        example = machine.run(f'cat {EXAMPLES}/web-config.yml').stdout
        # As it ships it is refused: it has no password yet.
        machine.write('/etc/node-exporter/web-config.yml', example, 0o600)
        self.drop_in('mtls.conf')
        check = 'node-exporter --check --web.config.file=/etc/node-exporter/web-config.yml'
        self.assertEqual(machine.run(check, check=False).returncode, 2)
        self.assertNotEqual(machine.run(f'systemctl start {UNIT}', check=False).returncode, 0)
        example = example.replace('"HASH"', f'"{hash}"')
        machine.write('/etc/node-exporter/web-config.yml', example, 0o600)
        machine.run(check)
        for folder in ('', '$CREDENTIALS_DIRECTORY/', '%d/'):
            machine.run(f'systemctl stop {UNIT}; systemctl reset-failed', check=False)
            named = re.sub(r'((?:cert|key|client_ca)_file): (\S+)', rf'\1: "{folder}\2"', example)
            machine.write('/etc/node-exporter/web-config.yml', named, 0o600)
            machine.run(f'systemctl start {UNIT}')
            url = 'https://127.0.0.1:9100/metrics'
            password = "-u 'prometheus:open sesame'"
            self.assertEqual(self.status(url, ca, prometheus, password), '200', folder)
            self.assertEqual(self.status('https://exporter.internal:9100/metrics', ca, prometheus, password, '--resolve exporter.internal:9100:127.0.0.1'), '200')
            self.assertEqual(self.status(url, ca, prometheus, '-u prometheus:wrong'), '401')
            self.assertEqual(self.status(url, ca, prometheus), '401')
            self.assertRegex(self.status(url, ca, password), 'refused')
            self.assertRegex(self.status(url, ca, stranger, password), 'refused')
            self.assertEqual(self.status('http://127.0.0.1:9100/metrics')[:3] in ('400', 'ref'), True)
        # Only root reads the originals.
        self.assertNotEqual(machine.run('setpriv --reuid node-exporter --clear-groups cat /etc/node-exporter/tls.key', check=False).returncode, 0)

    def test_the_sandbox_hides_nothing(self):
        machine.run('''
            mkdir -p /home /srv/late /tmp/below
            mount -t tmpfs -o size=11M tmpfs /home; mount -t tmpfs -o size=12M tmpfs /tmp/below
            echo 'written_by_a_job 1' > /var/lib/node-exporter/textfile/job.prom''')
        self.addCleanup(machine.run, 'umount /home /tmp/below /srv/late', check=False)
        machine.run(f'systemctl start {UNIT} bare')
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
        machine.run(f'systemctl start {UNIT}')
        for _ in range(2):
            started = time.monotonic()
            series = parse(self.scrape())
            took = time.monotonic() - started
            self.assertLess(took, 6, 'a scrape waits no longer than its limit')
            wrong = [name for name, value in series.items() if name.startswith('node_filesystem_device_error') and value == '1']
            self.assertEqual(len(wrong), 1, wrong)
            self.assertIn('/srv/dead', wrong[0])
        old = self.pid()
        started = time.monotonic()
        machine.run(f'systemctl restart {UNIT}')
        took = time.monotonic() - started
        print(f'restarted in {took:.2f} s beside a dead mount', flush=True)
        self.assertLess(took, 2)
        self.assertNotEqual(self.pid(), old)
        self.assertIn('node_load1 ', self.scrape())
        machine.run('systemctl stop dead')
        self.until('the end of what waited for the mount', lambda: machine.run(f'pgrep -P {old}', check=False).returncode != 0)


def parse(text):
    """Series (name with labels as written) to value, without those of the process itself."""
    samples = (line.rsplit(' ', 1) for line in text.splitlines() if line and not line.startswith('#'))
    return {name: value for name, value in samples if not OWN.match(name)}


if __name__ == '__main__':
    unittest.main()
