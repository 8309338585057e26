#!/usr/bin/env python3
"""Service discovery: Prometheus finds instances by their tag in an EC2 API, and scrapes exporters on their private addresses over mutual TLS.

moto (in target/tools/python) serves the API, with private addresses in 127.0.0.0/8; exporters listen on these. An instance that is terminated goes, a
new one comes. Skipped, and loudly so, where Prometheus, moto or the exporter is missing.
"""
import contextlib, json, os, pathlib, re, shutil, socket, subprocess, sys, tempfile, time, unittest, urllib.parse, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / 'packaging/prometheus/ec2_sd.yml'
PKI = ROOT / 'packaging/pki/exporter-pki'
BINARY = pathlib.Path(os.environ.get('BINARY') or ROOT / 'target/debug/node-exporter')
UNPACKED = ROOT / 'target/tools/unpacked/usr/bin/prometheus'
PROMETHEUS = shutil.which(os.environ.get('PROMETHEUS') or (str(UNPACKED) if UNPACKED.exists() else 'prometheus'))
PYTHON = os.environ.get('MOTO_PYTHON') or str(ROOT / 'target/tools/python/bin/python3')
PATIENCE = 180
# What runs under moto's Python: instances whose private addresses are loopback addresses.
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
    action, *words = line.split()
    if action == 'run':
        name, address, exporter = words
        tags = [dict(Key='Name', Value=name), dict(Key='environment', Value='production')] + ([dict(Key='exporter', Value='node')] if exporter == 'yes' else [])
        print(ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType='t3.small', SubnetId=subnet, PrivateIpAddress=address,
              TagSpecifications=[dict(ResourceType='instance', Tags=tags)])['Instances'][0]['InstanceId'], flush=True)
    else:
        ec2.terminate_instances(InstanceIds=words)
        print('terminated', flush=True)
'''


def setUpModule():
    missing = ('no prometheus in $PROMETHEUS, target/tools or the PATH' if not PROMETHEUS else None if BINARY.exists() else f'no {BINARY}')
    if not missing and (not pathlib.Path(PYTHON).exists() or subprocess.run([PYTHON, '-c', 'import moto.server, boto3'], capture_output=True).returncode):
        missing = 'no moto in target/tools/python (scripts/install-test-deps)'
    if missing:
        print(f'SKIPPED: service discovery: {missing}', file=sys.stderr, flush=True)
        raise unittest.SkipTest(missing)


def free_port(address='127.0.0.1'):
    with socket.socket() as free:
        free.bind((address, 0))
        return free.getsockname()[1]


class Ec2(unittest.TestCase):
    def start(self, command, **options):
        process = subprocess.Popen(command, cwd=self.folder, stdout=options.pop('stdout', self.log), stderr=self.log, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def call(self, line):
        self.api.stdin.write(line + '\n')
        self.api.stdin.flush()
        answer = self.api.stdout.readline().strip()
        self.assertTrue(answer, (self.folder / 'log').read_text()[-3000:])
        return answer

    def series(self, expression):
        with contextlib.suppress(OSError):
            query = urllib.parse.urlencode({'query': expression})
            with urllib.request.urlopen(f'http://127.0.0.1:{self.prometheus}/api/v1/query?{query}', timeout=PATIENCE) as answer:
                return [(row['metric'], row['value'][1]) for row in json.load(answer)['data']['result']]
        return []

    def until_up(self, names):
        deadline = time.monotonic() + PATIENCE
        while (found := {(row['name'], value) for row, value in self.series('up')}) != {(name, '1') for name in names}:
            self.assertLess(time.monotonic(), deadline, f'{found}, not {names}: {(self.folder / "log").read_text()[-3000:]}')
            time.sleep(0.5)

    def test_instances_are_found_by_tag_come_and_go(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = (self.folder / 'log').open('w')
        self.addCleanup(self.log.close)
        port, api, self.prometheus = free_port('127.0.0.10'), free_port(), free_port()
        for arguments in (('init',), ('client', 'prometheus'), *(('host', name) for name in ('a', 'b', 'c'))):
            subprocess.run([PKI, *arguments], cwd=self.folder, check=True, capture_output=True)
        (self.folder / 'pki/clients/prometheus').rename(self.folder / 'tls')
        addresses = {'a': '127.0.0.10', 'b': '127.0.0.11', 'c': '127.0.0.12'}
        for name, address in addresses.items():
            (self.folder / f'{name}.yml').write_text(
                f'tls_server_config:\n  cert_file: pki/hosts/{name}/tls.crt\n  key_file: pki/hosts/{name}/tls.key\n  client_ca_file: pki/ca.crt\n'
                '  client_crl_file: pki/crl.pem\n  client_auth_type: RequireAndVerifyClientCert\n')
            self.start([BINARY, f'--web.listen-address={address}:{port}', f'--web.config.file={name}.yml', '--collector.disable-defaults',
                        '--collector.loadavg'])
        # The example, with the API of this test and without the password.
        config = re.sub(r'    basic_auth:\n(      .*\n)+', '', EXAMPLE.read_text())
        config = config.replace('      - region: eu-central-1\n', '      - region: eu-central-1\n        access_key: a\n        secret_key: b\n        refresh_interval: 1s\n'
                                f'        endpoint: http://127.0.0.1:{api}\n').replace('9100', str(port))
        (self.folder / 'prometheus.yml').write_text('global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n' + config)
        self.api = self.start([PYTHON, '-c', API, str(api)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.api.stdout.close)
        self.addCleanup(self.api.stdin.close)
        first = self.call(f'run a {addresses["a"]} yes')
        self.call(f'run b {addresses["b"]} yes')
        self.call('run untagged 127.0.0.20 no')
        self.start([PROMETHEUS, '--config.file=prometheus.yml', '--storage.tsdb.path=data', f'--web.listen-address=127.0.0.1:{self.prometheus}'])
        self.until_up({'a', 'b'})
        labels = {row['name']: row for row, _ in self.series('up')}
        self.assertEqual({name: labels['a'][name] for name in ('instance', 'zone', 'type', 'environment')},
                         {'instance': first, 'zone': 'eu-central-1b', 'type': 't3.small', 'environment': 'production'})
        self.assertRegex(labels['a']['account'], r'^\d{12}$')
        self.assertEqual(len(self.series('node_load1')), 2)
        self.call(f'terminate {first}')
        self.call(f'run c {addresses["c"]} yes')
        self.until_up({'b', 'c'})


if __name__ == '__main__':
    unittest.main()
