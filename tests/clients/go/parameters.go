package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// parameters runs the statement with each stream of a folder as its parameters, by a client that knows nothing of what is in it, and writes
// what came back beside it. A stream that the library cannot read or send is told with its error.
func parameters(ctx context.Context, address string, folder string, statement string) {
	client := connect(address)
	defer client.Close()
	files, err := filepath.Glob(filepath.Join(folder, "*.parameters"))
	check(err)
	for _, file := range files {
		if err := bound(ctx, client, statement, file); err != nil {
			fmt.Println(filepath.Base(file) + "\t" + oneLine(err))
		}
	}
}

func bound(ctx context.Context, client *flightsql.Client, statement string, file string) error {
	values, err := batchIn(file)
	if err != nil {
		return err
	}
	prepared, err := client.Prepare(ctx, statement)
	check(err)
	defer prepared.Close(ctx)
	prepared.SetParameters(values)
	info, err := prepared.Execute(ctx)
	if err != nil {
		return err
	}
	reader, err := client.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		return err
	}
	defer reader.Release()
	answer, err := os.Create(file + ".answer")
	check(err)
	defer answer.Close()
	writer := ipc.NewWriter(answer, ipc.WithSchema(reader.Schema()))
	for reader.Next() {
		if err := writer.Write(reader.RecordBatch()); err != nil {
			return err
		}
	}
	check(writer.Close())
	return reader.Err()
}

func batchIn(file string) (batch arrow.RecordBatch, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%v", broken)
		}
	}()
	opened, err := os.Open(file)
	check(err)
	defer opened.Close()
	reader, err := ipc.NewReader(opened)
	if err != nil {
		return nil, err
	}
	if !reader.Next() {
		return nil, reader.Err()
	}
	batch = reader.RecordBatch()
	batch.Retain()
	return batch, nil
}
