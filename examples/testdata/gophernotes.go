// This file stands for the interpreter when the cells of a notebook are compiled: it
// has what gophernotes lends to them, and puts out what it would show.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
)

// Data is gophernotes' own type, by MIME type.
type Data = struct{ Data, Metadata, Transient map[string]any }

// display is the package that each notebook has imported.
var display displayPackage

type displayPackage struct{}

func (displayPackage) Image(m image.Image) Data {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	size := map[string]any{"width": m.Bounds().Dx(), "height": m.Bounds().Dy()}
	return Data{Data: map[string]any{"image/png": b.Bytes()}, Metadata: map[string]any{"image/png": size}}
}

// Display shows something before the cell is through.
func Display(d Data) error {
	if d.Data == nil {
		return errors.New("nothing to display")
	}
	emit(map[string]any{"output_type": "display_data", "data": d.Data, "metadata": d.Metadata})
	return nil
}

// show shows the values of the expression that ends a cell.
func show(values ...any) {
	var text []any
	none := true
	for i, v := range values {
		switch v.(type) {
		case Data, image.Image:
			panic("gophernotes would show this beside all of its bytes as text; use Display")
		case nil:
		default:
			none = false
		}
		if i > 0 {
			text = append(text, " ")
		}
		text = append(text, fmt.Sprint(v))
	}
	if !none {
		emit(map[string]any{"output_type": "execute_result", "data": map[string]any{"text/plain": join(text)}})
	}
}

func join(text []any) string {
	var b bytes.Buffer
	for _, t := range text {
		fmt.Fprint(&b, t)
	}
	return b.String()
}

// end ends a cell.
func end() { emit(nil) }

// emit writes an output between two zero bytes, which are in no text.
func emit(output any) {
	b, err := json.Marshal(output)
	if err != nil {
		panic(err)
	}
	if _, err := fmt.Printf("\x00%s\x00", b); err != nil {
		panic(err)
	}
}

// notebooks are the main functions of the notebooks, by name.
var notebooks = map[string]func(){}

func main() { notebooks[os.Args[1]]() }
