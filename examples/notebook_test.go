package examples_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"
	"strings"
)

// A notebook is a file of Jupyter's (nbformat.readthedocs.io). What is not looked at,
// such as the text between the cells, is written again as it was read.
type notebook struct {
	path  string
	raw   map[string]any
	cells []cell // those of code
}

// A cell is a cell of code.
type cell struct {
	raw    map[string]any
	source string
	saved  []output
}

// An output is what a cell puts out, as a notebook and as a kernel have it. Text may be
// a string or the list of its lines.
type output struct {
	Type     string         `json:"output_type"` // stream, display_data or execute_result
	Name     string         `json:"name"`        // of a stream
	Text     any            `json:"text"`        // of a stream
	Data     map[string]any `json:"data"`        // of the others, by MIME type
	Metadata map[string]any `json:"metadata"`
}

func readNotebook(path string) (*notebook, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := &notebook{path: path}
	if err := json.Unmarshal(b, &n.raw); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var parsed struct {
		Cells []struct {
			Type    string   `json:"cell_type"`
			Source  any      `json:"source"`
			Outputs []output `json:"outputs"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(b, &parsed); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	all, _ := n.raw["cells"].([]any)
	for i, c := range parsed.Cells {
		if c.Type == "code" {
			raw, _ := all[i].(map[string]any)
			n.cells = append(n.cells, cell{raw: raw, source: text(c.Source), saved: plain(c.Outputs)})
		}
	}
	return n, nil
}

// write writes the notebook with these outputs of its cells, as Jupyter would.
func (n *notebook) write(outputs [][]output) error {
	for i, c := range n.cells {
		list := []any{}
		for _, o := range outputs[i] {
			raw := map[string]any{"output_type": o.Type}
			switch o.Type {
			case "stream":
				raw["name"], raw["text"] = o.Name, lines(text(o.Text))
			default:
				data := map[string]any{}
				for mime, v := range o.Data {
					data[mime] = v
					if strings.HasPrefix(mime, "text/") {
						data[mime] = lines(text(v))
					}
				}
				raw["data"], raw["metadata"] = data, o.Metadata
				if o.Metadata == nil {
					raw["metadata"] = map[string]any{}
				}
			}
			if o.Type == "execute_result" {
				raw["execution_count"] = i + 1
			}
			list = append(list, raw)
		}
		c.raw["outputs"], c.raw["execution_count"] = list, i+1
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(n.raw); err != nil {
		return err
	}
	return os.WriteFile(n.path, b.Bytes(), 0o644)
}

// text returns a text that may be the list of its lines.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var b strings.Builder
		for _, line := range v {
			fmt.Fprint(&b, line)
		}
		return b.String()
	}
	return ""
}

// lines is the other way round.
func lines(s string) []string { return strings.SplitAfter(strings.TrimSuffix(s, "\n"), "\n") }

// plain returns outputs as a reader sees them: what streams have in a row is one text, in
// which a carriage return begins its line anew, and without the warnings of gomacro, which
// tells at an import what it skips.
func plain(outputs []output) []output {
	var list []output
	for _, o := range outputs {
		last := len(list) - 1
		switch {
		case o.Type == "stream" && last >= 0 && list[last].Type == "stream" && list[last].Name == o.Name:
			list[last].Text = text(list[last].Text) + text(o.Text)
		case o.Type == "stream":
			list = append(list, output{Type: o.Type, Name: o.Name, Text: text(o.Text)})
		default:
			list = append(list, o)
		}
	}
	for i, o := range list {
		if o.Type != "stream" {
			continue
		}
		var kept []string
		for line := range strings.SplitAfterSeq(text(o.Text), "\n") {
			if strings.HasPrefix(line, "// warning: skipping import of ") {
				continue
			}
			body := strings.TrimRight(line, "\r\n")
			kept = append(kept, body[strings.LastIndexByte(body, '\r')+1:]+line[len(strings.TrimRight(line, "\n")):])
		}
		list[i].Text = strings.TrimSuffix(strings.Join(kept, ""), "\n")
	}
	return slices.DeleteFunc(list, func(o output) bool { return o.Type == "stream" && o.Text == "" })
}

// difference says how outputs of a cell differ from those that are wanted, "" if they
// show the same.
func difference(got, want []output) string {
	if got, want = plain(got), plain(want); len(got) != len(want) {
		return fmt.Sprintf("%d outputs, want %d: %s, want %s", len(got), len(want), summary(got), summary(want))
	}
	for i, g := range got {
		w := want[i]
		same := g.Type == w.Type && g.Name == w.Name && text(g.Text) == text(w.Text) && len(g.Data) == len(w.Data)
		for mime, v := range w.Data {
			same = same && sameData(mime, g.Data[mime], v)
		}
		if !same {
			return fmt.Sprintf("%s, want %s", summary(got), summary(want))
		}
	}
	return ""
}

// sameData compares what is to be shown. The bytes of an image depend on the release of
// Go that made it; its pixels do not, but for one step of a colour, where a processor
// multiplies and adds at once.
func sameData(mime string, a, b any) bool {
	if mime != "image/png" {
		return strings.TrimSuffix(text(a), "\n") == strings.TrimSuffix(text(b), "\n")
	}
	x, err := decodePNG(text(a))
	if err != nil {
		return false
	}
	y, err := decodePNG(text(b))
	if err != nil || x.Bounds() != y.Bounds() {
		return false
	}
	for j := x.Bounds().Min.Y; j < x.Bounds().Max.Y; j++ {
		for i := x.Bounds().Min.X; i < x.Bounds().Max.X; i++ {
			if !near(color.NRGBAModel.Convert(x.At(i, j)).(color.NRGBA), color.NRGBAModel.Convert(y.At(i, j)).(color.NRGBA)) {
				return false
			}
		}
	}
	return true
}

func near(a, b color.NRGBA) bool {
	step := func(x, y uint8) bool { return max(x, y)-min(x, y) <= 1 }
	return step(a.R, b.R) && step(a.G, b.G) && step(a.B, b.B) && a.A == b.A
}

func decodePNG(base string) (image.Image, error) {
	b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(base, "\n", ""))
	if err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(b))
}

// summary returns outputs for a message.
func summary(outputs []output) string {
	var parts []string
	for _, o := range outputs {
		part := fmt.Sprintf("%s %q", o.Name, text(o.Text))
		for mime, v := range o.Data {
			if part = fmt.Sprintf("%s %q", mime, text(v)); len(part) > 500 {
				part = part[:500] + "…"
			}
		}
		parts = append(parts, o.Type+" "+part)
	}
	return "[" + strings.Join(parts, "; ") + "]"
}

// source returns all code of the notebook.
func (n *notebook) source() string {
	var b strings.Builder
	for _, c := range n.cells {
		b.WriteString(c.source + "\n")
	}
	return b.String()
}
