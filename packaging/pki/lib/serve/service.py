"""Enrolment and renewal of hosts."""
import contextlib, os, re, ssl, tarfile, tempfile, threading

from audit import Audit, Rejections
from authority import BUSY, LOCK_WAIT, PKI, Certificate, RequestError, check_key, is_enrolled, is_enrolled_with, openssl, public_key_of_csr, shared_lock, exporter_pki
from tokens import Ec2, Tokens

CSR = re.compile(r'-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\s*')
SHARED_FILES = ('ca.crt', 'crl.pem', 'web-config.yml')
# The initial web configuration; the administrator can replace it, for example by one with a password.
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
        # Each signature needs two openssl processes.
        self.signing_slots = threading.Semaphore(os.cpu_count() or 2)

    @contextlib.contextmanager
    def signing_slot(self):
        if not self.signing_slots.acquire(timeout=LOCK_WAIT):
            raise RequestError(503, BUSY)
        try:
            yield
        finally:
            self.signing_slots.release()

    def enrol(self, form):
        csr = form.get('csr', '')
        if not CSR.fullmatch(csr):
            raise RequestError(400, 'csr is not a certificate request (PEM)')
        with self.signing_slot(), tempfile.NamedTemporaryFile('w', suffix='.csr') as file:
            file.write(csr)
            file.flush()
            key = public_key_of_csr(file.name)
            check_key(key)
            if 'ec2' in form:
                names = self.ec2.host_names(form['ec2'])
                marker = self.tokens.marker_of_instance(names[0])
            else:
                names, marker = self.tokens.find(form.get('token', ''))
            with self.tokens.exclusive(marker):
                self.issue(file.name, key, names, marker)
                return names[0], self.archive(names[0])

    def issue(self, csr, key, names, marker):
        """Issues the certificates of a host. A host that did not receive the response repeats its request with the same key: the certificates that were issued
        before are kept, and the missing ones are issued. A token cannot be used again with another key, or after a revocation."""
        name = names[0]
        if not is_enrolled_with(key, name):
            if marker.path.exists():
                raise RequestError(403, marker.reason)
            if is_enrolled(name):
                raise RequestError(409, f'{name} is enrolled already; to enrol it again: exporter-pki revoke host {name}')
            marker.path.parent.mkdir(mode=0o700, exist_ok=True)
            marker.path.touch(mode=0o600)
            try:
                exporter_pki('sign', csr, *names)
            except BaseException:
                if not is_enrolled(name):
                    marker.path.unlink()
                raise
        if not (PKI / 'hosts' / name / 'renewal.crt').exists():
            exporter_pki('renewal', name)

    def renew(self, subject, certificate):
        """Returns the name and the files of the host with this renewal certificate. Renews certificates that need it."""
        with self.signing_slot():
            name = self.authenticate(subject, certificate)
            folder = PKI / 'hosts' / name
            if Certificate.read(folder / 'tls.crt').needs_renewal(self.percent):
                exporter_pki('renew', 'host', name)
            if Certificate.read(folder / 'renewal.crt').needs_renewal(self.percent):
                exporter_pki('renewal', name)
            return name, self.archive(name)

    def authenticate(self, subject, certificate):
        """Returns the name in the certificate, if the host was enrolled with its key."""
        name = dict(attribute for rdn in subject for attribute in rdn).get('commonName', '')
        folder = PKI / 'hosts' / name
        # Names were validated when the certificate was issued; without a slash, no other folder can be reached.
        if not name or '/' in name or not (folder / 'renewal.crt').exists():
            raise RequestError(403, f'{name} is not enrolled, or has been revoked')
        pem = ssl.DER_cert_to_PEM_cert(certificate)
        # Earlier certificates with the same key are accepted too, because the response with the current one may have been lost.
        if ssl.PEM_cert_to_DER_cert((folder / 'renewal.crt').read_text()) == certificate:
            return name
        if openssl('x509', '-noout', '-pubkey', text=pem.encode()) != public_key_of_csr(folder / 'csr'):
            raise RequestError(403, f'{name} has been enrolled with another key since')
        return name

    def archive(self, name):
        """Returns a tar archive of the files of a host, without its key. The lock keeps them consistent with each other."""
        folder = PKI / 'hosts' / name
        with shared_lock(), tempfile.TemporaryFile() as file:
            with tarfile.open(fileobj=file, mode='w', format=tarfile.USTAR_FORMAT) as archive:
                for path in (folder / 'tls.crt', folder / 'renewal.crt', *(PKI / file for file in SHARED_FILES)):
                    entry = archive.gettarinfo(path, path.name)
                    entry.uid = entry.gid = 0
                    entry.uname = entry.gname = ''
                    entry.mode = 0o640
                    with open(path, 'rb') as content:
                        archive.addfile(entry, content)
            file.seek(0)
            return file.read()

    def renew_own_certificate(self):
        """The certificate of the server is that of a host of its authority."""
        if not (PKI / 'hosts' / self.name / 'tls.crt').exists():
            exporter_pki('host', self.name)
        elif Certificate.read(PKI / 'hosts' / self.name / 'tls.crt').needs_renewal(self.percent):
            exporter_pki('renew', 'host', self.name)

    def tls_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(PKI / 'hosts' / self.name / 'tls.crt', PKI / 'hosts' / self.name / 'tls.key')
        context.load_verify_locations(PKI / 'renewal/ca.crt')
        context.verify_mode = ssl.CERT_OPTIONAL
        context.num_tickets = 0
        return context
