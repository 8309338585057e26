#!/usr/bin/env python3
"""Two agents with agent.yml, each with its shard of the targets, and a store: an outage of the store loses no sample, a crash of an agent only its own.

VictoriaMetrics is the store. The exporter is $BINARY, or the debug build of node-exporter. Skipped with a message where one of them is missing.
"""
import contextlib, hashlib, json, os, pathlib, re, shutil, socket, subprocess, sys, tempfile, time, unittest, urllib.parse, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / 'packaging/prometheus/agent.yml'
PKI = ROOT / 'packaging/pki/exporter-pki'
BINARY = pathlib.Path(os.environ.get('BINARY') or ROOT / 'target/debug/node-exporter')
TOOLS = ROOT / 'target/tools/unpacked/usr/bin'
TIMEOUT = 180
ADDRESSES = [f'127.0.3.{number}' for number in range(1, 7)]


def program(variable, name):
    return shutil.which(os.environ.get(variable) or (str(TOOLS / name) if (TOOLS / name).exists() else name))


PROMETHEUS, STORE, VMAGENT = program('PROMETHEUS', 'prometheus'), program('VICTORIA_METRICS', 'victoria-metrics'), program('VMAGENT', 'vmagent')


def setUpModule():
    missing = ('no prometheus in $PROMETHEUS, target/tools or the PATH' if not PROMETHEUS else
               'no victoria-metrics in $VICTORIA_METRICS, target/tools or the PATH' if not STORE else None if BINARY.exists() else f'no {BINARY}')
    if missing:
        print(f'SKIPPED: shards and a store: {missing}', file=sys.stderr, flush=True)
        raise unittest.SkipTest(missing)


def free_port(address='127.0.0.1'):
    with socket.socket() as free:
        free.bind((address, 0))
        return free.getsockname()[1]


class ScaleOut(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = (self.folder / 'log').open('w')
        self.addCleanup(self.log.close)
        self.port, self.store = free_port(ADDRESSES[0]), free_port()
        # Calculates the shard as the relabeling action `hashmod` does. Uses another port if all targets would be in one shard.
        shard_of = lambda address: int.from_bytes(hashlib.md5(f'{address}:{self.port}'.encode()).digest()[8:], 'big') % 2
        while len(set(map(shard_of, ADDRESSES))) < 2:
            self.port = free_port(ADDRESSES[0])
        self.shards = {address: str(shard_of(address)) for address in ADDRESSES}
        self.start_exporters()

    def start_exporters(self):
        for arguments in (('init',), ('client', 'prometheus'), *(('host', address) for address in ADDRESSES)):
            subprocess.run([PKI, *arguments], cwd=self.folder, check=True, capture_output=True)
        (self.folder / 'pki/clients/prometheus').rename(self.folder / 'tls')
        for address in ADDRESSES:
            (self.folder / f'{address}.yml').write_text(
                f'tls_server_config:\n  cert_file: pki/hosts/{address}/tls.crt\n  key_file: pki/hosts/{address}/tls.key\n  client_ca_file: pki/ca.crt\n'
                '  client_auth_type: RequireAndVerifyClientCert\n')
            self.start(BINARY, f'--web.listen-address={address}:{self.port}', f'--web.config.file={address}.yml', '--collector.disable-defaults',
                       '--collector.loadavg')
        targets = self.folder / 'targets'
        targets.mkdir()
        (targets / 'node-all.json').write_text(json.dumps([{'targets': [f'{address}:{self.port}' for address in ADDRESSES]}]))
        self.example = re.sub(r'    basic_auth:\n(      .*\n)+', '', EXAMPLE.read_text()).replace('https://store.example.org', f'http://127.0.0.1:{self.store}')
        self.example = self.example.replace('scrape_interval: 15s', 'scrape_interval: 2s\n  scrape_timeout: 2s')

    def start(self, *command):
        process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start_store(self):
        return self.start(STORE, '-storageDataPath=store', f'-httpListenAddr=127.0.0.1:{self.store}', '-retentionPeriod=1')

    def start_agent(self, shard):
        return self.start(PROMETHEUS, '--agent', f'--config.file=agent-{shard}.yml', f'--storage.agent.path=agent-{shard}',
                          f'--web.listen-address=127.0.0.1:{free_port()}')

    def samples(self):
        """The samples of `up`: address to shard to sorted times, in seconds."""
        found = {}
        with contextlib.suppress(OSError), urllib.request.urlopen(f'http://127.0.0.1:{self.store}/api/v1/export?match[]=up', timeout=TIMEOUT) as response:
            for line in response.read().splitlines():
                row = json.loads(line)
                shards = found.setdefault(row['metric']['instance'].split(':')[0], {})
                times = [stamp / 1000 for stamp, value in zip(row['timestamps'], row['values']) if value == 1]
                shards[row['metric']['shard']] = sorted({*shards.get(row['metric']['shard'], []), *times})
        return found

    def wait_until(self, what, condition):
        deadline = time.monotonic() + TIMEOUT
        while not condition(self.samples()):
            self.assertLess(time.monotonic(), deadline, f'{what}: {self.samples()} {(self.folder / "log").read_text()[-3000:]}')
            time.sleep(0.5)

    def wait_for_samples_of_all(self, moment):
        """Waits until the store has a later sample of every target."""
        self.wait_until(f'all since {moment}', lambda found: set(found) == set(ADDRESSES) and all(max(times) > moment for shards in found.values() for times in shards.values()))

    def crash_and_restart(self, store):
        """Returns the start and the end of the outage, which lasts several scrapes."""
        store.kill()
        store.wait()
        crashed = time.time()
        time.sleep(12)
        restarted = time.time()
        self.start_store()
        return crashed, restarted

    def check_samples_between(self, crashed, restarted):
        for address, found in self.samples().items():
            times, = found.values()
            meanwhile = [moment for moment in times if crashed < moment < restarted]
            self.assertGreaterEqual(len(meanwhile), 3, f'{address}: {times}, down from {crashed} to {restarted}')

    def test_vmagent_keeps_queued_samples(self):
        if not VMAGENT:
            print('SKIPPED: vmagent in place of an agent: no vmagent in $VMAGENT, target/tools or the PATH', file=sys.stderr, flush=True)
            self.skipTest('no vmagent')
        (self.folder / 'agent-0.yml').write_text(self.example.replace('modulus: 2', 'modulus: 1'))
        start = lambda: self.start(VMAGENT, '-promscrape.config=agent-0.yml', '-promscrape.config.strictParse=false', f'-httpListenAddr=127.0.0.1:{free_port()}',
                                   '-remoteWrite.tmpDataPath=waiting', f'-remoteWrite.url=http://127.0.0.1:{self.store}/api/v1/write')
        store, agent = self.start_store(), start()
        self.wait_for_samples_of_all(time.time())
        store.kill()
        store.wait()
        crashed = time.time()
        time.sleep(12)
        agent.terminate()
        agent.wait()
        stopped = time.time()
        self.start_store()
        start()
        self.wait_for_samples_of_all(time.time())
        self.check_samples_between(crashed, stopped)

    def test_no_sample_is_lost(self):
        store = self.start_store()
        agents = []
        for shard in '01':
            (self.folder / f'agent-{shard}.yml').write_text(self.example.replace('"0"', f'"{shard}"'))
            agents.append(self.start_agent(shard))
        self.wait_for_samples_of_all(0)
        self.wait_for_samples_of_all(time.time())
        # Each target is in one shard, and each shard has targets.
        self.assertEqual({address: list(found) for address, found in self.samples().items()}, {address: [shard] for address, shard in self.shards.items()})

        # The store crashes; samples are sent after its restart.
        crashed, restarted = self.crash_and_restart(store)
        self.wait_for_samples_of_all(restarted)
        self.check_samples_between(crashed, restarted)

        # An agent crashes: the other one continues, and samples that were sent remain.
        before = self.samples()
        agents[0].kill()
        agents[0].wait()
        crashed = time.time()
        self.wait_until('the other shard goes on', lambda found: all(max(times) > crashed + 4 for shards in found.values() for shard, times in shards.items() if shard == '1'))
        self.start_agent('0')
        self.wait_for_samples_of_all(time.time())
        for address, found in self.samples().items():
            for shard, times in found.items():
                self.assertLessEqual(set(before[address][shard]), set(times), address)


if __name__ == '__main__':
    unittest.main()
