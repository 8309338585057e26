"""Private MariaDB and MySQL servers on loopback, for tests and benchmarks: MariaDB where it is installed, MySQL from the folder in $MYSQL."""
import os, pathlib, shutil, socket, subprocess, tempfile, time

TIMEOUT = 120
GALERA = next((path for path in ('/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so') if os.path.exists(path)), None)


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def wait_until(condition, what):
    deadline = time.monotonic() + TIMEOUT
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f'not in {TIMEOUT} s: {what() if callable(what) else what}')
        time.sleep(0.2)


class Server:
    """A server. `grant` creates the user `exporter` with the privileges for all collectors."""

    def __init__(self, *flags):
        self.flags = list(flags)
        self.port = free_port()
        self.process = None
        self.initialize()

    def start(self, *extra_flags):
        self.process = subprocess.Popen(self.command() + self.flags + list(extra_flags), env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.is_ready, lambda: f'{self} does not start: {self.log()}')
        return self

    def crash(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(TIMEOUT)

    def close(self):
        if self.process:
            self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f'{self} ended with status {self.process.returncode}: {self.log()}')
        return self.client('SELECT 1').returncode == 0

    def client(self, statements):
        return subprocess.run(self.client_command() + ['-uroot', '-N', '--default-character-set=utf8mb4'], input=statements, capture_output=True, text=True)

    def sql(self, statements):
        result = self.client(statements)
        if result.returncode:
            raise AssertionError(f'{self}: {statements[:300]}: {result.stderr}')
        return result.stdout

    def session(self, statements):
        """Starts a client that runs statements until it is killed."""
        return subprocess.Popen(self.client_command() + ['-uroot', '-e', statements], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def write_option_file(self, folder):
        """Writes an option file for the exporter, and returns its path."""
        path = pathlib.Path(folder, f'{self.port}.cnf')
        path.write_text(f'[client]\nuser=exporter\npassword=sesame\nhost=127.0.0.1\nport={self.port}\nget-server-public-key=1\n')
        path.chmod(0o600)
        return path

    def grant(self):
        privileges = ', SLAVE MONITOR, REPLICATION MASTER ADMIN' if self.flavour == 'MariaDB' else ', REPLICATION SLAVE'
        self.sql(f"CREATE USER exporter@'127.0.0.1' IDENTIFIED BY 'sesame'; GRANT PROCESS, REPLICATION CLIENT, SELECT{privileges} ON *.* TO exporter@'127.0.0.1';"
                 'CREATE DATABASE heartbeat; CREATE TABLE heartbeat.heartbeat (ts VARCHAR(26) NOT NULL, server_id INT UNSIGNED NOT NULL PRIMARY KEY);'
                 'CREATE DATABASE app; CREATE TABLE app.numbers (id INT PRIMARY KEY);')
        return self

    def status(self, name):
        return int(self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'").split()[1])

    def __str__(self):
        return f'{self.flavour} on port {self.port}'


class MariaDB(Server):
    flavour = 'MariaDB'

    @staticmethod
    def missing():
        return None if shutil.which('mariadbd') else 'no mariadbd in PATH; install mariadb-server-core'

    def initialize(self):
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o755)
        self.user = ['--user=nobody'] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, 'nobody')
        # Of Galera. The user of the server may not be allowed to run them where they are.
        scripts = pathlib.Path(self.folder, 'scripts')
        scripts.mkdir()
        for script in pathlib.Path(shutil.which('wsrep_sst_rsync') or '/').parent.glob('wsrep_sst_*'):
            shutil.copy(script, scripts)
        subprocess.run(['mariadb-install-db', '--no-defaults', '--skip-test-db', '--auth-root-authentication-method=normal',
                        f'--datadir={self.folder}/data', *self.user], env=self.environment(), check=True, capture_output=True)

    def environment(self):
        return {**os.environ, 'TMPDIR': self.folder, 'PATH': f'{self.folder}/scripts:{os.environ["PATH"]}'}

    def command(self):
        return ['mariadbd', '--no-defaults', '--bind-address=127.0.0.1', f'--port={self.port}', f'--socket={self.folder}/s', f'--datadir={self.folder}/data',
                f'--log-error={self.folder}/log.err', '--performance-schema=ON', '--log-bin=log-bin', *self.user]

    def client_command(self):
        return ['mariadb', '--no-defaults', f'--socket={self.folder}/s']

    def log(self):
        return pathlib.Path(self.folder, 'log.err').read_text(errors='replace')[-2000:]


class MySQL(Server):
    flavour = 'MySQL'

    @staticmethod
    def missing():
        programs = os.environ.get('MYSQL')
        return None if programs and pathlib.Path(programs, 'mysqld').exists() else 'MYSQL does not name a folder with mysqld and mysql in it'

    def initialize(self):
        self.programs = os.environ['MYSQL']
        self.folder = tempfile.mkdtemp()
        subprocess.run([*self.base(), '--initialize-insecure'], check=True, capture_output=True)

    def environment(self):
        return None

    def base(self):
        # The programs may be in a folder that only root may read.
        user = ['--user=root'] if os.geteuid() == 0 else []
        return [f'{self.programs}/mysqld', '--no-defaults', f'--datadir={self.folder}/data', *user]

    def command(self):
        return [*self.base(), '--bind-address=127.0.0.1', f'--port={self.port}', f'--socket={self.folder}/s', '--mysqlx=OFF',
                f'--log-error={self.folder}/log.err', f'--pid-file={self.folder}/pid', '--secure-file-priv=NULL', '--log-bin=log-bin']

    def client_command(self):
        return [f'{self.programs}/mysql', '--no-defaults', f'--socket={self.folder}/s']

    def log(self):
        return pathlib.Path(self.folder, 'log.err').read_text(errors='replace')[-2000:]
