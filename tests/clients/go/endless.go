package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
)

// endless gives a statement up that would run for an hour: by a deadline, and by cancelling, of Flight SQL, of database/sql, and as Grafana's
// data source asks.
func endless(ctx context.Context, address string, statement string) {
	client := connect(address)
	defer client.Close()
	database, err := sql.Open("flightsql", "flightsql://"+address+"?timeout=60s")
	check(err)
	defer database.Close()
	byDatabase := func(ctx context.Context) error {
		var count int64
		return database.QueryRowContext(ctx, statement).Scan(&count)
	}
	byGrafana := func(ctx context.Context) error {
		_, err := panel(ctx, client, statement)
		return err
	}
	for _, run := range []func(context.Context) error{
		func(ctx context.Context) error { return read(ctx, client, statement) }, byDatabase, byGrafana,
	} {
		limited, stop := context.WithTimeout(ctx, time.Second)
		fmt.Println(oneLine(run(limited)))
		stop()
		cancelled, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		fmt.Println(oneLine(run(cancelled)))
	}
}

// session has the server end the statement, by an option that holds for all of the client's statements, and asks a short one after it.
func session(ctx context.Context, address string, endless string, short string) {
	client := connect(address)
	defer client.Close()
	_, err := client.GetSessionOptions(ctx, &flight.GetSessionOptionsRequest{})
	check(err)
	options, err := flight.NewSessionOptionValues(map[string]any{"statement_timeout": "1s"})
	check(err)
	refused, err := client.SetSessionOptions(ctx, &flight.SetSessionOptionsRequest{SessionOptions: options})
	check(err)
	fmt.Println("refused", len(refused.Errors))
	fmt.Println(oneLine(read(ctx, client, endless)))
	check(read(ctx, client, short))
}

func read(ctx context.Context, client *flightsql.Client, statement string) error {
	info, err := client.Execute(ctx, statement)
	if err != nil {
		return err
	}
	reader, err := client.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		return err
	}
	defer reader.Release()
	reader.Next()
	return reader.Err()
}
