package stamp

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Options say what is stamped.
type Options struct {
	// Dir is the folder in which the go command runs, "" for the current one.
	Dir string

	// Patterns are the packages whose marked functions are stamped, as the go
	// command takes them; none are ./...
	Patterns []string

	// Out is the folder of the generated package, beneath Dir unless absolute. It
	// must lie in a module that Dir belongs to. "" is stamp.
	Out string

	// Tags are build tags as go build -tags takes them.
	Tags string

	// Env is the environment of the go command; nil is that of the process.
	Env []string
}

// Function is a marked function.
type Function struct {
	Name     string // of its constant
	Function string // what was marked, with its package
	Position string // file:line:column of the mark
	Stamp    string
}

// Stamps are the stamps of the marked functions.
type Stamps struct {
	Path      string // of the generated file, absolute
	GoVersion string // the minor version of the go command, such as go1.26
	Functions []Function
}

// Compute loads the module that o.Dir belongs to and stamps the marked functions of
// the packages that o names. It writes nothing. Code that does not compile, a mark
// that is none, and no mark at all are errors that name the position.
func Compute(ctx context.Context, o Options) (*Stamps, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Out == "" {
		o.Out = "stamp"
	}
	out := o.Out
	if !filepath.IsAbs(out) {
		out = filepath.Join(dir, out)
	}
	if len(o.Patterns) == 0 {
		o.Patterns = []string{"./..."}
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	p := &program{ctx: ctx, dir: dir, out: filepath.Join(out, fileName), tags: o.Tags, env: o.Env}
	if err := p.load(o.Patterns); err != nil {
		return nil, err
	}
	marks, err := p.parse()
	if err != nil {
		return nil, err
	}
	if len(marks) == 0 {
		return nil, fmt.Errorf("no function is marked; put %s above those to stamp", directive)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	g, err := newGraph(p)
	if err != nil {
		return nil, err
	}
	s := &Stamps{Path: p.out, GoVersion: p.goVersion}
	for _, m := range marks {
		stamp, err := g.stamp(m)
		if err != nil {
			return nil, err
		}
		s.Functions = append(s.Functions, Function{Name: m.name, Function: m.function, Position: p.position(m.pos), Stamp: stamp})
	}
	slices.SortFunc(s.Functions, func(a, b Function) int { return cmp.Compare(a.Name, b.Name) })
	return s, nil
}
