package slurm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/numcache/numcache/parallel"
)

// TaskError is a chunk that was given up after its task had failed, or was lost, as often
// as [Options].Retries allows. It is the Err of a [*parallel.Error], whose Index is the
// row that failed where the log says so, else the chunk's first.
type TaskError struct {
	Start, Rows int    // the chunk: the rows [Start, Start+Rows)
	Attempts    int    // tasks that were submitted for it
	Log         string // the file of the last one's output, which need not be there if it never ran
	Text        string // the last that stands there, in one line
	State       string // what is known of the end of the last one, such as NODE_FAIL; may be empty
}

// Error says all of it in one line.
func (e *TaskError) Error() string {
	text := fmt.Sprintf("slurm: rows %d to %d failed %d times; the log is %s", e.Start, e.Start+e.Rows-1, e.Attempts, e.Log)
	if e.State != "" {
		text += "; the task ended with " + e.State
	}
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

// failure returns the error of a chunk that was tried too often.
func (r *job) failure(ctx context.Context, i int) error {
	c := r.chunks[i]
	chunk, err := r.description.chunk(i)
	if err != nil {
		return err
	}
	e := &TaskError{Start: chunk.Start, Rows: chunk.Rows, Attempts: c.attempts, Log: r.scheduler.log(c.submission, i), State: c.state}
	if e.State == "" {
		e.State = r.scheduler.why(ctx, c.submission, i)
	}
	row, text := failureText(e.Log)
	e.Text = text
	if row < chunk.Start || row >= chunk.Start+chunk.Rows {
		row = chunk.Start
	}
	return &parallel.Error{Index: row, Err: e}
}

// logTail is how much of the end of a log is looked at.
const logTail = 16 << 10

var rowFailed = regexp.MustCompile(`^slurm: row (\d+) failed: (.*)$`)

// failureText reads what a worker left in its log: the row that failed, -1 where it does
// not say, and why. It need not have come so far as to write one.
func failureText(path string) (row int, text string) {
	b, err := tail(path)
	if err != nil {
		return -1, ""
	}
	row = -1
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if m := rowFailed.FindStringSubmatch(line); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil {
				row, text = n, m[2]
			}
		} else if row < 0 && line != "" {
			text = line
		}
	}
	return row, text
}

func tail(path string) (b []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(max(0, info.Size()-logTail), io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, logTail))
}
