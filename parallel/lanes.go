package parallel

// addLanes sets s to the sums of x in eight lanes: element 16k+i and element 16k+8+i are
// added to each other and then to lane i. len(x) is a multiple of 16.
func addLanes(x []float64, s *[8]float64) {
	var a, b, c, d, e, f, g, h float64
	for len(x) >= 16 {
		a += x[0] + x[8]
		b += x[1] + x[9]
		c += x[2] + x[10]
		d += x[3] + x[11]
		e += x[4] + x[12]
		f += x[5] + x[13]
		g += x[6] + x[14]
		h += x[7] + x[15]
		x = x[16:]
	}
	*s = [8]float64{a, b, c, d, e, f, g, h}
}

// multiplyLanes sets s to the sums of the products of x and y in eight lanes: of elements
// 8k+i in lane i. len(x) is a multiple of 8, and y as long. Each product is rounded before
// it is added, which the conversions ask for, so that no architecture fuses the two.
func multiplyLanes(x, y []float64, s *[8]float64) {
	var a, b, c, d, e, f, g, h float64
	for len(x) >= 8 && len(y) >= 8 {
		a += float64(x[0] * y[0])
		b += float64(x[1] * y[1])
		c += float64(x[2] * y[2])
		d += float64(x[3] * y[3])
		e += float64(x[4] * y[4])
		f += float64(x[5] * y[5])
		g += float64(x[6] * y[6])
		h += float64(x[7] * y[7])
		x, y = x[8:], y[8:]
	}
	*s = [8]float64{a, b, c, d, e, f, g, h}
}

// mergeLanes adds the lanes up.
func mergeLanes(s *[8]float64) float64 {
	return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
}
