"""The HTTPS server: connections, requests and their limits."""
import contextlib, errno, http.server, re, socket, ssl, threading, time, urllib.parse

from authority import DEADLINE, PKI, Certificate, Refused

CONNECTIONS = 64
# Of one address, so that it cannot take them all.
CONNECTIONS_OF_ONE = 48
BODY = 32 * 1024


class Handler(http.server.BaseHTTPRequestHandler):
    server_version, sys_version = 'exporter-pki', ''

    def do_GET(self):
        path = {'/ca.crt': 'ca.crt', '/crl.pem': 'crl.pem'}.get(self.path)
        self.respond('get', lambda: self.public(path), 'application/x-pem-file') if path else self.answer(404, b'not found\n')

    def public(self, path):
        return (PKI / path).read_bytes()

    def do_POST(self):
        action = {'/enrol': self.enrol, '/renew': self.renew}.get(self.path)
        if not action:
            return self.answer(404, b'not found\n')
        try:
            if self.path == '/enrol' and self.server.service.rejections.exceeded(self.address()):
                raise Refused(429, 'too many rejected requests of this address; try again in a minute')
            form = self.form()
        except Refused as error:
            return self.refuse(self.path[1:], error)
        self.respond(self.path[1:], lambda: action(form), 'application/x-tar')

    def enrol(self, form):
        return self.record('enrol', *self.server.service.enrol(form))

    def renew(self, _form):
        certificate = self.connection.getpeercert(binary_form=True)
        if not certificate:
            raise Refused(403, 'a renewal needs the renewal certificate of the host')
        return self.record('renew', *self.server.service.renew(self.connection.getpeercert()['subject'], certificate))

    def record(self, action, name, files):
        serial = Certificate.read(PKI / 'hosts' / name / 'tls.crt').serial
        self.server.service.audit.write(action=action, client=self.address(), host=name, result='ok', serial=serial)
        return files

    def respond(self, action, make, kind):
        """An error of the authority is answered and logged; one of the connection is left to the caller."""
        try:
            body = make()
        except Refused as error:
            return self.refuse(action, error)
        except Exception as error:
            return self.refuse(action, Refused(500, f'{type(error).__name__}: {error}'))
        self.answer(200, body, kind)

    def refuse(self, action, error):
        service = self.server.service
        if error.status < 500:
            service.rejections.add(self.address())
        service.audit.note(action=action, client=self.address(), result='refused', status=error.status, reason=str(error))
        # The reason of an internal error has paths in it.
        reason = str(error) if error.status != 500 else 'internal error; see the log of the server'
        self.answer(error.status, f'{reason}\n'.encode())

    def form(self):
        length = self.headers.get('Content-Length', '')
        if not re.fullmatch(r'[0-9]{1,6}', length) or int(length) > BODY:
            raise Refused(413, f'the body must have a Content-Length of at most {BODY}')
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise Refused(400, 'the body is shorter than its Content-Length')
        try:
            pairs = urllib.parse.parse_qsl(body.decode('ascii'), keep_blank_values=True, max_num_fields=4)
        except ValueError:
            raise Refused(400, 'the body is not a form') from None
        if len(dict(pairs)) != len(pairs):
            raise Refused(400, 'a field of the form is repeated')
        return dict(pairs)

    def answer(self, status, body, kind='text/plain; charset=utf-8'):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Connection', 'close')
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def address(self):
        return self.client_address[0]

    def log_message(self, *_):
        """The audit log has what matters."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, service):
        self.address_family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        super().__init__(address, Handler)
        self.service, self.lock, self.open, self.loaded = service, threading.Lock(), {}, None
        self.reload()

    def reload(self):
        """With the certificate in force, which a rotation of the authority may have replaced."""
        path = PKI / 'hosts' / self.service.name / 'tls.crt'
        changed = path.stat().st_mtime_ns
        if changed != self.loaded:
            self.tls, self.loaded = self.service.context(), changed

    def process_request(self, request, client_address):
        with self.lock:
            of_one = sum(client == client_address[0] for client, _ in self.open.values())
            if len(self.open) >= CONNECTIONS or of_one >= CONNECTIONS_OF_ONE:
                return super().shutdown_request(request)
            self.open[request] = client_address[0], time.monotonic() + DEADLINE
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            request.settimeout(DEADLINE)
            stream = self.tls.wrap_socket(request.dup(), server_side=True, do_handshake_on_connect=False)
            stream.settimeout(DEADLINE)
            stream.do_handshake()
            self.finish_request(stream, client_address)
            with contextlib.suppress(OSError):
                stream.unwrap()
        except ssl.SSLError as error:
            # A client with a certificate of another authority, or an expired one; others speak no TLS, or went away.
            if error.reason == 'CERTIFICATE_VERIFY_FAILED' and not self.service.rejections.exceeded(client_address[0]):
                self.service.rejections.add(client_address[0])
                self.service.audit.note(action='handshake', client=client_address[0], result='refused', reason=getattr(error, 'verify_message', '') or str(error))
        except (ConnectionError, TimeoutError):
            # The client went away, or was too slow.
            pass
        except Exception as error:
            if getattr(error, 'errno', None) != errno.ENOTCONN:
                self.service.audit.note(action='connection', client=client_address[0], result='failed', reason=f'{type(error).__name__}: {error}')
        finally:
            with contextlib.suppress(OSError, UnboundLocalError):
                stream.close()
            with self.lock:
                self.open.pop(request, None)
            self.shutdown_request(request)

    def close_late(self):
        with self.lock:
            late = [request for request, (_, deadline) in self.open.items() if time.monotonic() > deadline]
        for request in late:
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def maintain(self):
        renewed = time.monotonic()
        while True:
            time.sleep(1)
            self.close_late()
            try:
                if time.monotonic() - renewed > 600:
                    renewed = time.monotonic()
                    self.service.keep_own_certificate()
                self.reload()
            except (OSError, ssl.SSLError, Refused) as error:
                self.service.audit.note(action='reload', result='failed', reason=str(error))
