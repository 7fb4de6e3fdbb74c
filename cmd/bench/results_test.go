package main

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// someResults are of two works: one with a peer and a limit, one that is the machine's.
func someResults() results {
	w := work{size: 1 << 20, times: 2, quantity: wallTime, contestants: []contestant{
		{name: "a", role: ours}, {name: "b", role: peer}, {name: "c", role: limit}}}
	turn := func(ms ...int) (turns []took) {
		for _, n := range ms {
			turns = append(turns, took{wall: time.Duration(n) * time.Millisecond, cpu: time.Duration(n)})
		}
		return turns
	}
	turns := [][]took{turn(1, 2, 4), turn(10, 40, 40), turn(1, 1, 1)}
	pairs := []pair{{"a", "b", 8}, {"a", "c", 0.6}, {"a", "not installed", 3}}
	size := work{times: 1, quantity: fileSize, contestants: []contestant{{name: "a", role: ours}, {name: "b", role: peer}}}
	return results{
		Machine: machine{CPU: "a CPU", Cores: 2, System: "linux/amd64", FileSystem: "ext4", Go: "go1.25", Python: map[string]string{"numpy": "1.24"}},
		Rounds:  3, Skipped: []string{"d: not installed"},
		Works: []measured{
			newMeasured("work", w, []string{"1", "1", ""}, turns, pairs),
			newMeasured("the machine", work{size: 1 << 20, times: 1, quantity: wallTime, contestants: w.contestants[2:]}, []string{""}, turns[2:], nil),
			newMeasured("size", size, []string{"", ""}, [][]took{{{bytes: 4}}, {{bytes: 2}}}, []pair{{"a", "b", 0}}),
		},
	}
}

func TestRatios(t *testing.T) {
	all := someResults().Works[0].Comparisons
	if len(all) != 2 {
		t.Fatalf("%+v: the pair of one that is not there counts", all)
	}
	if c := all[0]; c.Lower != 10 || c.Median != 10 || c.Upper != 15 || !c.holds() {
		t.Errorf("%+v", c) // of 10, 20, 10, round by round
	}
	if c := all[1]; c.Median != 0.5 || c.holds() {
		t.Errorf("%+v", c)
	}
	if c := someResults().Works[2].Comparisons[0]; c.Median != 0.5 || !c.holds() {
		t.Errorf("%+v", c)
	}
}

func TestResultsRoundTrip(t *testing.T) {
	name := filepath.Join(t.TempDir(), "results.json")
	want := someResults()
	if err := want.write(name); err != nil {
		t.Fatal(err)
	}
	got, err := readResults(name)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v; want %+v", got, err, want)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err == nil && bytes.Contains(text, []byte(host)) {
		t.Error("the file has the name of the host")
	}
	for _, bad := range []string{"", "[", `{"works":[{"name":"x","times":1,"quantity":"time","contestants":[{"name":"a"}]}]}`} {
		if err := os.WriteFile(name, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readResults(name); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	if err := someResults().print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a CPU, 2 cores, linux/amd64, ext4, go1.25, numpy 1.24\n",
		"skipped: d: not installed\n",
		`(?m)^work +a +1\.05 GB/s +b +0\.0524 GB/s +10\.0× +10\.0–15\.0 +≥ 8\.00× +yes +c +2\.1 GB/s +0\.50$`,
		`(?m)^ +a +1\.05 GB/s +c +2\.1 GB/s +0\.50× +0\.38–0\.75 +≥ 0\.60× +no$`,
		`(?m)^the machine +c +1\.05 GB/s$`,
		`(?m)^size +a +4e-06 MB +b +2e-06 MB +0\.50× +0\.50–0\.50$`,
		`(?m)^1 of 2 targets hold$`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%s is not in\n%s", want, &out)
		}
	}
}

func TestChart(t *testing.T) {
	name := filepath.Join(t.TempDir(), "chart.png")
	if err := someResults().draw(name); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	colours := map[any]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			colours[img.At(x, y)]++
		}
	}
	if colours[reached] < 1000 || colours[missed] < 100 || colours[untold] < 100 {
		t.Errorf("no bars: %d pixels of targets that hold, %d of others, %d without", colours[reached], colours[missed], colours[untold])
	}
	if err := (results{}).draw(name); err == nil {
		t.Error("nothing is drawn")
	}
}

// The run that the README shows is one of this catalogue, and can be shown.
func TestPublishedResults(t *testing.T) {
	r, err := readResults("testdata/bench.json")
	if err != nil {
		t.Fatal(err)
	}
	works := map[string]bool{}
	for _, w := range r.Works {
		works[w.Name] = true
	}
	for _, row := range catalogue {
		if name := row.name(&bench{sizes: sizes, records: 200_000}); !works[name] {
			t.Errorf("testdata/bench.json has nothing of %q; run -json testdata/bench.json -chart testdata/bench.png", name)
		}
	}
	var table bytes.Buffer
	if err := r.print(&table); err != nil || !strings.Contains(table.String(), "joblib.hash") {
		t.Errorf("%v in\n%s", err, &table)
	}
	if err := r.draw(filepath.Join(t.TempDir(), "bench.png")); err != nil {
		t.Error(err)
	}
}
