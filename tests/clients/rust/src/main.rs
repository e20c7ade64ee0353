//! What a Rust program does with a server through FlightSqlServiceClient, with its defaults; test_rust.py reads what it prints.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use arrow_cast::display::array_value_to_string;
use arrow_flight::FlightInfo;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::CommandGetTables;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use futures::TryStreamExt;
use tonic::transport::{Channel, Endpoint};

type Client = FlightSqlServiceClient<Channel>;

const WARM_UP: usize = 10;

async fn batches(client: &mut Client, info: FlightInfo) -> Result<Vec<RecordBatch>, FlightError> {
    let mut found = Vec::new();
    for endpoint in info.endpoint {
        let ticket = endpoint.ticket.expect("an endpoint has a ticket");
        found.extend(client.do_get(ticket).await?.try_collect::<Vec<_>>().await?);
    }
    Ok(found)
}

/// Rows, the sum of the first column, the bytes of the last.
async fn summary(client: &mut Client, statement: &str) -> Result<String, FlightError> {
    let info = client.execute(statement.to_string(), None).await?;
    let (mut rows, mut sum, mut length) = (0, 0, 0);
    for batch in batches(client, info).await? {
        rows += batch.num_rows();
        sum += batch.column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        let offsets = batch.column(batch.num_columns() - 1).as_string::<i32>().offsets().clone();
        length += offsets.last() - offsets[0];
    }
    Ok(format!("{rows} {sum} {length}"))
}

fn cells(found: &[RecordBatch]) -> String {
    let row = |batch: &RecordBatch, row: usize| {
        let values = batch
            .columns()
            .iter()
            .map(|column| if column.is_null(row) { "null".to_string() } else { array_value_to_string(column, row).unwrap() });
        values.collect::<Vec<_>>().join("|")
    };
    let lines = found.iter().flat_map(|batch| (0..batch.num_rows()).map(move |number| row(batch, number)));
    lines.collect::<Vec<_>>().join("\n")
}

async fn rows(client: &mut Client, statement: &str) -> Result<String, FlightError> {
    let info = client.execute(statement.to_string(), None).await?;
    Ok(cells(&batches(client, info).await?))
}

async fn tables(client: &mut Client, pattern: &str) -> Result<String, FlightError> {
    let wanted = CommandGetTables { table_name_filter_pattern: Some(pattern.to_string()), ..Default::default() };
    let info = client.get_tables(wanted).await?;
    Ok(cells(&batches(client, info).await?))
}

/// A statement with a number and a text for its two parameters.
async fn prepared(client: &mut Client, statement: &str) -> Result<String, FlightError> {
    let fields = vec![Field::new("1", DataType::Int64, true), Field::new("2", DataType::Utf8, true)];
    let columns: Vec<Arc<dyn Array>> = vec![Arc::new(Int64Array::from(vec![10])), Arc::new(StringArray::from(vec!["row 9"]))];
    let values = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
    Ok(cells(&bound(client, statement, values).await?))
}

async fn bound(client: &mut Client, statement: &str, values: RecordBatch) -> Result<Vec<RecordBatch>, FlightError> {
    let mut statement = client.prepare(statement.to_string(), None).await?;
    statement.set_parameters(values)?;
    let info = statement.execute().await?;
    let found = batches(client, info).await?;
    statement.close().await?;
    Ok(found)
}

/// A statement with each stream of a folder as its parameters, in a client that knows nothing of what is in it. What came back is written beside it;
/// a stream that the library cannot read or send is told with its error.
async fn parameters(client: &mut Client, folder: &str, statement: &str) -> Result<String, FlightError> {
    let mut told = Vec::new();
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let answer = match batch_in(&file) {
            Ok(values) => bound(client, statement, values).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(found) => written(&file.with_added_extension("answer"), &found)?,
            Err(error) => told.push(format!("{}\t{}", file.file_name().unwrap().display(), one_line(error))),
        }
    }
    Ok(told.join("\n"))
}

fn batch_in(file: &Path) -> Result<RecordBatch, FlightError> {
    let mut stream = StreamReader::try_new(File::open(file).unwrap(), None)?;
    Ok(stream.next().expect("a stream has a batch")?)
}

fn written(file: &Path, found: &[RecordBatch]) -> Result<(), FlightError> {
    let mut stream = StreamWriter::try_new(File::create(file).unwrap(), &found[0].schema())?;
    found.iter().try_for_each(|batch| stream.write(batch))?;
    Ok(stream.finish()?)
}

/// How many milliseconds each of so many small statements takes to be asked and read, a line for each.
async fn latency(client: &mut Client, times: &str) -> Result<String, FlightError> {
    let mut told = Vec::new();
    for number in 0..times.parse::<usize>().unwrap() + WARM_UP {
        let start = Instant::now();
        rows(client, "SELECT 1").await?;
        if number >= WARM_UP {
            told.push((start.elapsed().as_secs_f64() * 1000.0).to_string());
        }
    }
    Ok(told.join("\n"))
}

/// A statement that is given up after a second: a future that is dropped ends its calls.
async fn given_up(client: &mut Client, statement: &str) -> Result<String, FlightError> {
    match tokio::time::timeout(Duration::from_secs(1), rows(client, statement)).await {
        Ok(answer) => answer,
        Err(_) => Ok("given up".to_string()),
    }
}

fn one_line(error: FlightError) -> String {
    match error {
        FlightError::Tonic(status) => format!("{:?} {}", status.code(), status.message()).replace('\n', " / "),
        other => format!("{other:?}").replace('\n', " / "),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = env::args().collect();
    let channel = Endpoint::from_shared(format!("http://{}", arguments[1])).unwrap().connect().await.unwrap();
    let mut client = match arguments[2].as_str() {
        "summary with a limit of 64 MiB" => Client::new_from_inner(FlightServiceClient::new(channel).max_decoding_message_size(64 << 20)),
        _ => Client::new(channel),
    };
    if arguments[2] == "rows with a deadline" {
        client.set_header("grpc-timeout", "1S");
    }
    if arguments[2] == "parameters" {
        println!("{}", parameters(&mut client, &arguments[3], &arguments[4]).await.unwrap_or_else(one_line));
        return;
    }
    for statement in &arguments[3..] {
        let answer = match arguments[2].as_str() {
            "summary" | "summary with a limit of 64 MiB" => summary(&mut client, statement).await,
            "rows" | "rows with a deadline" => rows(&mut client, statement).await,
            "tables" => tables(&mut client, statement).await,
            "prepared" => prepared(&mut client, statement).await,
            "latency" => latency(&mut client, statement).await,
            "given up" => given_up(&mut client, statement).await,
            other => panic!("there is no task {other}"),
        };
        println!("{}", answer.unwrap_or_else(one_line));
    }
}
