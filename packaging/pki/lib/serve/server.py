"""The HTTPS server: connections, requests and their limits."""
import contextlib, errno, http.server, re, socket, ssl, threading, time, urllib.parse

from authority import CONNECTION_TIMEOUT, PKI, Certificate, RequestError

MAX_CONNECTIONS = 64
# One address cannot use all connections.
MAX_CONNECTIONS_PER_ADDRESS = 48
MAX_BODY = 32 * 1024


class Handler(http.server.BaseHTTPRequestHandler):
    server_version, sys_version = 'exporter-pki', ''

    def do_GET(self):
        path = {'/ca.crt': 'ca.crt', '/crl.pem': 'crl.pem'}.get(self.path)
        self.respond('get', lambda: self.public_file(path), 'application/x-pem-file') if path else self.send(404, b'not found\n')

    def public_file(self, path):
        return (PKI / path).read_bytes()

    def do_POST(self):
        action = {'/enrol': self.enrol, '/renew': self.renew}.get(self.path)
        if not action:
            return self.send(404, b'not found\n')
        try:
            if self.path == '/enrol' and self.server.service.rejections.exceeded(self.address()):
                raise RequestError(429, 'too many rejected requests of this address; try again in a minute')
            form = self.read_form()
        except RequestError as error:
            return self.send_failure(self.path[1:], error)
        self.respond(self.path[1:], lambda: action(form), 'application/x-tar')

    def enrol(self, form):
        return self.audit_files('enrol', *self.server.service.enrol(form))

    def renew(self, _form):
        certificate = self.connection.getpeercert(binary_form=True)
        if not certificate:
            raise RequestError(403, 'a renewal needs the renewal certificate of the host')
        return self.audit_files('renew', *self.server.service.renew(self.connection.getpeercert()['subject'], certificate))

    def audit_files(self, action, name, files):
        """Records that a host gets its files, and returns them."""
        serial = Certificate.read(PKI / 'hosts' / name / 'tls.crt').serial
        self.server.service.audit.write(action=action, client=self.address(), host=name, result='ok', serial=serial)
        return files

    def respond(self, action, create_body, content_type):
        """Sends the body, or the error of `create_body`. Errors of the connection are left to the caller."""
        try:
            body = create_body()
        except RequestError as error:
            return self.send_failure(action, error)
        except Exception as error:
            return self.send_failure(action, RequestError(500, f'{type(error).__name__}: {error}'))
        self.send(200, body, content_type)

    def send_failure(self, action, error):
        service = self.server.service
        if error.status < 500:
            service.rejections.add(self.address())
        service.audit.try_write(action=action, client=self.address(), result='refused', status=error.status, reason=str(error))
        # The reason of an internal error may contain paths, which clients must not see.
        reason = str(error) if error.status != 500 else 'internal error; see the log of the server'
        self.send(error.status, f'{reason}\n'.encode())

    def read_form(self):
        length = self.headers.get('Content-Length', '')
        if not re.fullmatch(r'[0-9]{1,6}', length) or int(length) > MAX_BODY:
            raise RequestError(413, f'the body must have a Content-Length of at most {MAX_BODY}')
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise RequestError(400, 'the body is shorter than its Content-Length')
        try:
            pairs = urllib.parse.parse_qsl(body.decode('ascii'), keep_blank_values=True, max_num_fields=4)
        except ValueError:
            raise RequestError(400, 'the body is not a form') from None
        if len(dict(pairs)) != len(pairs):
            raise RequestError(400, 'a field of the form is repeated')
        return dict(pairs)

    def send(self, status, body, content_type='text/plain; charset=utf-8'):
        self.send_response(status)
        self.send_header('Content-Type', content_type)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Connection', 'close')
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def address(self):
        return self.client_address[0]

    def log_message(self, *_):
        """Requests are in the audit log instead."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, service):
        self.address_family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        super().__init__(address, Handler)
        self.service, self.lock, self.connections, self.certificate_mtime = service, threading.Lock(), {}, None
        self.reload_certificate()

    def reload_certificate(self):
        """Reloads a changed certificate: a rotation of the authority replaces it too."""
        path = PKI / 'hosts' / self.service.name / 'tls.crt'
        mtime = path.stat().st_mtime_ns
        if mtime != self.certificate_mtime:
            self.tls, self.certificate_mtime = self.service.tls_context(), mtime

    def process_request(self, request, client_address):
        with self.lock:
            of_address = sum(client == client_address[0] for client, _ in self.connections.values())
            if len(self.connections) >= MAX_CONNECTIONS or of_address >= MAX_CONNECTIONS_PER_ADDRESS:
                return super().shutdown_request(request)
            self.connections[request] = client_address[0], time.monotonic() + CONNECTION_TIMEOUT
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            request.settimeout(CONNECTION_TIMEOUT)
            stream = self.tls.wrap_socket(request.dup(), server_side=True, do_handshake_on_connect=False)
            stream.settimeout(CONNECTION_TIMEOUT)
            stream.do_handshake()
            self.finish_request(stream, client_address)
            with contextlib.suppress(OSError):
                stream.unwrap()
        except ssl.SSLError as error:
            # Record clients with an untrusted or expired certificate; the others do not speak TLS or have disconnected.
            if error.reason == 'CERTIFICATE_VERIFY_FAILED' and not self.service.rejections.exceeded(client_address[0]):
                self.service.rejections.add(client_address[0])
                self.service.audit.try_write(action='handshake', client=client_address[0], result='refused', reason=getattr(error, 'verify_message', '') or str(error))
        except (ConnectionError, TimeoutError):
            # The client has disconnected, or was too slow.
            pass
        except Exception as error:
            if getattr(error, 'errno', None) != errno.ENOTCONN:
                self.service.audit.try_write(action='connection', client=client_address[0], result='failed', reason=f'{type(error).__name__}: {error}')
        finally:
            with contextlib.suppress(OSError, UnboundLocalError):
                stream.close()
            with self.lock:
                self.connections.pop(request, None)
            self.shutdown_request(request)

    def close_expired(self):
        with self.lock:
            expired = [request for request, (_, deadline) in self.connections.items() if time.monotonic() > deadline]
        for request in expired:
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def maintain(self):
        last_renewal = time.monotonic()
        while True:
            time.sleep(1)
            self.close_expired()
            try:
                if time.monotonic() - last_renewal > 600:
                    last_renewal = time.monotonic()
                    self.service.renew_own_certificate()
                self.reload_certificate()
            except (OSError, ssl.SSLError, RequestError) as error:
                self.service.audit.try_write(action='reload', result='failed', reason=str(error))
