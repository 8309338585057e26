"""Measures exporters in machines that have many interfaces, mounts, text files, sockets or units.

A machine is a network, mount and PID namespace; one with units is a systemd that packaging/tests/machine.py boots.
"""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

from measuring import Exporter, compare

PROJECT = pathlib.Path(__file__).resolve().parents[1]
WORK = pathlib.Path("/srv")
INTERFACES, MOUNTS, FILES, UNITS, SOCKETS = 500, 500, 200, 2000, 20000


class Unavailable(Exception):
    """The reason why there is no such machine."""


def run(machine, commands, scrapes, rounds):
    """Measures the scrapes of the commands in a machine, and returns their figures."""
    if os.geteuid() != 0:
        raise Unavailable("needs root")
    task = json.dumps([machine, commands, scrapes, rounds])
    if machine in ("units", "all"):
        return with_systemd(task, commands)
    command = ["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc", "--kill-child"]
    result = subprocess.run([*command, sys.executable, __file__, task], stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise Unavailable(f"status {result.returncode} inside")
    return json.loads(result.stdout)


def with_systemd(task, commands):
    sys.path.insert(0, str(PROJECT / "packaging/tests"))
    import machine
    binds = {"/project/bench": PROJECT / "bench"}
    for command in commands:
        program = command.split()[0]
        binds[f"/project/{pathlib.Path(program).name}"] = program
        task = task.replace(f'"{program} ', f'"/project/{pathlib.Path(program).name} ')
    try:
        with machine.Machine(binds) as booted:
            result = booted.run(f"ulimit -n 65536; exec python3 -B /project/bench/machines.py '{task}' 2>/dev/null", timeout=3000)
    except machine.Unavailable as reason:
        raise Unavailable(str(reason)) from reason
    return json.loads(result.stdout.splitlines()[-1])


def sh(command):
    subprocess.run(["sh", "-c", command], check=True, stdout=sys.stderr)


def interfaces():
    with contextlib.suppress(subprocess.CalledProcessError):
        sh("mount -t sysfs sysfs /sys 2>/dev/null")
    sh("ip link set lo up")
    pairs = range(INTERFACES // 2)
    lines = "".join(f"link add left{n} type veth peer name right{n}\nlink set left{n} up\nlink set right{n} up\n" for n in pairs)
    subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=True, stdout=sys.stderr)


def mounts():
    sh(f"cd {WORK}; for n in $(seq {MOUNTS}); do mkdir mount$n; mount -t tmpfs -o size=64k bench$n mount$n; done")


def text_files():
    folder = WORK / "text"
    for file in range(FILES):
        lines = "".join(f'bench_job_{n}{{job="{file}",host="somewhere"}} {n * 17.25}\n' for n in range(20))
        (folder / f"job{file}.prom").write_text(lines)
    # Exporters that cache files by their timestamps do not trust those of the last seconds.
    time.sleep(5)


def sockets():
    """Opens sockets in several processes, because of the limit of descriptors: a quarter UDP, the others both ends of TCP connections."""
    processes = 8
    sh("sysctl -q -w net.ipv4.ip_local_port_range='1024 65000' || true")
    pipes = [hold_sockets(SOCKETS // processes) for _ in range(processes)]
    for pipe in pipes:
        pipe.read(1)


def hold_sockets(count):
    """Starts a process that keeps sockets open until this one ends. Returns a pipe that receives a byte when all are open."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        held = []
        for _ in range(count // 4):
            datagram = socket.socket(type=socket.SOCK_DGRAM)
            datagram.bind(("127.0.0.1", 0))
            held.append(datagram)
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(1024)
            for _ in range(count * 3 // 8):
                held += [socket.create_connection(server.getsockname()), server.accept()[0]]
        os.write(writer, b".")
        while os.getppid() != 1 or os.getpid() == 1:
            time.sleep(1)
        os._exit(0)
    os.close(writer)
    return os.fdopen(reader, "rb")


def units():
    folder = pathlib.Path("/run/systemd/system")
    for n in range(UNITS):
        (folder / f"bench{n}.service").write_text("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
    names = " ".join(f"bench{n}.service" for n in range(UNITS))
    (folder / "bench.target").write_text("[Unit]\n" + "".join(f"Wants=bench{n}.service\n" for n in range(UNITS)))
    sh("systemctl daemon-reload && systemctl start bench.target")
    return names


def measure_inside(machine, commands, scrapes, rounds):
    setups = {"interfaces": interfaces, "mounts": mounts, "text_files": text_files, "sockets": sockets, "units": units}
    sh(f"ip link set lo up; mount -t tmpfs tmpfs {WORK}; mkdir {WORK}/text")
    held = [setup() for name, setup in setups.items() if machine in (name, "all")]
    exporters = []
    try:
        for command in commands:
            exporters.append(Exporter(command))
        return compare(exporters, scrapes, rounds)
    finally:
        for exporter in exporters:
            exporter.stop()
        held.clear()


if __name__ == "__main__":
    print(json.dumps(measure_inside(*json.loads(sys.argv[1]))))
