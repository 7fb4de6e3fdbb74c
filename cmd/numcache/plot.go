package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/cmd/numcache/internal/picture"
)

func (p *program) plotCommand() *cobra.Command {
	var d plotting
	var kind string
	cmd := &cobra.Command{
		Use:   "plot KEY|DIGEST|FILE",
		Short: "Draw an array, in the terminal or as PNG or SVG",
		Long: `Draw the array that is the result of a call, that has the digest, or that is in a
.npy file, or in a .npz file with one member. Without --out it is drawn with the
characters of the terminal, in colours where the terminal has them and NO_COLOR is not
set; with --out as PNG or SVG, as the name ends.

The kinds of pictures, of which --kind chooses another than suits the array:

  line   elements over their index; default for vectors. Of a matrix of up to ten
         columns a line for each
  heat   a matrix in colours, row 0 at the top; default for matrices
  image  default for uint8 of shape (h, w), (h, w, 3) or (h, w, 4): gray, RGB, RGBA
  hist   how many elements there are of which value; default for all else

Of a large array a line shows the least and the greatest of each piece, a heat map or
image the means of blocks. NaN is left out, and gray in a heat map where a block has
nothing else; a line breaks where a value is not finite. Of complex numbers the
magnitudes are drawn, of bools 0 and 1.`,
		Example: "  numcache plot 3dbbec46\n  numcache plot 3dbbec46 --result 2 --kind hist\n  numcache plot scores.npy -o scores.svg --title 'Scores of ten components'",
		Args:    arguments(1, 1, "one KEY, DIGEST or FILE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := d.check(cmd, kind); err != nil {
				return err
			}
			o, err := p.operand(cmd, args[0], d.result)
			if err != nil {
				return err
			}
			defer func() { err = firstError(err, o.Close()) }()
			if o.strings != nil {
				return fmt.Errorf("%s: it holds strings, which no picture shows; numcache cat prints them", o.name)
			}
			return d.draw(cmd, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&d.out, "out", "o", "", "write to `FILE`, whose name ends in .png or .svg (default: the terminal)")
	flags.StringVar(&kind, "kind", "", "draw a `KIND` of picture: line, hist, heat or image")
	flags.IntVar(&d.result, "result", 0, "of a call that has several results, draw the `N`-th (default the first array)")
	flags.StringVar(&d.options.Title, "title", "", "write `TEXT` above the picture (default name, type and shape)")
	flags.IntVar(&d.options.Width, "width", 0, "make it `N` pixels wide, or columns of a terminal (default 800, or the terminal's width)")
	flags.IntVar(&d.options.Height, "height", 0, "make it `N` pixels high, or lines of a terminal (default 500, or 20)")
	flags.BoolVar(&d.force, "force", false, "replace a file that is there")
	return cmd
}

// plotting is one run of the command.
type plotting struct {
	options picture.Options
	out     string
	result  int
	force   bool
}

// check refuses what makes no sense whatever the array is, before it is read.
func (d *plotting) check(cmd *cobra.Command, kind string) (err error) {
	if kind != "" {
		if d.options.Kind, err = picture.ParseKind(kind); err != nil {
			return usage("--kind: %s", reason(err))
		}
	}
	for name, n := range map[string]int{"width": d.options.Width, "height": d.options.Height, "result": d.result} {
		if cmd.Flags().Changed(name) && n <= 0 {
			return usage("--%s is %d; it begins with 1", name, n)
		}
	}
	if !cmd.Flags().Changed("out") {
		return nil
	}
	switch strings.ToLower(filepath.Ext(d.out)) {
	case ".png", ".svg":
	default:
		return usage("--out %q: a picture's name ends in .png or .svg", d.out)
	}
	missing, err := isMissing(d.out)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %s", d.out, reason(err))
	case !missing && !d.force:
		return fmt.Errorf("%s: it is there already; --force replaces it", d.out)
	}
	return nil
}

// draw makes the picture whole before any of it is written.
func (d *plotting) draw(cmd *cobra.Command, o *operand) error {
	picturing := picture.Text
	options := d.options
	if !cmd.Flags().Changed("title") {
		options.Title = fmt.Sprintf("%s  %s %s", filepath.Base(o.name), o.DType(), array.FormatShape(o.Shape()))
	}
	options.Title = printable(options.Title)
	switch strings.ToLower(filepath.Ext(d.out)) {
	case ".png":
		picturing = picture.PNG
	case ".svg":
		picturing = picture.SVG
	default:
		options.Color = terminalColors(cmd.OutOrStdout())
		if options.Width == 0 {
			options.Width = min(terminalWidth(cmd.OutOrStdout()), maxPlotWidth)
		}
		options.Title = shorten(options.Title, cmp.Or(options.Width, 80))
	}
	var drawn bytes.Buffer
	err := picturing(cmd.Context(), &drawn, o, &options)
	switch {
	case errors.Is(err, picture.ErrSize):
		return usage("%s", reason(err))
	case err != nil:
		return fmt.Errorf("%s: %s", o.name, reason(err))
	}
	if d.out == "" {
		_, err := cmd.OutOrStdout().Write(drawn.Bytes())
		return err
	}
	if err := os.WriteFile(d.out, drawn.Bytes(), 0o666); err != nil {
		return fmt.Errorf("%s: %s", d.out, reason(err))
	}
	return nil
}

// maxPlotWidth is the most columns of a terminal that a picture takes unless told.
const maxPlotWidth = 160
