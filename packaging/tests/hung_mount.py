#!/usr/bin/env python3
"""hung_mount.py FOLDER: mounts a file system on which statfs never returns, like on a network file system whose server is down.

Speaks the FUSE protocol itself, so that no library is needed: it reads the kernel's requests from /dev/fuse, replies to lookups of the
root folder, and never replies to statfs. Prints a line once it is mounted. Ends on SIGTERM, which unblocks all waiting processes.
"""
import ctypes, os, signal, struct, sys

INIT, GETATTR, STATFS, FORGET, INTERRUPT = 26, 3, 17, 2, 36
ENOSYS = 38
# struct fuse_attr of a folder: ino, size, blocks, three times, their nanoseconds, mode, nlink, uid, gid, rdev, blksize, flags.
FOLDER = struct.pack('<6Q10I', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)


def main(folder):
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open('/dev/fuse', os.O_RDWR)
    options = f'fd={device},rootmode=40000,user_id=0,group_id=0,allow_other'
    if libc.mount(b'hung', folder.encode(), b'fuse.hung', 0, options.encode()) != 0:
        sys.exit(f'mount {folder}: {os.strerror(ctypes.get_errno())}')

    def stop(*_):
        libc.umount2(folder.encode(), 2)  # MNT_DETACH; closing the device then aborts the requests that hang.
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f'{folder} hangs', flush=True)

    def reply(unique, body=b'', error=0):
        os.write(device, struct.pack('<IiQ', 16 + len(body), -error, unique) + body)

    while True:
        request = os.read(device, 1 << 20)
        _, operation, unique = struct.unpack_from('<IIQ', request)
        if operation == INIT:
            # struct fuse_init_out of protocol 7.31, without extensions.
            reply(unique, struct.pack('<IIIIHHIIHH32x', 7, 31, 0, 0, 12, 10, 1 << 17, 1, 0, 0))
        elif operation == GETATTR:
            reply(unique, struct.pack('<QII', 3600, 0, 0) + FOLDER)
        elif operation not in (STATFS, FORGET, INTERRUPT):
            reply(unique, error=ENOSYS)


if __name__ == '__main__':
    main(sys.argv[1])
