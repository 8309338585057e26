#!/usr/bin/env python3
"""Service discovery: Prometheus finds exporters with the examples in packaging/prometheus, and scrapes them over mutual TLS.

EC2: moto (in target/tools/python) serves the API, with private addresses in 127.0.0.0/8; exporters listen on these. A terminated instance is removed from
the targets, and a new one is added. HTTP: a small server. DNS: dnsmasq on a loopback address, with a resolv.conf in a mount namespace, which needs root.
Skipped with a message where Prometheus, the exporter, moto or dnsmasq is missing.
"""
import contextlib, http.server, json, os, pathlib, re, shutil, socket, subprocess, sys, tempfile, threading, time, unittest, urllib.parse, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / 'packaging/prometheus'
PKI = ROOT / 'packaging/pki/exporter-pki'
BINARY = pathlib.Path(os.environ.get('BINARY') or ROOT / 'target/debug/node-exporter')
UNPACKED = ROOT / 'target/tools/unpacked/usr/bin/prometheus'
PROMETHEUS = shutil.which(os.environ.get('PROMETHEUS') or (str(UNPACKED) if UNPACKED.exists() else 'prometheus'))
DNSMASQ = shutil.which('dnsmasq', path=f'{os.environ["PATH"]}:/usr/sbin')
PYTHON = os.environ.get('MOTO_PYTHON') or str(ROOT / 'target/tools/python/bin/python3')
TIMEOUT = 180
# Runs under moto's Python: instances whose private addresses are loopback addresses.
API = '''
import sys, threading
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer('127.0.0.1', int(sys.argv[1]), verbose=False)
server.start()
import boto3
ec2 = boto3.client('ec2', endpoint_url=f'http://127.0.0.1:{sys.argv[1]}', region_name='eu-central-1', aws_access_key_id='a', aws_secret_access_key='b')
vpc = ec2.create_vpc(CidrBlock='127.0.0.0/16')['Vpc']['VpcId']
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='127.0.0.0/24', AvailabilityZone='eu-central-1b')['Subnet']['SubnetId']
image = ec2.describe_images()['Images'][0]['ImageId']
for line in sys.stdin:
    action, *arguments = line.split()
    if action == 'run':
        name, address, exporter = arguments
        tags = [dict(Key='Name', Value=name), dict(Key='environment', Value='production')] + ([dict(Key='exporter', Value='node')] if exporter == 'yes' else [])
        print(ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType='t3.small', SubnetId=subnet, PrivateIpAddress=address,
              TagSpecifications=[dict(ResourceType='instance', Tags=tags)])['Instances'][0]['InstanceId'], flush=True)
    else:
        ec2.terminate_instances(InstanceIds=arguments)
        print('terminated', flush=True)
'''


def skip(what, missing):
    """An exception to raise."""
    print(f'SKIPPED: {what}: {missing}', file=sys.stderr, flush=True)
    return unittest.SkipTest(missing)


def setUpModule():
    if not PROMETHEUS or not BINARY.exists():
        raise skip('service discovery', f'no {BINARY}' if PROMETHEUS else 'no prometheus in $PROMETHEUS, target/tools or the PATH')


def free_port(address='127.0.0.1'):
    with socket.socket() as free:
        free.bind((address, 0))
        return free.getsockname()[1]


class Discovery(unittest.TestCase):
    """Exporters with certificates, each on its own address, and a Prometheus."""

    addresses = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = (self.folder / 'log').open('w')
        self.addCleanup(self.log.close)
        self.port, self.prometheus = free_port(next(iter(self.addresses.values()))), free_port()
        for arguments in (('init',), ('client', 'prometheus'), *(('host', name) for name in self.addresses)):
            subprocess.run([PKI, *arguments], cwd=self.folder, check=True, capture_output=True)
        (self.folder / 'pki/clients/prometheus').rename(self.folder / 'tls')
        for name, address in self.addresses.items():
            (self.folder / f'{name}.yml').write_text(
                f'tls_server_config:\n  cert_file: pki/hosts/{name}/tls.crt\n  key_file: pki/hosts/{name}/tls.key\n  client_ca_file: pki/ca.crt\n'
                '  client_crl_file: pki/crl.pem\n  client_auth_type: RequireAndVerifyClientCert\n')
            self.start([BINARY, f'--web.listen-address={address}:{self.port}', f'--web.config.file={name}.yml', '--collector.disable-defaults',
                        '--collector.loadavg'])

    def start(self, command, **options):
        process = subprocess.Popen(command, cwd=self.folder, stdout=options.pop('stdout', self.log), stderr=self.log, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def start_prometheus(self, example, changes, *wrapper):
        """Starts Prometheus with an example configuration, without its password and with these replacements."""
        config = re.sub(r'    basic_auth:\n(      .*\n)+', '', (EXAMPLES / example).read_text())
        for old, new in changes.items():
            self.assertIn(old, config)
            config = config.replace(old, new)
        (self.folder / 'prometheus.yml').write_text('global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n' + config)
        self.start([*wrapper, PROMETHEUS, '--config.file=prometheus.yml', '--storage.tsdb.path=data', f'--web.listen-address=127.0.0.1:{self.prometheus}'])

    def series(self, expression):
        with contextlib.suppress(OSError):
            query = urllib.parse.urlencode({'query': expression})
            with urllib.request.urlopen(f'http://127.0.0.1:{self.prometheus}/api/v1/query?{query}', timeout=TIMEOUT) as response:
                return [(row['metric'], row['value'][1]) for row in json.load(response)['data']['result']]
        return []

    def wait_until_up(self, names, label='name'):
        deadline = time.monotonic() + TIMEOUT
        while (found := {(row.get(label), value) for row, value in self.series('up')}) != {(name, '1') for name in names}:
            self.assertLess(time.monotonic(), deadline, f'{found}, not {names}: {(self.folder / "log").read_text()[-3000:]}')
            time.sleep(0.5)


class Ec2(Discovery):
    addresses = {'a': '127.0.0.10', 'b': '127.0.0.11', 'c': '127.0.0.12'}

    @classmethod
    def setUpClass(cls):
        if not pathlib.Path(PYTHON).exists() or subprocess.run([PYTHON, '-c', 'import moto.server, boto3'], capture_output=True).returncode:
            raise skip('discovery in EC2', 'no moto in target/tools/python (scripts/install-test-deps)')

    def call(self, line):
        self.api.stdin.write(line + '\n')
        self.api.stdin.flush()
        response = self.api.stdout.readline().strip()
        self.assertTrue(response, (self.folder / 'log').read_text()[-3000:])
        return response

    def test_instances_are_found_by_tag(self):
        api = free_port()
        self.api = self.start([PYTHON, '-c', API, str(api)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.api.stdout.close)
        self.addCleanup(self.api.stdin.close)
        first = self.call(f'run a {self.addresses["a"]} yes')
        self.call(f'run b {self.addresses["b"]} yes')
        self.call('run untagged 127.0.0.20 no')
        self.start_prometheus('ec2_sd.yml', {'      - region: eu-central-1\n': '      - region: eu-central-1\n        access_key: a\n        secret_key: b\n'
                              f'        refresh_interval: 1s\n        endpoint: http://127.0.0.1:{api}\n', '9100': str(self.port)})
        self.wait_until_up({'a', 'b'})
        labels = {row['name']: row for row, _ in self.series('up')}
        self.assertEqual({name: labels['a'][name] for name in ('instance', 'zone', 'type', 'environment')},
                         {'instance': first, 'zone': 'eu-central-1b', 'type': 't3.small', 'environment': 'production'})
        self.assertRegex(labels['a']['account'], r'^\d{12}$')
        self.assertEqual(len(self.series('node_load1')), 2)
        self.call(f'terminate {first}')
        self.call(f'run c {self.addresses["c"]} yes')
        self.wait_until_up({'b', 'c'})


class Http(Discovery):
    addresses = {'a': '127.0.0.13', 'b': '127.0.0.14'}

    def test_targets_remain_if_the_inventory_fails(self):
        responses = []

        class Inventory(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):
                status, names = responses[-1]
                body = json.dumps([{'targets': [f'{self.addresses[name]}:{self.port}'], 'labels': {'name': name}} for name in names]).encode()
                handler.send_response(status)
                handler.send_header('Content-Type', 'application/json')
                handler.send_header('Content-Length', str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)
                requests.release()

            def log_message(self, *_):
                pass

        requests = threading.Semaphore(0)
        responses.append((200, 'a'))
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Inventory)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.start_prometheus('http_sd.yml', {'https://inventory.example.org': f'http://127.0.0.1:{server.server_port}', '1m': '1s'})
        self.wait_until_up('a')
        responses.append((500, ''))
        for _ in range(100):
            if not requests.acquire(blocking=False):
                break
        for _ in range(3):
            self.assertTrue(requests.acquire(timeout=TIMEOUT))
        self.wait_until_up('a')
        responses.append((200, 'b'))
        self.wait_until_up('b')


class Dns(Discovery):
    addresses = {'a': '127.0.0.15', 'b': '127.0.0.16'}
    server = '127.0.0.77'

    @classmethod
    def setUpClass(cls):
        missing = None if DNSMASQ else 'no dnsmasq (package dnsmasq-base)'
        if not missing and (os.geteuid() or subprocess.run(['unshare', '--mount', 'true'], capture_output=True).returncode):
            missing = 'a resolv.conf and port 53 of a loopback address need root and a mount namespace'
        if missing:
            raise skip('discovery in DNS', missing)

    def test_targets_are_found_by_an_srv_record(self):
        records = []
        for name, address in self.addresses.items():
            records += [f'--srv-host=_node-exporter._tcp.example.org,{name}.example.org,{self.port}', f'--host-record={name}.example.org,{address}']
        self.start([DNSMASQ, '--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--bind-interfaces', '--user=root', '--pid-file=',
                    f'--listen-address={self.server}', *records])
        (self.folder / 'resolv.conf').write_text(f'nameserver {self.server}\n')
        script = 'mount --bind resolv.conf "$(readlink -f /etc/resolv.conf)" && exec "$@"'
        self.start_prometheus('dns_sd.yml', {'30s': '1s'}, 'unshare', '--mount', 'sh', '-c', script, 'sh')
        self.wait_until_up({f'{name}.example.org:{self.port}' for name in self.addresses}, 'instance')


if __name__ == '__main__':
    unittest.main()
