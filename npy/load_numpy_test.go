package npy_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// What Dump's comment says of names is enough to write, in Python, an object that
// Load makes: with the notes, and with none but those that nothing else tells.
func TestLoadNumPyObject(t *testing.T) {
	type layer struct {
		Weights *mat.Dense
		Bias    *mat.VecDense
	}
	type model struct {
		Name    string
		Made    time.Time
		Epochs  int
		Layers  []layer
		Scores  map[string]float64
		Classes []string
		Cov     *mat.SymDense
		R       *mat.TriDense
		Band    *mat.SymBandDense
		Best    *float64
		Parent  *model
		Notes   []string `npy:"notes,omitempty"`
	}
	path := filepath.Join(t.TempDir(), "x.npz")
	for _, notes := range []string{"False", "True"} {
		numpy.Run(t, `
import sys, numpy as np
members = {
    "Name": "iris", "Made": "2024-05-06T07:08:09Z", "Epochs": 3,
    "Layers.0.Weights": np.array([[1., 2.], [3., 4.]]), "Layers.0.Bias": np.array([5., 6.]),
    "Layers.1.Weights": np.asfortranarray([[7., 8.]]), "Layers.1.Bias": np.array([9.]),
    "Scores.f1": 0.5, "Scores.a%2Eb": 0.25, "Classes": ["setosa", "né"],
    "Cov": np.array([[2., 1.], [1., 2.]]), "R": np.array([[1., 2.], [0., 3.]]),
    "Band": np.eye(3), "Band.": "band 0", "Best": 0.125, "Parent.": False,
}
if sys.argv[2] == "True":
    members.update({"Layers.": 2, "Scores.": ["a%2Eb", "f1"]})
np.savez(sys.argv[1], **members)
`, path, notes)
		a, err := npy.OpenArchive(path, &npy.ArchiveOptions{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		got := model{Parent: &model{}, Notes: []string{"old"}}
		if err := a.Load("", &got); err != nil {
			t.Errorf("notes %s: %v", notes, err)
			continue
		}
		best := 0.125
		want := model{
			Name: "iris", Made: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), Epochs: 3,
			Layers: []layer{
				{mat.NewDense(2, 2, []float64{1, 2, 3, 4}), mat.NewVecDense(2, []float64{5, 6})},
				{mat.NewDense(1, 2, []float64{7, 8}), mat.NewVecDense(1, []float64{9})},
			},
			Scores: map[string]float64{"f1": 0.5, "a.b": 0.25}, Classes: []string{"setosa", "né"},
			Cov: mat.NewSymDense(2, []float64{2, 1, 1, 2}), R: mat.NewTriDense(2, mat.Upper, []float64{1, 2, 0, 3}),
			Band: mat.NewSymBandDense(3, 0, []float64{1, 1, 1}), Best: &best,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("notes %s: got %+v, want %+v", notes, got, want)
		}
	}
}

// Lists without their note have the elements from 0 on, and no others.
func TestLoadNumPyLists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	numpy.Run(t, `
import sys, numpy as np
np.savez(sys.argv[1], **{"x.0.k": 1, "x.1.k": 2, "gap.0.k": 1, "gap.2.k": 2, "odd.00.k": 1})
`, path)
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	type element struct {
		K int `npy:"k"`
	}
	var slice []element
	if err := a.Load("x", &slice); err != nil || !reflect.DeepEqual(slice, []element{{1}, {2}}) {
		t.Errorf("got %v, %v", slice, err)
	}
	var two [2]element
	if err := a.Load("x", &two); err != nil || two != [2]element{{1}, {2}} {
		t.Errorf("got %v, %v", two, err)
	}
	for at, v := range map[string]any{"x": new([3]element), "gap": new([]element), "odd": new([]element), "none": new([]element)} {
		if err := a.Load(at, v); err == nil {
			t.Errorf("%s as %T is %v", at, v, v)
		}
	}
}

// An archive of nothing, and one that lists its folders, as the zip command does.
func TestLoadNumPyFolders(t *testing.T) {
	dir := t.TempDir()
	empty, folders := filepath.Join(dir, "empty.npz"), filepath.Join(dir, "folders.npz")
	numpy.Run(t, `
import io, sys, zipfile, numpy as np
np.savez(sys.argv[1])
b = io.BytesIO()
np.save(b, np.arange(3.))
with open(sys.argv[2], "wb") as f:
    f.write(b"#!/bin/sh\n")
with zipfile.ZipFile(sys.argv[2], "a") as z:
    z.writestr(zipfile.ZipInfo("a/"), b"")
    z.writestr("a/b.npy", b.getvalue())
    z.comment = b"by hand"
`, empty, folders)
	var m map[string]array.Any
	if err := npy.Load(empty, &m); err != nil || m == nil || len(m) != 0 {
		t.Errorf("an empty archive is %v, %v", m, err)
	}
	var none struct {
		X []int `npy:",omitempty"`
	}
	if err := npy.Load(empty, &none); err != nil {
		t.Error(err)
	}
	if err := npy.Load(empty, new(int)); err == nil {
		t.Error("a number of nothing")
	}
	a, err := npy.OpenArchive(empty, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.Load("x", &m); !errors.Is(err, npy.ErrMissing) {
		t.Errorf("a part of nothing: %v, %v", m, err)
	}
	if err := npy.Load(folders, &m); err != nil || len(m) != 1 || m["a/b"].Len() != 3 {
		t.Errorf("got %v, %v", m, err)
	}
	all, err := npy.ReadArchive(folders)
	if err != nil || len(all) != 1 || all["a/b"].Len() != 3 {
		t.Errorf("got %v, %v", all, err)
	}
}
