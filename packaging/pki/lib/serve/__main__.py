"""The HTTPS server of `exporter-pki serve`: enrols hosts and renews their certificates.

usage: exporter-pki serve --name NAME [--listen ADDRESS:PORT] [--ec2-account ID]... [--ec2-certificates FILE] [--ec2-within DURATION]

  --name NAME               the name or address in the URL that hosts use; the server's certificate is that of the host NAME
  --listen ADDRESS:PORT     default: 0.0.0.0:8443
  --ec2-account ID          enrol EC2 instances of this account by their instance identity document
  --ec2-certificates FILE   the certificates of AWS that sign these documents (PEM, RSA-2048, one per region)
  --ec2-within DURATION     only instances that were started within this time (1h)
  --renew-after PERCENT     renew a certificate after this percentage of its validity (66)

Routes:

  GET  /ca.crt, /crl.pem    the trusted authorities, and their revocation lists
  POST /enrol               a token, or an identity document, and a request (CSR); returns the files of a host as a tar archive
  POST /renew               with the renewal certificate of an enrolled host; returns its current files, with a new certificate if it is time

Every decision is a line of JSON in $PKI/audit.log and on standard error. Environment: as for exporter-pki.
"""
import argparse, contextlib, pathlib, re, ssl, sys, threading

from authority import PKI, RequestError
from server import Server
from service import WEB_CONFIG, Service

UNITS = {'m': 60, 'h': 3600, 'd': 86400}


def duration(text):
    if not re.fullmatch(r'[1-9][0-9]{0,4}[mhd]', text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a duration such as 30m, 1h or 2d")
    return int(text[:-1]) * UNITS[text[-1]]


def listen_address(text):
    host, separator, port = text.rpartition(':')
    if not separator or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not ADDRESS:PORT")
    return host.strip('[]') or '0.0.0.0', int(port)


def main():
    parser = argparse.ArgumentParser(prog='exporter-pki serve', usage=__doc__.split('usage: ')[1].rstrip())
    parser.add_argument('--name', required=True)
    parser.add_argument('--listen', type=listen_address, default=('0.0.0.0', 8443))
    parser.add_argument('--ec2-account', action='append', default=[])
    parser.add_argument('--ec2-certificates', type=pathlib.Path)
    parser.add_argument('--ec2-within', type=duration, default=3600)
    parser.add_argument('--renew-after', type=int, choices=range(1, 100), default=66, metavar='PERCENT')
    options = parser.parse_args()
    if options.ec2_account and not (options.ec2_certificates and options.ec2_certificates.is_file()):
        parser.error('--ec2-account needs --ec2-certificates FILE')
    service = Service(options)
    try:
        if not (PKI / 'web-config.yml').exists():
            (PKI / 'web-config.yml').write_text(WEB_CONFIG)
        service.renew_own_certificate()
        server = Server(options.listen, service)
    except (OSError, ssl.SSLError, RequestError) as error:
        raise SystemExit(f'exporter-pki: {error}') from error
    threading.Thread(target=server.maintain, daemon=True).start()
    host, port = server.server_address[:2]
    print(f'exporter-pki: serving {PKI} on {host}:{port} as {options.name}', file=sys.stderr, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == '__main__':
    main()
