"""Does to a daemon, until it is terminated, what a client does that means harm; then prints what came of it.

usage: hostile_client.py ATTACK HOST:PORT METRICS_HOST:PORT

  specs        specs of nearly the maximal size, as many at once as are taken
  connections  connections that say nothing, from many addresses, and clients of the metrics that never read
  places       single invocations of a port that never answers, and plans that are not read
  uploads      lists of files that are never sent
  in-flight    submissions with more invocations in flight than there is memory for
"""

import collections
import resource
import signal
import socket
import struct
import sys
import threading
import time

import grpc

SERVICE = "/loader.v1.LoaderControl/"
# Attempts in progress at the same time.
AT_ONCE = 64
counts = collections.Counter()


def varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def field(number, content):
    """A field that is a message or a text."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(field, value):
    return varint(field << 3) + varint(value)


def rps(rate, seconds):
    """Mode rps: field 21 of a spec."""
    rates = b"".join(bytes([key]) + struct.pack("<d", rate) for key in (0x09, 0x11))
    return field(21, rates + field(4, number(1, seconds)))


def call(channel, method, message, timeout=None):
    """Calls a method that answers once."""
    try:
        channel.unary_unary(SERVICE + method)(message, timeout=timeout)
        counts["OK"] += 1
    except grpc.RpcError as error:
        counts[error.code().name] += 1


def repeatedly(act):
    """On threads, until the process ends."""

    def work(index):
        while True:
            act(index)

    for index in range(AT_ONCE):
        threading.Thread(target=work, args=(index,), daemon=True).start()


def specs(channel, _):
    targets = field(13, field(1, field(1, b"127.0.0.1:12345")) * 13_000)
    spec = field(2, b"attach") + targets + rps(1, 3600)
    repeatedly(lambda _: call(channel, "SubmitRun", field(1, spec)))


def in_flight(channel, _):
    spec = number(11, 4_000_000_000) + rps(1, 3600)
    repeatedly(lambda _: call(channel, "SubmitRun", field(1, spec)))


def uploads(channel, _):
    def abandon(index):
        name, digest = f"{index}-{time.monotonic_ns()}.csv", f"{time.monotonic_ns():064x}"
        file = field(1, name.encode()) + number(2, 1 << 20) + field(3, digest.encode())
        answers = channel.stream_stream(SERVICE + "UploadTrace")(iter([field(1, field(1, file))]))
        try:
            next(answers, None)
            answers.cancel()
            counts["abandoned"] += 1
        except grpc.RpcError as error:
            counts[error.code().name] += 1

    repeatedly(abandon)


def places(channel, _):
    silent = socket.create_server(("127.0.0.1", 0), backlog=4096)
    target = f"127.0.0.1:{silent.getsockname()[1]}".encode()
    invocation = field(1, target) + field(5, number(1, 3600))
    plan = field(1, rps(1000, 3600))

    def take(index):
        if index % 2:
            return call(channel, "Invoke", invocation, timeout=10)
        # Its first piece is read, so that it has begun, and no other.
        try:
            pieces = channel.unary_stream(SERVICE + "StreamPlan")(plan)
            next(pieces, None)
            counts["plans begun"] += 1
            time.sleep(10)
            pieces.cancel()
        except grpc.RpcError as error:
            counts[error.code().name] += 1

    repeatedly(take)


def connections(channel, metrics):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    control = sys.argv[2].rsplit(":", 1)

    def connect(address, source):
        try:
            return socket.create_connection(address, timeout=5, source_address=(source, 0))
        except OSError as error:
            counts[type(error).__name__] += 1
            return None

    def act(index):
        source = f"127.0.7.{index % 16 + 1}"
        silent = [connect((control[0], int(control[1])), source) for _ in range(32)]
        reader = connect(metrics, source)
        counts["silent"] += sum(one is not None for one in silent)
        try:
            # Asks again and again, and reads nothing, until the daemon has had enough.
            while reader:
                reader.sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n" * 100)
        except OSError:
            counts["metrics closed"] += 1
        time.sleep(1)
        for one in [*silent, reader]:
            if one:
                one.close()

    repeatedly(act)


ATTACKS = {"specs": specs, "connections": connections, "places": places, "uploads": uploads, "in-flight": in_flight}


def main():
    attack, address, metrics = sys.argv[1:]
    host, port = metrics.rsplit(":", 1)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    ATTACKS[attack](grpc.insecure_channel(address), (host, int(port)))
    signal.sigwait([signal.SIGTERM])
    print(", ".join(f"{what} {count}" for what, count in sorted(counts.items())) or "nothing", flush=True)


if __name__ == "__main__":
    main()
