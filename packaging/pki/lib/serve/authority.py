"""The files of the authority, exporter-pki, which writes them, and openssl, which reads them."""
import contextlib, fcntl, functools, os, pathlib, re, ssl, subprocess, time, typing

EXPORTER_PKI = os.environ['EXPORTER_PKI']
PKI = pathlib.Path(os.environ.get('PKI') or 'pki')
# Connections are closed after this number of seconds, also if the client is still sending.
CONNECTION_TIMEOUT = 20
# The limit for the wait for a signing slot, and the one for the lock of exporter-pki: both together are shorter than CONNECTION_TIMEOUT, so that the client
# gets a response.
LOCK_WAIT = CONNECTION_TIMEOUT // 3
BUSY = 'the authority is busy; try again'


class RequestError(Exception):
    """An error response: its HTTP status, and the reason. Clients may read the reason unless the status is 500."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


def openssl(*arguments, text=None):
    """Returns the standard output, or None if openssl fails."""
    result = subprocess.run(['openssl', *map(str, arguments)], input=text, capture_output=True, timeout=CONNECTION_TIMEOUT)
    return result.stdout if result.returncode == 0 else None


def exporter_pki(*arguments):
    """Returns the standard output of an exporter-pki command."""
    result = subprocess.run([EXPORTER_PKI, *arguments], capture_output=True, text=True, env={**os.environ, 'PKI': str(PKI), 'LOCK_WAIT': str(LOCK_WAIT)})
    if result.returncode == 75:
        raise RequestError(503, BUSY)
    if result.returncode:
        raise RequestError(500, f'exporter-pki {arguments[0]}: {result.stderr.strip()}')
    return result.stdout


def public_key_of_csr(path):
    key = openssl('req', '-in', path, '-noout', '-pubkey', '-verify')
    if not key:
        raise RequestError(400, 'the request is not a valid certificate request, or its signature is wrong')
    return key


@contextlib.contextmanager
def shared_lock():
    """Keeps exporter-pki from writing. Waits for it as long as an exporter-pki command would."""
    deadline = time.monotonic() + LOCK_WAIT
    with open(PKI / '.lock', 'a') as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise RequestError(503, BUSY) from None
                time.sleep(0.05)
        yield


def is_enrolled(name):
    return (PKI / 'hosts' / name / 'tls.crt').exists()


def is_enrolled_with(key, name):
    return is_enrolled(name) and public_key_of_csr(PKI / 'hosts' / name / 'csr') == key


def check_key(public_key):
    """Accepts only keys that openssl and the exporters support, and no larger RSA keys, which would be expensive to use."""
    text = (openssl('pkey', '-pubin', '-noout', '-text', text=public_key) or b'').decode(errors='replace')
    bits = re.search(r'Public-Key: \((\d+) bit\)', text)
    size = int(bits[1]) if bits else 0
    if not ('NIST CURVE: P-256' in text or 'NIST CURVE: P-384' in text or ('Modulus:' in text and 2048 <= size <= 4096)):
        raise RequestError(400, 'the key of the request must be P-256, P-384, or RSA of 2048 to 4096 bits')


class Certificate(typing.NamedTuple):
    """The validity of a certificate in seconds since the epoch, and its serial number."""

    not_before: float
    not_after: float
    serial: str

    @classmethod
    def read(cls, path):
        return cls._read(path, path.stat().st_mtime_ns)

    @classmethod
    @functools.lru_cache(10000)
    def _read(cls, path, _mtime):
        lines = (openssl('x509', '-in', path, '-noout', '-startdate', '-enddate', '-serial') or b'').decode().splitlines()
        if len(lines) != 3:
            raise RequestError(500, f'{path} is not a certificate')
        not_before, not_after, serial = (line.partition('=')[2] for line in lines)
        return cls(ssl.cert_time_to_seconds(not_before), ssl.cert_time_to_seconds(not_after), serial)

    def needs_renewal(self, percent):
        """Whether this percentage of the validity has passed."""
        return time.time() >= self.not_before + (self.not_after - self.not_before) * percent / 100
