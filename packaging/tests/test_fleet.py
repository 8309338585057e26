#!/usr/bin/env python3
"""bench/fleet with 25 hosts: no scrape fails while certificates, authority, password and binary are replaced.

The exporter is $BINARY, or the debug build of node-exporter; skipped with a message where it or Prometheus is missing.
"""
import os, pathlib, re, shutil, subprocess, sys, unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get('BINARY') or ROOT / 'target/debug/node-exporter')
UNPACKED = ROOT / 'target/tools/unpacked/usr/bin/prometheus'
PROMETHEUS = shutil.which(os.environ.get('PROMETHEUS') or (str(UNPACKED) if UNPACKED.exists() else 'prometheus'))
HOSTS = 25


def setUpModule():
    missing = ('no prometheus in $PROMETHEUS, target/tools or the PATH' if not PROMETHEUS else f'no {BINARY}' if not BINARY.exists() else
               next((f'{program} is not installed' for program in ('openssl', 'curl') if not shutil.which(program)), None))
    if missing:
        print(f'SKIPPED: a fleet: {missing}', file=sys.stderr, flush=True)
        raise unittest.SkipTest(missing)


class Fleet(unittest.TestCase):
    def test_no_scrape_fails(self):
        # The longest scrape timeout that Prometheus allows with the default interval: all exporters of the test share the processors.
        result = subprocess.run([ROOT / 'bench/fleet', str(HOSTS), '--interval', '10', '--prometheus', PROMETHEUS, '--flags=--collector.disable-defaults '
                               '--collector.loadavg', BINARY], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        summary = result.stdout.strip().splitlines()[-1]
        self.assertRegex(summary, rf'\Ahosts {HOSTS} up {HOSTS} failed_scrapes 0 scrapes [1-9]\d* ', result.stdout)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(len(re.findall(r'replace [a-z ]+: \d+ s, [1-9]', result.stdout)), 5, result.stdout)


if __name__ == '__main__':
    unittest.main()
