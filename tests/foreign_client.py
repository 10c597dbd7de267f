"""Drives a run as a client that knows nothing of this project but the daemon's address.

usage: foreign_client.py HOST:PORT

Learns the API by reflection (v1alpha, the version of grpcio-reflection), submits a run of a second, follows it, counts
its records, and prints the last state and the count.
"""

import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def main():
    channel = grpc.insecure_channel(sys.argv[1])
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    service = pool.FindServiceByName("loader.v1.LoaderControl")

    def call(name, **fields):
        method = service.FindMethodByName(name)
        request = GetMessageClass(method.input_type)(**fields)
        stub = channel.unary_stream if method.server_streaming else channel.unary_unary
        return stub(
            f"/{service.full_name}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )(request, timeout=60)

    rps = {"start": 10, "end": 10, "slot": {"seconds": 1}, "runtime": {"nanos": 1_000_000}, "memory_mib": 1}
    run_id = call("SubmitRun", spec={"rps": rps}).run.run_id
    states = pool.FindEnumTypeByName("loader.v1.RunState").values_by_number
    last = [answer.run.state for answer in call("WatchRun", run_id=run_id)][-1]
    records = sum(len(answer.records) for answer in call("StreamRecords", run_id=run_id))
    print(states[last].name, records)


main()
