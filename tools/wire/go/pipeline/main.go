// Runs a configuration of Bento or Redpanda Connect by the engine that both are made of, with the Bloblang of theirs.
//
// The engine comes without the components that talk to Kafka and to databases. Ours, in the other files, take the fields
// that Bento's do, those that we do not need excepted; a field that is missing here is a lint error.
//
// Ends in order when stdin ends, and at the end of its input.
package main

import (
	"context"
	"io"
	"os"
	"syscall"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure/extended"
	"github.com/redpanda-data/benthos/v4/public/service"
)

func main() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}()
	service.RunCLI(context.Background())
}
