//go:build !amd64 || purego

package parallel

func sumLanes(x []float64, s *[8]float64)    { addLanes(x, s) }
func dotLanes(x, y []float64, s *[8]float64) { multiplyLanes(x, y, s) }
