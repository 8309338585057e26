#!/usr/bin/env python3
"""Enrolment under a real systemd: from a bare machine to `up` 1 in one command, renewal by the timer, and EC2 user data.

The authority, the exporter and Prometheus run in one machine. BINARY=target/debug/node-exporter unless set. Skipped with a message where
no machine can boot; with PACKAGING_TESTS=required that is a failure.
"""
import json, os, pathlib, re, shutil, sys, time, unittest

from machine import PROJECT, Machine, Unavailable

BINARY = pathlib.Path(os.environ.get('BINARY') or PROJECT / 'target/debug/node-exporter').absolute()
UNPACKED = PROJECT / 'target/tools/unpacked/usr/bin/prometheus'
PROMETHEUS = shutil.which(os.environ.get('PROMETHEUS') or (str(UNPACKED) if UNPACKED.exists() else 'prometheus'))
TIMEOUT = 180
URL = 'https://127.0.0.1:8443'
ETC = '/etc/node-exporter'
INSTANCE = 'i-0123456789abcdef0'
IMDS = '''
import http.server
class Metadata(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        self.send(b'session')
    def do_GET(self):
        self.send(open('/root/signature', 'rb').read())
    def send(self, body):
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(('127.0.0.1', 8080), Metadata).serve_forever()
'''


def setUpModule():
    global machine
    reason = None if BINARY.exists() else f'no {BINARY}'
    try:
        if not reason:
            binds = {'/project/node-exporter': BINARY} | ({'/project/prometheus': pathlib.Path(PROMETHEUS).resolve()} if PROMETHEUS else {})
            machine = Machine({'/project/packaging': PROJECT / 'packaging', '/project/README.md': PROJECT / 'README.md', **binds}).__enter__()
    except Unavailable as unavailable:
        reason = str(unavailable)
    if reason:
        if os.environ.get('PACKAGING_TESTS') == 'required':
            raise AssertionError(f'enrolment under systemd: {reason}')
        print(f'SKIPPED: enrolment under systemd: {reason}', file=sys.stderr, flush=True)
        raise unittest.SkipTest(reason)
    unittest.addModuleCleanup(machine.__exit__, None, None, None)


def wait_until(what, condition):
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f'{what}: ' + machine.run('journalctl --no-pager -n 60', check=False).stdout)
        time.sleep(0.3)


def pki(arguments):
    return machine.run(f'PKI=/var/lib/exporter-pki exporter-pki {arguments}').stdout.strip()


def on_instance(command):
    return machine.run(f'IMDS=http://127.0.0.1:8080 {command}')


class Enrolment(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        machine.run('/project/packaging/install --binary /project/node-exporter node-exporter')
        machine.run('''
            set -e; mkdir -m 700 -p /var/lib/exporter-pki /root/aws; cd /root/aws
            PKI=/var/lib/exporter-pki exporter-pki init
            openssl req -x509 -newkey rsa:2048 -nodes -keyout aws.key -out aws.crt -subj /CN=aws 2>/dev/null
            install -m 644 aws.crt /etc/aws-identity.pem
            echo 'ARGS="--name 127.0.0.1 --ec2-account 123456789012 --ec2-certificates /etc/aws-identity.pem"' >/etc/default/exporter-pki
            systemctl enable --quiet --now exporter-pki''')
        wait_until('the authority serves', lambda: machine.run('curl -sk https://127.0.0.1:8443/ca.crt', check=False).returncode == 0)
        document = json.dumps({'accountId': '123456789012', 'instanceId': INSTANCE, 'privateIp': '10.0.0.5',
                               'pendingTime': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())})
        machine.run("cd /root/aws && openssl smime -sign -binary -nodetach -nocerts -outform PEM -signer aws.crt -inkey aws.key | grep -v -- ----- >/root/signature",
                    text=document)
        machine.write('/root/imds.py', IMDS)
        machine.run('systemd-run -q --unit=imds python3 /root/imds.py')
        pki('client prometheus')
        cls.client = ' '.join(f'--{flag} /var/lib/exporter-pki/clients/prometheus/{file}' for flag, file in
                              (('cacert', 'ca.crt'), ('cert', 'tls.crt'), ('key', 'tls.key')))

    def setUp(self):
        self.addCleanup(self.reset_host)

    def reset_host(self):
        """Resets the host to the state after the installation."""
        machine.run(f'''systemctl disable --now -q exporter-enrol.timer node-exporter.socket node-exporter.service
            rm -rf {ETC}/* /etc/exporter-enrol /etc/systemd/system/node-exporter.service.d /etc/systemd/system/exporter-enrol.timer.d
            systemctl daemon-reload; systemctl reset-failed''', check=False)

    def page(self, name):
        return machine.run(f'curl -sS -m 60 {self.client} --resolve {name}:9100:127.0.0.1 https://{name}:9100/metrics', check=False).stdout

    def wait_until_up(self, name):
        """Waits until the host is up in a Prometheus with the shipped job."""
        if not PROMETHEUS:
            print('SKIPPED: up of the enrolled host: no prometheus in $PROMETHEUS, target/tools or the PATH', file=sys.stderr, flush=True)
            return
        machine.run(r'''
            set -e; mkdir -p /root/prometheus/targets; cd /root/prometheus; rm -rf tls; cp -r /var/lib/exporter-pki/clients/prometheus tls
            (printf 'global:\n  scrape_interval: 1s\n'; sed '/basic_auth:/,/password_file/d' /project/packaging/prometheus/file_sd.yml) >prometheus.yml
            echo '[{"targets": ["127.0.0.1:9100"]}]' >targets/node-1.json''')
        machine.run('systemd-run -q --unit=prometheus -p WorkingDirectory=/root/prometheus /project/prometheus --config.file=prometheus.yml '
                    '--web.listen-address=127.0.0.1:9090')
        self.addCleanup(machine.run, 'systemctl stop prometheus')
        up = lambda: machine.run("curl -sS 'http://127.0.0.1:9090/api/v1/query?query=up'", check=False).stdout
        wait_until(f'up of {name}', lambda: '"1"]' in up())

    def test_enrolment_and_renewal_by_the_timer(self):
        token = pki('token web1 web1.example.org')
        started = time.monotonic()
        output = machine.run(f'exporter-enrol {URL} {token}').stdout
        print(f'enrolled in {time.monotonic() - started:.1f} s', flush=True)
        self.assertEqual(output.splitlines()[-1], 'web1:9100', output)
        self.assertIn('node_load1 ', self.page('web1.example.org'))
        self.assertEqual(machine.run(f'stat -c "%U %G %a" {ETC}/tls.key').stdout.split(), ['root', 'node-exporter', '640'])
        for unit in ('node-exporter.socket', 'node-exporter.service', 'exporter-enrol.timer'):
            self.assertEqual(machine.run(f'systemctl is-enabled {unit}; systemctl is-active {unit}', check=False).stdout, 'enabled\nactive\n', unit)
        self.wait_until_up('web1')
        self.check_renewal_by_the_timer()

    def check_renewal_by_the_timer(self):
        """Replaces the certificate by one in the last third of its validity, and waits until the timer renews it."""
        pid = machine.run('systemctl show -p MainPID --value node-exporter').stdout.strip()
        serial = lambda: machine.run(f'openssl x509 -in {ETC}/tls.crt -noout -serial').stdout
        expiry = lambda: re.search(r'exporter_certificate_expiry_timestamp_seconds\{[^}]*role="server"[^}]*\} (\S+)', self.page('web1'))
        first, first_expiry = serial(), expiry()[1]
        machine.run(r'''
            set -e; mkdir /root/old; cd /root/old; touch index
            printf '[ca]\ndefault_ca=x\n[x]\ndatabase=index\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nnew_certs_dir=.\n[p]\ncommonName=supplied\n' >config
            host=/var/lib/exporter-pki/hosts/web1 ca=/var/lib/exporter-pki/authority
            openssl ca -batch -notext -config config -cert $ca/ca.crt -keyfile $ca/ca.key -in $host/csr -subj /CN=web1 \
                -startdate $(date -ud '61 days ago' +%Y%m%d%H%M%SZ) -enddate $(date -ud '29 days' +%Y%m%d%H%M%SZ) -out $host/tls.crt 2>/dev/null''')
        machine.write('/etc/systemd/system/exporter-enrol.timer.d/test.conf', '[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\nAccuracySec=100ms\n')
        machine.run('systemctl daemon-reload && systemctl restart exporter-enrol.timer')
        wait_until('a new certificate', lambda: serial() != first)
        wait_until('it is in force', lambda: (found := expiry()) and found[1] != first_expiry)
        self.assertEqual(machine.run('systemctl show -p MainPID --value node-exporter').stdout.strip(), pid, 'no restart')
        self.assertNotIn('web1', machine.run('systemctl is-failed exporter-enrol', check=False).stdout)

    def test_instances_are_enrolled_by_user_data_and_by_cloud_init(self):
        token = pki('token --ec2')
        script = (PROJECT / 'packaging/examples/ec2-user-data.sh').read_text()
        script = script.replace('https://pki.example.org:8443', URL)
        script = re.sub(r'ec2\.0+', token, script)
        machine.write('/root/user-data', script, 0o700)
        self.assertIn(f'{INSTANCE}:9100', on_instance('/root/user-data').stdout)
        self.assertIn('node_load1 ', self.page(INSTANCE))
        # To the authority this is the same instance, which now needs a token, with the commands of the cloud-init example.
        self.reset_host()
        pki(f'revoke host {INSTANCE}')
        commands = (PROJECT / 'packaging/examples/cloud-init.yml').read_text().split('runcmd:\n')[1]
        for command in re.findall(r'^  - (.*)$', commands, re.M):
            command = command.replace('https://pki.example.org:8443', URL).replace('TOKEN', pki(f'token {INSTANCE}'))
            self.assertIn(f'{INSTANCE}:9100', on_instance(command).stdout)
        self.assertIn('node_load1 ', self.page(INSTANCE))

    def test_a_failed_enrolment_changes_nothing(self):
        result = machine.run(f'exporter-enrol {URL} {"0" * 32}.{pki("token x").split(".")[1]}', check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn('the token is not valid', result.stdout)
        self.assertEqual(machine.run(f'ls -A {ETC}; ls -d /etc/exporter-enrol 2>/dev/null', check=False).stdout, '')
        self.assertNotEqual(machine.run('systemctl is-active node-exporter', check=False).stdout, 'active\n')

    def test_the_units_are_sandboxed_and_well_formed(self):
        for unit in ('exporter-pki', 'exporter-enrol'):
            output = machine.run(f'systemd-analyze security {unit}.service | tail -n 1').stdout
            self.assertLessEqual(float(re.search(r'(\d+\.\d)', output)[1]), 3.0, output)
            self.assertEqual(machine.run(f'systemd-analyze verify /usr/lib/systemd/system/{unit}.service').stdout, '')


if __name__ == '__main__':
    unittest.main()
