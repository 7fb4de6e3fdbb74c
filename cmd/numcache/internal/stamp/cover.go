package stamp

import (
	"crypto/sha256"
	"fmt"
	"go/ast"
	"io"
	"slices"
)

// version is that of the stamps themselves: another way to make them has another one.
const version = "v1"

// stamp returns the stamp of a marked function.
func (g *graph) stamp(m *mark) (string, error) {
	covered := g.cover(g.nodeOf(m))
	if g.err != nil {
		return "", g.err
	}
	lines := []string{"go " + g.p.goVersion + "\n", "tags " + g.p.buildTags + "\n"}
	for n := range covered {
		if line := n.line(); line != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range slices.Compact(lines) {
		io.WriteString(h, line)
	}
	return fmt.Sprintf("%s-%x", version, h.Sum(nil)[:16]), nil
}

// nodeOf returns the node of a marked function. A literal has one of its own, and if
// it captures something leads to the declaration around it, where that has its value.
func (g *graph) nodeOf(m *mark) *node {
	if m.decl != nil {
		return g.objects[m.unit.info.Defs[m.decl.Name]]
	}
	n := &node{name: "literal", unit: m.unit, edges: []*node{g.units[m.unit]}, writes: map[*node]bool{}, escapes: map[*node]bool{}}
	w := g.walker(n, m.file)
	w.walk(m.lit)
	w.end()
	if !m.captures() {
		return n
	}
	switch d := m.within.(type) {
	case *ast.FuncDecl:
		n.to(g.objects[m.unit.info.Defs[d.Name]])
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if s, ok := spec.(*ast.ValueSpec); ok && s.Pos() <= m.lit.Pos() && m.lit.End() <= s.End() {
				for _, name := range s.Names {
					n.to(g.objects[m.unit.info.Defs[name]])
				}
			}
		}
	}
	return n
}

// cover returns all that a node's stamp covers: what can be reached from it; of the
// variables among that, the functions that set them; and what the program does when
// it begins, if it bears upon the rest.
func (g *graph) cover(from *node) map[*node]bool {
	covered := map[*node]bool{}
	for todo := []*node{from}; len(todo) > 0; {
		for len(todo) > 0 {
			n := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if covered[n] {
				continue
			}
			covered[n] = true
			todo = append(append(todo, n.edges...), g.writers[n]...)
		}
		linked := linkedWith(g.p, covered)
		for _, s := range g.starts {
			if !covered[s.node] && s.bearsUpon(covered, linked) {
				todo = append(todo, s.node)
			}
		}
	}
	return covered
}

// linkedWith returns the local packages that are in every program which has the
// nodes: theirs, and those that they import.
func linkedWith(p *program, nodes map[*node]bool) map[*unit]bool {
	linked := map[*unit]bool{}
	var add func(u *unit)
	add = func(u *unit) {
		if u == nil || !u.local || linked[u] {
			return
		}
		linked[u] = true
		for _, i := range u.Imports {
			add(p.units[i.ID])
		}
	}
	for n := range nodes {
		add(n.unit)
	}
	return linked
}

// start is something that runs when the program begins: an init function, or a
// variable whose value comes from a call.
type start struct {
	node    *node
	sets    []*node // variables that it or what it calls may set
	foreign bool    // it reaches functions that are not local
}

func (g *graph) start(n *node) start {
	s := start{node: n}
	seen := map[*node]bool{}
	for todo := []*node{n}; len(todo) > 0; {
		m := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[m] {
			continue
		}
		seen[m] = true
		todo = append(todo, m.edges...)
		s.foreign = s.foreign || m.foreign
		for _, set := range []map[*node]bool{m.writes, m.escapes} {
			for v := range set {
				s.sets = append(s.sets, v)
			}
		}
	}
	return s
}

// bearsUpon reports whether a stamp that covers some nodes covers the start: it may
// set one of their variables; or it is run for what it does, in a package that is
// linked with them, and may do it to other modules, such as to choose a BLAS.
func (s *start) bearsUpon(covered map[*node]bool, linked map[*unit]bool) bool {
	if s.node.effects && s.foreign && linked[s.node.unit] {
		return true
	}
	return slices.ContainsFunc(s.sets, func(v *node) bool { return covered[v] })
}
