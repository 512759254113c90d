// Inserts rows with lib/pq as Bento's sql_insert does: squirrel builds one INSERT of all rows, every value is a parameter.
//
// Reads a request a line from stdin and writes an answer a line to stdout. Ends when stdin ends.
package main

import (
	"bufio"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/Masterminds/squirrel"
	"github.com/lib/pq"
)

type request struct {
	Table   string    `json:"table"`
	Columns []string  `json:"columns"`
	Rows    [][]value `json:"rows"`
}

// value is one parameter: its text, and the Go type that Bloblang would have handed to the driver.
type value struct {
	Bind string `json:"bind"`
	Text string `json:"value"`
}

type answer struct {
	OK       bool   `json:"ok"`
	Rows     int64  `json:"rows,omitempty"`
	SQLState string `json:"sqlstate,omitempty"`
	Message  string `json:"message,omitempty"`
}

func main() {
	db, err := sql.Open("postgres", os.Getenv("WIRE_DSN"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if err := answers.Encode(insert(db, line)); err != nil {
			return
		}
	}
}

func insert(db *sql.DB, line []byte) answer {
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return refused(err)
	}
	builder := squirrel.Insert(req.Table).Columns(req.Columns...).PlaceholderFormat(squirrel.Dollar)
	for _, row := range req.Rows {
		args := make([]any, len(row))
		for i, v := range row {
			arg, err := v.argument()
			if err != nil {
				return refused(err)
			}
			args[i] = arg
		}
		builder = builder.Values(args...)
	}
	result, err := builder.RunWith(db).Exec()
	if err != nil {
		return refused(err)
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return refused(err)
	}
	return answer{OK: true, Rows: rows}
}

func (v value) argument() (any, error) {
	switch v.Bind {
	case "null":
		return nil, nil
	case "string":
		return v.Text, nil
	case "number":
		return json.Number(v.Text), nil
	case "float64":
		return strconv.ParseFloat(v.Text, 64)
	case "int64":
		return strconv.ParseInt(v.Text, 10, 64)
	case "bool":
		return strconv.ParseBool(v.Text)
	case "bytes":
		return base64.StdEncoding.DecodeString(v.Text)
	case "time":
		return time.Parse(time.RFC3339Nano, v.Text)
	case "structured":
		var structured any
		err := json.Unmarshal([]byte(v.Text), &structured)
		return structured, err
	}
	return nil, fmt.Errorf("expected a kind of bind, found %q", v.Bind)
}

func refused(err error) answer {
	var server *pq.Error
	if errors.As(err, &server) {
		return answer{SQLState: string(server.Code), Message: server.Message}
	}
	return answer{Message: err.Error()}
}
