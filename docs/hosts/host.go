// A host in Go: members of a connector, through the command `smp-harness`.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
	"unicode/utf8"
)

// How long a run that is left early may take to stop. The command takes about 5 s at most.
const patience = 10 * time.Second

// What is read of standard error, from its end, in bytes. The last line is far shorter.
const tail = 1 << 20

// Failed is a run that gave no complete list. Line is the line with the error, as JSON.
type Failed struct {
	Code      string
	Message   string
	Hint      string
	Retryable bool
	Line      string
}

func (failed Failed) Error() string { return failed.Code + ": " + failed.Message }

// Members hands over each member, until that gives an error or the context ends. They count only
// if it returns nil. env has variables of the command alone, as NAME=value: the secret for
// `--secret KEY=env:NAME`.
func Members(
	ctx context.Context, env []string, each func(json.RawMessage) error, connectorAndSource ...string,
) error {
	name := os.Getenv("SMP_HARNESS")
	if name == "" {
		name = "smp-harness"
	}
	said, err := os.CreateTemp("", "smp-harness-*.err")
	if err != nil {
		return err
	}
	defer os.Remove(said.Name())
	defer said.Close()
	arguments := append([]string{"collect"}, connectorAndSource...)
	// An option is given once, so a source that sends the list elsewhere is refused.
	arguments = append(arguments, "--format", "ndjson", "--output", "-", "--json")
	run := exec.Command(name, arguments...)
	run.Env = append(os.Environ(), env...)
	run.Stderr = said
	output, err := run.StdoutPipe()
	if err != nil {
		return err
	}
	if err := run.Start(); err != nil {
		return other(fmt.Sprintf("`%s` cannot be started: %v", name, err))
	}
	ctx, leave := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		<-ctx.Done()
		_ = run.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = run.Process.Kill()
		}
	}()
	defer func() {
		leave()
		_ = output.Close()
		_ = run.Wait()
		close(ended)
	}()
	rest, err := read(output, each)
	if err != nil {
		return err
	}
	waited := run.Wait()
	if failed, is := lastError(said); is {
		return failed
	}
	if waited != nil {
		return other(fmt.Sprintf("the command ended with %v, and did not say why", waited))
	}
	if len(rest) > 0 {
		return other("the command's last line is not whole")
	}
	return nil
}

// read hands over each line, and returns what is behind the last one.
func read(output io.Reader, each func(json.RawMessage) error) ([]byte, error) {
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return line, nil
		} else if err != nil {
			return nil, other(fmt.Sprintf("the command's output cannot be read: %v", err))
		}
		line = line[:len(line)-1]
		if !utf8.Valid(line) || !bytes.HasPrefix(line, []byte("{")) || !json.Valid(line) {
			return nil, other("the command wrote a line that is no member")
		}
		if err := each(line); err != nil {
			return nil, err
		}
	}
}

// other is what the command could not say itself.
func other(message string) Failed {
	line, _ := json.Marshal(map[string]any{"error": map[string]any{
		"code": "other", "message": message, "hint": nil, "retryable": false,
		"setting": nil, "vendor_code": nil, "retry_after_s": nil,
	}})
	return Failed{Code: "other", Message: message, Line: string(line)}
}

// lastError is the error in the last line of standard error, if there is one.
func lastError(said *os.File) (failed Failed, is bool) {
	start, _ := said.Seek(0, io.SeekEnd)
	if start -= tail; start < 0 {
		start = 0
	}
	text, _ := io.ReadAll(io.NewSectionReader(said, start, tail))
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	line := lines[len(lines)-1]
	var told struct {
		Error *struct {
			Code, Message *string
			Hint          string
			Retryable     bool
		}
	}
	if json.Unmarshal(line, &told) != nil || told.Error == nil ||
		told.Error.Code == nil || told.Error.Message == nil {
		return failed, false
	}
	error := told.Error
	return Failed{*error.Code, *error.Message, error.Hint, error.Retryable, string(line)}, true
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: host CONNECTOR.wasm SOURCE...")
		os.Exit(2)
	}
	each := func(member json.RawMessage) error {
		_, err := fmt.Println(string(member))
		return err
	}
	err := Members(context.Background(), nil, each, os.Args[1:]...)
	if failed, is := err.(Failed); is {
		fmt.Fprintln(os.Stderr, failed.Line)
		os.Exit(1)
	} else if err != nil {
		fmt.Fprintln(os.Stderr, other(err.Error()).Line)
		os.Exit(1)
	}
}
