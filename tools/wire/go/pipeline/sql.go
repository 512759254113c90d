package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/Masterminds/squirrel"
	_ "github.com/lib/pq"
	_ "github.com/microsoft/go-mssqldb"
	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"
)

// The outputs sql_insert and sql_raw of Bento, its processor and its input sql_raw, with lib/pq and go-mssqldb.

func init() {
	insert := withConnection(service.NewConfigSpec().
		Field(service.NewStringField("table")).
		Field(service.NewStringListField("columns")).
		Field(service.NewBloblangField("args_mapping")).
		Field(service.NewStringField("prefix").Optional()).
		Field(service.NewStringField("suffix").Optional()))
	raw := withConnection(service.NewConfigSpec().
		Field(service.NewStringField("query")).
		Field(service.NewBoolField("unsafe_dynamic_query").Default(false)).
		Field(service.NewBloblangField("args_mapping").Optional()))
	register("sql_insert", insert, newInsert)
	register("sql_raw", raw, newRaw)
	err := service.RegisterBatchProcessor("sql_raw", raw, func(conf *service.ParsedConfig, res *service.Resources) (
		service.BatchProcessor, error,
	) {
		query, err := parseQuery(conf)
		return &sqlProcessor{sqlConnection{conf: conf, log: res.Logger()}, query}, err
	})
	if err != nil {
		panic(err)
	}
	err = service.RegisterInput("sql_raw", raw, func(conf *service.ParsedConfig, res *service.Resources) (
		service.Input, error,
	) {
		query, err := parseQuery(conf)
		if err != nil {
			return nil, err
		}
		return service.AutoRetryNacks(&sqlInput{sqlConnection: sqlConnection{conf: conf, log: res.Logger()}, query: query}), nil
	})
	if err != nil {
		panic(err)
	}
}

func withConnection(spec *service.ConfigSpec) *service.ConfigSpec {
	return spec.
		Field(service.NewStringEnumField("driver", "postgres", "mssql")).
		Field(service.NewStringField("dsn")).
		Field(service.NewStringField("init_statement").Optional()).
		Field(service.NewBoolField("init_verify_conn").Default(false)).
		Field(service.NewDurationField("conn_max_idle_time").Optional()).
		Field(service.NewDurationField("conn_max_life_time").Optional()).
		Field(service.NewIntField("conn_max_idle").Default(2)).
		Field(service.NewIntField("conn_max_open").Optional()).
		Field(service.NewIntField("max_in_flight").Default(64)).
		Field(service.NewBatchPolicyField("batching"))
}

// write is what an output does with a batch.
type write func(ctx context.Context, db *sql.DB, batch service.MessageBatch) error

func register(name string, spec *service.ConfigSpec, parse func(*service.ParsedConfig) (write, error)) {
	err := service.RegisterBatchOutput(name, spec, func(conf *service.ParsedConfig, res *service.Resources) (
		out service.BatchOutput, batching service.BatchPolicy, inFlight int, err error,
	) {
		if batching, err = conf.FieldBatchPolicy("batching"); err != nil {
			return
		}
		if inFlight, err = conf.FieldInt("max_in_flight"); err != nil {
			return
		}
		output := &sqlOutput{sqlConnection: sqlConnection{conf: conf, log: res.Logger()}}
		output.write, err = parse(conf)
		return output, batching, inFlight, err
	})
	if err != nil {
		panic(err)
	}
}

type sqlConnection struct {
	conf *service.ParsedConfig
	log  *service.Logger
	db   *sql.DB
}

type sqlOutput struct {
	sqlConnection
	write write
}

func (o *sqlConnection) Connect(ctx context.Context) error {
	dsn, err := o.conf.FieldString("dsn")
	if err != nil {
		return err
	}
	driver, err := o.conf.FieldString("driver")
	if err != nil {
		return err
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	if verify, _ := o.conf.FieldBool("init_verify_conn"); verify {
		if err := db.PingContext(ctx); err != nil {
			return err
		}
	}
	if idle, err := o.conf.FieldInt("conn_max_idle"); err == nil {
		db.SetMaxIdleConns(idle)
	}
	if open, err := o.conf.FieldInt("conn_max_open"); err == nil {
		db.SetMaxOpenConns(open)
	}
	if idle, err := o.conf.FieldDuration("conn_max_idle_time"); err == nil {
		db.SetConnMaxIdleTime(idle)
	}
	if life, err := o.conf.FieldDuration("conn_max_life_time"); err == nil {
		db.SetConnMaxLifetime(life)
	}
	// As in Bento: a statement that fails is a warning.
	if statement, err := o.conf.FieldString("init_statement"); err == nil && statement != "" {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			o.log.Warnf("init_statement: %v", err)
		}
	}
	o.db = db
	return nil
}

func (o *sqlOutput) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	if o.db == nil {
		return service.ErrNotConnected
	}
	return o.write(ctx, o.db, batch)
}

func (o *sqlConnection) Close(context.Context) error {
	if o.db == nil {
		return nil
	}
	return o.db.Close()
}

func newInsert(conf *service.ParsedConfig) (write, error) {
	table, err := conf.FieldString("table")
	if err != nil {
		return nil, err
	}
	columns, err := conf.FieldStringList("columns")
	if err != nil {
		return nil, err
	}
	mapping, err := conf.FieldBloblang("args_mapping")
	if err != nil {
		return nil, err
	}
	empty := squirrel.Insert(table).Columns(columns...).PlaceholderFormat(squirrel.Dollar)
	if prefix, err := conf.FieldString("prefix"); err == nil {
		empty = empty.Prefix(prefix)
	}
	if suffix, err := conf.FieldString("suffix"); err == nil {
		empty = empty.Suffix(suffix)
	}
	return func(ctx context.Context, db *sql.DB, batch service.MessageBatch) error {
		insert := empty
		executor := batch.BloblangExecutor(mapping)
		for i := range batch {
			args, err := arguments(executor, i)
			if err != nil {
				return err
			}
			insert = insert.Values(args...)
		}
		_, err := insert.RunWith(db).ExecContext(ctx)
		return err
	}, nil
}

// query gives the statement and the arguments for a message of a batch.
type query func(batch service.MessageBatch, i int) (string, []any, error)

func parseQuery(conf *service.ParsedConfig) (query, error) {
	static, err := conf.FieldString("query")
	if err != nil {
		return nil, err
	}
	isDynamic, err := conf.FieldBool("unsafe_dynamic_query")
	if err != nil {
		return nil, err
	}
	var dynamic *service.InterpolatedString
	if isDynamic {
		if dynamic, err = conf.FieldInterpolatedString("query"); err != nil {
			return nil, err
		}
	}
	var mapping *bloblang.Executor
	if conf.Contains("args_mapping") {
		if mapping, err = conf.FieldBloblang("args_mapping"); err != nil {
			return nil, err
		}
	}
	return func(batch service.MessageBatch, i int) (text string, args []any, err error) {
		text = static
		if isDynamic {
			if text, err = batch.TryInterpolatedString(i, dynamic); err != nil {
				return
			}
		}
		if mapping != nil {
			args, err = arguments(batch.BloblangExecutor(mapping), i)
		}
		return
	}, nil
}

func newRaw(conf *service.ParsedConfig) (write, error) {
	query, err := parseQuery(conf)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, db *sql.DB, batch service.MessageBatch) error {
		for i := range batch {
			text, args, err := query(batch, i)
			if err != nil {
				return err
			}
			if _, err := db.ExecContext(ctx, text, args...); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// sqlInput gives a message for each row of a query, and ends.
type sqlInput struct {
	sqlConnection
	query query
	rows  *sql.Rows
}

func (in *sqlInput) Connect(ctx context.Context) error {
	if err := in.sqlConnection.Connect(ctx); err != nil {
		return err
	}
	text, args, err := in.query(service.MessageBatch{service.NewMessage(nil)}, 0)
	if err != nil {
		return err
	}
	in.rows, err = in.db.QueryContext(context.Background(), text, args...)
	return err
}

func (in *sqlInput) Read(context.Context) (*service.Message, service.AckFunc, error) {
	if in.rows == nil {
		return nil, nil, service.ErrNotConnected
	}
	if !in.rows.Next() {
		if err := in.rows.Err(); err != nil {
			return nil, nil, err
		}
		return nil, nil, service.ErrEndOfInput
	}
	row, err := scan(in.rows)
	if err != nil {
		return nil, nil, err
	}
	message := service.NewMessage(nil)
	message.SetStructuredMut(row)
	return message, func(context.Context, error) error { return nil }, nil
}

// sqlProcessor puts the rows of a query in place of each message.
type sqlProcessor struct {
	sqlConnection
	query query
}

func (p *sqlProcessor) ProcessBatch(ctx context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	if p.db == nil {
		if err := p.Connect(ctx); err != nil {
			return nil, err
		}
	}
	out := batch.Copy()
	for i, message := range out {
		rows, err := p.read(ctx, batch, i)
		if err != nil {
			message.SetError(err)
			continue
		}
		message.SetStructuredMut(rows)
	}
	return []service.MessageBatch{out}, nil
}

// read gives the rows of the query for a message.
func (p *sqlProcessor) read(ctx context.Context, batch service.MessageBatch, i int) ([]any, error) {
	text, args, err := p.query(batch, i)
	if err != nil {
		return nil, err
	}
	rows, err := p.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []any{}
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// scan gives a row as Bento has it: bytes are text, all else is as the driver has it.
func scan(rows *sql.Rows) (map[string]any, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]any, len(columns))
	targets := make([]any, len(columns))
	for n := range values {
		targets[n] = &values[n]
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, err
	}
	row := map[string]any{}
	for n, name := range columns {
		if bytes, ok := values[n].([]byte); ok {
			row[name] = string(bytes)
		} else {
			row[name] = values[n]
		}
	}
	return row, nil
}

// arguments are the values of args_mapping as Bloblang has them: no conversion of ours comes before the driver's.
func arguments(executor *service.MessageBatchBloblangExecutor, i int) ([]any, error) {
	mapped, err := executor.Query(i)
	if err != nil {
		return nil, err
	}
	structured, err := mapped.AsStructured()
	if err != nil {
		return nil, err
	}
	args, ok := structured.([]any)
	if !ok {
		return nil, fmt.Errorf("args_mapping: expected an array, found %T", structured)
	}
	return args, nil
}
