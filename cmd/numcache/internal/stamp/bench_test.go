package stamp

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkModule stamps a function of each of 100 packages, each of which imports
// three others and much of the standard library, with the go command and all.
//
//	go test ./cmd/numcache/internal/stamp -run '^$' -bench Module -benchtime 5x
func BenchmarkModule(b *testing.B) {
	const packages, functions = 100, 50
	files := map[string]string{"go.mod": "module m\n\ngo 1.25\n"}
	lines := 0
	for i := range packages {
		var s strings.Builder
		fmt.Fprintf(&s, "package p%d\n\nimport (\n\t\"fmt\"\n\t\"math\"\n\t\"net/http\"\n\t\"sort\"\n", i)
		var others []int
		for _, back := range []int{1, 7, 31} {
			if i >= back {
				others = append(others, i-back)
				fmt.Fprintf(&s, "\t\"m/p%d\"\n", i-back)
			}
		}
		fmt.Fprintf(&s, ")\n\nvar Client = http.DefaultClient\n\ntype Model struct{ Rate float64 }\n\nfunc (m *Model) String() string { return fmt.Sprint(m.Rate) }\n\n")
		for f := range functions {
			fmt.Fprintf(&s, "// F%d computes.\n//\n", f)
			if f == 0 {
				fmt.Fprintf(&s, "//numcache:stamp P%d\n", i)
			}
			fmt.Fprintf(&s, "func F%d(xs []float64, m *Model) (sum float64, err error) {\n\tfor i, x := range xs {\n\t\tif x < 0 {\n\t\t\treturn 0, fmt.Errorf(\"element %%d of %%v is %%g\", i, m, x)\n\t\t}\n\t\tsum += math.Sqrt(x) * m.Rate\n\t}\n\tsort.Float64s(xs)\n", f)
			switch {
			case f+1 < functions:
				fmt.Fprintf(&s, "\tnext, err := F%d(xs, m)\n\treturn sum + next, err\n}\n\n", f+1)
			default:
				for _, o := range others {
					fmt.Fprintf(&s, "\tsum += float64(len(fmt.Sprint(p%d.F0(xs, &p%d.Model{m.Rate}))))\n", o, o)
				}
				fmt.Fprintf(&s, "\treturn sum, nil\n}\n\n")
			}
		}
		files[fmt.Sprintf("p%d/p.go", i)] = s.String()
		lines += strings.Count(s.String(), "\n")
	}
	dir := b.TempDir()
	write(b, dir, "m", "", files)
	for b.Loop() {
		s, err := Compute(b.Context(), Options{Dir: dir})
		if err != nil || len(s.Functions) != packages {
			b.Fatal(s, err)
		}
	}
	b.ReportMetric(float64(lines), "lines")
}
