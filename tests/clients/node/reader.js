// What a Node program does with a server through @grpc/grpc-js, as it is without options unless the task says so; test_node.py reads what it prints.
"use strict";
const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");
const arrow = require("apache-arrow");

const [address, flightProto, flightSqlProto, task, ...statements] = process.argv.slice(2);
const { FlightService } = grpc.loadPackageDefinition(protoLoader.loadSync(flightProto, { defaults: true })).arrow.flight.protocol;
const flightSql = protobuf.loadSync(flightSqlProto).lookup("volley.flight_sql");
const any = protobuf.Root.fromJSON({
  nested: { Any: { fields: { typeUrl: { type: "string", id: 1 }, value: { type: "bytes", id: 2 } } } },
}).lookupType("Any");

// A command of Flight SQL as it travels in a descriptor.
function command(name, fields) {
  const type = flightSql.lookupType(name);
  const typeUrl = `type.googleapis.com/arrow.flight.protocol.sql.${name}`;
  return any.encode({ typeUrl, value: type.encode(fields).finish() }).finish();
}

// The record batches that answer a command. Arrow's reader wants each message's header with its length before it, filled up to 8 bytes.
async function* batches(client, cmd, { deadline = Infinity, cancelAfter = null } = {}) {
  const info = await new Promise((resolve, reject) =>
    client.getFlightInfo({ type: "CMD", cmd }, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
  const stream = client.doGet(info.endpoint[0].ticket, { deadline });
  if (cancelAfter !== null) setTimeout(() => stream.cancel(), cancelAfter);
  async function* messages() {
    for await (const { dataHeader, dataBody } of stream) {
      const header = Buffer.alloc((dataHeader.length + 7) & ~7);
      dataHeader.copy(header);
      const lengths = Buffer.alloc(8);
      lengths.writeInt32LE(-1, 0);
      lengths.writeInt32LE(header.length, 4);
      yield Buffer.concat([lengths, header, dataBody]);
    }
  }
  yield* await arrow.RecordBatchReader.from(messages());
}

// Rows, the sum of the first column, the bytes of the last.
async function summary(found) {
  let [rows, sum, length] = [0, 0n, 0];
  for await (const batch of found) {
    rows += batch.numRows;
    for (const number of batch.getChildAt(0)) sum += number;
    for (const { valueOffsets } of batch.getChildAt(batch.numCols - 1).data) length += valueOffsets.at(-1) - valueOffsets[0];
  }
  return `${rows} ${sum} ${length}`;
}

async function rows(found) {
  const lines = [];
  for await (const batch of found) for (const row of batch) lines.push(row.toString());
  return lines.join("\n");
}

async function main() {
  const options = task.endsWith("64 MiB") ? { "grpc.max_receive_message_length": 64 << 20 } : {};
  const client = new FlightService(address, grpc.credentials.createInsecure(), options);
  for (const statement of statements) {
    const query = command("CommandStatementQuery", { query: statement });
    const found = {
      "summary by Flight SQL": () => summary(batches(client, query)),
      "summary by Flight": () => summary(batches(client, Buffer.from(statement))),
      "summary with a limit of 64 MiB": () => summary(batches(client, query)),
      rows: () => rows(batches(client, query)),
      "with a deadline": () => rows(batches(client, query, { deadline: Date.now() + 1000 })),
      cancelled: () => rows(batches(client, query, { cancelAfter: 1000 })),
      tables: () => rows(batches(client, command("CommandGetTables", { tableNameFilterPattern: statement }))),
    }[task];
    try {
      console.log(await found());
    } catch (error) {
      if (grpc.status[error.code] === undefined) throw error;
      console.log(`${grpc.status[error.code]} ${error.details}`);
    }
  }
  client.close();
}

main();
