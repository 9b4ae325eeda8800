// A server judged by two clients not written here: @eventstore/db-client and @kurrent/kurrentdb-client.
//
//     check.mjs ADDRESS
//
// Appends, reads, subscribes, gets the errors that a real server gives.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const address = process.argv[2];

// What the two call differently.
const packages = [
    { name: "@eventstore/db-client", client: "EventStoreDBClient", expected: "expectedRevision" },
    { name: "@kurrent/kurrentdb-client", client: "KurrentDBClient", expected: "streamState" },
];

async function contents(events) {
    const seen = [];
    for await (const { event } of events) seen.push(event.data.number);
    return seen;
}

async function take(subscription, count) {
    const seen = [];
    for await (const { event } of subscription) {
        seen.push(event.data.number);
        if (seen.length === count) break;
    }
    return seen;
}

async function check({ name, client: constructor, expected }) {
    const library = require(name);
    const client = library[constructor].connectionString(`esdb://${address}?tls=false`);
    const stream = `judge-${randomUUID()}`;
    const made = (number) => library.jsonEvent({ type: "made", data: { number } });
    const append = (revision, events) => client.appendToStream(stream, events, { [expected]: revision });

    const chunk = [made(0), made(1)];
    const first = await append(library.NO_STREAM, chunk);
    assert.deepEqual([first.success, first.nextExpectedRevision], [true, 1n]);
    const again = await append(library.NO_STREAM, chunk);
    assert.deepEqual(again.position, first.position, "a chunk that was there was appended again");
    await assert.rejects(append(0n, [made(9)]), (error) => {
        assert.equal(error.type, "wrong-expected-version");
        return true;
    });
    await assert.rejects(append(1n, [library.binaryEvent({ type: "made", data: Buffer.alloc(1 << 20) })]), (error) => {
        assert.equal(error.type, "maximum-append-size-exceeded");
        return true;
    });
    await append(1n, [made(2)]);

    assert.deepEqual(await contents(client.readStream(stream)), [0, 1, 2]);
    const backwards = { direction: library.BACKWARDS, fromRevision: library.END, maxCount: 2 };
    assert.deepEqual(await contents(client.readStream(stream, backwards)), [2, 1]);
    await assert.rejects(contents(client.readStream(`judge-${randomUUID()}`)), { type: "stream-not-found" });

    // Of the log, what passes a filter: by a subscription, because these clients read it unfiltered.
    const filter = library.streamNameFilter({ prefixes: [stream] });
    const all = client.subscribeToAll({ fromPosition: library.START, filter });
    assert.deepEqual(await take(all, 3), [0, 1, 2]);
    await all.unsubscribe();
    let last;
    for await (const { event } of client.readAll({ direction: library.BACKWARDS, fromPosition: library.END, maxCount: 1 })) last = event;
    assert.equal(last.streamId, stream);

    const live = client.subscribeToStream(stream, { fromRevision: 1n });
    const taken = take(live, 2);
    await append(2n, [made(3)]);
    assert.deepEqual(await taken, [2, 3]);
    await live.unsubscribe();

    await client.deleteStream(stream, { [expected]: 3n });
    await assert.rejects(contents(client.readStream(stream)), { type: "stream-not-found" });
    await client.tombstoneStream(stream);
    await assert.rejects(append(library.ANY, [made(4)]), { type: "stream-deleted" });
    await client.dispose();
    console.log(`${name}: append, read, subscribe, $all with a filter, delete as with the real server`);
}

for (const one of packages) await check(one);
process.exit(0);
