"""A server judged by a client not written here: esdbclient or kurrentdbclient, whichever is installed.

    check.py ADDRESS

Appends, reads, subscribes, gets the errors that a real server gives. Streams have random names: a server can be judged
more than once.
"""

import sys
import uuid

try:
    import kurrentdbclient as package
    from kurrentdbclient import KurrentDBClient as Client
    from kurrentdbclient.exceptions import MaximumAppendSizeExceededError, NotFoundError, StreamIsDeletedError
    from kurrentdbclient.exceptions import WrongCurrentVersionError
except ImportError:
    import esdbclient as package
    from esdbclient import EventStoreDBClient as Client
    from esdbclient.exceptions import MaximumAppendSizeExceededError, StreamIsDeleted as StreamIsDeletedError
    from esdbclient.exceptions import NotFound as NotFoundError, WrongCurrentVersion as WrongCurrentVersionError

NewEvent, StreamState = package.NewEvent, package.StreamState
# Longer than anything here takes, unless it hangs.
PATIENCE_S = 30


def new(data: str) -> "NewEvent":
    return NewEvent(type="Made", data=data.encode(), metadata=b'{"by":"judge"}')


def named() -> str:
    return f"judge-{uuid.uuid4()}"


def contents(events) -> list[str]:
    return [event.data.decode() for event in events]


def refused(kind: type, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError(f"taken, though {kind.__name__} was due")


def appends(client) -> None:
    stream, chunk = named(), [new("0"), new("1")]
    # A sequence goes by BatchAppend, a single event by Append.
    first = client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=chunk)
    again = client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=chunk)
    assert first == again, "a chunk that was there was appended again"
    assert client.append_to_stream(stream, current_version=1, events=new("2")) > first
    for events in (new("x"), [new("x")]):
        error = refused(
            WrongCurrentVersionError, client.append_to_stream, stream, current_version=0, events=events, timeout=PATIENCE_S
        )
        assert "2" in str(error), error
        refused(WrongCurrentVersionError, client.append_to_stream, named(), current_version=0, events=events)
    refused(
        MaximumAppendSizeExceededError,
        client.append_to_stream,
        stream,
        current_version=2,
        events=[new("x" * (1 << 20))],
    )
    assert contents(client.get_stream(stream)) == ["0", "1", "2"]


def reads(client) -> None:
    stream, chunk = named(), [new(str(number)) for number in range(5)]
    at = client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=chunk)
    whole = client.get_stream(stream)
    assert [event.id for event in whole] == [event.id for event in chunk]
    assert [event.stream_position for event in whole] == list(range(5))
    assert all(event.metadata == b'{"by":"judge"}' and event.type == "Made" for event in whole)
    assert whole[-1].commit_position == at
    assert contents(client.get_stream(stream, backwards=True, limit=2)) == ["4", "3"]
    assert contents(client.get_stream(stream, stream_position=3)) == ["3", "4"]
    # Without system events: the package's own filter, an expression with look-ahead.
    everything = list(client.read_all())
    assert [event for event in everything if event.stream_name == stream] == list(whole)
    assert not any(event.type.startswith("$") for event in everything)
    by_name = client.read_all(filter_include=[f"{stream}.*"], filter_by_stream_name=True)
    assert contents(by_name) == ["0", "1", "2", "3", "4"]
    refused(NotFoundError, client.get_stream, named())


def subscriptions(client) -> None:
    stream = named()
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[new("0"), new("1")])
    before = client.get_commit_position()
    with client.subscribe_to_stream(stream, timeout=PATIENCE_S) as subscription:
        seen = [next(subscription), next(subscription)]
        client.append_to_stream(stream, current_version=1, events=new("2"))
        seen.append(next(subscription))
    assert contents(seen) == ["0", "1", "2"]
    with client.subscribe_to_all(
        commit_position=before, filter_include=["Made"], include_checkpoints=True, timeout=PATIENCE_S
    ) as subscription:
        live = next(event for event in subscription if type(event).__name__ == "RecordedEvent")
        assert live.data == b"2"


def groups(client) -> None:
    stream, group = named(), "judges"
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[new("0"), new("1")])
    client.create_subscription_to_stream(group, stream)
    with client.read_subscription_to_stream(group, stream, timeout=PATIENCE_S) as subscription:
        first = next(subscription)
        subscription.nack(first, action="retry")
        second = next(subscription)
        subscription.ack(second)
        again = next(subscription)
        subscription.ack(again)
    assert contents([first, second, again]) == ["0", "1", "0"]
    client.delete_subscription(group, stream)


def deletions(client) -> None:
    stream = named()
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[new("0")])
    refused(WrongCurrentVersionError, client.delete_stream, stream, current_version=3)
    client.delete_stream(stream, current_version=0)
    refused(NotFoundError, client.get_stream, stream)
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[new("1")])
    assert contents(client.get_stream(stream)) == ["1"]
    client.tombstone_stream(stream, current_version=StreamState.ANY)
    refused(StreamIsDeletedError, client.get_stream, stream)
    refused(StreamIsDeletedError, client.append_to_stream, stream, current_version=1, events=[new("2")])


def main() -> None:
    client = Client(uri=f"esdb://{sys.argv[1]}?tls=false")
    checks = [appends, reads, subscriptions, groups, deletions]
    for check in checks:
        check(client)
    client.close()
    print(f"{package.__name__}: {', '.join(check.__name__ for check in checks)} as with the real server")


main()
