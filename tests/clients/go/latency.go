package main

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"
)

const warmUp = 10

// latency prints how many milliseconds each of so many small statements takes to be asked and read, by Flight SQL or by database/sql.
func latency(ctx context.Context, address string, by string, times string) {
	client := connect(address)
	defer client.Close()
	database, err := sql.Open("flightsql", "flightsql://"+address)
	check(err)
	defer database.Close()
	ask := func() {
		var number int64
		check(database.QueryRowContext(ctx, "SELECT 1").Scan(&number))
	}
	if by == "Flight SQL" {
		ask = func() {
			info, err := client.Execute(ctx, "SELECT 1")
			check(err)
			rowsOf(ctx, client, info)
		}
	}
	count, err := strconv.Atoi(times)
	check(err)
	for number := range count + warmUp {
		start := time.Now()
		ask()
		if number >= warmUp {
			fmt.Println(time.Since(start).Seconds() * 1000)
		}
	}
}
