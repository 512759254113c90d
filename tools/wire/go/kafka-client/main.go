// Creates topics, writes and reads records of a Kafka broker, for tests. Keys and values go as base64.
//
// Reads a request a line from stdin and writes an answer a line to stdout. Ends when stdin ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

type request struct {
	Op         string   `json:"op"`
	Topic      string   `json:"topic"`
	Partitions int32    `json:"partitions"`
	Group      string   `json:"group"`
	Records    []record `json:"records"`
	// Offsets to commit, by partition.
	Offsets map[int32]int64 `json:"offsets"`
}

type record struct {
	Partition   int32  `json:"partition"`
	Offset      int64  `json:"offset"`
	TimestampMs int64  `json:"timestampMs"`
	Key         []byte `json:"key"`
	Value       []byte `json:"value"`
}

type answer struct {
	Error   string   `json:"error,omitempty"`
	Records []record `json:"records,omitempty"`
	// Offsets by partition, as JSON writes a map: the next offset of the topic, or of the group in the topic.
	Offsets map[int32]int64 `json:"offsets,omitempty"`
}

const patience = 60 * time.Second

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if err := answers.Encode(do(os.Getenv("WIRE_BROKER"), line)); err != nil {
			return
		}
	}
}

func do(broker string, line []byte) answer {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return failed(err)
	}
	// A client for each request: it knows the broker as it is now, after any restart.
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return failed(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	switch req.Op {
	case "create":
		if _, err := admin.CreateTopic(ctx, req.Partitions, 1, nil, req.Topic); err != nil {
			return failed(err)
		}
		return answer{}
	case "write":
		return write(ctx, client, req)
	case "ends":
		return ends(ctx, admin, req.Topic)
	case "committed":
		return committed(ctx, admin, req)
	case "commit":
		return commit(ctx, broker, req)
	case "read":
		return read(ctx, broker, admin, req.Topic)
	}
	return failed(fmt.Errorf("expected an operation, found %q", req.Op))
}

func write(ctx context.Context, client *kgo.Client, req request) answer {
	records := make([]*kgo.Record, len(req.Records))
	for i, r := range req.Records {
		records[i] = &kgo.Record{Topic: req.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value}
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return failed(err)
	}
	written := answer{Records: make([]record, len(records))}
	for i, r := range records {
		written.Records[i] = record{Partition: r.Partition, Offset: r.Offset}
	}
	return written
}

func ends(ctx context.Context, admin *kadm.Client, topic string) answer {
	listed, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return failed(err)
	}
	offsets := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) {
		if o.Err == nil {
			offsets[o.Partition] = o.Offset
		}
	})
	return answer{Offsets: offsets}
}

func committed(ctx context.Context, admin *kadm.Client, req request) answer {
	fetched, err := admin.FetchOffsetsForTopics(ctx, req.Group, req.Topic)
	// A broker creates the topic of its groups when it is asked for one first.
	for kerr.IsRetriable(err) && ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond)
		fetched, err = admin.FetchOffsetsForTopics(ctx, req.Group, req.Topic)
	}
	if err != nil {
		return failed(err)
	}
	offsets := map[int32]int64{}
	fetched.Each(func(o kadm.OffsetResponse) {
		if o.Err == nil && o.At >= 0 {
			offsets[o.Partition] = o.At
		}
	})
	return answer{Offsets: offsets}
}

// commit sets a group back, or on; the group must have no member.
func commit(ctx context.Context, broker string, req request) answer {
	// In newer versions of the request topics have ids, which kadm does not look up.
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.MaxVersions(kversion.V3_9_0()))
	if err != nil {
		return failed(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	var offsets kadm.Offsets
	for partition, offset := range req.Offsets {
		offsets.AddOffset(req.Topic, partition, offset, -1)
	}
	err = admin.CommitAllOffsets(ctx, req.Group, offsets)
	// A member that was killed is one until its session times out.
	for (errors.Is(err, kerr.UnknownMemberID) || kerr.IsRetriable(err)) && ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond)
		err = admin.CommitAllOffsets(ctx, req.Group, offsets)
	}
	if err != nil {
		return failed(err)
	}
	return answer{}
}

// read answers all records that the topic has now; a topic that does not exist has none.
func read(ctx context.Context, broker string, admin *kadm.Client, topic string) answer {
	end := ends(ctx, admin, topic)
	if end.Error != "" {
		return end
	}
	consumer, err := kgo.NewClient(
		kgo.SeedBrokers(broker),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		return failed(err)
	}
	defer consumer.Close()
	missing := map[int32]int64{}
	for partition, offset := range end.Offsets {
		if offset > 0 {
			missing[partition] = offset
		}
	}
	found := answer{Records: []record{}}
	for len(missing) > 0 {
		fetches := consumer.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return failed(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			found.Records = append(found.Records, record{r.Partition, r.Offset, r.Timestamp.UnixMilli(), r.Key, r.Value})
			if r.Offset+1 >= missing[r.Partition] {
				delete(missing, r.Partition)
			}
		})
	}
	return found
}

func failed(err error) answer {
	return answer{Error: err.Error()}
}
