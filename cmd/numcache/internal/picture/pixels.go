package picture

import (
	"image"
	"image/color"
	"math"
)

// heatImage returns a heat map, a pixel for each element of the grid.
func heatImage(g *grid, e extent) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, g.columns, g.rows))
	for i := range g.rows {
		for j := range g.columns {
			img.SetRGBA(j, i, colourAt(e.position(g.at(i, j, 0))))
		}
	}
	return img
}

// pixelImage returns an image, a pixel for each element of the grid, over white where it
// is transparent.
func pixelImage(g *grid) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, g.columns, g.rows))
	for i := range g.rows {
		for j := range g.columns {
			img.SetRGBA(j, i, g.pixel(i, j))
		}
	}
	return img
}

func (g *grid) pixel(i, j int) color.RGBA {
	opaque := 1.0
	if g.channels == 4 {
		opaque = g.at(i, j, 3) / 255
	}
	level := func(channel int) uint8 {
		if g.channels < 3 {
			channel = 0
		}
		return uint8(math.Round(255 + opaque*(g.at(i, j, channel)-255)))
	}
	return color.RGBA{level(0), level(1), level(2), 0xff}
}

// enlarged returns the image with width by height pixels, each of them a copy of one of
// its own: edges stay sharp.
func enlarged(img *image.RGBA, width, height int) *image.RGBA {
	from := img.Bounds()
	if from.Dx() == width && from.Dy() == height {
		return img
	}
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			to.SetRGBA(x, y, img.RGBAAt(x*from.Dx()/width, y*from.Dy()/height))
		}
	}
	return to
}
