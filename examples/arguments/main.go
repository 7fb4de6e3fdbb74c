// Arguments lets heat spread along a rod, and shows what makes another call of a function
// that takes structs: which fields and arguments are part of the key, and which are not.
package main

import (
	"errors"
	"fmt"
	"log"

	"github.com/numcache/numcache/memo"
)

// Rod is an argument by its fields. Names in the key are Go's, or those of the tags, so
// that a field can be renamed, and Python's dataclass can have names of its own.
type Rod struct {
	Length      float64 `memo:"length"`      // m
	Diffusivity float64 `memo:"diffusivity"` // m²/s
	Label       string  `memo:"-"`           // for people; nothing depends on it
}

// Options are settings that results depend on. Given by value, they are what they hold.
type Options struct {
	Step  float64 // s
	Steps int
	Ends  *Ends // nil is insulated
}

// Ends are the temperatures at which the ends of a rod are held.
type Ends struct{ Left, Right float64 }

// errStep is a time step that makes the method explode.
var errStep = errors.New("the time step is too long for the distance of the points")

// diffuse returns the temperatures after some steps of the explicit method. It tells
// progress how far it is.
func diffuse(rod Rod, temperature []float64, o Options, progress func(step int)) ([]float64, error) {
	n := len(temperature)
	dx := rod.Length / float64(n-1)
	r := rod.Diffusivity * o.Step / (dx * dx)
	if n < 3 || r > 0.5 {
		return nil, fmt.Errorf("%w: %v s for %d points", errStep, o.Step, n)
	}
	now, next := append([]float64(nil), temperature...), make([]float64, n)
	for step := range o.Steps {
		for i := range now {
			left, right := now[max(i-1, 0)], now[min(i+1, n-1)]
			next[i] = now[i] + r*(left-2*now[i]+right)
		}
		if o.Ends != nil {
			next[0], next[n-1] = o.Ends.Left, o.Ends.Right
		}
		now, next = next, now
		if progress != nil {
			progress(step)
		}
	}
	return now, nil
}

// peak returns a rod that is hot in its middle third.
func peak(points int) []float64 {
	t := make([]float64, points)
	for i := points / 3; i < 2*points/3; i++ {
		t[i] = 100
	}
	return t
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	cache, err := memo.Open("cache", nil)
	if err != nil {
		return err
	}
	defer cache.Close()
	// progress, argument 3, is a function and no part of the key: a hit calls it never.
	spec := memo.Spec{Name: "rod/diffuse", Version: "1", Ignore: []int{3}}
	cached, err := memo.Func(cache, spec, diffuse)
	if err != nil {
		return err
	}
	copper := Rod{Length: 1, Diffusivity: 1.1e-4, Label: "copper"}
	iron := Rod{Length: 1, Diffusivity: 2.3e-5, Label: "iron"}
	labelled := copper
	labelled.Label = "the one on the left"
	hot := peak(61)
	part := append(make([]float64, 10), hot...)[10:]
	o := Options{Step: 0.5, Steps: 2000}
	longer, held := o, o
	longer.Steps = 4000
	held.Ends = &Ends{Left: 20, Right: 20}

	for _, c := range []struct {
		what        string
		rod         Rod
		temperature []float64
		options     Options
		progress    func(int)
	}{
		{"a first call", copper, hot, o, nil},
		{"the same", copper, hot, o, nil},
		{"another label, a field that is left out", labelled, hot, o, nil},
		{"with progress, an argument that is ignored", copper, hot, o, func(int) {}},
		{"equal temperatures in another slice", copper, part, o, nil},
		{"another rod", iron, hot, o, nil},
		{"more steps", iron, hot, longer, nil},
		{"held ends", copper, hot, held, nil},
		{"equal ends behind another pointer", copper, hot, Options{Step: 0.5, Steps: 2000, Ends: &Ends{20, 20}}, nil},
		{"one point more", copper, peak(62), o, nil},
	} {
		why, err := cached.Explain(c.rod, c.temperature, c.options, c.progress)
		if err != nil {
			return err
		}
		t, err := cached.Call(c.rod, c.temperature, c.options, c.progress)
		if err != nil {
			return err
		}
		fmt.Printf("%s: middle %.2f\n\t%v\n", c.what, t[len(t)/2], why)
	}

	// An error is returned as it is, and never kept.
	_, err = cached.Call(copper, peak(601), o, nil)
	fmt.Println(errors.Is(err, errStep), err)
	return nil
}
