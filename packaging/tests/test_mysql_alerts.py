#!/usr/bin/env python3
"""The alerts and recording rules of the mixin for mysqld_exporter, on real servers: a real Prometheus evaluates them on pages of the exporter.

Each alert fires when it should, on MariaDB and on MySQL, and is silent before and after. The exporter is $BINARY, or the debug build; Prometheus is
$PROMETHEUS, or in target/tools or the PATH; servers as in database.py. Skipped with a message where one of them is missing.
"""
import contextlib, datetime, json, os, pathlib, shutil, subprocess, sys, tempfile, time, unittest, urllib.error, urllib.request

from database import GALERA, MariaDB, MySQL, TIMEOUT, free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = pathlib.Path(__file__).with_name('rules') / 'mysqld-mixin.yml'
BINARY = pathlib.Path(os.environ.get('BINARY') or ROOT / 'target/debug/mysql-exporter')
TOOLS = next(iter(sorted((ROOT / 'target/tools').glob('*/usr/bin/prometheus'))), None)
PROMETHEUS = shutil.which(os.environ.get('PROMETHEUS') or (str(TOOLS) if TOOLS else 'prometheus'))



def setUpModule():
    missing = None if BINARY.exists() else f'no {BINARY}'
    if not PROMETHEUS:
        missing = 'no prometheus in $PROMETHEUS, target/tools or the PATH'
    if missing:
        skip(missing)


def skip(reason):
    print(f'SKIPPED: the alerts of the mixin: {reason}', file=sys.stderr, flush=True)
    raise unittest.SkipTest(reason)


class AlertTest(unittest.TestCase):
    """Servers, an exporter for each, and a Prometheus that scrapes them every second."""

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.servers = {}

    def start_server(self, name, server, *flags):
        self.stack.callback(server.close)
        self.servers[name] = server
        return server.start(*flags)

    def run_program(self, *command):
        process = subprocess.Popen([str(argument) for argument in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def start_prometheus(self):
        """Starts an exporter for each server, and Prometheus."""
        jobs = []
        for name, server in self.servers.items():
            port = free_port()
            self.run_program(BINARY, f'--config.my-cnf={server.write_option_file(self.folder)}', f'--web.listen-address=127.0.0.1:{port}', '--collect.heartbeat')
            labels = json.dumps({'instance': name})
            jobs.append(f'      - {{targets: ["127.0.0.1:{port}"], labels: {labels}}}')
        config = pathlib.Path(self.folder, 'prometheus.yml')
        config.write_text('global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n'
                          f'rule_files: ["{RULES}"]\nscrape_configs:\n  - job_name: mysql\n    static_configs:\n' + '\n'.join(jobs) + '\n')
        port = free_port()
        self.prometheus = f'http://127.0.0.1:{port}'
        self.run_program(PROMETHEUS, f'--config.file={config}', f'--storage.tsdb.path={self.folder}/data', f'--web.listen-address=127.0.0.1:{port}')
        wait_until(lambda: len(self.query('mysql_global_status_uptime')) == len(self.servers), 'Prometheus scrapes nothing')

    def query(self, expression):
        """The values of an expression, by instance."""
        try:
            address = f'{self.prometheus}/api/v1/query?query={urllib.request.quote(expression)}'
            with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
                result = json.load(response)['data']['result']
        except (OSError, urllib.error.URLError):
            return {}
        return {series['metric'].get('instance'): float(series['value'][1]) for series in result}

    def firing(self):
        with urllib.request.urlopen(f'{self.prometheus}/api/v1/alerts', timeout=TIMEOUT) as response:
            alerts = json.load(response)['data']['alerts']
        return {(alert['labels']['alertname'], alert['labels']['instance']) for alert in alerts if alert['state'] == 'firing'}

    def wait_for(self, *expected):
        """Waits until these alerts fire, and no others."""
        wait_until(lambda: self.firing() == set(expected), lambda: f'{self.firing()} fire, not {expected}')

    def assert_silent(self):
        """Waits until nothing fires, for several evaluations of newer samples."""
        self.wait_for()
        since = time.time()
        newer_samples = lambda: self.query(f'min by (instance) (timestamp(mysql_up)) > {since} + 3')
        wait_until(lambda: len(newer_samples()) == len(self.servers), 'no newer samples')
        self.assertEqual(self.firing(), set())

    def write_heartbeat(self, server, age=0):
        now = datetime.datetime.fromisoformat(server.sql('SELECT NOW(6)').strip().replace(' ', 'T')) - datetime.timedelta(seconds=age)
        server.sql(f"REPLACE INTO heartbeat.heartbeat VALUES ('{now.isoformat()}', 1)")

    def check_replication_alerts(self, source, replica, stop, start, delay):
        """Checks the alerts on a source and its running replica."""
        for server in (source, replica):
            self.write_heartbeat(server, -3600)
        self.start_prometheus()
        wait_until(lambda: self.query('mysql_slave_status_slave_sql_running').get('replica') == 1, 'no replica')
        self.assert_silent()

        for thread in ('SQL_THREAD', 'IO_THREAD'):
            replica.sql(stop(thread))
            self.wait_for(('MySQLReplicationNotRunning', 'replica'))
            replica.sql(start)
            self.assert_silent()

        # A transaction that waits for a lock counts as lag.
        lock = replica.session('LOCK TABLES app.numbers WRITE; SELECT SLEEP(600)')
        self.stack.callback(lock.kill)
        wait_until(lambda: 'SLEEP' in replica.sql('SHOW FULL PROCESSLIST'), 'no lock')
        source.sql('INSERT INTO app.numbers VALUES (1)')
        self.wait_for(('MySQLReplicationLag', 'replica'))
        self.assertGreater(self.query('instance:mysql_slave_lag_seconds')['replica'], 3)
        ids = replica.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%'").split()
        replica.sql(''.join(f'KILL {id};' for id in ids))
        lock.wait()
        self.assert_silent()

        # The configured delay of a delayed replica does not.
        replica.sql(delay(60))
        source.sql('INSERT INTO app.numbers VALUES (2)')
        wait_until(lambda: self.query('mysql_slave_status_seconds_behind_master').get('replica', 0) > 3, 'no delay')
        self.assert_silent()
        self.assertLess(self.query('instance:mysql_slave_lag_seconds')['replica'], 0)
        replica.sql(delay(0))
        self.assert_silent()

        self.write_heartbeat(replica, 60)
        self.wait_for(('MySQLHeartbeatLag', 'replica'))
        self.assertGreater(self.query('instance:mysql_heartbeat_lag_seconds')['replica'], 30)
        self.write_heartbeat(replica, -3600)
        self.assert_silent()

        def has_transaction_rate():
            source.sql(''.join(f'BEGIN; INSERT INTO app.numbers VALUES ({number}); ROLLBACK;' for number in range(100, 120)))
            return self.query('job:mysql_transactions:rate5m').get('source', 0) > 0
        wait_until(has_transaction_rate, 'no rate of transactions')

        # Values larger than the buffer of the redo log.
        source.sql('CREATE TABLE app.large (id INT PRIMARY KEY AUTO_INCREMENT, value LONGBLOB)')

        def has_log_waits():
            source.sql("INSERT INTO app.large (value) VALUES (REPEAT('x', 12 << 20)); DELETE FROM app.large")
            return ('MySQLInnoDBLogWaits', 'source') in self.firing()
        wait_until(has_log_waits, lambda: f'{source.status("Innodb_log_waits")} log waits')
        self.assertGreater(source.status('Innodb_log_waits'), 0)
        self.assert_silent()

        source.crash()
        # The replica detects that its source has stopped.
        wait_until(lambda: ('MySQLDown', 'source') in self.firing(), lambda: self.firing())
        self.assertNotIn(('MySQLDown', 'replica'), self.firing())
        source.start()
        replica.sql(stop('IO_THREAD') + ';' + start)
        self.assert_silent()


class Replication(AlertTest):
    def test_replication_alerts_on_mariadb(self):
        if MariaDB.missing():
            skip(MariaDB.missing())
        log = ('--innodb-log-buffer-size=2M', '--max-allowed-packet=64M')
        source = self.start_server('source', MariaDB('--server-id=1', '--gtid-domain-id=1', *log)).grant()
        replica = self.start_server('replica', MariaDB('--server-id=2', '--gtid-domain-id=2', '--max-allowed-packet=64M')).grant()
        source.sql("CREATE USER repl@'%' IDENTIFIED BY 'p'; GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        replica.sql(f"SET GLOBAL gtid_slave_pos = '{source.sql('SELECT @@gtid_binlog_pos').strip()}'; CHANGE MASTER 'c' TO MASTER_HOST = '127.0.0.1', "
                    f"MASTER_PORT = {source.port}, MASTER_USER = 'repl', MASTER_PASSWORD = 'p', MASTER_USE_GTID = slave_pos; START SLAVE 'c'")
        self.check_replication_alerts(source, replica, lambda thread: f"STOP SLAVE 'c' {thread}", "START SLAVE 'c'",
                         lambda seconds: f"STOP SLAVE 'c'; CHANGE MASTER 'c' TO MASTER_DELAY = {seconds}; START SLAVE 'c'")

    def test_replication_alerts_on_mysql(self):
        if MySQL.missing():
            skip(MySQL.missing())
        log = ('--innodb-log-buffer-size=256K', '--max-allowed-packet=64M')
        source = self.start_server('source', MySQL('--server-id=1', *log)).grant()
        replica = self.start_server('replica', MySQL('--server-id=2', '--max-allowed-packet=64M')).grant()
        source.sql("CREATE USER repl@'%' IDENTIFIED BY 'p'; GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        file, position = source.sql('SHOW BINARY LOG STATUS').split()[:2]
        replica.sql(f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {source.port}, SOURCE_USER = 'repl', SOURCE_PASSWORD = 'p', "
                    f"GET_SOURCE_PUBLIC_KEY = 1, SOURCE_LOG_FILE = '{file}', SOURCE_LOG_POS = {position} FOR CHANNEL 'c'; START REPLICA FOR CHANNEL 'c'")
        self.check_replication_alerts(source, replica, lambda thread: f"STOP REPLICA {thread} FOR CHANNEL 'c'", "START REPLICA FOR CHANNEL 'c'",
                         lambda seconds: "STOP REPLICA SQL_THREAD FOR CHANNEL 'c'; CHANGE REPLICATION SOURCE TO "
                                         f"SOURCE_DELAY = {seconds} FOR CHANNEL 'c'; START REPLICA FOR CHANNEL 'c'")


class Galera(AlertTest):
    def node(self):
        base, transfer = free_port(), free_port()
        options = f'base_port={base};gmcast.listen_addr=tcp://127.0.0.1:{base};ist.recv_addr=127.0.0.1:{transfer}'
        server = MariaDB('--wsrep-on=ON', f'--wsrep-provider={GALERA}', '--wsrep-node-address=127.0.0.1', '--wsrep-cluster-name=test',
                         '--binlog-format=ROW', '--innodb-autoinc-lock-mode=2', f'--wsrep-provider-options={options}',
                         # With this plugin of newer versions, options cannot be changed at runtime.
                         '--loose-plugin-wsrep-provider=OFF')
        server.base_port = base
        return server

    def test_galera_alerts(self):
        if MariaDB.missing() or not GALERA:
            skip(MariaDB.missing() or 'no Galera provider; install galera-4')
        for program, package in (('wsrep_sst_rsync', 'mariadb-server'), ('rsync', 'rsync'), ('lsof', 'lsof')):
            if not shutil.which(program):
                skip(f'no {program}, which transfers the state of Galera; install {package}')
        first, second = self.node(), self.node()
        # The second node starts from a copy, so that no state transfer is needed.
        self.start_server('first', first, '--wsrep-cluster-address=gcomm://').grant()
        self.write_heartbeat(first, -3600)
        first.stop()
        shutil.rmtree(f'{second.folder}/data')
        subprocess.run(['cp', '-a', f'{first.folder}/data', f'{second.folder}/data'], check=True)
        self.start_server('first', first, '--wsrep-new-cluster', '--wsrep-cluster-address=gcomm://')
        self.start_server('second', second, f'--wsrep-cluster-address=gcomm://127.0.0.1:{first.base_port}')
        self.start_prometheus()
        wait_until(lambda: self.query('mysql_global_status_wsrep_cluster_size') == {'first': 2, 'second': 2}, 'no cluster')
        self.assert_silent()

        # A donor that does not apply received transactions.
        second.sql('SET GLOBAL wsrep_desync = ON')
        wait_until(lambda: self.query('mysql_global_status_wsrep_local_state')['second'] == 2, 'no donor')
        self.assert_silent()
        lock = second.session('FLUSH TABLES WITH READ LOCK; SELECT SLEEP(600)')
        self.stack.callback(lock.kill)
        wait_until(lambda: 'SLEEP' in second.sql('SHOW FULL PROCESSLIST'), 'no lock')
        first.sql(''.join(f'INSERT INTO app.numbers VALUES ({number});' for number in range(200)))
        self.wait_for(('MySQLGaleraDonorFallingBehind', 'second'))
        ids = second.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%'").split()
        second.sql(''.join(f'KILL {id};' for id in ids))
        lock.wait()
        second.sql('SET GLOBAL wsrep_desync = OFF')
        self.assert_silent()

        # A node without its peer has no quorum.
        second.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
        alone = {(alert, name) for alert in ('MySQLGaleraNotReady', 'MySQLGaleraOutOfSync') for name in ('first', 'second')}
        self.wait_for(*alone)
        second.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")
        self.assert_silent()
        second.crash()
        wait_until(lambda: ('MySQLDown', 'second') in self.firing(), lambda: self.firing())


class Rules(unittest.TestCase):
    def test_the_mixin_has_all_alerts_and_recording_rules(self):
        text = RULES.read_text()
        self.assertEqual((text.count('- alert: '), text.count('- record: ')), (8, 3))


if __name__ == '__main__':
    unittest.main(verbosity=2)
