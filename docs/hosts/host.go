// A host in Go: members of a connector, through the command `smp-harness`.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Failed is a run that gave no complete list. Line is the line with the error, as JSON.
type Failed struct{ Line string }

func (failed Failed) Error() string { return failed.Line }

// Members hands over each member. They count only if it returns nil.
func Members(each func(json.RawMessage), connectorAndSource ...string) error {
	name := os.Getenv("SMP_HARNESS")
	if name == "" {
		name = "smp-harness"
	}
	arguments := append([]string{"collect"}, connectorAndSource...)
	run := exec.Command(name, append(arguments, "--format", "ndjson", "--json")...)
	var said bytes.Buffer
	run.Stderr = &said
	output, err := run.StdoutPipe()
	if err != nil {
		return err
	}
	if err := run.Start(); err != nil {
		return err
	}
	decoder := json.NewDecoder(bufio.NewReader(output))
	for {
		var member json.RawMessage
		if err := decoder.Decode(&member); err == io.EOF {
			break
		} else if err != nil {
			_, _ = io.Copy(io.Discard, output)
			_ = run.Wait()
			return err
		}
		each(member)
	}
	if run.Wait() != nil {
		lines := bytes.Split(bytes.TrimSpace(said.Bytes()), []byte("\n"))
		return Failed{string(lines[len(lines)-1])}
	}
	return nil
}

func main() {
	err := Members(func(member json.RawMessage) { fmt.Println(string(member)) }, os.Args[1:]...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
