package stamp

import (
	"fmt"
	"go/ast"
	"strconv"
)

// children calls f for the parts of a node.
func children(n ast.Node, f func(ast.Node)) {
	ast.Inspect(n, func(c ast.Node) bool {
		if c == n {
			return true
		}
		if c != nil {
			f(c)
		}
		return false
	})
}

// shape is what a node says beside its kind and its parts: the operator, and which of
// its parts it has, where their kinds leave that open.
func shape(n ast.Node) []string {
	has := func(parts ...bool) []string { return []string{fmt.Sprint(parts)} }
	switch n := n.(type) {
	case *ast.AssignStmt:
		return []string{n.Tok.String(), strconv.Itoa(len(n.Lhs))}
	case *ast.BinaryExpr:
		return []string{n.Op.String()}
	case *ast.UnaryExpr:
		return []string{n.Op.String()}
	case *ast.IncDecStmt:
		return []string{n.Tok.String()}
	case *ast.BranchStmt:
		return []string{n.Tok.String()}
	case *ast.RangeStmt:
		return append(has(n.Key != nil, n.Value != nil), n.Tok.String())
	case *ast.CallExpr:
		return has(n.Ellipsis.IsValid())
	case *ast.SliceExpr:
		return has(n.Low != nil, n.High != nil, n.Max != nil)
	case *ast.ForStmt:
		return has(n.Init != nil, n.Cond != nil, n.Post != nil)
	case *ast.IfStmt:
		return has(n.Init != nil, n.Else != nil)
	case *ast.SwitchStmt:
		return has(n.Init != nil, n.Tag != nil)
	case *ast.TypeSwitchStmt:
		return has(n.Init != nil)
	case *ast.CaseClause:
		return has(n.List == nil)
	case *ast.CommClause:
		return has(n.Comm != nil)
	case *ast.TypeAssertExpr:
		return has(n.Type == nil)
	}
	return nil
}
