package blobstore_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var raceKeys = flag.Int("race.keys", 200, "the keys that processes race for; 2000 is the full test")

// TestProcessesComputeOnce has four processes ask for the same keys in the same order:
// each key is computed once, by one of them.
func TestProcessesComputeOnce(t *testing.T) {
	s := needServer(t)
	path := filepath.Join(t.TempDir(), "computations")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const processes = 4
	bucket := s.bucket(t)
	var starts [processes]io.Writer
	var ended [processes]chan error
	for i := range processes {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", childVariable, url(s.address, bucket), *raceKeys, path))
		command.SysProcAttr = diesWithUs()
		var errors bytes.Buffer
		command.Stderr = &errors
		in, err := command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); line != "ready\n" {
			t.Fatalf("process %d: %q, %v, %s", i, line, err, &errors)
		}
		starts[i], ended[i] = in, make(chan error, 1)
		go func() {
			rest, _ := io.ReadAll(lines)
			err := command.Wait()
			if err != nil {
				err = fmt.Errorf("%w: %s%s", err, rest, &errors)
			}
			ended[i] <- err
		}()
	}
	began := time.Now()
	for _, in := range starts {
		if _, err := io.WriteString(in, "go\n"); err != nil {
			t.Error(err)
		}
	}
	for i, end := range ended {
		if err := <-end; err != nil {
			t.Errorf("process %d: %v", i, err)
		}
	}
	took := time.Since(began)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	computed := map[string]int{}
	lines := strings.Fields(string(content))
	for _, line := range lines {
		computed[line]++
	}
	if len(computed) != *raceKeys || len(lines) != *raceKeys {
		t.Errorf("%d of %d keys were computed, %d times", len(computed), *raceKeys, len(lines))
	}
	t.Logf("%d processes, %d keys, %d computations, %v, %v a key", processes, *raceKeys, len(lines), took.Round(time.Millisecond), (took / time.Duration(*raceKeys)).Round(time.Microsecond))
}
