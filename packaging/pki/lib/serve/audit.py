"""The audit log, and the limit for rejected requests."""
import datetime, json, os, sys, threading, time

from authority import PKI

# After this number of rejected requests from one address in a minute, its further enrolment requests are rejected without processing.
MAX_REJECTIONS = 20


class Audit:
    def __init__(self):
        self.lock = threading.Lock()

    def write(self, **fields):
        """Fails if the file cannot be written, so that no certificate is sent without a record."""
        line = json.dumps({'time': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='milliseconds'), **fields}) + '\n'
        with self.lock:
            sys.stderr.write(line)
            sys.stderr.flush()
            with open(PKI / 'audit.log', 'a', opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
                log.write(line)

    def try_write(self, **fields):
        """Like `write`, for events that cannot be undone: only reports that the file cannot be written."""
        try:
            self.write(**fields)
        except OSError as error:
            print(f'exporter-pki: audit.log: {error}', file=sys.stderr, flush=True)


class Rejections:
    """Counts rejected requests by address, in windows of a minute."""

    def __init__(self):
        self.lock, self.window, self.counts = threading.Lock(), 0, {}

    def _current(self):
        window = int(time.monotonic() // 60)
        if window != self.window:
            self.window, self.counts = window, {}
        return self.counts

    def add(self, address):
        with self.lock:
            counts = self._current()
            counts[address] = counts.get(address, 0) + 1

    def exceeded(self, address):
        with self.lock:
            return self._current().get(address, 0) >= MAX_REJECTIONS
