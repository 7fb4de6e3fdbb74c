package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

func (p *program) exportCommand() *cobra.Command {
	var to string
	var force, asJSON bool
	cmd := &cobra.Command{
		Use:   "export KEY",
		Short: "Write the results of one call as .npz, or as a folder of .npy files",
		Long: `Write the results of a call, which stay in the cache, to a file or folder that needs
no numcache: numpy.load opens it. The first 4 or more hex digits of the key will do
where no other key has them.

The file is KEY.npz, or what --to names. A --to that does not end in .npz is a folder,
which is made: it gets a .npy file for each member, and record.json, all that the
cache knows of the call. Members are named by where they are in the results: value
for a single array, else the index of the result, and behind dots the keys and
indices in it. Numbers and text are arrays without dimensions.

With --json one object: key, function, version, path, members.`,
		Example: "  numcache export 3dbbec46\n  numcache export 3dbbec46 --to scores.npz\n  numcache export 3dbbec46 --to scores/",
		Args:    arguments(1, 1, "one KEY"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if !isKeyPrefix(args[0]) {
				return usage("%q is no key; give %d to %d of its hex digits", args[0], minPrefix, 2*len(array.Digest{}))
			}
			c, err := p.openExisting(cmd)
			if err != nil {
				return err
			}
			defer closing(c, &err)
			found, err := findCalls(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			if len(found) > 1 {
				return severalCalls(args[0], found)
			}
			r := found[0]
			if to == "" {
				to = r.Key.String() + ".npz"
			}
			if _, err := os.Lstat(to); !force && !errors.Is(err, fs.ErrNotExist) {
				if err == nil {
					err = errors.New("it is there already; --force writes to it")
				}
				return fmt.Errorf("%s: %w", to, err)
			}
			v, err := resultsOf(cmd.Context(), c, r)
			if err != nil {
				return err
			}
			export := exportArchive
			if !strings.HasSuffix(to, ".npz") {
				export = exportFolder
			}
			members, err := export(to, r, v)
			if err != nil {
				return err
			}
			if asJSON {
				return jsonLines(cmd.OutOrStdout()).Encode(struct {
					Key      array.Digest `json:"key"`
					Function string       `json:"function"`
					Version  string       `json:"version"`
					Path     string       `json:"path"`
					Members  []string     `json:"members"`
				}{r.Key, r.Function, r.Version, to, members})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  → %s  %s\n", r.Key, printable(r.Function), printable(to), count(len(members), "member"))
			return err
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "write to `PATH`: an archive where it ends in .npz, else a folder (default KEY.npz)")
	cmd.Flags().BoolVar(&force, "force", false, "write to a file or folder that is there")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// exportArchive writes results as one .npz file.
func exportArchive(path string, _ *memo.Record, v any) (members []string, err error) {
	if err := npy.Dump(path, v, nil); err != nil {
		return nil, err
	}
	z, err := npy.OpenArchive(path, nil)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return valuesIn(z), nil
}

// valuesIn returns the members that are values: others are notes on them.
func valuesIn(z *npy.Archive) []string {
	members := []string{}
	for _, name := range z.Names() {
		if !strings.HasSuffix(name, ".") {
			members = append(members, name)
		}
	}
	return members
}

// exportFolder writes results as one .npy file each, of which the archive knows the
// names, and the record.
func exportFolder(dir string, r *memo.Record, v any) (members []string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	temporary, err := os.MkdirTemp(dir, ".export-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary)
	archive := filepath.Join(temporary, "results.npz")
	if err := npy.Dump(archive, v, nil); err != nil {
		return nil, err
	}
	z, err := npy.OpenArchive(archive, nil)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	members = valuesIn(z)
	for _, name := range members {
		var part any
		if part, err = z.Read(name); errors.Is(err, array.ErrDType) {
			part, err = z.Strings(name)
		}
		if err == nil {
			err = npy.WriteFile(filepath.Join(dir, name+".npy"), part)
		}
		if err != nil {
			return nil, err
		}
	}
	record, err := json.MarshalIndent(newCallJSON(r), "", "  ")
	if err != nil {
		return nil, err
	}
	return members, os.WriteFile(filepath.Join(dir, "record.json"), append(record, '\n'), 0o666)
}

// resultsOf reads the results of a call, verified: itself where there is one.
func resultsOf(ctx context.Context, c *memo.Cache, r *memo.Record) (any, error) {
	values := make([]any, len(r.Results))
	for i, result := range r.Results {
		raw, err := result.MarshalJSON()
		if err != nil {
			return nil, err
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var node any
		if err := d.Decode(&node); err != nil {
			return nil, err
		}
		if values[i], err = valueOf(ctx, c, node); err != nil {
			return nil, err
		}
	}
	if len(values) == 1 {
		return values[0], nil
	}
	return values, nil
}

// valueOf makes the value that a record's JSON stands for; memo/FORMAT.md has the forms.
func valueOf(ctx context.Context, c *memo.Cache, node any) (any, error) {
	switch n := node.(type) {
	case json.Number:
		return numberOf(n.String())
	case []any:
		items := make([]any, len(n))
		for i, item := range n {
			var err error
			if items[i], err = valueOf(ctx, c, item); err != nil {
				return nil, err
			}
		}
		return items, nil
	case map[string]any:
		return formOf(ctx, c, n)
	}
	return node, nil // nil, a bool, a string
}

func numberOf(text string) (any, error) {
	if strings.ContainsAny(text, ".eE") {
		return strconv.ParseFloat(text, 64)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, fmt.Errorf("%q in the record is no number", text)
	}
	return n, nil
}

func formOf(ctx context.Context, c *memo.Cache, n map[string]any) (any, error) {
	if text, ok := n["array"].(string); ok {
		digest, err := array.ParseDigest(text)
		if err != nil {
			return nil, err
		}
		return c.Object(ctx, digest)
	}
	if entries, ok := n["map"].(map[string]any); ok {
		items := make(map[string]any, len(entries))
		for key, item := range entries {
			var err error
			if items[key], err = valueOf(ctx, c, item); err != nil {
				return nil, err
			}
		}
		return items, nil
	}
	for _, form := range []string{"string", "bytes"} {
		held, ok := n[form]
		if !ok {
			continue
		}
		b, err := bytesOf(ctx, c, held)
		if err != nil || form == "bytes" {
			return b, err
		}
		return string(b), nil
	}
	if parts, ok := n["complex"].([]any); ok && len(parts) == 2 {
		re, err := floatPart(ctx, c, parts[0])
		im, imErr := floatPart(ctx, c, parts[1])
		return complex(re, im), errors.Join(err, imErr)
	}
	if text, ok := n["float"].(string); ok {
		bits, err := strconv.ParseUint(text, 16, 64)
		return math.Float64frombits(bits), err
	}
	if text, ok := n["float32"].(string); ok {
		bits, err := strconv.ParseUint(text, 16, 32)
		return math.Float32frombits(uint32(bits)), err
	}
	return nil, errors.New("the record holds a value of a kind that this version does not know")
}

// floatPart reads a part of a complex number.
func floatPart(ctx context.Context, c *memo.Cache, node any) (float64, error) {
	v, err := valueOf(ctx, c, node)
	switch f := v.(type) {
	case float64:
		return f, err
	case float32:
		return float64(f), err
	}
	return 0, errors.Join(err, errors.New("the record holds a complex number of no numbers"))
}

// bytesOf reads base64, or an array of bytes.
func bytesOf(ctx context.Context, c *memo.Cache, held any) ([]byte, error) {
	if text, ok := held.(string); ok {
		return base64.StdEncoding.DecodeString(text)
	}
	n, _ := held.(map[string]any)
	v, err := formOf(ctx, c, n)
	if err != nil {
		return nil, err
	}
	a, ok := v.(*array.Array[uint8])
	if !ok {
		return nil, errors.New("the record holds text that is no array of bytes")
	}
	return a.Data(), nil
}
