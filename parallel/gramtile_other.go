//go:build !amd64 || purego

package parallel

const hasTiles = false

func tile([]float64, int, int, int, int, *[32]float64) { panic("parallel: no tiles here") }
