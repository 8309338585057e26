#!/usr/bin/env python3
"""The commands of the README, in order and as written, in a machine that has only what its first command installs.

usage: test_readme.py     BINARY=target/release/node-exporter unless set; the others are taken from beside it

`cargo` in the machine takes these binaries instead of building them: scripts/test-fresh-machine builds. Skipped with a message
where no machine can boot; with PACKAGING_TESTS=required that is a failure.
"""
import os, pathlib, re, subprocess, sys, tempfile, time, unittest

from machine import PROJECT, Machine, Unavailable

BINARY = pathlib.Path(os.environ.get('BINARY') or PROJECT / 'target/release/node-exporter').absolute()
PASSWORD = 'open sesame'
CARGO = r'''#!/bin/bash
# cargo build|run --release -p NAME [-- ARGUMENT...]
[[ "$1 $2 $3" =~ ^(build|run)\ --release\ -p$ ]] || { echo "cargo: unexpected: $*" >&2; exit 2; }
command=$1 name=$4
shift 4
[[ ${1:-} != -- ]] || shift
install -D "/binaries/$name" "target/release/$name"
[[ $command = build ]] || exec "target/release/$name" "$@"
'''
# Commands that need services that the machine lacks, with the output that is expected there.
EXPECTED_FAILURES = {
    'cargo run --release -p mysql-exporter -- --check': r'(?i)connect|no such file|refused',
    'cargo run --release -p cloudwatch-exporter -- --plan': r'(?i)credential|connect|dispatch|region|aws',
}
# Commands that run tests: .ci/run and scripts/test-fresh-machine run this test.
TESTED_ELSEWHERE = ('scripts/test --install',)


def commands():
    """The lines of all blocks of shell commands, with the address at which a server has to respond."""
    for block in re.findall(r'^```sh\n(.*?)^```$', (PROJECT / 'README.md').read_text(), re.M | re.S):
        for line in block.replace('\\\n', ' ').splitlines():
            address = re.search(r'# (http://localhost:\d+/\S*)', line)
            yield line, address and address[1]


class Readme(unittest.TestCase):
    def run_as_written(self, line, check):
        """Runs a command in the directory of the previous one."""
        return self.machine.run(f'cd "$(cat /run/folder)"; export REPOSITORY=/repository PATH=/usr/local/bin:$PATH\n{line}\nstatus=$?; pwd >/run/folder; exit $status',
                                check=check, text=PASSWORD + '\n')

    def check_server(self, line, address):
        self.machine.write('/run/server.sh', line + '\n')
        self.machine.run('systemd-run -q --unit=server --working-directory="$(cat /run/folder)" bash /run/server.sh')
        deadline = time.monotonic() + 120
        while self.machine.run(f'curl -fsS -o /dev/null {address}', check=False).returncode:
            active = self.machine.run('systemctl is-active server', check=False).stdout.strip()
            self.assertIn(active, ('active', 'activating'), f'{line}: {self.machine.run("journalctl -o cat -u server").stdout}')
            self.assertLess(time.monotonic(), deadline, line)
            time.sleep(0.2)
        page = self.machine.run(f'curl -fsS -m 60 {address}').stdout
        self.assertIn('# TYPE ', page, line)
        self.machine.run('systemctl stop server')

    def test_every_command_works(self):
        with tempfile.TemporaryDirectory() as repository:
            subprocess.run(['git', 'clone', '--quiet', '--bare', '--no-local', PROJECT, repository], check=True)
            try:
                machine = Machine({'/repository': repository, '/binaries': BINARY.parent}).__enter__()
            except Unavailable as reason:
                if os.environ.get('PACKAGING_TESTS') == 'required':
                    raise
                print(f'SKIPPED: the commands of the README: {reason}', file=sys.stderr, flush=True)
                raise unittest.SkipTest(str(reason)) from reason
            self.addCleanup(machine.__exit__, None, None, None)
            self.machine = machine
            machine.write('/usr/local/bin/cargo', CARGO, 0o755)
            machine.run('echo /root >/run/folder; git config --global --add safe.directory "*"')
            count = 0
            for line, address in commands():
                if line.startswith(TESTED_ELSEWHERE):
                    continue
                expected = next((pattern for start, pattern in EXPECTED_FAILURES.items() if line.startswith(start)), None)
                if address:
                    self.check_server(line, address)
                elif expected:
                    result = self.run_as_written(line, check=False)
                    self.assertTrue(result.returncode in (0, 2) and re.search(expected, result.stdout), f'{line}: {result.returncode} {result.stdout}')
                else:
                    self.run_as_written(line, check=True)
                count += 1
            self.assertGreater(count, 15)
            tls = '/root/exporters/pki/clients/prometheus'
            page = machine.run(f"curl -sS -m 60 --cacert {tls}/ca.crt --cert {tls}/tls.crt --key {tls}/tls.key -u 'prometheus:{PASSWORD}' "
                               '--resolve exporter.internal:9100:127.0.0.1 https://exporter.internal:9100/metrics').stdout
            self.assertIn('node_load1 ', page, 'the target is scraped as the README configures Prometheus')
            print(f'{count} commands', flush=True)


if __name__ == '__main__':
    unittest.main()
