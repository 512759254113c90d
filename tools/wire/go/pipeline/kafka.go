package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The input kafka_franz of Bento: at least once, what is committed is what the output has taken, in order.
//
// With WIRE_RECORDS, a file with a record of JSON a line, the same configuration runs without a broker: the input reads
// that file and ends.

func init() {
	spec := service.NewConfigSpec().
		Field(service.NewStringListField("seed_brokers")).
		Field(service.NewStringListField("topics")).
		Field(service.NewBoolField("regexp_topics").Default(false)).
		Field(service.NewStringField("consumer_group").Optional()).
		Field(service.NewDurationField("session_timeout").Default("1m")).
		Field(service.NewDurationField("rebalance_timeout").Default("45s")).
		Field(service.NewDurationField("heartbeat_interval").Default("3s")).
		Field(service.NewStringField("client_id").Default("bento")).
		Field(service.NewIntField("checkpoint_limit").Default(1024)).
		Field(service.NewDurationField("commit_period").Default("5s")).
		Field(service.NewBoolField("start_from_oldest").Default(true)).
		Field(service.NewDurationField("metadata_max_age").Default("5m")).
		Field(service.NewDurationField("fetch_max_wait").Default("5s")).
		Field(service.NewTLSToggledField("tls")).
		Field(service.NewAutoRetryNacksToggleField()).
		Field(service.NewBatchPolicyField("batching"))
	err := service.RegisterBatchInput("kafka_franz", spec, newKafkaInput)
	if err != nil {
		panic(err)
	}
}

func newKafkaInput(conf *service.ParsedConfig, res *service.Resources) (service.BatchInput, error) {
	batching, err := conf.FieldBatchPolicy("batching")
	if err != nil {
		return nil, err
	}
	limit, err := conf.FieldInt("checkpoint_limit")
	if err != nil {
		return nil, err
	}
	input := &kafkaInput{
		res: res, batching: batching, limit: limit,
		partitions: map[partition]*inFlight{}, acked: make(chan struct{}, 1),
	}
	if file := os.Getenv("WIRE_RECORDS"); file != "" {
		input.connect = func() (source, error) { return openRecords(file) }
	} else {
		options, err := clientOptions(conf)
		if err != nil {
			return nil, err
		}
		input.connect = func() (source, error) {
			client, err := kgo.NewClient(options...)
			return &broker{client, res.Logger()}, err
		}
	}
	return service.AutoRetryNacksBatchedToggled(conf, input)
}

func clientOptions(conf *service.ParsedConfig) ([]kgo.Opt, error) {
	brokers, err := conf.FieldStringList("seed_brokers")
	if err != nil {
		return nil, err
	}
	topics, err := conf.FieldStringList("topics")
	if err != nil {
		return nil, err
	}
	clientID, err := conf.FieldString("client_id")
	if err != nil {
		return nil, err
	}
	age, err := conf.FieldDuration("metadata_max_age")
	if err != nil {
		return nil, err
	}
	wait, err := conf.FieldDuration("fetch_max_wait")
	if err != nil {
		return nil, err
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(splitAll(brokers)...),
		kgo.ConsumeTopics(splitAll(topics)...),
		kgo.ClientID(clientID),
		kgo.MetadataMaxAge(age),
		kgo.FetchMaxWait(wait),
	}
	oldest, err := conf.FieldBool("start_from_oldest")
	if err != nil {
		return nil, err
	}
	start := kgo.NewOffset().AtEnd()
	if oldest {
		start = kgo.NewOffset().AtStart()
	}
	options = append(options, kgo.ConsumeResetOffset(start))
	if regexp, err := conf.FieldBool("regexp_topics"); err != nil {
		return nil, err
	} else if regexp {
		options = append(options, kgo.ConsumeRegex())
	}
	if tlsConfig, enabled, err := conf.FieldTLSToggled("tls"); err != nil {
		return nil, err
	} else if enabled {
		options = append(options, kgo.DialTLSConfig(tlsConfig))
	}
	if group, err := conf.FieldString("consumer_group"); err == nil && group != "" {
		period, err := conf.FieldDuration("commit_period")
		if err != nil {
			return nil, err
		}
		session, err := conf.FieldDuration("session_timeout")
		if err != nil {
			return nil, err
		}
		rebalance, err := conf.FieldDuration("rebalance_timeout")
		if err != nil {
			return nil, err
		}
		heartbeat, err := conf.FieldDuration("heartbeat_interval")
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.ConsumerGroup(group), kgo.AutoCommitMarks(), kgo.AutoCommitInterval(period),
			kgo.SessionTimeout(session), kgo.RebalanceTimeout(rebalance), kgo.HeartbeatInterval(heartbeat))
	}
	return options, nil
}

// Lists may be given with commas.
func splitAll(texts []string) []string {
	var parts []string
	for _, text := range texts {
		parts = append(parts, strings.Split(text, ",")...)
	}
	return parts
}

// source is where records come from. An empty poll means none for now.
type source interface {
	poll(ctx context.Context) ([]*kgo.Record, error)
	// commit says that all records of the partition up to this one are taken.
	commit(*kgo.Record)
	close()
}

type broker struct {
	client *kgo.Client
	log    *service.Logger
}

func (b *broker) poll(ctx context.Context) ([]*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	fetches := b.client.PollFetches(ctx)
	if fetches.IsClientClosed() {
		return nil, service.ErrNotConnected
	}
	fetches.EachError(func(topic string, partition int32, err error) {
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			b.log.Errorf("kafka: topic %v, partition %v: %v", topic, partition, err)
		}
	})
	return fetches.Records(), nil
}

func (b *broker) commit(r *kgo.Record) { b.client.MarkCommitRecords(r) }

func (b *broker) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = b.client.CommitMarkedOffsets(ctx)
	b.client.Close()
}

// records are those of a file, all at once.
type records struct{ all []*kgo.Record }

func openRecords(name string) (source, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<26)
	var all []*kgo.Record
	for lines.Scan() {
		var line struct {
			Topic       string `json:"topic"`
			Partition   int32  `json:"partition"`
			Offset      int64  `json:"offset"`
			TimestampMs int64  `json:"timestampMs"`
			Key         []byte `json:"key"`
			Value       []byte `json:"value"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, err
		}
		all = append(all, &kgo.Record{
			Topic: line.Topic, Partition: line.Partition, Offset: line.Offset,
			Timestamp: time.UnixMilli(line.TimestampMs), Key: line.Key, Value: line.Value,
		})
	}
	return &records{all}, lines.Err()
}

func (r *records) poll(context.Context) ([]*kgo.Record, error) {
	if len(r.all) == 0 {
		return nil, service.ErrEndOfInput
	}
	all := r.all
	r.all = nil
	return all, nil
}

func (r *records) commit(*kgo.Record) {}
func (r *records) close()             {}

type partition struct {
	topic string
	id    int32
}

type batchOf struct {
	messages service.MessageBatch
	last     *kgo.Record
	isTaken  bool
}

// inFlight are the batches of a partition that were handed out, in order, from the first that is not taken.
type inFlight struct{ batches []*batchOf }

type kafkaInput struct {
	res      *service.Resources
	connect  func() (source, error)
	batching service.BatchPolicy
	limit    int

	source source
	ready  []*batchOf

	lock       sync.Mutex
	partitions map[partition]*inFlight
	pending    int
	acked      chan struct{}
}

func (k *kafkaInput) Connect(context.Context) (err error) {
	if k.source == nil {
		k.source, err = k.connect()
	}
	return err
}

func (k *kafkaInput) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	if k.source == nil {
		return nil, nil, service.ErrNotConnected
	}
	for len(k.ready) == 0 {
		polled, err := k.source.poll(ctx)
		if err != nil {
			return nil, nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if k.ready, err = k.split(ctx, polled); err != nil {
			return nil, nil, err
		}
	}
	batch := k.ready[0]
	if err := k.waitForRoom(ctx, len(batch.messages)); err != nil {
		return nil, nil, err
	}
	k.ready = k.ready[1:]
	key := partition{batch.last.Topic, batch.last.Partition}
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.partitions[key] == nil {
		k.partitions[key] = &inFlight{}
	}
	k.partitions[key].batches = append(k.partitions[key].batches, batch)
	k.pending += len(batch.messages)
	return batch.messages, func(_ context.Context, err error) error {
		if err == nil {
			k.take(key, batch)
		}
		return nil
	}, nil
}

func (k *kafkaInput) Close(context.Context) error {
	if k.source != nil {
		k.source.close()
	}
	return nil
}

// split makes batches of records as the policy says; it never waits for more records.
func (k *kafkaInput) split(ctx context.Context, polled []*kgo.Record) ([]*batchOf, error) {
	byPartition := map[partition][]*kgo.Record{}
	for _, r := range polled {
		key := partition{r.Topic, r.Partition}
		byPartition[key] = append(byPartition[key], r)
	}
	var batches []*batchOf
	for _, ordered := range byPartition {
		if k.batching.IsNoop() {
			for _, r := range ordered {
				batches = append(batches, &batchOf{messages: service.MessageBatch{message(r)}, last: r})
			}
			continue
		}
		batcher, err := k.batching.NewBatcher(k.res)
		if err != nil {
			return nil, err
		}
		for i, r := range ordered {
			if !batcher.Add(message(r)) && i < len(ordered)-1 {
				continue
			}
			messages, err := batcher.Flush(ctx)
			if err != nil {
				return nil, err
			}
			batches = append(batches, &batchOf{messages: messages, last: r})
		}
		if err := batcher.Close(ctx); err != nil {
			return nil, err
		}
	}
	return batches, nil
}

// message has the metadata of Bento's input.
func message(r *kgo.Record) *service.Message {
	m := service.NewMessage(r.Value)
	m.MetaSetMut("kafka_key", string(r.Key))
	m.MetaSetMut("kafka_topic", r.Topic)
	m.MetaSetMut("kafka_partition", int(r.Partition))
	m.MetaSetMut("kafka_offset", int(r.Offset))
	m.MetaSetMut("kafka_timestamp_unix", r.Timestamp.Unix())
	m.MetaSetMut("kafka_tombstone_message", r.Value == nil)
	for _, header := range r.Headers {
		m.MetaSetMut(header.Key, string(header.Value))
	}
	return m
}

func (k *kafkaInput) waitForRoom(ctx context.Context, messages int) error {
	for {
		k.lock.Lock()
		hasRoom := k.pending == 0 || k.pending+messages <= k.limit
		k.lock.Unlock()
		if hasRoom {
			return nil
		}
		select {
		case <-k.acked:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take commits up to the last batch before which all are taken.
func (k *kafkaInput) take(key partition, batch *batchOf) {
	k.lock.Lock()
	defer k.lock.Unlock()
	batch.isTaken = true
	k.pending -= len(batch.messages)
	flight := k.partitions[key]
	for len(flight.batches) > 0 && flight.batches[0].isTaken {
		k.source.commit(flight.batches[0].last)
		flight.batches = flight.batches[1:]
	}
	select {
	case k.acked <- struct{}{}:
	default:
	}
}
