#!/usr/bin/env python3
"""The Ansible role on a booted machine: installs, changes nothing the second time, takes over from prometheus-community's, and turns on mutual TLS.

Ansible's SSH connection runs a wrapper in place of ssh, which enters the machine. BINARY=target/debug/node-exporter unless set. Skipped with a message where
no machine can boot or Ansible is missing; with PACKAGING_TESTS=required that is a failure.
"""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile, time, unittest

from machine import PROJECT, Machine, Unavailable

BINARY = pathlib.Path(os.environ.get('BINARY') or PROJECT / 'target/debug/node-exporter').absolute()
PLAYBOOK = PROJECT / 'packaging/ansible/playbook.yml'
PKI = PROJECT / 'packaging/pki/exporter-pki'
WRAPPER = '''#!/bin/sh
# The last argument is the command; the others are options of ssh and the name of the host.
for command; do :; done
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root nsenter --target={leader} --mount --uts --ipc --net --pid --cgroup -- /bin/sh -c "cd /root && $command"
'''
REGEX = r'^/(sys|proc|dev|run/user/\d+)($|/)'


def setUpModule():
    global machine
    reason = None if BINARY.exists() else f'no {BINARY}'
    reason = reason or (None if shutil.which('ansible-playbook') else 'no ansible-playbook (package ansible-core)')
    try:
        if not reason:
            machine = Machine().__enter__()
    except Unavailable as unavailable:
        reason = str(unavailable)
    if reason:
        if os.environ.get('PACKAGING_TESTS') == 'required':
            raise AssertionError(f'the Ansible role: {reason}')
        print(f'SKIPPED: the Ansible role: {reason}', file=sys.stderr, flush=True)
        raise unittest.SkipTest(reason)
    unittest.addModuleCleanup(machine.__exit__, None, None, None)


class Role(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        wrapper = self.folder / 'ssh'
        wrapper.write_text(WRAPPER.format(leader=machine.leader))
        wrapper.chmod(0o755)
        (self.folder / 'inventory').write_text(
            f'[node]\nweb1 ansible_ssh_executable={wrapper} ansible_ssh_transfer_method=piped ansible_ssh_pipelining=true '
            'ansible_python_interpreter=/usr/bin/python3 ansible_become=false\n')
        for arguments in (('init',), ('host', 'web1', 'web1.example.org'), ('client', 'prometheus'), ('client', 'stranger')):
            subprocess.run([PKI, *arguments], cwd=self.folder, check=True, capture_output=True)
        self.variables = {'node_exporter_binary': str(BINARY), 'node_exporter_pki': str(self.folder / 'pki')}

    def play(self, check=True):
        """Runs the playbook, and returns the number of changes."""
        started = time.monotonic()
        (self.folder / 'variables.json').write_text(json.dumps(self.variables))
        result = subprocess.run(['ansible-playbook', '-i', self.folder / 'inventory', '-e', f'@{self.folder}/variables.json', PLAYBOOK], capture_output=True, text=True,
                              env={**os.environ, 'ANSIBLE_HOME': str(self.folder), 'ANSIBLE_LOCAL_TEMP': str(self.folder), 'ANSIBLE_NOCOWS': '1', 'LC_ALL': 'C.UTF-8'})
        self.output = result.stdout + result.stderr
        print(f'played in {time.monotonic() - started:.0f} s', flush=True)
        if check:
            self.assertEqual(result.returncode, 0, self.output)
        found = re.search(r'changed=(\d+)', self.output)
        return int(found[1]) if found else None

    def page(self, client='prometheus', port=9100, flags=''):
        folder = self.folder / 'pki/clients' / client
        for name in ('ca.crt', 'tls.crt', 'tls.key'):
            machine.write(f'/run/client/{name}', (folder / name).read_text(), 0o600)
        return machine.run(f'curl -sS -m 60 {flags} --cacert /run/client/ca.crt --cert /run/client/tls.crt --key /run/client/tls.key --resolve web1:{port}:127.0.0.1 '
                           f'https://web1:{port}/metrics', check=False).stdout

    def test_mutual_tls_is_set_up_and_a_second_run_changes_nothing(self):
        # A service of prometheus-community's role, which uses the port.
        machine.write('/etc/systemd/system/node_exporter.service', '[Service]\nExecStart=python3 -m http.server 9100\n[Install]\nWantedBy=multi-user.target\n')
        machine.run('systemctl daemon-reload; systemctl enable --now -q node_exporter')
        self.variables |= {
            'node_exporter_version': '1.9.0',
            'node_exporter_enabled_collectors': [{'filesystem': {'mount-points-exclude': REGEX}}, 'loadavg', {'textfile': {'directory': '/var/lib/node_exporter'}}],
            'node_exporter_disabled_collectors': ['mdadm'],
            'node_exporter_web_disable_exporter_metrics': True,
        }
        self.assertGreater(self.play(), 5)
        self.assertIn('node_exporter_version has no effect', self.output)
        self.assertIn('node_load1 ', self.page())
        self.assertNotIn('node_load1 ', self.page('stranger'))
        self.assertNotEqual(machine.run('systemctl is-active node_exporter', check=False).stdout, 'active\n')
        pid = self.pid()
        flags = machine.run(f'cat /proc/{pid}/cmdline').stdout.split('\0')
        for flag in (f'--collector.filesystem.mount-points-exclude={REGEX}', '--collector.loadavg', '--no-collector.mdadm', '--web.systemd-socket',
                     '--web.disable-exporter-metrics', '--collector.textfile.directory=/var/lib/node_exporter'):
            self.assertIn(flag, flags)
        self.assertEqual(machine.run('stat -c "%U %G %a" /etc/node-exporter/tls.key').stdout, 'root node-exporter 640\n')
        self.assertEqual(self.play(), 0, self.output)
        self.assertEqual(self.pid(), pid)

        # A new certificate needs no restart; a new flag or address does.
        subprocess.run([PKI, 'renew', 'host', 'web1'], cwd=self.folder, check=True, capture_output=True)
        self.assertEqual(self.play(), 1, self.output)
        self.assertEqual(self.pid(), pid)
        # A clear-text password would need passlib on the controller; a hash does not.
        hash = subprocess.run([BINARY, '--hash-password'], input='sesame', capture_output=True, text=True, check=True).stdout.strip()
        self.variables |= {'node_exporter_disabled_collectors': ['mdadm', 'hwmon'], 'node_exporter_web_listen_address': ['127.0.0.1:9101'],
                           'node_exporter_basic_auth_users': {'prometheus': hash}}
        self.play()
        self.assertIn('node_load1 ', self.page(port=9101, flags='-u prometheus:sesame'))
        self.assertNotIn('node_load1 ', self.page(port=9101))
        self.assertIn('--no-collector.hwmon', machine.run(f'cat /proc/{self.pid()}/cmdline').stdout)

    def pid(self):
        return int(machine.run('systemctl show -p MainPID --value node-exporter').stdout)

    def test_conflicting_variables_are_reported(self):
        self.variables |= {'node_exporter_enrol_url': 'https://pki.example.org'}
        self.play(check=False)
        self.assertIn('exclude each other', self.output)


if __name__ == '__main__':
    unittest.main()
