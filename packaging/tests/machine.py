"""A disposable machine with a real systemd as its first process, for tests of units: boots in about a second.

The root file system is created once by debootstrap, from the release and the mirror that this machine's apt uses, and kept
below target/ (or $XDG_CACHE_HOME). systemd-nspawn boots it with an overlay in memory on top, so that nothing a test does
survives. Needs root on Linux; `Unavailable` says what is missing.
"""
import contextlib, fcntl, os, pathlib, shutil, signal, subprocess, tempfile, time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = 'build-essential,ca-certificates,curl,dbus,git,iproute2,kmod,libnss-systemd,libpam-systemd,openssl,python3,rpm,sudo,systemd,udev'
# Increment it when PACKAGES or the boot wrapper change, to rebuild cached roots.
CACHE_VERSION = 5
HALT = signal.SIGRTMIN + 4


class Unavailable(Exception):
    """The reason why no machine can boot on this host."""


def missing():
    """The requirement of a machine that this host lacks, or None."""
    if os.geteuid() != 0:
        return 'systemd-nspawn needs root'
    for program, package in (('systemd-nspawn', 'systemd-container'), ('debootstrap', 'debootstrap'), ('nsenter', 'util-linux')):
        if not shutil.which(program):
            return f'{program} is not installed (package {package})'
    return None


def lines_of(path):
    return pathlib.Path(path).read_text().splitlines()


def release_and_mirror():
    """The release of the distribution, and apt's configured mirror."""
    listing = subprocess.run(['apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'],
                             capture_output=True, text=True)
    values = dict(line.split('=', 1) for line in lines_of('/etc/os-release') if '=' in line)
    codename = values.get('VERSION_CODENAME', '').strip('"')
    for line in listing.stdout.splitlines():
        uri, release, component = line.split()
        if release == codename and component == 'main':
            return release, uri
    raise Unavailable(f'apt has no mirror for the release {codename or "of this system"}')


def root(suite=None):
    """The cached root file system of this release or another one; it is created if it does not exist."""
    release, mirror = release_and_mirror()
    release = suite or release
    cache = pathlib.Path(os.environ['XDG_CACHE_HOME'], 'exporters') if os.environ.get('XDG_CACHE_HOME') else PROJECT / 'target'
    root_dir = cache / f'machine-{release}-{CACHE_VERSION}'
    cache.mkdir(parents=True, exist_ok=True)
    # Tests run in parallel and share one root.
    with open(cache / f'machine-{release}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root_dir / 'sbin/boot').exists():
            make_root(release, mirror, root_dir)
    return root_dir


def make_root(release, mirror, root_dir):
    work = pathlib.Path(tempfile.mkdtemp(prefix='machine-', dir=root_dir.parent))
    print(f'making a root file system of {release} (once, a minute)', flush=True)
    result = subprocess.run(['debootstrap', '--variant=minbase', f'--include={PACKAGES}', release, work, mirror],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
    if result.returncode != 0:
        shutil.rmtree(work, ignore_errors=True)
        raise Unavailable('debootstrap failed: ' + ' / '.join(result.stdout.strip().splitlines()[-3:]))
    work.chmod(0o755)
    # The tests read the complete journal.
    (work / 'etc/systemd/journald.conf.d').mkdir(parents=True, exist_ok=True)
    (work / 'etc/systemd/journald.conf.d/test.conf').write_text('[Journal]\nStorage=volatile\nRateLimitBurst=0\n')
    boot = work / 'sbin/boot'
    boot.write_text('#!/bin/sh\nexec /lib/systemd/systemd "$@"\n')
    boot.chmod(0o755)
    shutil.rmtree(root_dir, ignore_errors=True)
    work.rename(root_dir)


def create_cgroups():
    """Creates a control group in each hierarchy of systemd, because nspawn uses the control group of its caller as the root of the machine."""
    created = []
    for line in lines_of('/proc/self/cgroup'):
        _, controllers, path = line.split(':', 2)
        if controllers == '':
            unified = pathlib.Path('/sys/fs/cgroup/unified')
            base = unified if unified.is_dir() else pathlib.Path('/sys/fs/cgroup')
        elif controllers == 'name=systemd':
            base = pathlib.Path('/sys/fs/cgroup/systemd')
        else:
            continue
        group = base / path.lstrip('/') / f'machine-{os.getpid()}'
        try:
            group.mkdir()
            created.append(group)
        except OSError as error:
            raise Unavailable(f'no cgroup can be made: {error}') from error
    return created


class Machine:
    """`with Machine({inside: outside}) as m: m.run('systemctl ...')`. The mapping contains read-only bind mounts. `root_dir` replaces the cached root file system."""

    def __init__(self, binds=(), suite=None, root_dir=None):
        self.binds = dict(binds)
        self.suite = suite
        self.root_dir = root_dir
        self.nspawn = self.leader = None
        self.groups = []

    def __enter__(self):
        reason = missing()
        if reason:
            raise Unavailable(reason)
        root_dir = self.root_dir or root(self.suite)
        self.console = tempfile.TemporaryFile('w+', errors='replace')
        command = ['systemd-nspawn', '--quiet', '--register=no', f'--directory={root_dir}', '--volatile=overlay', '--private-network',
                   f'--machine=machine-{os.getpid()}', '--console=pipe', '--capability=all', '--system-call-filter=bpf @keyring',
                   f'--kill-signal={HALT.real}', '--bind=/dev/fuse', '--property=DeviceAllow=/dev/fuse rwm']
        # Under systemd, nspawn requests a scope; elsewhere it uses the control groups created here.
        if not os.path.isdir('/run/systemd/system'):
            self.groups = create_cgroups()
            command = [argument for argument in command if not argument.startswith('--property=')] + ['--keep-unit']
        if not os.path.exists('/dev/fuse'):
            command = [argument for argument in command if '/dev/fuse' not in argument]
        command += [f'--bind-ro={outside}:{inside}' for inside, outside in self.binds.items()] + ['/sbin/boot', 'systemd.log_target=journal']

        def enter_groups():
            for group in self.groups:
                (group / 'cgroup.procs').write_text(str(os.getpid()))

        started = time.monotonic()
        self.nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.console, stderr=subprocess.STDOUT,
                                       preexec_fn=enter_groups, env={**os.environ, 'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY': '1'})
        try:
            self.wait_until_booted(started + 120)
        except BaseException:
            self.__exit__()
            raise
        self.boot_seconds = time.monotonic() - started
        return self

    def wait_until_booted(self, deadline):
        while time.monotonic() < deadline:
            if self.nspawn.poll() is not None:
                break
            self.leader = self.first_process()
            if self.leader and self.run('test -S /run/systemd/private', check=False).returncode == 0:
                self.run('systemctl is-system-running --wait', check=False)
                return
            time.sleep(0.05)
        self.console.seek(0)
        raise Unavailable('systemd does not boot here: ' + (' / '.join(self.console.read().split('\n')[-4:]).strip(' /') or 'no word from it'))

    def first_process(self):
        """The PID of the machine's process 1 on the host."""
        with contextlib.suppress(OSError, ValueError):
            children = pathlib.Path(f'/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children').read_text().split()
            for child in map(int, children):
                if pathlib.Path(f'/proc/{child}/comm').read_text().strip() == 'systemd':
                    return child
        return None

    def run(self, command, check=True, timeout=300, text=None):
        """Runs a shell command in the machine. Standard error is part of `stdout`."""
        result = subprocess.run(['nsenter', f'--target={self.leader}', '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--',
                               '/bin/bash', '-c', command], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors='replace', timeout=timeout, start_new_session=True,
                              env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C.UTF-8', 'HOME': '/root', 'SYSTEMD_PAGER': ''})
        if check and result.returncode != 0:
            raise AssertionError(f'in the machine: {command}\nstatus {result.returncode}: {result.stdout.strip()}')
        return result

    def write(self, path, content, mode=0o644):
        """Writes a file in the machine."""
        self.run(f"mkdir -p '{os.path.dirname(path)}' && cat > '{path}' && chmod {mode:o} '{path}'", text=content)

    def __exit__(self, *_):
        if self.leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader, HALT)
        if self.nspawn:
            try:
                self.nspawn.wait(10)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        self.console.close()
        for group in self.groups:
            for path, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
