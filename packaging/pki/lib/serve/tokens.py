"""The credentials for an enrolment: one-time tokens, and identity documents of EC2 instances."""
import contextlib, datetime, hashlib, ipaddress, json, pathlib, re, threading, time, typing

from authority import PKI, RequestError, openssl

TOKEN = re.compile(r'[0-9a-f]{32}')


class UsedMarker(typing.NamedTuple):
    """A file whose existence means that a token or identity document has been used, and the error message for a second use."""

    path: pathlib.Path
    reason: str


class Tokens:
    """The files of `exporter-pki token`. The name of a file is the hash of the token; it contains an expiry time and the names of the host."""

    def __init__(self):
        self.lock, self.in_use = threading.Lock(), set()

    def find(self, token):
        """Returns the names of the host, and the marker of the token."""
        if not TOKEN.fullmatch(token):
            raise RequestError(403, 'the token is not valid')
        path = PKI / 'tokens' / hashlib.sha256(token.encode()).hexdigest()
        try:
            expiry, *names = path.read_text().split()
        except FileNotFoundError:
            raise RequestError(403, 'the token is not valid') from None
        if time.time() >= int(expiry):
            raise RequestError(403, f'the token has expired; make a new one: exporter-pki token {names[0]}')
        return names, UsedMarker(path.with_suffix('.used'), 'the token has been used')

    def marker_of_instance(self, instance):
        """Identity documents do not expire as long as the instance exists, so the marker prevents a second enrolment."""
        return UsedMarker(PKI / 'tokens' / f'{instance}.used', f'{instance} has been enrolled by its identity document; to enrol it again, use a token')

    @contextlib.contextmanager
    def exclusive(self, marker):
        """Rejects concurrent requests with the same token or identity document."""
        with self.lock:
            if marker in self.in_use:
                raise RequestError(503, 'another request with this token is in progress; try again')
            self.in_use.add(marker)
        try:
            yield
        finally:
            with self.lock:
                self.in_use.remove(marker)


class Ec2:
    """Verifies instance identity documents. They do not expire, and every process of an instance can read the document: it is accepted only once, and only for
    a limited time after the start of the instance."""

    def __init__(self, accounts, certificates, max_age):
        self.accounts, self.certificates, self.max_age = set(accounts), certificates, max_age

    def host_names(self, signature):
        """Returns the names of the host: the ID of the instance, and its private address."""
        if not self.accounts:
            raise RequestError(403, 'EC2 instances are not enrolled here; see --ec2-account')
        if not re.fullmatch(r'[A-Za-z0-9+/=\s]{1,16000}', signature):
            raise RequestError(400, 'the signature of the identity document is not base64')
        message = f'-----BEGIN PKCS7-----\n{signature.strip()}\n-----END PKCS7-----\n'.encode()
        # -nointern: do not trust certificates in the message. -noverify: the certificates of AWS are self-signed.
        text = openssl('smime', '-verify', '-inform', 'PEM', '-certfile', self.certificates, '-nointern', '-noverify', text=message)
        if not text:
            raise RequestError(403, 'the identity document is not signed by AWS')
        try:
            document = json.loads(text)
            instance, account, address = (str(document[key]) for key in ('instanceId', 'accountId', 'privateIp'))
            started = datetime.datetime.fromisoformat(document['pendingTime'].replace('Z', '+00:00')).timestamp()
            ipaddress.ip_address(address)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RequestError(400, 'the identity document lacks instanceId, accountId, privateIp or pendingTime') from None
        if not re.fullmatch(r'i-[0-9a-f]{8,17}', instance):
            raise RequestError(400, 'instanceId of the identity document is not valid')
        if account not in self.accounts:
            raise RequestError(403, f'account {account} is not one of --ec2-account')
        if time.time() > started + self.max_age:
            raise RequestError(403, f'instance {instance} was started longer ago than --ec2-within; use a token')
        return [instance, address]
