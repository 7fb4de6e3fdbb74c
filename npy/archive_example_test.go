package npy_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/npy"
)

// folder returns a temporary one, as an example has no t.TempDir.
func folder() string {
	dir, err := os.MkdirTemp("", "npy")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

func ExampleWriteArchive() {
	dir := folder()
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "pca.npz")

	err := npy.WriteArchive(path, map[string]any{
		"axes":   mat.NewDense(2, 2, []float64{1, 0, 0, 1}),
		"scores": []float64{0.5, 0.25},
	}, &npy.ArchiveOptions{Level: 6}) // as np.savez_compressed does
	if err != nil {
		log.Fatal(err)
	}

	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	fmt.Println(a.Names())
	scores, err := a.VecDense("scores")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(scores.RawVector().Data)
	// Output:
	// [axes scores]
	// [0.5 0.25]
}

func ExampleCreateArchive() {
	dir := folder()
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "steps.npz")

	w, err := npy.CreateArchive(path, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abort() // after Close it does nothing
	for i := range 3 {
		if err := w.Write(fmt.Sprintf("step%d", i), make([]float32, i)); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	arrays, err := npy.ReadArchive(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(arrays["step2"].DType(), arrays["step2"].Shape())
	// Output: float32 [2]
}

func ExampleDump() {
	dir := folder()
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.npz")

	type Layer struct {
		Weights *mat.Dense
		Bias    []float64
	}
	type Model struct {
		Name   string
		Layers []Layer
		Scores map[string]float64
	}
	model := Model{
		Name:   "xor",
		Layers: []Layer{{mat.NewDense(2, 1, []float64{1, -1}), []float64{0.5}}},
		Scores: map[string]float64{"train": 0.9},
	}
	if err := npy.Dump(path, model, nil); err != nil {
		log.Fatal(err)
	}

	var loaded Model
	if err := npy.Load(path, &loaded); err != nil {
		log.Fatal(err)
	}
	fmt.Println(loaded.Name, loaded.Layers[0].Bias, loaded.Scores)

	// Or one part, without reading the others; in Python it is
	// np.load(path)["Layers.0.Weights"].
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	weights, err := a.Dense("Layers.0.Weights")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mat.Formatted(weights))
	var layer Layer
	if err := a.Load("Layers.0", &layer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(layer.Bias)
	fmt.Println(a.Names())
	// Output:
	// xor [0.5] map[train:0.9]
	// ⎡ 1⎤
	// ⎣-1⎦
	// [0.5]
	// [Name Layers. Layers.0.Weights Layers.0.Bias Scores. Scores.train]
}

func ExampleLoad() {
	dir := folder()
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fit.npz")
	if err := npy.Dump(path, map[string]any{"K": 3, "Weights": []float32{1, 2}}, nil); err != nil {
		log.Fatal(err)
	}

	var fit struct {
		K       int
		Weights []float64
		Note    string `npy:",omitempty"` // may be missing
	}
	err := npy.Load(path, &fit)
	fmt.Println(err.Error()[len("npy: load "+path+": "):])

	var anything any
	if err := npy.Load(path, &anything); err != nil {
		log.Fatal(err)
	}
	fmt.Println(anything.(map[string]any)["K"])
	// Output:
	// Weights: npy: type: the file holds float32 (2,), the variable is []float64
	// 3
}
