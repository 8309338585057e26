"""The files of the authority, exporter-pki, which writes them, and openssl, which reads them."""
import contextlib, fcntl, functools, os, pathlib, re, ssl, subprocess, time, typing

TOOL = os.environ['EXPORTER_PKI']
PKI = pathlib.Path(os.environ.get('PKI') or 'pki')
# A connection that has not been answered by then is closed, however slowly it sends.
DEADLINE = 20
# For a signature, and for the lock of exporter-pki each, so that the client gets an answer before its deadline.
LOCK_WAIT = DEADLINE // 3
BUSY = 'the authority is busy; try again'


class Refused(Exception):
    """With the status of the response and a reason that the client may read."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


def openssl(*words, text=None):
    """Standard output, or None if openssl fails."""
    done = subprocess.run(['openssl', *map(str, words)], input=text, capture_output=True, timeout=DEADLINE)
    return done.stdout if done.returncode == 0 else None


def tool(*words):
    """Output of exporter-pki."""
    done = subprocess.run([TOOL, *words], capture_output=True, text=True, env={**os.environ, 'PKI': str(PKI), 'LOCK_WAIT': str(LOCK_WAIT)})
    if done.returncode == 75:
        raise Refused(503, BUSY)
    if done.returncode:
        raise Refused(500, f'exporter-pki {words[0]}: {done.stderr.strip()}')
    return done.stdout


def public_key_of_request(path):
    key = openssl('req', '-in', path, '-noout', '-pubkey', '-verify')
    if not key:
        raise Refused(400, 'the request is not a valid certificate request, or its signature is wrong')
    return key


@contextlib.contextmanager
def shared_lock():
    """Keeps exporter-pki from writing; waits for it no longer than `tool` does."""
    deadline = time.monotonic() + LOCK_WAIT
    with open(PKI / '.lock', 'a') as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Refused(503, BUSY) from None
                time.sleep(0.05)
        yield


def is_enrolled(name):
    return (PKI / 'hosts' / name / 'tls.crt').exists()


def is_enrolled_with(key, name):
    return is_enrolled(name) and public_key_of_request(PKI / 'hosts' / name / 'csr') == key


def check_key(public_key):
    """A key that openssl and the exporters accept, of a usual size: others are expensive to use."""
    text = (openssl('pkey', '-pubin', '-noout', '-text', text=public_key) or b'').decode(errors='replace')
    bits = re.search(r'Public-Key: \((\d+) bit\)', text)
    size = int(bits[1]) if bits else 0
    if not ('NIST CURVE: P-256' in text or 'NIST CURVE: P-384' in text or ('Modulus:' in text and 2048 <= size <= 4096)):
        raise Refused(400, 'the key of the request must be P-256, P-384, or RSA of 2048 to 4096 bits')


class Certificate(typing.NamedTuple):
    """What is needed of a certificate in a file; times in seconds since the epoch."""

    begin: float
    end: float
    serial: str

    @classmethod
    def read(cls, path):
        return cls._read(path, path.stat().st_mtime_ns)

    @classmethod
    @functools.lru_cache(10000)
    def _read(cls, path, _changed):
        lines = (openssl('x509', '-in', path, '-noout', '-startdate', '-enddate', '-serial') or b'').decode().splitlines()
        if len(lines) != 3:
            raise Refused(500, f'{path} is not a certificate')
        begin, end, serial = (line.partition('=')[2] for line in lines)
        return cls(ssl.cert_time_to_seconds(begin), ssl.cert_time_to_seconds(end), serial)

    def is_due(self, percent):
        return time.time() >= self.begin + (self.end - self.begin) * percent / 100
