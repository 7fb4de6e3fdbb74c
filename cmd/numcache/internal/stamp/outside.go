package stamp

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// foreignUnit is the node of a package of another module: it leads to the module's
// version, and to those of all that the package imports. The standard library has no
// node, as the version of Go counts in every stamp.
func (g *graph) foreignUnit(u *unit) *node {
	if u.Module == nil {
		return nil
	}
	if n := g.foreign[u]; n != nil {
		return n
	}
	n := &node{name: "package " + u.PkgPath}
	g.foreign[u] = n
	if g.isVendored(u) {
		for _, name := range slices.Concat(u.GoFiles, u.OtherFiles, u.EmbedFiles) {
			if err := n.toFile(u, name); err != nil && g.err == nil {
				g.err = err
			}
		}
	} else {
		n.to(g.moduleOf(u))
	}
	for _, i := range u.Imports {
		switch v := g.p.units[i.ID]; {
		case v.local: // which stands in for one that the other module asked for
			for _, m := range g.nodes {
				if m.unit == v {
					n.to(m)
				}
			}
		default:
			n.to(g.foreignUnit(v))
		}
	}
	return n
}

// isVendored reports whether a package of another module stands in a vendor folder,
// where its source may be edited.
func (g *graph) isVendored(u *unit) bool {
	return slices.ContainsFunc(g.p.vendors, func(dir string) bool { return isBeneath(u.Dir, dir) })
}

// moduleOf is the node of a module's version, with the hash that go.sum has of it.
func (g *graph) moduleOf(u *unit) *node {
	m := u.Module
	if m.Replace != nil {
		m = m.Replace
	}
	version := m.Path + " " + m.Version
	hash := g.sums[version]
	if hash == "" && g.err == nil {
		g.err = fmt.Errorf("go.sum has no hash of %s, which provides %s; run go mod tidy", version, u.PkgPath)
	}
	sum := sha256.Sum256([]byte(hash))
	return &node{name: "module " + version, sum: sum[:]}
}

// readSums reads what is known of the modules: go.sum of each main one, and of the
// workspace.
func readSums(p *program) (map[string]string, error) {
	sums := map[string]string{}
	for _, name := range p.sumFiles {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, line := range strings.Split(string(text), "\n") {
			if f := strings.Fields(line); len(f) == 3 && !strings.HasSuffix(f[1], "/go.mod") {
				sums[f[0]+" "+f[1]] = f[2]
			}
		}
	}
	return sums, nil
}

// findSums sets where hashes and vendored packages are.
func (p *program) findSums(workspace string) {
	for _, m := range p.modules {
		p.sumFiles = append(p.sumFiles, filepath.Join(m.dir, "go.sum"))
		p.vendors = append(p.vendors, filepath.Join(m.dir, "vendor"))
	}
	if workspace != "" && workspace != "off" {
		p.sumFiles = append(p.sumFiles, workspace+".sum")
		p.vendors = append(p.vendors, filepath.Join(filepath.Dir(workspace), "vendor"))
	}
}
