"""Starts exporters and measures the cost of their scrapes, for the programs in this folder."""
import gzip
import http.client
import os
import pathlib
import shlex
import socket
import ssl
import statistics
import subprocess
import threading
import time

# Seconds to wait for an exporter.
TIMEOUT = 60
# Seconds after its start until an exporter has freed the memory that only its start needed.
SETTLE_TIME = 12


class Exporter:
    """A running exporter that listens on a free port of loopback, and a connection to it."""

    def __init__(self, command, tls=None, environment=None, log=subprocess.DEVNULL):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.tls = tls
        arguments = [*shlex.split(command), f"--web.listen-address=127.0.0.1:{self.port}"]
        environment = {**os.environ, **(environment or {})}
        self.process = subprocess.Popen(arguments, stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise SystemExit(f"does not listen: {command}")
                time.sleep(0.02)
        self.started = time.monotonic()
        self.connection = self.connect()
        self.body, self.encoding = b"", None

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=TIMEOUT, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)

    def cpu_seconds(self):
        """CPU time of the process. For the ID of its clock, see clock_getcpuclockid(3)."""
        return time.clock_gettime_ns((~self.process.pid << 3) | 2) / 1e9

    def scrape(self, headers=None, new_connection=False):
        """Scrapes once, and returns the duration in seconds."""
        start = time.perf_counter()
        connection = self.connect() if new_connection else self.connection
        connection.request("GET", "/metrics", headers={"Accept-Encoding": "identity", **(headers or {})})
        response = connection.getresponse()
        self.body, self.encoding = response.read(), response.headers.get("Content-Encoding")
        if response.status != 200:
            raise SystemExit(f"{self.process.args[0]}: status {response.status}: {self.body[:200]}")
        if new_connection:
            connection.close()
        return time.perf_counter() - start

    def series(self):
        if self.encoding not in (None, "gzip"):
            saved = self.body, self.encoding
            self.scrape()
            count = self.series()
            self.body, self.encoding = saved
            return count
        page = gzip.decompress(self.body) if self.encoding == "gzip" else self.body
        return sum(1 for line in page.splitlines() if line and not line.startswith(b"#"))

    def status(self, field="VmRSS"):
        """A field of /proc/PID/status in MiB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Figures:
    """Figures of one exporter in milliseconds: the CPU time per scrape of each round, and the latency of each scrape."""

    def __init__(self):
        self.cpu, self.latency = [], []

    def row(self, exporter):
        latency = sorted(self.latency)
        return {
            "cpu": statistics.median(self.cpu),
            "cpu_low": min(self.cpu),
            "cpu_high": max(self.cpu),
            "p50": latency[len(latency) // 2],
            "p99": latency[len(latency) * 99 // 100],
            "resident": exporter.status(),
            "bytes": len(exporter.body),
            "series": exporter.series(),
        }


def compare(exporters, scrapes, rounds, headers=None, new_connection=False, clients=1):
    """Scrapes the exporters in turn, so that changes of the load affect all of them. Returns the figures of each."""
    figures = [Figures() for _ in exporters]
    for exporter in exporters:
        for _ in range(max(3, min(20, scrapes // 2))):
            exporter.scrape(headers, new_connection)
    for _ in range(rounds):
        for exporter, own in zip(exporters, figures):
            before = exporter.cpu_seconds()
            if clients == 1:
                own.latency += [1e3 * exporter.scrape(headers, new_connection) for _ in range(scrapes)]
            else:
                own.latency += scrape_concurrently(exporter, scrapes, headers, clients)
            own.cpu.append(1e3 * (exporter.cpu_seconds() - before) / (scrapes * clients))
    for exporter in exporters:
        time.sleep(max(0, exporter.started + SETTLE_TIME - time.monotonic()))
        for _ in range(10):
            exporter.scrape(headers, new_connection)
    return [own.row(exporter) for exporter, own in zip(exporters, figures)]


def scrape_concurrently(exporter, scrapes, headers, clients):
    """Scrapes with several clients at the same time, each with its own connection. Returns the latencies."""
    barrier, latency = threading.Barrier(clients), []

    def client():
        connection = exporter.connect()
        for _ in range(scrapes):
            barrier.wait(TIMEOUT)
            start = time.perf_counter()
            connection.request("GET", "/metrics", headers=headers or {"Accept-Encoding": "identity"})
            connection.getresponse().read()
            latency.append(1e3 * (time.perf_counter() - start))
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latency


class MutualTls:
    """P-256 certificates of an authority, a server and a client in a folder, and a web configuration that any exporter accepts."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=bench")
        for name in ("server", "client"):
            (self.folder / "extensions").write_text("subjectAltName=IP:127.0.0.1")
            self.openssl("req", *key, "-keyout", f"{name}.key", "-out", "request", "-subj", f"/CN={name}")
            self.openssl("x509", "-req", "-in", "request", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1",
                         "-extfile", "extensions", "-out", f"{name}.crt")
        self.configuration = self.folder / "web.yml"
        self.configuration.write_text(
            "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: ca.crt\n"
            "  client_auth_type: RequireAndVerifyClientCert\n")
        self.context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        self.context.load_cert_chain(self.folder / "client.crt", self.folder / "client.key")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
