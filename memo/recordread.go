package memo

import (
	"encoding/json"
	"strconv"
	"strings"
)

// recordMembers are the members of a record as they stand in its file.
type recordMembers struct {
	Record
	Format   int             `json:"format"`
	Function json.RawMessage `json:"function"`
	Version  json.RawMessage `json:"version"`
	Duration float64         `json:"duration"`
	Results  json.RawMessage `json:"results"`
	Contents json.RawMessage `json:"sha256"`
}

// read reads a record whose form is that of nearly all. One that it does not understand
// is not ok, and for json.Unmarshal, whose outcome it has where it is. What it sets are
// parts of b.
func (m *recordMembers) read(b []byte) (ok bool) {
	r := jsonReader{b: b}
	var seen uint
	ok = r.members(func(key []byte) bool {
		raw, ok := r.raw()
		member := -1
		for i, name := range recordMemberNames {
			if string(key) == name {
				member = i
			} else if len(key) == len(name) && strings.EqualFold(string(key), name) {
				return false // json.Unmarshal takes it
			}
		}
		if !ok || member < 0 {
			return ok
		}
		if seen&(1<<member) != 0 || string(raw) == "null" {
			return false
		}
		seen |= 1 << member
		return m.set(recordMemberNames[member], raw)
	})
	return ok && r.ended()
}

var recordMemberNames = [...]string{"format", "key", "function", "version", "args", "results", "created", "duration", "writer", "sha256"}

func (m *recordMembers) set(name string, raw []byte) (ok bool) {
	var err error
	r := jsonReader{b: raw}
	switch name {
	case "format":
		m.Format, err = strconv.Atoi(string(raw))
		ok = err == nil
	case "key":
		var text []byte
		if text, ok = r.text(); ok {
			ok = m.Key.UnmarshalText(text) == nil
		}
	case "function":
		m.Function, ok = raw, true
	case "version":
		m.Version, ok = raw, true
	case "args":
		m.Args, ok = readValues(raw)
	case "results":
		m.Results, ok = raw, true
	case "created":
		ok = m.Created.UnmarshalJSON(raw) == nil
	case "duration":
		_, ok = r.number()
		m.Duration, err = strconv.ParseFloat(string(raw), 64)
		ok = ok && err == nil
	case "writer":
		var text []byte
		text, ok = r.text()
		m.Writer = string(text)
	case "sha256":
		m.Contents, ok = raw, true
	}
	return ok
}

// readValues reads a list of values, as parts of b.
func readValues(b []byte) (values []Value, ok bool) {
	r := jsonReader{b: b}
	values = make([]Value, 0, 1)
	ok = r.items('[', ']', func() bool {
		raw, ok := r.raw()
		values = append(values, Value{raw})
		return ok
	})
	return values, ok && r.ended()
}
