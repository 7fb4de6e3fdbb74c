// Package stamp makes versions of functions out of their source: a stamp changes
// when a function could behave differently, and not with comments or formatting.
//
// [Compute] loads the module (load.go, check.go), finds the functions that are
// marked (mark.go), and makes a graph of everything that is declared in it (graph.go).
// A node of the graph is a declaration in a canonical form (declaration.go, shape.go,
// name.go, typetext.go) with what it refers to, what it writes (writing.go) and what
// becomes an interface in it (conversion.go, interface.go); what else counts stands in
// linkname.go, files.go and outside.go. A stamp is
// the digest of all that can be reached from a function (cover.go), and source.go
// writes the Go file.
package stamp
