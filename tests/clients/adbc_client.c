/* What a C program does with a server through ADBC's driver for Flight SQL; test_adbc_c.py reads what it prints. */
#include <arrow-adbc/adbc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct AdbcError error;

/* Tells what went wrong, in one line, and says whether anything did. */
static int failed(AdbcStatusCode code) {
  if (code == ADBC_STATUS_OK) return 0;
  for (char *end = error.message; (end = strchr(end, '\n'));) *end = ' ';
  printf("error %d %s\n", code, error.message);
  if (error.release) error.release(&error);
  memset(&error, 0, sizeof error);
  return 1;
}

static void check(AdbcStatusCode code) {
  if (failed(code)) exit(1);
}

static struct AdbcStatement statement_of(struct AdbcConnection *connection, const char *sql) {
  struct AdbcStatement statement = {0};
  check(AdbcStatementNew(connection, &statement, &error));
  check(AdbcStatementSetSqlQuery(&statement, sql, &error));
  return statement;
}

/* Prints rows, the sum of the first column, which has 64-bit integers, and the bytes of the last one if that has texts. */
static void summary(struct ArrowArrayStream *stream) {
  struct ArrowSchema schema;
  struct ArrowArray batch;
  if (stream->get_schema(stream, &schema)) {
    printf("error %s\n", stream->get_last_error(stream));
    return;
  }
  int64_t rows = 0, sum = 0, bytes = 0;
  int64_t last = schema.n_children - 1;
  int has_texts = strcmp(schema.children[last]->format, "u") == 0;
  for (;;) {
    if (stream->get_next(stream, &batch)) {
      printf("error %s\n", stream->get_last_error(stream));
      break;
    }
    if (!batch.release) {
      printf("%lld %lld %lld\n", (long long)rows, (long long)sum, (long long)bytes);
      break;
    }
    rows += batch.length;
    const struct ArrowArray *numbers = batch.children[0], *texts = batch.children[last];
    for (int64_t row = 0; row < batch.length; row++) sum += ((const int64_t *)numbers->buffers[1])[numbers->offset + row];
    if (has_texts) {
      const int32_t *offsets = (const int32_t *)texts->buffers[1] + texts->offset;
      bytes += offsets[texts->length] - offsets[0];
    }
    batch.release(&batch);
  }
  schema.release(&schema);
}

static void ask(struct AdbcStatement *statement) {
  struct ArrowArrayStream stream = {0};
  if (failed(AdbcStatementExecuteQuery(statement, &stream, NULL, &error))) return;
  summary(&stream);
  stream.release(&stream);
}

static int schema_of(struct ArrowArrayStream *stream, struct ArrowSchema *schema) {
  struct ArrowArrayStream *given = stream->private_data;
  return given->get_schema(given, schema);
}

static int next_of(struct ArrowArrayStream *stream, struct ArrowArray *batch) {
  struct ArrowArrayStream *given = stream->private_data;
  return given->get_next(given, batch);
}

static const char *error_of(struct ArrowArrayStream *stream) {
  struct ArrowArrayStream *given = stream->private_data;
  return given->get_last_error(given);
}

static void released(struct ArrowArrayStream *stream) { stream->release = NULL; }

/* Asks a statement with the rows of another one as its parameters. The driver does not take a stream of its own as it is. */
static void parameters(struct AdbcConnection *connection, const char *values, const char *sql) {
  struct AdbcStatement given = statement_of(connection, values), asked = statement_of(connection, sql);
  struct ArrowArrayStream rows = {0};
  check(AdbcStatementExecuteQuery(&given, &rows, NULL, &error));
  check(AdbcStatementPrepare(&asked, &error));
  struct ArrowArrayStream bound = {schema_of, next_of, error_of, released, &rows};
  check(AdbcStatementBindStream(&asked, &bound, &error));
  ask(&asked);
  check(AdbcStatementRelease(&asked, &error));
  check(AdbcStatementRelease(&given, &error));
}

/* Prints each column of a table with its type, in the letters of Arrow's C data interface. */
static void columns(struct AdbcConnection *connection, const char *table) {
  struct ArrowSchema schema;
  check(AdbcConnectionGetTableSchema(connection, NULL, NULL, table, &schema, &error));
  for (int64_t column = 0; column < schema.n_children; column++)
    printf("%s %s\n", schema.children[column]->name, schema.children[column]->format);
  schema.release(&schema);
}

static void *cancel(void *statement) {
  struct AdbcError unused = {0};
  sleep(1);
  AdbcStatementCancel(statement, &unused);
  return NULL;
}

int main(int count, char **arguments) {
  struct AdbcDatabase database = {0};
  struct AdbcConnection connection = {0};
  const char *task = arguments[2];
  check(AdbcDatabaseNew(&database, &error));
  check(AdbcDatabaseSetOption(&database, "uri", arguments[1], &error));
  check(AdbcDatabaseInit(&database, &error));
  check(AdbcConnectionNew(&connection, &error));
  check(AdbcConnectionInit(&connection, &database, &error));
  if (strcmp(task, "parameters") == 0) {
    parameters(&connection, arguments[3], arguments[4]);
  } else if (strcmp(task, "columns") == 0) {
    columns(&connection, arguments[3]);
  } else {
    for (int number = 3; number < count; number++) {
      struct AdbcStatement statement = statement_of(&connection, arguments[number]);
      pthread_t canceller;
      int cancelled = strcmp(task, "cancelled") == 0 && pthread_create(&canceller, NULL, cancel, &statement) == 0;
      if (strcmp(task, "with a time-out") == 0) {
        check(AdbcStatementSetOption(&statement, "adbc.flight.sql.rpc.timeout_seconds.fetch", "1", &error));
      }
      ask(&statement);
      if (cancelled) pthread_join(canceller, NULL);
      check(AdbcStatementRelease(&statement, &error));
    }
  }
  check(AdbcConnectionRelease(&connection, &error));
  check(AdbcDatabaseRelease(&database, &error));
  return 0;
}
