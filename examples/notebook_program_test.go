package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// A program is the source of a Go file that does what a notebook's cells do.
//
// In the interpreter a cell may declare anew what an earlier one has declared, with
// another type too, and functions refer to the variables above them. So it is here: each
// cell is a block that holds those below it. A function becomes a variable, declared
// before its body so that it can call itself.
//
// Refused is what would not mean the same: methods and type parameters, which functions
// in a block cannot have, and to declare anew what a function above refers to, for in the
// interpreter that is the same variable if the type is.
type program struct {
	name     string
	imports  []string
	silent   map[string]bool // functions of the notebook that return nothing
	captured map[string]int  // the cell that has the last function that refers to a name
	body     bytes.Buffer
}

// translate returns the file for a notebook of the given name in the folder notebooks.
func translate(name string, cells []cell) (string, error) {
	p := &program{name: name, silent: map[string]bool{}, captured: map[string]int{}}
	for i, c := range cells {
		if err := p.cell(i, c.source); err != nil {
			return "", fmt.Errorf("%s, cell %d: %w", name, i+1, err)
		}
	}
	return fmt.Sprintf("package main\n\nimport (\n%s)\n\nfunc init() {\nnotebooks[%q] = func() {\n%s%s}\n}\n",
		strings.Join(p.imports, ""), name, p.body.Bytes(), strings.Repeat("}\n", len(cells))), nil
}

// cell adds a cell to the program.
func (p *program) cell(number int, source string) error {
	parts, err := split(source)
	if err != nil {
		return err
	}
	p.body.WriteString("{\n")
	for i, part := range parts {
		fmt.Fprintf(&p.body, "//line %s.ipynb[%d]:%d\n", p.name, number+1, part.line)
		switch part.first {
		case token.IMPORT:
			err = p.addImports(part.text)
		case token.FUNC:
			err = p.addFunction(number+1, part.text)
		default:
			err = p.addStatement(number+1, part.text, i == len(parts)-1)
		}
		if err != nil {
			return err
		}
	}
	p.body.WriteString("end()\n")
	return nil
}

// addImports adds an import declaration. The folders of the clone, by which cells
// import, are packages of the module.
func (p *program) addImports(source string) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, ".") {
			name = path.Join("github.com/numcache/numcache/examples/notebooks", name)
		}
		alias := ""
		if spec.Name != nil {
			alias = spec.Name.Name
		}
		p.imports = append(p.imports, fmt.Sprintf("%s %q\n", alias, name))
	}
	return nil
}

// addFunction adds the declaration of a function.
func (p *program) addFunction(cell int, source string) error {
	const before = "package p\n"
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", before+source, 0)
	if err != nil {
		return err
	}
	f, ok := file.Decls[0].(*ast.FuncDecl)
	if !ok || f.Recv != nil || f.Type.TypeParams != nil || f.Body == nil {
		return fmt.Errorf("not a plain function: %s", source)
	}
	if err := p.declare(cell, f.Name); err != nil {
		return err
	}
	p.capture(cell, file, f)
	at := func(pos token.Pos) int { return fset.Position(pos).Offset - len(before) }
	signature := source[at(f.Type.Params.Pos()):at(f.Body.Pos())]
	fmt.Fprintf(&p.body, "var %s func%s; %[1]s = func%[2]s%[3]s; _ = %[1]s\n", f.Name.Name, signature, source[at(f.Body.Pos()):])
	p.silent[f.Name.Name] = f.Type.Results == nil
	return nil
}

// addStatement adds a statement. If it is an expression and the last one of its cell,
// its values are shown.
func (p *program) addStatement(cell int, source string, last bool) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc _() {\n"+source+"\n}", 0)
	if err != nil {
		return err
	}
	statements := file.Decls[0].(*ast.FuncDecl).Body.List
	if len(statements) > 1 {
		return fmt.Errorf("several statements in a line: %s", source)
	}
	var declared []ast.Expr
	for _, statement := range statements {
		switch s := statement.(type) {
		case *ast.ExprStmt:
			if last && !p.returnsNothing(s.X) {
				source = "show(" + source + ")"
			}
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				declared = s.Lhs
			}
		case *ast.DeclStmt:
			if g := s.Decl.(*ast.GenDecl); g.Tok == token.VAR {
				for _, spec := range g.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						declared = append(declared, name)
					}
				}
			}
		}
	}
	p.body.WriteString(source + "\n")
	for _, x := range declared {
		name, ok := x.(*ast.Ident)
		if !ok || name.Name == "_" {
			continue
		}
		if err := p.declare(cell, name); err != nil {
			return err
		}
		p.body.WriteString("_ = " + name.Name + "\n") // the interpreter does not mind one that is not used
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncLit); ok {
			p.capture(cell, file, f)
		}
		return true
	})
	return nil
}

// declare notes that a cell declares a name.
func (p *program) declare(cell int, name *ast.Ident) error {
	if by, ok := p.captured[name.Name]; ok && by != cell {
		return fmt.Errorf("%s is declared anew, and a function in cell %d refers to it: assign to it, or take another name", name.Name, by)
	}
	return nil
}

// capture notes what a function refers to that it does not declare itself.
func (p *program) capture(cell int, file *ast.File, f ast.Node) {
	for _, name := range file.Unresolved {
		if f.Pos() <= name.Pos() && name.Pos() < f.End() {
			p.captured[name.Name] = cell
		}
	}
}

// returnsNothing reports whether x is a call of a function of the notebook that has no
// results. That any other one has none does not compile.
func (p *program) returnsNothing(x ast.Expr) bool {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := call.Fun.(*ast.Ident)
	return ok && p.silent[name.Name]
}

// A part is a declaration or a statement of a cell.
type part struct {
	text  string
	line  int
	first token.Token // FUNC for a declaration alone
}

// split cuts a cell into its parts.
func split(source string) (parts []part, err error) {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(source))
	s.Init(file, []byte(source), func(pos token.Position, message string) {
		err = fmt.Errorf("line %d: %s", pos.Line, message)
	}, 0)
	start, depth := -1, 0
	current := part{}
	for tokens := 0; ; tokens++ {
		pos, tok, literal := s.Scan()
		at := file.Offset(pos)
		switch {
		case tok == token.EOF || tok == token.SEMICOLON && literal == "\n" && depth == 0: // the end of a line
			if start >= 0 {
				current.text = source[start:at]
				parts = append(parts, current)
			}
			if start = -1; tok == token.EOF {
				return parts, err
			}
			continue
		case tok == token.LPAREN || tok == token.LBRACE || tok == token.LBRACK:
			depth++
		case tok == token.RPAREN || tok == token.RBRACE || tok == token.RBRACK:
			depth--
		}
		if start < 0 {
			start, tokens = at, 0
			current = part{line: file.Line(pos), first: tok}
		}
		if tokens == 1 && current.first == token.FUNC && tok != token.IDENT {
			current.first = token.LPAREN // a literal, or a method, which addStatement refuses
		}
	}
}

// parseOutputs cuts what a program put out into the outputs of its cells.
func parseOutputs(stdout []byte) (cells [][]output, err error) {
	var current []output
	for i, piece := range bytes.Split(stdout, []byte{0}) {
		switch {
		case i%2 == 0 && len(piece) > 0:
			current = append(current, output{Type: "stream", Name: "stdout", Text: string(piece)})
		case i%2 == 1 && string(piece) == "null":
			cells, current = append(cells, plain(current)), nil
		case i%2 == 1:
			var o output
			if err := json.Unmarshal(piece, &o); err != nil {
				return nil, err
			}
			current = append(current, o)
		}
	}
	if current != nil {
		return nil, fmt.Errorf("behind the last cell: %s", summary(current))
	}
	return cells, nil
}

// notebookName returns the name of a notebook's program.
func notebookName(file string) string { return strings.TrimSuffix(filepath.Base(file), ".ipynb") }
