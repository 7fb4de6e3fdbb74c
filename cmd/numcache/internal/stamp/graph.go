package stamp

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// node is something that a stamp may cover: a declaration, the methods that an
// interface may stand for, the files of a package, a module.
type node struct {
	name  string // tells it from all others
	sum   []byte // of its content; nil where the edges are all
	edges []*node
	unit  *unit // the local package that it belongs to

	writes  map[*node]bool // variables that it sets
	escapes map[*node]bool // variables that may be set through what it does with them
	foreign bool           // refers to functions or variables of packages that are not local
	runs    bool           // it is executed when the program begins: what init functions are
	effects bool           // and for what it does, not for a value: with runs
}

func (n *node) to(m *node) {
	if m != nil && m != n && !slices.Contains(n.edges, m) {
		n.edges = append(n.edges, m)
	}
}

// graph has a node for every declaration of the local packages.
type graph struct {
	p       *program
	objects map[types.Object]*node
	symbols map[string]*node // functions and variables by their link names
	units   map[*unit]*node
	foreign map[*unit]*node
	methods map[string]*node // what an interface's method may be, by both
	wholes  map[string]*node // all methods of a type, by its text
	named   []*types.TypeName
	byTypes map[*types.Package]*unit

	nodes   []*node           // of declarations, in the order of packages and files
	writers map[*node][]*node // those that set a variable
	starts  []start           // what runs when the program begins
	sums    map[string]string // of modules, by path and version
	err     error             // the first of making nodes
}

func newGraph(p *program) (*graph, error) {
	g := &graph{
		p: p, objects: map[types.Object]*node{}, symbols: map[string]*node{}, units: map[*unit]*node{}, foreign: map[*unit]*node{},
		methods: map[string]*node{}, wholes: map[string]*node{}, byTypes: map[*types.Package]*unit{}, writers: map[*node][]*node{},
	}
	for _, u := range p.units {
		if u.types != nil {
			g.byTypes[u.types] = u
		}
	}
	var err error
	if g.sums, err = readSums(p); err != nil {
		return nil, err
	}
	for _, u := range p.local {
		g.units[u] = &node{name: "package " + u.PkgPath, unit: u}
	}
	var walks []func() error
	for _, u := range p.local {
		walks = append(walks, g.declare(u)...)
	}
	slices.SortFunc(g.named, func(a, b *types.TypeName) int {
		return cmp.Or(strings.Compare(a.Pkg().Path(), b.Pkg().Path()), strings.Compare(a.Name(), b.Name()), cmp.Compare(a.Pos(), b.Pos()))
	})
	for _, walk := range walks {
		if err := walk(); err != nil {
			return nil, err
		}
	}
	for _, u := range p.local {
		if err := g.addFiles(u); err != nil {
			return nil, err
		}
		g.addLinknames(u)
	}
	for _, n := range g.nodes {
		for v := range n.writes {
			g.writers[v] = append(g.writers[v], n)
		}
	}
	for _, n := range g.nodes {
		if n.runs {
			g.starts = append(g.starts, g.start(n))
		}
	}
	return g, g.err
}

// declare makes the nodes of a package, and returns what fills them once those of all
// packages are there.
func (g *graph) declare(u *unit) (walks []func() error) {
	for _, obj := range u.info.Defs {
		// Types within functions have methods too, by embedding.
		if t, ok := obj.(*types.TypeName); ok && !t.IsAlias() && !types.IsInterface(t.Type()) {
			g.named = append(g.named, t)
		}
	}
	number := 0
	for _, f := range u.files {
		made := madeByCgo(g.p, f)
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				name := u.PkgPath + "." + d.Name.Name
				if d.Recv != nil && len(d.Recv.List) == 1 {
					name = u.PkgPath + "." + receiverName(d.Recv.List[0].Type) + "." + d.Name.Name
				}
				init := d.Recv == nil && d.Name.Name == "init"
				if init || d.Name.Name == "_" {
					name += fmt.Sprint("#", number)
					number++
				}
				n := g.add(u, "func "+name, u.info.Defs[d.Name])
				if init {
					n.runs, n.effects = true, true
				}
				if d.Recv == nil {
					g.symbols[name] = n
				}
				if made {
					continue
				}
				walks = append(walks, func() error { g.walker(n, f).funcDecl(d); return nil })
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						obj, ok := u.info.Defs[s.Name].(*types.TypeName)
						if !ok || obj.IsAlias() || obj.Name() == "_" {
							continue
						}
						n := g.add(u, "type "+u.PkgPath+"."+s.Name.Name, obj)
						if !made {
							walks = append(walks, func() error { g.walker(n, f).typeDecl(obj); return nil })
						}
					case *ast.ValueSpec:
						if d.Tok != token.VAR {
							continue
						}
						for i, id := range s.Names {
							name := u.PkgPath + "." + id.Name
							if id.Name == "_" {
								name += fmt.Sprint("#", number)
								number++
							}
							n := g.add(u, "var "+name, u.info.Defs[id])
							g.symbols[name] = n
							n.effects = id.Name == "_"
							if !made {
								walks = append(walks, func() error {
									g.walker(n, f).varDecl(s, i)
									return g.addEmbedded(n, d, s)
								})
							}
						}
					}
				}
			}
		}
	}
	return walks
}

func (g *graph) add(u *unit, name string, obj types.Object) *node {
	n := &node{name: name, unit: u, edges: []*node{g.units[u]}, writes: map[*node]bool{}, escapes: map[*node]bool{}}
	g.nodes = append(g.nodes, n)
	if obj != nil {
		g.objects[obj] = n
	}
	return n
}

// toFunc makes an edge to a function or method.
func (g *graph) toFunc(n *node, f *types.Func) {
	f = f.Origin()
	if recv := f.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
		n.to(g.implementations(recv.Type(), f))
		return
	}
	g.toObject(n, f)
}

// toObject makes an edge to what is declared in a package.
func (g *graph) toObject(n *node, obj types.Object) {
	if m := g.objects[obj]; m != nil {
		n.to(m)
		return
	}
	u := g.unitOf(obj)
	if u == nil || u.local {
		return
	}
	switch obj.(type) {
	case *types.Func, *types.Var:
		n.foreign = true
	}
	n.to(g.foreignUnit(u))
}

// unitOf returns the package of an object, nil for what belongs to Go itself.
func (g *graph) unitOf(obj types.Object) *unit { return g.byTypes[obj.Pkg()] }

// line is what a node adds to a stamp, "" for those that only lead to others.
func (n *node) line() string {
	if n.sum == nil {
		return ""
	}
	return n.name + " " + hex.EncodeToString(n.sum) + "\n"
}
