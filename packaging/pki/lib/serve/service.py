"""Enrolment and renewal of hosts."""
import contextlib, os, re, ssl, tarfile, tempfile, threading

from audit import Audit, Rejections
from authority import BUSY, LOCK_WAIT, PKI, Certificate, Refused, check_key, is_enrolled, is_enrolled_with, openssl, public_key_of_request, shared_lock, tool
from tokens import Ec2, Tokens

REQUEST = re.compile(r'-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\s*')
FILES = ('ca.crt', 'crl.pem', 'web-config.yml')
# Until the administrator writes another one, for example with a password.
WEB_CONFIG = """# The web configuration of all enrolled hosts: a change here is in force on each of them within two hours.
tls_server_config:
  cert_file: tls.crt
  key_file: tls.key
  client_ca_file: ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_crl_file: crl.pem
  client_allowed_sans:
    - prometheus
  min_version: TLS12
"""


class Service:
    def __init__(self, options):
        self.name, self.percent = options.name, options.renew_after
        self.audit, self.rejections, self.tokens = Audit(), Rejections(), Tokens()
        self.ec2 = Ec2(options.ec2_account, options.ec2_certificates, options.ec2_within)
        # Signing takes two processes of openssl each.
        self.signing = threading.Semaphore(os.cpu_count() or 2)

    @contextlib.contextmanager
    def turn(self):
        if not self.signing.acquire(timeout=LOCK_WAIT):
            raise Refused(503, BUSY)
        try:
            yield
        finally:
            self.signing.release()

    def enrol(self, form):
        request = form.get('csr', '')
        if not REQUEST.fullmatch(request):
            raise Refused(400, 'csr is not a certificate request (PEM)')
        with self.turn(), tempfile.NamedTemporaryFile('w', suffix='.csr') as file:
            file.write(request)
            file.flush()
            key = public_key_of_request(file.name)
            check_key(key)
            if 'ec2' in form:
                names = self.ec2.names(form['ec2'])
                mark = self.tokens.mark_of_instance(names[0])
            else:
                names, mark = self.tokens.find(form.get('token', ''))
            with self.tokens.exclusive(mark):
                self.issue(file.name, key, names, mark)
                return names[0], self.archive(names[0])

    def issue(self, request, key, names, mark):
        """The certificates of a new host. A host that did not get the response to an earlier request repeats it with the same key: it gets what was issued
        then, and what was not. With another key, a token cannot be used again, and after a revocation not at all."""
        name = names[0]
        if not is_enrolled_with(key, name):
            if mark.path.exists():
                raise Refused(403, mark.reason)
            if is_enrolled(name):
                raise Refused(409, f'{name} is enrolled already; to enrol it again: exporter-pki revoke host {name}')
            mark.path.parent.mkdir(mode=0o700, exist_ok=True)
            mark.path.touch(mode=0o600)
            try:
                tool('sign', request, *names)
            except BaseException:
                if not is_enrolled(name):
                    mark.path.unlink()
                raise
        if not (PKI / 'hosts' / name / 'renewal.crt').exists():
            tool('renewal', name)

    def renew(self, subject, certificate):
        """The files of the host that has this renewal certificate."""
        with self.turn():
            name = self.owner(subject, certificate)
            folder = PKI / 'hosts' / name
            if Certificate.read(folder / 'tls.crt').is_due(self.percent):
                tool('renew', 'host', name)
            if Certificate.read(folder / 'renewal.crt').is_due(self.percent):
                tool('renewal', name)
            return name, self.archive(name)

    def owner(self, subject, certificate):
        """The name in the certificate, if its key is the one that was enrolled."""
        name = dict(pair for part in subject for pair in part).get('commonName', '')
        folder = PKI / 'hosts' / name
        # The names of folders were checked when the certificate was issued.
        if not name or '/' in name or not (folder / 'renewal.crt').exists():
            raise Refused(403, f'{name} is not enrolled, or has been revoked')
        pem = ssl.DER_cert_to_PEM_cert(certificate)
        # The current one, or an earlier one if the response with the current one was lost.
        if ssl.PEM_cert_to_DER_cert((folder / 'renewal.crt').read_text()) == certificate:
            return name
        if openssl('x509', '-noout', '-pubkey', text=pem.encode()) != public_key_of_request(folder / 'csr'):
            raise Refused(403, f'{name} has been enrolled with another key since')
        return name

    def archive(self, name):
        """What a host needs, except its key. Consistent: `exporter-pki` does not write meanwhile."""
        folder = PKI / 'hosts' / name
        with shared_lock(), tempfile.TemporaryFile() as file:
            with tarfile.open(fileobj=file, mode='w', format=tarfile.USTAR_FORMAT) as archive:
                for path in (folder / 'tls.crt', folder / 'renewal.crt', *(PKI / file for file in FILES)):
                    entry = archive.gettarinfo(path, path.name)
                    entry.uid = entry.gid = 0
                    entry.uname = entry.gname = ''
                    entry.mode = 0o640
                    with open(path, 'rb') as content:
                        archive.addfile(entry, content)
            file.seek(0)
            return file.read()

    def keep_own_certificate(self):
        """The server is a host of its own authority."""
        if not (PKI / 'hosts' / self.name / 'tls.crt').exists():
            tool('host', self.name)
        elif Certificate.read(PKI / 'hosts' / self.name / 'tls.crt').is_due(self.percent):
            tool('renew', 'host', self.name)

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(PKI / 'hosts' / self.name / 'tls.crt', PKI / 'hosts' / self.name / 'tls.key')
        context.load_verify_locations(PKI / 'renewal/ca.crt')
        context.verify_mode = ssl.CERT_OPTIONAL
        context.num_tickets = 0
        return context
