"""Sends every message of the control API malformed in turn, as a client that means harm.

usage: malformed_client.py HOST:PORT

Prints a line for each method and malformation: the method, what was sent, the status. Ends with code 1 when one hangs, when the
connection breaks, or when the daemon takes the fault upon itself.
"""

import sys

import grpc

SERVICE = "/loader.v1.LoaderControl/"
# By whether request and answer are streams.
METHODS = {
    (False, False): (
        "SubmitRun PlanRun GetRun ListRuns CancelRun DeleteRun PinRun Invoke GetStatus CleanRuns QueryMetrics "
        "ListTraces DeleteTrace PlanStudy SubmitStudy GetStudy ListStudies CancelStudy DeleteStudy ProceedStudy CreatePageAddress"
    ).split(),
    (False, True): "StreamPlan WatchRun WatchStudy StreamRecords DownloadResults".split(),
    (True, True): ["UploadTrace"],
}
MALFORMED = {
    "nothing": b"",
    "noise": bytes(range(256)),
    "a length beyond the end": b"\x0a\xff\xff\xff\xff\x0f",
    "a field cut off": b"\x0a\x10latest",
    "a varint without end": b"\x08" + b"\xff" * 20,
    "groups in groups": b"\x0b" * 200,
    "messages in messages": b"".join(b"\x0a" + bytes([126 - index]) for index in range(0, 120, 2)),
    "no UTF-8": b"\x0a\x04\xff\xfe\xfd\xfc",
    "another type of field": b"\x0d\x01\x02\x03\x04",
    "field number 0": b"\x00\x01",
    "a path": b"\x0a\x10../../etc/passwd",
    "control characters": b"\x0a\x05\x00\x1b[2J",
    "many megabytes": b"\x0a\x80\x80\x80\x04" + b"a" * (8 << 20),
}
DEADLINE = 120


def call(channel, streams, method, request):
    path, (requests, answers) = SERVICE + method, streams
    try:
        if requests:
            list(channel.stream_stream(path)(iter([request]), timeout=DEADLINE))
        elif answers:
            list(channel.unary_stream(path)(request, timeout=DEADLINE))
        else:
            channel.unary_unary(path)(request, timeout=DEADLINE)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def main():
    bad = False
    with grpc.insecure_channel(sys.argv[1], [("grpc.max_send_message_length", -1)]) as channel:
        for streams, methods in METHODS.items():
            for method in methods:
                for name, request in MALFORMED.items():
                    status = call(channel, streams, method, request)
                    bad |= status in ("DEADLINE_EXCEEDED", "UNAVAILABLE", "UNKNOWN", "INTERNAL")
                    print(f"{method}: {name}: {status}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
