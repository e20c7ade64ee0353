package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// endless gives a statement up that would run for an hour: by a deadline, and by cancelling, of both clients.
func endless(ctx context.Context, address string, statement string) {
	client, err := flightsql.NewClient(address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	defer client.Close()
	database, err := sql.Open("flightsql", "flightsql://"+address+"?timeout=60s")
	check(err)
	defer database.Close()
	byFlight := func(ctx context.Context) error {
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
	byDatabase := func(ctx context.Context) error {
		var count int64
		return database.QueryRowContext(ctx, statement).Scan(&count)
	}
	for _, run := range []func(context.Context) error{byFlight, byDatabase} {
		limited, stop := context.WithTimeout(ctx, time.Second)
		fmt.Println(oneLine(run(limited)))
		stop()
		cancelled, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		fmt.Println(oneLine(run(cancelled)))
	}
}
