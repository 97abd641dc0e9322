"""A real Tahoe-LAFS grid for tests: storage servers and gateways in one process, on loopback.

    python grid.py FOLDER SERVERS

Everything is upstream's own code and every byte between the nodes goes over TLS on 127.0.0.1.
Nodes live below FOLDER; FOLDER/servers.yaml describes the grid as Tahoe's clients read it.

The caller speaks lines of JSON. It gets {"ready": {...}} once the servers listen, then sends
requests {"id": n, "do": ..., ...} on stdin and gets one {"id": n, "ok": ...} or
{"id": n, "error": "..."} for each on stdout, in the order of completion:

    gateway      needed, happy, total,  a web gateway with this encoding and this servers.yaml,
                 servers                made when first asked for
    stop         servers                as if they had lost power: live connections are cut
    start        servers                the same nodes again, on the same ports
    fill-disk    server, full           from now on its writes fail for lack of space, or not
    usage                               the milliseconds of CPU that this process has used

With no servers of its own the process is one for gateways to the servers of another.
`server` is a position in `ready.servers`, from 0; `servers` is a list of them. Closing stdin ends the process.
"""

import errno
import json
import os
import resource
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from allmydata.client import create_client
from twisted.application.service import MultiService
from twisted.internet import reactor, stdio, tcp
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.protocols.basic import LineReceiver
from twisted.python import log

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.05
# A node that has not come up, or a view that is not right, by then never will be.
PATIENCE_SECONDS = 15
PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def candidate_ports():
    """Each once, beginning elsewhere in every process.

    None of those that the kernel gives to outgoing connections: one of them could take the port of
    a server that is stopped for a while, which then could never be started again.
    """
    first, last = map(int, PORT_RANGE.read_text().split()) if PORT_RANGE.exists() else (49152, 65535)
    ports = [port for port in range(10_000, 65_536) if not first <= port <= last]
    begin = os.getpid() * 64 % len(ports)
    yield from ports[begin:] + ports[:begin]


CANDIDATES = candidate_ports()


def free_port():
    """One that is free now, and that this process has not given away; Tahoe refuses port 0."""
    for port in CANDIDATES:
        with socket.socket() as s:
            try:
                s.bind((LOOPBACK, port))
                return port
            except OSError:
                continue
    raise RuntimeError("no port is free")


async def comes_true(holds):
    """Waits until `holds()`; says whether it ever did."""
    deadline = reactor.seconds() + PATIENCE_SECONDS
    while not holds():
        if reactor.seconds() > deadline:
            return False
        await deferLater(reactor, POLL_SECONDS, lambda: None)
    return True


def is_listening(port):
    return any(
        isinstance(reader, tcp.Port) and reader.getHost().port == port
        for reader in reactor.getReaders()
    )


def ini(sections):
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for name, entries in sections.items()
    )


def cut_connections(port):
    """Stopping a Twisted listener leaves accepted connections open; a dead machine does not."""
    for reader in reactor.getReaders():
        if isinstance(reader, tcp.Server) and reader.getHost().port == port:
            reader.abortConnection()


class StorageNode:
    def __init__(self, services, folder, port):
        self.services = services
        self.folder = folder
        self.port = port
        self.node = None
        folder.mkdir(parents=True)
        config = {
            "node": {
                "nickname": folder.name,
                "web.port": "",
                "tub.port": f"tcp:{port}:interface={LOOPBACK}",
                "tub.location": f"tcp:{LOOPBACK}:{port}",
            },
            "storage": {"enabled": "true"},
        }
        (folder / "tahoe.cfg").write_text(ini(config))

    async def start(self):
        if self.node is None:
            self.node = await create_client(str(self.folder))
            self.node.setServiceParent(self.services)
            # Twisted only writes down that a port is taken.
            if not await comes_true(lambda: is_listening(self.port)):
                raise RuntimeError(f"{self.folder.name} does not listen on port {self.port}")

    async def stop(self):
        if self.node is not None:
            node, self.node = self.node, None
            stopped = node.disownServiceParent()
            cut_connections(self.port)
            await stopped

    def fill_disk(self, full):
        storage = self.node.getServiceNamed("storage")
        if full:
            storage.slot_testv_and_readv_and_writev = no_space_left
        else:
            vars(storage).pop("slot_testv_and_readv_and_writev", None)

    def text(self, name):
        return (self.folder / name).read_text().strip()

    def server_id(self):
        return self.text("node.pubkey").removeprefix("pub-")

    def announcement(self):
        return {
            "nickname": self.folder.name,
            "anonymous-storage-FURL": self.text("private/storage.furl"),
            "anonymous-storage-NURLs": sorted(url.to_text() for url in self.node.storage_nurls),
            "permutation-seed-base32": self.text("permutation-seed"),
        }


def no_space_left(*_args, **_named):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Grid:
    def __init__(self, folder, count):
        self.folder = folder
        self.services = MultiService()
        self.services.startService()
        self.servers = [
            StorageNode(self.services, folder / f"server{number:02}", free_port())
            for number in range(count)
        ]
        self.gateways = {}

    async def start(self):
        for server in self.servers:
            await server.start()
        announcements = {s.server_id(): {"ann": s.announcement()} for s in self.servers}
        # JSON is YAML.
        description = json.dumps({"storage": announcements}, indent=1)
        (self.folder / "servers.yaml").write_text(description)
        return {
            "serversYaml": str(self.folder / "servers.yaml"),
            "servers": [
                {"id": s.server_id(), "folder": str(s.folder), "port": s.port, **s.announcement()}
                for s in self.servers
            ],
        }

    async def gateway(self, needed, happy, total, servers):
        name = f"gateway-{needed}-{happy}-{total}-{Path(servers).stem}"
        if name not in self.gateways:
            port = free_port()
            folder = self.folder / name
            (folder / "private").mkdir(parents=True)
            config = {
                "node": {
                    "nickname": name,
                    "web.port": f"tcp:{port}:interface={LOOPBACK}",
                    "tub.port": "disabled",
                    "tub.location": "disabled",
                },
                "client": {
                    "shares.needed": needed,
                    "shares.happy": happy,
                    "shares.total": total,
                },
                "storage": {"enabled": "false"},
            }
            (folder / "tahoe.cfg").write_text(ini(config))
            (folder / "private/servers.yaml").write_text(Path(servers).read_text())
            place = {"url": f"http://{LOOPBACK}:{port}", "folder": str(folder)}
            self.gateways[name] = (await self.start_gateway(folder), place)
        _node, place = self.gateways[name]
        await self.until_seen(name)
        return place

    async def start_gateway(self, folder):
        node = await create_client(str(folder))
        node.setServiceParent(self.services)
        return node

    async def until_seen(self, name):
        """Waits until the gateway's view of who is up is ours; or, with no servers here, full.

        It asks every server once a second; where one of these questions never ends, its view stays
        as it was, and the gateway is started anew.
        """
        if await comes_true(lambda: not self.unlike(name)):
            return
        node, place = self.gateways[name]
        log.msg(f"{name} is started anew, for it is wrong about {self.unlike(name)}")
        # What does not end may keep it from ever being stopped altogether; its port is free at once.
        node.disownServiceParent()
        port = urlsplit(place["url"]).port
        await comes_true(lambda: not is_listening(port))
        self.gateways[name] = (await self.start_gateway(Path(place["folder"])), place)
        if not await comes_true(lambda: not self.unlike(name)):
            raise RuntimeError(f"{name} is wrong about {self.unlike(name)}")

    def unlike(self, name):
        """The servers that the gateway thinks up and that are not, or the other way round."""
        node, _place = self.gateways[name]
        broker = node.storage_broker
        running = {s.server_id().encode() for s in self.servers if s.node is not None}
        known = {server.get_serverid() for server in broker.get_known_servers()}
        seen = {server.get_serverid() for server in broker.get_connected_servers()}
        return sorted(seen ^ (running if self.servers else known))

    async def stop_servers(self, servers):
        for server in servers:
            await self.servers[server].stop()
        await self.until_all_see()

    async def start_servers(self, servers):
        for server in servers:
            await self.servers[server].start()
        await self.until_all_see()

    async def until_all_see(self):
        for name in self.gateways:
            await self.until_seen(name)

    async def fill_disk(self, server, full):
        self.servers[server].fill_disk(full)

    async def usage(self):
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {"cpuMs": 1000 * (used.ru_utime + used.ru_stime)}


class Control(LineReceiver):
    delimiter = b"\n"
    MAX_LENGTH = 1 << 16

    def __init__(self, grid):
        self.commands = {
            "gateway": grid.gateway,
            "stop": grid.stop_servers,
            "start": grid.start_servers,
            "fill-disk": grid.fill_disk,
            "usage": grid.usage,
        }

    def lineReceived(self, line):
        Deferred.fromCoroutine(self.answer(json.loads(line)))

    async def answer(self, request):
        number, command = request.pop("id"), request.pop("do")
        try:
            reply = {"ok": await self.commands[command](**request)}
        except Exception as problem:
            log.err()
            reply = {"error": f"{command}: {problem!r}"}
        self.say({"id": number, **reply})

    def say(self, message):
        self.sendLine(json.dumps(message).encode())

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


async def main(folder, count):
    grid = Grid(folder, count)
    ready = await grid.start()
    control = Control(grid)
    stdio.StandardIO(control)
    control.say({"ready": ready})


def failed(failure):
    failure.printTraceback(sys.stderr)
    os._exit(1)


if __name__ == "__main__":
    root = Path(sys.argv[1]).resolve()
    root.mkdir(parents=True, exist_ok=True)
    # Nothing but the protocol may reach stdout, whatever the nodes print.
    log.startLogging((root / "grid.log").open("w"), setStdout=False)
    sys.stdout = sys.stderr
    reactor.callWhenRunning(
        lambda: Deferred.fromCoroutine(main(root, int(sys.argv[2]))).addErrback(failed)
    )
    reactor.run()
