package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

func (p *program) diffCommand() *cobra.Command {
	var tolerance float64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two arrays: by how much they differ, and where",
		Long: `Compare two arrays, each a .npy file, the digest of a result in the cache, or the key
of a call, which stands for the first array among its results. They are the same where
types and shapes are, and each element equals the other one: NaN equals NaN, and 0
equals -0, which the bits tell apart. With --tol elements may differ by that much, and
the types may differ, too.

Told are the greatest difference of two elements, absolute and relative to the larger of
their magnitudes, each with its index and both values; of complex numbers that of the
points in the plane. An integer beside a float is compared as a float64.

Both are read a piece at a time, so that they may be larger than memory, unless a
file is in Fortran order or compressed. The exit status is 0 where they are the same, 1
where they are not, or could not be read, which is told on standard error.

With --json one object: a, b, same, equal_bits, dtypes and shapes of both, and where
the shapes are the same elements, different, one_nan (elements of which one is NaN and
the other is not), beyond (the tolerance), and where elements differ first, max_abs
and max_rel: index, a, b, and difference. NaN and infinities are strings as with cat.`,
		Example: "  numcache diff old.npy new.npy\n  numcache diff 3dbbec46 reference.npy --tol 1e-9",
		Args:    arguments(2, 2, "two arrays, A and B"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if math.IsNaN(tolerance) || tolerance < 0 {
				return usage("--tol is %v; it is a difference, and not negative", tolerance)
			}
			d := difference{tolerance: tolerance, tolerant: cmd.Flags().Changed("tol")}
			for i, name := range args {
				if d.operands[i], err = p.operand(cmd, name, 0); err != nil {
					return err
				}
				defer func() { err = firstError(err, d.operands[i].Close()) }()
			}
			if err := d.compare(cmd); err != nil {
				return err
			}
			if asJSON {
				err = d.json(cmd)
			} else {
				err = d.text(cmd)
			}
			if err == nil && !d.same() {
				err = errReported
			}
			return err
		},
	}
	cmd.Flags().Float64Var(&tolerance, "tol", 0, "let elements differ by up to `X`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// difference is one run of the command.
type difference struct {
	operands  [2]*operand
	tolerance float64
	tolerant  bool
	compared  bool // shapes and kinds let elements be compared
	comparison
}

// compare compares what can be compared.
func (d *difference) compare(cmd *cobra.Command) (err error) {
	a, b := d.operands[0], d.operands[1]
	if !slices.Equal(a.shape(), b.shape()) || (a.strings == nil) != (b.strings == nil) {
		return nil
	}
	d.compared = true
	if a.strings == nil {
		d.comparison, err = compareArrays(cmd.Context(), a, b, d.tolerance)
		return err
	}
	d.equalBits = a.descr() == b.descr()
	for i := range a.strings.Data {
		if a.strings.Data[i] == b.strings.Data[i] {
			continue
		}
		if d.equalBits = false; d.different == 0 {
			d.first = i
		}
		d.different++
	}
	d.beyond = d.different
	return nil
}

func (d *difference) same() bool {
	if d.tolerant {
		return d.compared && d.beyond == 0
	}
	return d.compared && d.different == 0 && d.operands[0].descr() == d.operands[1].descr()
}

// descr returns the type as a header spells it.
func (o *operand) descr() string {
	switch {
	case o.strings == nil:
		return o.DType().Descr()
	case o.strings.Bytes:
		return fmt.Sprintf("|S%d", o.strings.Width)
	}
	return fmt.Sprintf("<U%d", o.strings.Width)
}

// at returns an element as text, or as JSON.
func (o *operand) at(i int, asJSON bool) (string, error) {
	if o.strings != nil {
		one := &npy.Strings{Data: o.strings.Data[i : i+1]}
		if !asJSON {
			return strconv.Quote(o.strings.Data[i]), nil
		}
		return string(stringText(one, asJSON)(nil, 0)), nil
	}
	raw := make([]byte, o.DType().Size())
	if err := o.Encode(raw, i); err != nil {
		return "", err
	}
	one, err := array.Make(o.DType())
	if err == nil {
		err = one.Decode(0, raw)
	}
	if err != nil {
		return "", err
	}
	return string(elementText(one, asJSON)(nil, 0)), nil
}

// indexOf returns the indices of the i-th element of a shape.
func indexOf(shape []int, i int) []int {
	index := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		index[axis] = i % shape[axis]
		i /= shape[axis]
	}
	return index
}

// elements returns how many there are.
func (d *difference) elements() int {
	n := 1
	for _, extent := range d.operands[0].shape() {
		n *= extent
	}
	return n
}

func (d *difference) text(cmd *cobra.Command) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s  "+format+"\n", append([]any{name}, args...)...)
	}
	for i, o := range d.operands {
		line([]string{"a", "b"}[i], "%s  %s %s", o.name, dtypeName(o), array.FormatShape(o.shape()))
	}
	// where tells of one element, with both values.
	where := func(name, what string, i int) error {
		x, err := d.operands[0].at(i, false)
		if err != nil {
			return err
		}
		y, err := d.operands[1].at(i, false)
		line(name, "%sat %s: %s and %s", what, array.FormatShape(indexOf(d.operands[0].shape(), i)), x, y)
		return err
	}
	switch {
	case !d.compared && slices.Equal(d.operands[0].shape(), d.operands[1].shape()):
		line("elements", "strings and numbers, which are not compared")
	case !d.compared:
		line("elements", "of other shapes, which are not compared")
	case d.equalBits:
		line("bits", "equal")
	default:
		line("bits", "not equal")
		line("different", "%d of %s", d.different, count(d.elements(), "element"))
		if d.tolerant {
			line("beyond", "%d by more than %v", d.beyond, d.tolerance)
		}
		if d.different == 0 {
			break
		}
		if err := where("first", "", d.first); err != nil {
			return err
		}
		if d.oneNaN > 0 {
			line("one NaN", "%s where the other is a number", count(d.oneNaN, "element"))
		}
		if d.absolute.difference > 0 {
			if err := where("absolute", "up to "+floatText(d.absolute.difference)+", ", d.absolute.at); err != nil {
				return err
			}
			if err := where("relative", "up to "+floatText(d.relative.difference)+", ", d.relative.at); err != nil {
				return err
			}
		}
	}
	verdict := "the same"
	switch {
	case !d.same() && d.compared && d.different == 0:
		verdict = "different types of equal values"
	case !d.same():
		verdict = "different"
	}
	line("verdict", "%s", verdict)
	_, err := cmd.OutOrStdout().Write([]byte(b.String()))
	return err
}

func dtypeName(o *operand) string {
	if o.strings != nil {
		return o.descr()
	}
	return o.DType().String()
}

func floatText(v float64) string { return string(appendFloat(nil, v, 64)) }

// differenceJSON is one element of the two arrays.
type differenceJSON struct {
	Index      []int           `json:"index"`
	A          json.RawMessage `json:"a"`
	B          json.RawMessage `json:"b"`
	Difference json.RawMessage `json:"difference,omitempty"`
}

// elementsJSON is what is told of elements that were compared.
type elementsJSON struct {
	Elements  int             `json:"elements"`
	Different int             `json:"different"`
	OneNaN    int             `json:"one_nan"`
	Beyond    int             `json:"beyond"`
	First     *differenceJSON `json:"first,omitempty"`
	Absolute  *differenceJSON `json:"max_abs,omitempty"`
	Relative  *differenceJSON `json:"max_rel,omitempty"`
}

func (d *difference) json(cmd *cobra.Command) error {
	var told *elementsJSON
	if d.compared {
		told = &elementsJSON{Elements: d.elements(), Different: d.different, OneNaN: d.oneNaN, Beyond: d.beyond}
		for _, part := range []struct {
			to    **differenceJSON
			worst worst
			there bool
			first bool
		}{
			{&told.First, worst{at: d.first}, d.different > 0, true},
			{&told.Absolute, d.absolute, d.absolute.difference > 0, false},
			{&told.Relative, d.relative, d.relative.difference > 0, false},
		} {
			if !part.there {
				continue
			}
			a, err := d.operands[0].at(part.worst.at, true)
			if err != nil {
				return err
			}
			b, err := d.operands[1].at(part.worst.at, true)
			if err != nil {
				return err
			}
			*part.to = &differenceJSON{Index: indexOf(d.operands[0].shape(), part.worst.at), A: json.RawMessage(a), B: json.RawMessage(b)}
			if !part.first {
				(*part.to).Difference = appendJSONFloat(nil, part.worst.difference, 64)
			}
		}
	}
	a, b := d.operands[0], d.operands[1]
	return jsonLines(cmd.OutOrStdout()).Encode(struct {
		A         string    `json:"a"`
		B         string    `json:"b"`
		Same      bool      `json:"same"`
		EqualBits bool      `json:"equal_bits"`
		DTypes    [2]string `json:"dtypes"`
		Shapes    [2][]int  `json:"shapes"`
		*elementsJSON
	}{a.name, b.name, d.same(), d.equalBits, [2]string{a.descr(), b.descr()}, [2][]int{a.shape(), b.shape()}, told})
}
