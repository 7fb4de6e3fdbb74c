package stamp

import (
	"strings"
)

// addLinknames adds what //go:linkname joins: a name declared here with a body that
// stands elsewhere, or the other way round.
func (g *graph) addLinknames(u *unit) {
	for _, f := range u.files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				fields := strings.Fields(c.Text)
				if len(fields) != 3 || fields[0] != "//go:linkname" {
					continue
				}
				n := g.symbols[u.PkgPath+"."+fields[1]]
				if n == nil {
					continue
				}
				n.to(&node{name: "linkname " + fields[1] + " " + fields[2], sum: []byte{0}})
				if m := g.symbols[fields[2]]; m != nil {
					n.to(m)
					m.to(n)
				} else if v := g.unitNamed(fields[2]); v != nil && !v.local {
					n.to(g.foreignUnit(v))
				}
			}
		}
	}
}

// unitNamed returns the package of a link name.
func (g *graph) unitNamed(symbol string) *unit {
	slash := strings.LastIndexByte(symbol, '/') + 1
	dot := strings.IndexByte(symbol[slash:], '.')
	if dot < 0 {
		return nil
	}
	for _, u := range g.p.units {
		if u.PkgPath == symbol[:slash+dot] {
			return u
		}
	}
	return nil
}
