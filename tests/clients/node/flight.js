// Flight and Flight SQL for Node: gRPC's calls, with the messages of Arrow's streams in them.
"use strict";
const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");
const arrow = require("apache-arrow");

const any = protobuf.Root.fromJSON({
  nested: { Any: { fields: { typeUrl: { type: "string", id: 1 }, value: { type: "bytes", id: 2 } } } },
}).lookupType("Any");

class Client {
  constructor(address, flightProto, flightSqlProto, options) {
    const { FlightService } = grpc.loadPackageDefinition(protoLoader.loadSync(flightProto, { defaults: true })).arrow.flight.protocol;
    this.service = new FlightService(address, grpc.credentials.createInsecure(), options);
    this.flightSql = protobuf.loadSync(flightSqlProto).lookup("volley.flight_sql");
    this.headers = new grpc.Metadata();
  }

  // A message of Flight SQL as it travels in descriptors and actions.
  packed(name, fields) {
    const typeUrl = `type.googleapis.com/arrow.flight.protocol.sql.${name}`;
    return any.encode({ typeUrl, value: this.bare(name, fields) }).finish();
  }

  bare(name, fields) {
    return this.flightSql.lookupType(name).encode(fields).finish();
  }

  // The first answer to an action. A cookie that comes with it is kept, and goes along with all later calls.
  async act(type, body) {
    const stream = this.service.doAction({ type, body }, this.headers);
    stream.on("metadata", (headers) => {
      for (const cookie of headers.get("set-cookie")) this.headers.set("cookie", cookie.split(";")[0]);
    });
    for await (const answer of stream) return answer.body;
  }

  async prepare(query) {
    const answer = await this.act("CreatePreparedStatement", this.packed("ActionCreatePreparedStatementRequest", { query }));
    return this.flightSql.lookupType("ActionCreatePreparedStatementResult").decode(any.decode(answer).value).preparedStatementHandle;
  }

  // Binds the batches of an Arrow stream to a prepared statement. The answer is the handle to run: the server may send another one.
  async bind(preparedStatementHandle, bytes) {
    const stream = this.service.doPut(this.headers);
    let flightDescriptor = { type: "CMD", cmd: this.packed("CommandPreparedStatementQuery", { preparedStatementHandle }) };
    for (const [dataHeader, dataBody] of messagesIn(bytes)) {
      stream.write({ flightDescriptor, dataHeader, dataBody });
      flightDescriptor = null;
    }
    stream.end();
    for await (const { appMetadata } of stream) {
      const answer = this.flightSql.lookupType("DoPutPreparedStatementResult").decode(appMetadata);
      if (answer.preparedStatementHandle.length > 0) preparedStatementHandle = answer.preparedStatementHandle;
    }
    return preparedStatementHandle;
  }

  // What answers a command, as the messages of an Arrow stream.
  async *messages(cmd, { deadline = Infinity, cancelAfter = null } = {}) {
    const info = await new Promise((resolve, reject) =>
      this.service.getFlightInfo({ type: "CMD", cmd }, this.headers, (error, answer) => (error ? reject(error) : resolve(answer))),
    );
    const stream = this.service.doGet(info.endpoint[0].ticket, this.headers, { deadline });
    if (cancelAfter !== null) setTimeout(() => stream.cancel(), cancelAfter);
    // Arrow's reader wants each message's header with its length before it, filled up to 8 bytes.
    for await (const { dataHeader, dataBody } of stream) {
      const header = Buffer.alloc((dataHeader.length + 7) & ~7);
      dataHeader.copy(header);
      const lengths = Buffer.alloc(8);
      lengths.writeInt32LE(-1, 0);
      lengths.writeInt32LE(header.length, 4);
      yield Buffer.concat([lengths, header, dataBody]);
    }
  }

  async *batches(cmd, options) {
    yield* await arrow.RecordBatchReader.from(this.messages(cmd, options));
  }

  close() {
    this.service.close();
  }
}

// The header and the body of each message in an Arrow stream.
function* messagesIn(bytes) {
  const lengths = new DataView(bytes.buffer, bytes.byteOffset);
  for (let start = 0; start + 8 <= bytes.length && lengths.getInt32(start + 4, true) > 0; ) {
    const body = start + 8 + lengths.getInt32(start + 4, true);
    const header = bytes.subarray(start + 8, body);
    start = body + Number(arrow.Message.decode(header).bodyLength);
    yield [header, bytes.subarray(body, start)];
  }
}

module.exports = { Client };
