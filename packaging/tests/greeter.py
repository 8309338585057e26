#!/usr/bin/env python3
"""Imitates the login of a MySQL server, or AWS: records the users that try to log in, and rejects all of them.

usage: greeter.py SOCKET LOG | greeter.py --http PORT LOG
"""
import http.server, os, pathlib, socketserver, struct, sys

LOG = pathlib.Path(sys.argv[-1])
# CLIENT_PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION and PLUGIN_AUTH.
CAPABILITIES = 0x8_a200
NONCE = b'twenty bytes, no one'


def record(line):
    with LOG.open('a') as log:
        log.write(line + '\n')


def packet(sequence_id, payload):
    return struct.pack('<I', len(payload))[:3] + bytes([sequence_id]) + payload


class MySql(socketserver.StreamRequestHandler):
    def handle(self):
        capabilities = struct.pack('<HBHH', CAPABILITIES & 0xffff, 45, 2, CAPABILITIES >> 16)
        self.wfile.write(packet(0, b'\x0a8.0.0\0' + struct.pack('<I', 1) + NONCE[:8] + b'\0' + capabilities
                                + bytes([len(NONCE) + 1]) + bytes(10) + NONCE[8:] + b'\0' + b'mysql_native_password\0'))
        header = self.rfile.read(4)
        login = self.rfile.read(int.from_bytes(header[:3], 'little'))
        record(login[32:].split(b'\0')[0].decode(errors='replace'))
        self.wfile.write(packet(header[3] + 1, b'\xff' + struct.pack('<H', 1045) + b'#28000' + b'Access denied'))


class Aws(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        record(self.headers.get('Authorization', 'nobody'))
        self.send_error(403)

    do_GET = do_POST


if sys.argv[1] == '--http':
    http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[2])), Aws).serve_forever()
else:
    os.makedirs(os.path.dirname(sys.argv[1]), mode=0o755, exist_ok=True)
    with socketserver.ThreadingUnixStreamServer(sys.argv[1], MySql) as server:
        os.chmod(sys.argv[1], 0o777)
        server.serve_forever()
