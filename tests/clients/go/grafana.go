package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/scalar"
	"google.golang.org/grpc/metadata"
)

// grafana makes the calls of Grafana's data source for Flight SQL: a login by name or token, which it insists on, the health check, what the
// server and its tables are, and the queries of a dashboard side by side.
func grafana(ctx context.Context, address string, queries []string) {
	client := connect(address)
	defer client.Close()

	byName, err := client.Client.AuthenticateBasicToken(ctx, "grafana", "secret")
	check(err)
	byToken := metadata.NewOutgoingContext(ctx, metadata.Pairs("Authorization", "Bearer a-token"))
	for _, ctx := range []context.Context{byName, byToken} {
		answer, err := panel(ctx, client, "select 1")
		check(err)
		fmt.Println("health", answer)
	}

	info, err := client.GetSqlInfo(byName, []flightsql.SqlInfo{})
	check(err)
	for _, fact := range facts(byName, client, info) {
		fmt.Println("fact", fact)
	}

	info, err = client.GetTables(byName, &flightsql.GetTablesOpts{TableTypes: []string{"BASE TABLE", "table"}})
	check(err)
	for _, row := range rowsOf(byName, client, info) {
		fmt.Println("table", row)
	}
	name := "kinds"
	info, err = client.GetTables(byName, &flightsql.GetTablesOpts{TableNameFilterPattern: &name, IncludeSchema: true})
	check(err)
	fmt.Println("columns", strings.Join(columns(byName, client, info), " "))

	answers := make([]string, len(queries))
	var all sync.WaitGroup
	for index, query := range queries {
		all.Add(1)
		go func() {
			defer all.Done()
			var err error
			answers[index], err = panel(byName, client, query)
			check(err)
		}()
	}
	all.Wait()
	for _, answer := range answers {
		fmt.Println("panel", answer)
	}
}

// panel is a query's types and rows. A result of several endpoints is refused, as the data source does.
func panel(ctx context.Context, client *flightsql.Client, query string) (string, error) {
	info, err := client.Execute(ctx, query)
	if err != nil {
		return "", err
	}
	if len(info.Endpoint) != 1 {
		panic("several endpoints")
	}
	stream, err := client.Client.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		return "", err
	}
	reader, err := flight.NewRecordReader(stream)
	if err != nil {
		return "", err
	}
	defer reader.Release()
	var types []string
	for _, field := range reader.Schema().Fields() {
		types = append(types, field.Name+" "+field.Type.String())
	}
	rows, err := textsOf(reader)
	return strings.Join(append([]string{strings.Join(types, ",")}, rows...), "; "), err
}

func rowsOf(ctx context.Context, client *flightsql.Client, info *flight.FlightInfo) []string {
	reader, err := client.DoGet(ctx, info.Endpoint[0].Ticket)
	check(err)
	defer reader.Release()
	rows, err := textsOf(reader)
	check(err)
	return rows
}

func textsOf(reader *flight.Reader) ([]string, error) {
	var rows []string
	for reader.Next() {
		batch := reader.RecordBatch()
		for row := 0; row < int(batch.NumRows()); row++ {
			var cells []string
			for _, column := range batch.Columns() {
				cells = append(cells, column.ValueStr(row))
			}
			rows = append(rows, strings.Join(cells, "|"))
		}
	}
	return rows, reader.Err()
}

// facts are those of GetSqlInfo that are text or a truth, out of the union in which all of them come.
func facts(ctx context.Context, client *flightsql.Client, info *flight.FlightInfo) []string {
	reader, err := client.DoGet(ctx, info.Endpoint[0].Ticket)
	check(err)
	defer reader.Release()
	var found []string
	for reader.Next() {
		batch := reader.RecordBatch()
		numbers, values := batch.Column(0).(*array.Uint32), batch.Column(1).(*array.DenseUnion)
		for row := 0; row < int(batch.NumRows()); row++ {
			value, err := scalar.GetScalar(values, row)
			check(err)
			switch child := value.(*scalar.DenseUnion).ChildValue(); child.DataType().ID() {
			case arrow.STRING, arrow.BOOL:
				found = append(found, fmt.Sprint(numbers.Value(row), " ", child))
			}
		}
	}
	check(reader.Err())
	return found
}

// columns are those of the first table of an answer, out of the schema that comes with it.
func columns(ctx context.Context, client *flightsql.Client, info *flight.FlightInfo) []string {
	reader, err := client.DoGet(ctx, info.Endpoint[0].Ticket)
	check(err)
	defer reader.Release()
	if !reader.Next() {
		panic("no table")
	}
	batch := reader.RecordBatch()
	schema, err := flight.DeserializeSchema(batch.Column(batch.Schema().FieldIndices("table_schema")[0]).(*array.Binary).Value(0), memory.DefaultAllocator)
	check(err)
	var names []string
	for _, field := range schema.Fields() {
		names = append(names, field.Name)
	}
	return names
}
