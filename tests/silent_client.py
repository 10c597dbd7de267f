"""Opens many connections to a listener and then does nothing, until its standard input ends or it is killed.

usage: silent_client.py HOST:PORT COUNT none|tls

The connections come from many addresses of the loopback, 100 from each. With "tls" each makes its handshake first.
"""

import resource
import socket
import ssl
import sys


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    count, handshake = int(sys.argv[2]), sys.argv[3]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    connections = []
    # Some more than that, as the listener closes those above its bound.
    for index in range(count + 20):
        connection = socket.create_connection((host, int(port)), source_address=(f"127.0.9.{index // 100 + 1}", 0))
        try:
            connections.append(context.wrap_socket(connection) if handshake == "tls" else connection)
        except OSError:
            connection.close()
    sys.stdin.read()


if __name__ == "__main__":
    main()
