package examples_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A kernel is a running gophernotes, spoken to as Jupyter does: requests go to its
// shell socket, what cells put out comes from its iopub socket.
type kernel struct {
	shell     *socket
	published chan message
	requests  int
}

// A message of Jupyter's protocol
// (jupyter-client.readthedocs.io/en/stable/messaging.html).
type message struct {
	header, parent messageHeader
	content        json.RawMessage
}

type messageHeader struct {
	ID      string `json:"msg_id"`
	Type    string `json:"msg_type"`
	Session string `json:"session"`
	User    string `json:"username"`
	Date    string `json:"date"`
	Version string `json:"version"`
}

// The sockets of a kernel by number, which in a Unix socket's path stands for the port.
const (
	shellPort = iota + 1
	iopubPort
	stdinPort
	controlPort
	heartbeatPort

	// Importing packages builds a plugin of them, on a machine that may be busy.
	kernelTimeout = 5 * time.Minute
)

// startKernel starts gophernotes in a folder, until the end of the test. It skips the
// test where there is none.
func startKernel(t *testing.T, dir string) *kernel {
	t.Helper()
	program, err := exec.LookPath("gophernotes")
	if err != nil {
		t.Skip("gophernotes is not on PATH; see notebooks/README.md")
	}
	sockets, err := os.MkdirTemp("", "kernel") // t.TempDir may be too long for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })
	address := filepath.Join(sockets, "k")
	connection, err := json.Marshal(map[string]any{
		"transport": "ipc", "ip": address, "key": "", "signature_scheme": "hmac-sha256",
		"shell_port": shellPort, "iopub_port": iopubPort, "stdin_port": stdinPort,
		"control_port": controlPort, "hb_port": heartbeatPort,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(sockets, "connection.json")
	if err := os.WriteFile(file, connection, 0o600); err != nil {
		t.Fatal(err)
	}
	modules, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cache := strings.TrimSpace(string(modules))
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, file)
	cmd.Dir = dir
	// What it builds for an import goes into GOPATH. All modules that this takes are there,
	// and nobody need be asked for this one, which stands beside the notebook.
	cmd.Env = append(os.Environ(), "GOPATH="+t.TempDir(), "GOMODCACHE="+cache, "GOFLAGS=",
		"GOPROXY=file://"+filepath.ToSlash(filepath.Join(cache, "cache", "download")), "GOSUMDB=off")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.WaitDelay = 5 * time.Second // what it started may hold the pipes
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() { // after t.Context is done, which kills it
		<-ended
		if t.Failed() {
			t.Logf("gophernotes: %s", log.Bytes())
		}
	})
	k := &kernel{published: make(chan message)}
	deadline := time.Now().Add(kernelTimeout)
	k.shell = dialKernel(t, address, shellPort, "DEALER", ended, deadline)
	iopub := dialKernel(t, address, iopubPort, "SUB", ended, deadline)
	if err := iopub.subscribe(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(k.published)
		for {
			frames, err := iopub.receive()
			if err != nil {
				return
			}
			m, err := parseMessage(frames)
			if err != nil {
				return
			}
			select {
			case k.published <- m:
			case <-t.Context().Done():
				return
			}
		}
	}()
	// That it listens does not mean that it has the subscription yet.
	for {
		if _, err := k.request("kernel_info_request", struct{}{}); err != nil {
			t.Fatal(err)
		}
		select {
		case _, ok := <-k.published:
			if ok {
				return k
			}
			t.Fatal("gophernotes ended")
		case <-time.After(50 * time.Millisecond):
			if time.Now().After(deadline) {
				t.Fatal("gophernotes publishes nothing")
			}
		}
	}
}

// dialKernel connects to a socket of a kernel, as soon as that listens.
func dialKernel(t *testing.T, address string, port int, kind string, ended <-chan struct{}, deadline time.Time) *socket {
	t.Helper()
	for {
		s, err := dial("unix", fmt.Sprintf("%s:%d", address, port), kind)
		if err == nil {
			t.Cleanup(func() { s.conn.Close() })
			return s
		}
		select {
		case <-ended:
			t.Fatal("gophernotes ended")
		case <-time.After(10 * time.Millisecond):
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	}
}

// request sends a request and returns its id.
func (k *kernel) request(kind string, content any) (id string, err error) {
	k.requests++
	id = fmt.Sprint(k.requests)
	header, err := json.Marshal(messageHeader{ID: id, Type: kind, Session: "test", Version: "5.3"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	return id, k.shell.send([]byte("<IDS|MSG>"), nil, header, []byte("{}"), []byte("{}"), body)
}

// run runs a cell and returns what it puts out. What the kernel says in return is not
// looked at: iopub has all of it.
func (k *kernel) run(source string) ([]output, error) {
	id, err := k.request("execute_request", map[string]any{
		"code": source, "silent": false, "store_history": true, "allow_stdin": false, "stop_on_error": true,
	})
	if err != nil {
		return nil, err
	}
	timeout := time.After(kernelTimeout)
	var outputs []output
	for {
		select {
		case <-timeout:
			return nil, fmt.Errorf("the cell is not through after %v", kernelTimeout)
		case m, ok := <-k.published:
			switch {
			case !ok:
				return nil, errors.New("gophernotes ended")
			case m.parent.ID != id:
				continue
			case m.header.Type == "status":
				var status struct {
					State string `json:"execution_state"`
				}
				if err := json.Unmarshal(m.content, &status); err != nil {
					return nil, err
				}
				if status.State == "idle" {
					return outputs, nil
				}
			case m.header.Type == "error":
				var failure struct {
					Value string `json:"evalue"`
				}
				err := json.Unmarshal(m.content, &failure)
				return nil, errors.Join(errors.New(failure.Value), err)
			case m.header.Type != "execute_input":
				o := output{Type: m.header.Type}
				if err := json.Unmarshal(m.content, &o); err != nil {
					return nil, err
				}
				outputs = append(outputs, o)
			}
		}
	}
}

// parseMessage reads a message of the wire: who it is for, a delimiter, the signature,
// and the parts of it.
func parseMessage(frames [][]byte) (m message, err error) {
	for i, f := range frames {
		if string(f) == "<IDS|MSG>" && len(frames) >= i+6 {
			m.content = frames[i+5]
			return m, errors.Join(json.Unmarshal(frames[i+2], &m.header), json.Unmarshal(frames[i+3], &m.parent))
		}
	}
	return m, fmt.Errorf("no message: %q", frames)
}
