"""What an enrolment is authenticated with: one-time tokens, and identity documents of EC2 instances."""
import contextlib, datetime, hashlib, ipaddress, json, pathlib, re, threading, time, typing

from authority import PKI, Refused, openssl

TOKEN = re.compile(r'[0-9a-f]{32}')


class Mark(typing.NamedTuple):
    """A file that says that a token or identity document has been used, and what to tell those who use it again."""

    path: pathlib.Path
    reason: str


class Tokens:
    """Files of `exporter-pki token`, called by the hash of the token: an expiry time, and the names of the host."""

    def __init__(self):
        self.lock, self.in_use = threading.Lock(), set()

    def find(self, token):
        """The names that the token is for, and its mark."""
        if not TOKEN.fullmatch(token):
            raise Refused(403, 'the token is not valid')
        path = PKI / 'tokens' / hashlib.sha256(token.encode()).hexdigest()
        try:
            expiry, *names = path.read_text().split()
        except FileNotFoundError:
            raise Refused(403, 'the token is not valid') from None
        if time.time() >= int(expiry):
            raise Refused(403, f'the token has expired; make a new one: exporter-pki token {names[0]}')
        return names, Mark(path.with_suffix('.used'), 'the token has been used')

    def mark_of_instance(self, instance):
        """An identity document can be used again as long as the instance exists; it enrols the instance once."""
        return Mark(PKI / 'tokens' / f'{instance}.used', f'{instance} has been enrolled by its identity document; to enrol it again, use a token')

    @contextlib.contextmanager
    def exclusive(self, mark):
        """One request at a time uses a token."""
        with self.lock:
            if mark in self.in_use:
                raise Refused(503, 'another request with this token is in progress; try again')
            self.in_use.add(mark)
        try:
            yield
        finally:
            with self.lock:
                self.in_use.remove(mark)


class Ec2:
    """Instance identity documents. They do not expire, and every process of an instance can read its own: each is accepted once, and only from young instances."""

    def __init__(self, accounts, certificates, within):
        self.accounts, self.certificates, self.within = set(accounts), certificates, within

    def names(self, signature):
        """The id of the instance, which becomes the name of the host, and its private address."""
        if not self.accounts:
            raise Refused(403, 'EC2 instances are not enrolled here; see --ec2-account')
        if not re.fullmatch(r'[A-Za-z0-9+/=\s]{1,16000}', signature):
            raise Refused(400, 'the signature of the identity document is not base64')
        message = f'-----BEGIN PKCS7-----\n{signature.strip()}\n-----END PKCS7-----\n'.encode()
        # -nointern: a certificate in the message does not count. -noverify: those of AWS are self-signed.
        text = openssl('smime', '-verify', '-inform', 'PEM', '-certfile', self.certificates, '-nointern', '-noverify', text=message)
        if not text:
            raise Refused(403, 'the identity document is not signed by AWS')
        try:
            document = json.loads(text)
            instance, account, address = (str(document[key]) for key in ('instanceId', 'accountId', 'privateIp'))
            started = datetime.datetime.fromisoformat(document['pendingTime'].replace('Z', '+00:00')).timestamp()
            ipaddress.ip_address(address)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(400, 'the identity document lacks instanceId, accountId, privateIp or pendingTime') from None
        if not re.fullmatch(r'i-[0-9a-f]{8,17}', instance):
            raise Refused(400, 'instanceId of the identity document is not valid')
        if account not in self.accounts:
            raise Refused(403, f'account {account} is not one of --ec2-account')
        if time.time() > started + self.within:
            raise Refused(403, f'instance {instance} was started longer ago than --ec2-within; use a token')
        return [instance, address]
