package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
)

// largeByFlightSQL prints of each statement its rows, the sum of its first column and the bytes of its last, read with the client's defaults
// but for the options.
func largeByFlightSQL(ctx context.Context, address string, statements []string, options ...grpc.CallOption) {
	client := connect(address, options...)
	defer client.Close()
	for _, statement := range statements {
		info, err := client.Execute(ctx, statement)
		check(err)
		reader, err := client.DoGet(ctx, info.Endpoint[0].Ticket)
		if err != nil {
			fmt.Println("error", oneLine(err))
			continue
		}
		summary(reader)
		reader.Release()
	}
}

func summary(reader *flight.Reader) {
	var rows, sum, length int64
	for reader.Next() {
		batch := reader.RecordBatch()
		rows += batch.NumRows()
		for _, number := range batch.Column(0).(*array.Int64).Int64Values() {
			sum += number
		}
		texts := batch.Column(int(batch.NumCols()) - 1).(*array.String)
		for row := 0; row < texts.Len(); row++ {
			length += int64(len(texts.Value(row)))
		}
	}
	if err := reader.Err(); err != nil {
		fmt.Println("error", oneLine(err))
		return
	}
	fmt.Println(rows, sum, length)
}

// largeByDatabaseSQL does the same by database/sql.
func largeByDatabaseSQL(ctx context.Context, address string, statements []string) {
	database, err := sql.Open("flightsql", "flightsql://"+address+"?timeout=60s")
	check(err)
	defer database.Close()
	for _, statement := range statements {
		if err := summaryOfRows(ctx, database, statement); err != nil {
			fmt.Println("error", oneLine(err))
		}
	}
}

func summaryOfRows(ctx context.Context, database *sql.DB, statement string) error {
	found, err := database.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer found.Close()
	columns, err := found.Columns()
	check(err)
	values := make([]any, len(columns))
	places := make([]any, len(columns))
	for column := range values {
		places[column] = &values[column]
	}
	var rows, sum, length int64
	for found.Next() {
		check(found.Scan(places...))
		rows++
		sum += values[0].(int64)
		length += int64(len(values[len(values)-1].(string)))
	}
	if err := found.Err(); err != nil {
		return err
	}
	fmt.Println(rows, sum, length)
	return nil
}
