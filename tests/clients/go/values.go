package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// valuesByFlightSQL prints each statement's rows as Arrow's arrays write them.
func valuesByFlightSQL(ctx context.Context, address string, statements []string) {
	client := connect(address)
	defer client.Close()
	for _, statement := range statements {
		info, err := client.Execute(ctx, statement)
		check(err)
		for _, row := range rowsOf(ctx, client, info) {
			fmt.Println(row)
		}
	}
}

// valuesByDatabaseSQL prints the one value of each statement with its Go type, then values that went to the server and back.
func valuesByDatabaseSQL(ctx context.Context, address string, statements []string) {
	database, err := sql.Open("flightsql", "flightsql://"+address+"?timeout=30s")
	check(err)
	defer database.Close()
	printed := func(row *sql.Row) {
		var value any
		if err := row.Scan(&value); err != nil {
			fmt.Println("error", oneLine(err))
			return
		}
		fmt.Printf("%T %v\n", value, value)
	}
	for _, statement := range statements {
		printed(database.QueryRowContext(ctx, statement))
	}
	fmt.Println("parameters")
	moment := time.Date(2024, 2, 29, 12, 30, 0, 123456000, time.UTC)
	for _, sent := range []struct {
		typed string
		value any
	}{
		{"?::BIGINT", int64(1 << 40)}, {"?::DOUBLE", 1.5}, {"?::BOOLEAN", true}, {"?", "grüß"}, {"?::BLOB", []byte{0, 255}}, {"?::TIMESTAMP", moment},
		{"?::BIGINT", nil},
	} {
		printed(database.QueryRowContext(ctx, "SELECT "+sent.typed, sent.value))
	}
	printed(database.QueryRowContext(ctx, "SELECT count(*) FROM kinds WHERE i64 = ? AND text = ? AND f64 = ? AND yes = ?", int64(3), "grüß", 2.5, true))
}
