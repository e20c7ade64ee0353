// What a Node program does with a server through @grpc/grpc-js, as it is without options unless the task says so; test_node.py reads what it prints.
"use strict";
const fs = require("fs");
const path = require("path");
const grpc = require("@grpc/grpc-js");
const arrow = require("apache-arrow");
const { Client } = require("./flight.js");

const [address, flightProto, flightSqlProto, task, ...statements] = process.argv.slice(2);

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

// Runs the statement with each stream of a folder as its parameters, as Arrow's library reads and writes it, and writes what came back beside it. A
// stream that the library cannot read or write is told with its error.
async function parameters(client, folder, statement) {
  const handle = await client.prepare(statement);
  for (const name of fs.readdirSync(folder).sort()) {
    const file = path.join(folder, name);
    let bytes;
    try {
      bytes = arrow.tableToIPC(arrow.tableFromIPC(fs.readFileSync(file)), "stream");
    } catch (error) {
      console.log(`${name}\t${error.message}`);
      continue;
    }
    const preparedStatementHandle = await client.bind(handle, bytes);
    const answer = [];
    for await (const message of client.messages(client.packed("CommandPreparedStatementQuery", { preparedStatementHandle }))) answer.push(message);
    fs.writeFileSync(`${file}.answer`, Buffer.concat(answer));
  }
}

// Has the server end each statement of this client after a second. The cookie that makes it a session comes with the first answer.
async function limitSession(client) {
  await client.act("GetSessionOptions", client.bare("GetSessionOptionsRequest", {}));
  const sessionOptions = { statement_timeout: { stringValue: "1s" } };
  const answer = await client.act("SetSessionOptions", client.bare("SetSessionOptionsRequest", { sessionOptions }));
  return Object.keys(client.flightSql.lookupType("SetSessionOptionsResult").decode(answer).errors).length;
}

// How many milliseconds each of so many small statements takes to be asked and read, a line for each.
async function latency(client, times) {
  const [query, warmUp, told] = [client.packed("CommandStatementQuery", { query: "SELECT 1" }), 10, []];
  for (let number = 0; number < Number(times) + warmUp; number++) {
    const start = performance.now();
    await rows(client.batches(query));
    if (number >= warmUp) told.push(performance.now() - start);
  }
  return told.join("\n");
}

async function main() {
  const options = task.endsWith("64 MiB") ? { "grpc.max_receive_message_length": 64 << 20 } : {};
  const client = new Client(address, flightProto, flightSqlProto, options);
  if (task === "in a session") console.log(`refused ${await limitSession(client)}`);
  if (task === "parameters") await parameters(client, ...statements.splice(0));
  for (const statement of statements) {
    const query = client.packed("CommandStatementQuery", { query: statement });
    const found = {
      "summary by Flight SQL": () => summary(client.batches(query)),
      "summary by Flight": () => summary(client.batches(Buffer.from(statement))),
      "summary with a limit of 64 MiB": () => summary(client.batches(query)),
      rows: () => rows(client.batches(query)),
      latency: () => latency(client, statement),
      "in a session": () => rows(client.batches(query)),
      "with a deadline": () => rows(client.batches(query, { deadline: Date.now() + 1000 })),
      cancelled: () => rows(client.batches(query, { cancelAfter: 1000 })),
      tables: () => rows(client.batches(client.packed("CommandGetTables", { tableNameFilterPattern: statement }))),
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
