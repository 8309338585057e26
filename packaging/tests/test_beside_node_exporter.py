#!/usr/bin/env python3
"""The node exporter beside node_exporter, on one machine with a real systemd: every series of the original is also exposed here.

usage: test_beside_node_exporter.py [-v]     BINARY=target/release/node-exporter unless set; NODE_EXPORTER names the original

Every collector of the original is on. The machine has interfaces, addresses, routes, qdiscs, units, timers, sockets and a login session
made for it. Skipped with a message where no machine can boot or there is no node_exporter; with PACKAGING_TESTS=required that is a failure.
"""
import os, pathlib, re, shutil, subprocess, time, unittest

from machine import PROJECT, Machine, Unavailable
from test_systemd import skip

BINARY = pathlib.Path(os.environ.get('BINARY') or PROJECT / 'target/release/node-exporter').absolute()
ORIGINAL = os.environ.get('NODE_EXPORTER') or shutil.which('prometheus-node-exporter')
# Older versions lack some series.
MIN_VERSION = (1, 11)
# Metrics of the process itself, and series that only one of the two exporters has by design.
OWN_METRICS = re.compile(r'^(process_|exporter_|promhttp_|go_|node_exporter_build_info|node_scrape_collector_(duration_seconds|absent))')
# Series that may differ between two scrapes, because sockets and processes of the exporters come and go.
VOLATILE = re.compile(r'^node_(tcp_connection_states|processes_state|systemd_unit_(state|start_time_seconds|tasks_)|arp_entries|softirqs)')
# Our exporter follows node_exporter 1.12; the distribution may have 1.11.
SINCE_1_12 = re.compile(r'^node_ksmd_general_profit')
# Whether a disk rotates: our exporter reads /sys/block/*/queue/rotational, the original always reports 0.
CORRECTED = re.compile(r'^node_disk_info')
FLAGS = [
    '--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)',
    r'--collector.systemd.unit-exclude=.+\.(automount|device|mount|scope|slice)',
    '--collector.systemd.enable-task-metrics', '--collector.systemd.enable-restarts-metrics', '--collector.systemd.enable-start-time-metrics',
    '--collector.textfile.directory=/etc/textfile', '--collector.sysctl.include=kernel.threads-max', '--collector.cpu.info',
    '--collector.stat.softirq', '--collector.netdev.address-info',
]
# Collectors that query services that the machine does not have.
EXCLUDED_COLLECTORS = {'ntp', 'perf', 'runit', 'supervisord'}
SETUP = r'''
ip link set lo up
ip link add dummy0 type dummy && ip addr add 198.51.100.1/24 dev dummy0 && ip link set dummy0 up
ip link add veth0 type veth peer name veth1 && ip addr add 203.0.113.1/24 dev veth0 && ip link set veth0 up && ip link set veth1 up
ip -6 addr add 2001:db8::1/64 dev veth0 nodad
ip route add 192.0.2.0/24 via 198.51.100.2 metric 50
ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:02 dev dummy0
tc qdisc add dev veth0 root pfifo limit 100 2>/dev/null || true
mkdir -p /etc/textfile && printf '# TYPE made_up counter\nmade_up{a="b"} 1\n' >/etc/textfile/a.prom
cat >/etc/systemd/system/example.service <<'END'
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
END
cat >/etc/systemd/system/broken.service <<'END'
[Service]
ExecStart=/bin/false
END
printf '[Timer]\nOnActiveSec=1h\nUnit=example.service\n' >/etc/systemd/system/example.timer
printf '[Socket]\nListenStream=127.0.0.1:7777\nAccept=yes\n' >/etc/systemd/system/echo.socket
printf '[Service]\nExecStart=/bin/cat\nStandardInput=socket\n' >'/etc/systemd/system/echo@.service'
systemctl daemon-reload
systemctl start example.service example.timer echo.socket dbus.socket systemd-logind
systemctl start broken.service || true
printf 'account required pam_permit.so\nsession required pam_systemd.so class=user type=tty\n' >/etc/pam.d/example
systemd-run -q --unit=session -p PAMName=example -p User=nobody sleep infinity
until loginctl list-sessions --no-legend | grep -q nobody; do sleep 0.1; done
'''


def collectors(help_text):
    return {name for name in re.findall(r'--(?:\[no-\])?collector\.([a-z_0-9]+)(?=\s|$)', help_text) if name not in ('disable-defaults', 'timeout')}


def series(page):
    """Name and labels of every sample, with its type."""
    types, found = {}, {}
    for line in page.splitlines():
        if line.startswith('# TYPE '):
            _, _, name, metric_type = line.split(' ')
            types[name] = metric_type
        elif line and not line.startswith('#'):
            key = line.rsplit(' ', 1)[0]
            name, _, labels = key.partition('{')
            labels = tuple(sorted(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)))
            family = next((name[:-len(end)] for end in ('_bucket', '_sum', '_count') if name.endswith(end) and name[:-len(end)] in types), name)
            found[name, labels] = types.get(family, 'untyped')
    return found


class Comparison(unittest.TestCase):
    def test_every_series_of_the_original_is_exposed(self):
        if not BINARY.exists():
            raise skip('the node exporter is not compared with node_exporter', f'there is no {BINARY}')
        if not ORIGINAL:
            raise skip('the node exporter is not compared with node_exporter', 'NODE_EXPORTER names none, and there is none on the PATH')
        result = subprocess.run([ORIGINAL, '--version'], capture_output=True, text=True)
        version = re.search(r'version (\d+)\.(\d+)', result.stdout + result.stderr)
        if not version or (int(version[1]), int(version[2])) < MIN_VERSION:
            raise skip('the node exporter is not compared with node_exporter', f'{ORIGINAL} is not version 1.11 or newer')
        try:
            machine = Machine({'/project/ours': BINARY, '/project/original': pathlib.Path(ORIGINAL)}).__enter__()
        except Unavailable as reason:
            raise skip('the node exporter is not compared with node_exporter', str(reason)) from reason
        self.addCleanup(machine.__exit__, None, None, None)
        machine.run(SETUP)
        original_collectors = collectors(machine.run('/project/original --help 2>&1').stdout)
        our_collectors = collectors(machine.run('/project/ours --help 2>&1').stdout)
        self.assertGreater(len(original_collectors), 70)
        self.assertEqual(original_collectors - our_collectors, set(), 'collectors that are missing')
        collector_flags = ' '.join(f'--collector.{name}' if name not in EXCLUDED_COLLECTORS else f'--no-collector.{name}' for name in sorted(original_collectors))
        flags = ' '.join(f"'{flag}'" for flag in FLAGS)
        # Collectors of newer versions of the original are disabled.
        newer = ' '.join(f'--no-collector.{name}' for name in sorted(our_collectors - original_collectors))
        for name, port, extra_flags in (('ours', 9100, newer), ('original', 9101, '')):
            machine.run(f'systemd-run -q --unit={name} /project/{name} {collector_flags} {extra_flags} {flags} --web.listen-address=127.0.0.1:{port}')
        pages = {}
        for _ in range(2):
            for name, port in (('ours', 9100), ('original', 9101)):
                deadline = time.monotonic() + 60
                while True:
                    result = machine.run(f'curl -sf -m 60 http://127.0.0.1:{port}/metrics', check=False)
                    if result.returncode == 0:
                        break
                    running = machine.run(f'systemctl is-failed -q {name}', check=False).returncode != 0
                    self.assertTrue(running and time.monotonic() < deadline, machine.run(f'journalctl -n 20 -u {name}', check=False).stdout)
                    time.sleep(0.2)
                pages[name] = result.stdout
        is_ignored = lambda name: any(rule.match(name) for rule in (OWN_METRICS, VOLATILE, CORRECTED))
        found = {name: {key: metric_type for key, metric_type in series(page).items() if not is_ignored(key[0])} for name, page in pages.items()}
        missing = sorted(set(found['original']) - set(found['ours']))
        extra = sorted(key for key in set(found['ours']) - set(found['original']) if not SINCE_1_12.match(key[0]))
        types = sorted((key, metric_type, found['ours'][key]) for key, metric_type in found['original'].items() if found['ours'].get(key, metric_type) != metric_type)
        print(f"{len(original_collectors)} collectors, {len(found['original'])} series of the original, {len(found['ours'])} of ours", flush=True)
        self.assertEqual((missing, extra, types), ([], [], []))
        self.assertGreater(len(found['ours']), 900)
        self.assertRegex(pages['ours'], r'(?m)^node_logind_sessions\{.*class="user".*\} 1$')


if __name__ == '__main__':
    unittest.main()
