// What a Go program does with a server, by Flight SQL and by database/sql; test_go.py reads what it prints.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	_ "github.com/apache/arrow-go/v18/arrow/flight/flightsql/driver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func oneLine(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", " / ")
}

func connect(address string, options ...grpc.CallOption) *flightsql.Client {
	credentials := grpc.WithTransportCredentials(insecure.NewCredentials())
	middleware := []flight.ClientMiddleware{flight.NewClientCookieMiddleware()}
	client, err := flightsql.NewClient(address, nil, middleware, credentials, grpc.WithDefaultCallOptions(options...))
	check(err)
	return client
}

func byFlightSQL(ctx context.Context, address string) {
	client := connect(address)
	defer client.Close()

	info, err := client.Execute(ctx, "SELECT i, s FROM big")
	check(err)
	var rows, sum int64
	for _, endpoint := range info.Endpoint {
		reader, err := client.DoGet(ctx, endpoint.Ticket)
		check(err)
		for reader.Next() {
			batch := reader.RecordBatch()
			rows += batch.NumRows()
			for row := 0; row < int(batch.NumRows()); row++ {
				var number int64
				_, err := fmt.Sscan(batch.Column(0).ValueStr(row), &number)
				check(err)
				sum += number
			}
		}
		check(reader.Err())
		reader.Release()
	}
	fmt.Println("rows", rows, sum)

	info, err = client.GetTables(ctx, &flightsql.GetTablesOpts{})
	check(err)
	reader, err := client.DoGet(ctx, info.Endpoint[0].Ticket)
	check(err)
	for reader.Next() {
		names := reader.RecordBatch().Column(2)
		for row := 0; row < names.Len(); row++ {
			fmt.Println("table", names.ValueStr(row))
		}
	}
	reader.Release()

	_, err = client.Execute(ctx, "SELECT * FROM nowhere")
	fmt.Println("error", oneLine(err))
}

func byDatabaseSQL(ctx context.Context, address string) {
	database, err := sql.Open("flightsql", "flightsql://"+address+"?timeout=30s")
	check(err)
	defer database.Close()
	var count int64
	var last string
	check(database.QueryRowContext(ctx, "SELECT count(*), max(s) FROM big WHERE i < ? AND s <> ?", int64(10), "row 9").Scan(&count, &last))
	fmt.Println("database/sql", count, last)
	transaction, err := database.BeginTx(ctx, nil)
	check(err)
	check(transaction.QueryRowContext(ctx, "SELECT count(*) FROM big").Scan(&count))
	check(transaction.Commit())
	fmt.Println("database/sql transaction", count)
	tables, err := database.QueryContext(ctx, "SHOW TABLES")
	check(err)
	for tables.Next() {
		var name string
		check(tables.Scan(&name))
		fmt.Println("database/sql table", name)
	}
	check(tables.Err())
	fmt.Println("database/sql error", oneLine(database.QueryRowContext(ctx, "SELECT CAST('x' AS INTEGER)").Scan(&count)))
}

func main() {
	ctx := context.Background()
	address, task, arguments := os.Args[1], os.Args[2], os.Args[3:]
	switch task {
	case "all":
		byFlightSQL(ctx, address)
		byDatabaseSQL(ctx, address)
	case "large":
		largeByFlightSQL(ctx, address, arguments)
	case "large with a limit of 64 MiB":
		largeByFlightSQL(ctx, address, arguments, grpc.MaxCallRecvMsgSize(64<<20))
	case "large database/sql":
		largeByDatabaseSQL(ctx, address, arguments)
	case "values":
		valuesByFlightSQL(ctx, address, arguments)
	case "values database/sql":
		valuesByDatabaseSQL(ctx, address, arguments)
	case "parameters":
		parameters(ctx, address, arguments[0], arguments[1])
	case "grafana":
		grafana(ctx, address, arguments)
	case "endless":
		endless(ctx, address, arguments[0])
	case "latency":
		latency(ctx, address, arguments[0], arguments[1])
	case "session":
		session(ctx, address, arguments[0], arguments[1])
	}
	fmt.Println("end")
}
