package joblib

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Call is one result in a cache of joblib.Memory.
type Call struct {
	Function string            // module and name, as the folders have them: a/b/name
	ID       string            // joblib's hash of the arguments
	Args     map[string]string // as Python printed them; nil where that is not known
	Duration time.Duration     // what the call took; 0 where that is not known
	Created  time.Time
	Path     string // of the result, for [Load]
}

// outputFile and metadataFile are what joblib.Memory keeps of a call.
const (
	outputFile   = "output.pkl"
	metadataFile = "metadata.json"
	maxMetadata  = 1 << 20
)

// Calls yields the calls in a cache of joblib.Memory: in the folder that it was given, or
// the folder joblib in that. Symbolic links are not followed. Of a call whose metadata
// cannot be read the rest is yielded beside the error. An error without a call ends the
// listing; a folder without calls is one, [ErrFormat].
func Calls(dir string) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		root := dir
		if info, err := os.Lstat(filepath.Join(dir, "joblib")); err == nil && info.IsDir() {
			root = filepath.Join(dir, "joblib")
		}
		found := false
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() != outputFile || !entry.Type().IsRegular() {
				return err
			}
			rel, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil || rel == "." {
				return err
			}
			found = true
			c := &Call{Function: filepath.ToSlash(filepath.Dir(rel)), ID: filepath.Base(rel), Path: path}
			if info, err := entry.Info(); err == nil {
				c.Created = info.ModTime()
			}
			if !yield(c, c.readMetadata(filepath.Join(filepath.Dir(path), metadataFile))) {
				return fs.SkipAll
			}
			return nil
		})
		if err == nil && !found {
			err = fmt.Errorf("%w: it holds no %s, so it is no cache of joblib.Memory", ErrFormat, outputFile)
		}
		if err != nil {
			yield(nil, &Error{dir, cause(err)})
		}
	}
}

// readMetadata learns what joblib noted of the call. That it noted nothing is no error.
func (c *Call) readMetadata(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return &Error{path, cause(err)}
	}
	f, err := os.Open(path)
	if err != nil {
		return &Error{path, cause(err)}
	}
	defer f.Close()
	var metadata struct {
		Duration float64           `json:"duration"`
		Args     map[string]string `json:"input_args"`
		Time     float64           `json:"time"`
	}
	b, err := io.ReadAll(io.LimitReader(f, maxMetadata))
	if err == nil {
		err = json.Unmarshal([]byte(strings.ToValidUTF8(string(b), "\uFFFD")), &metadata)
	}
	if err != nil {
		return &Error{path, fmt.Errorf("%w: %w", ErrFormat, err)}
	}
	const century = 100 * 365 * 24 * 3600
	if metadata.Duration > 0 && metadata.Duration < century {
		c.Duration = time.Duration(metadata.Duration * float64(time.Second))
	}
	if metadata.Time > 0 && metadata.Time < 10*century {
		c.Created = time.UnixMicro(int64(metadata.Time * 1e6))
	}
	c.Args = metadata.Args
	return nil
}
