package memo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"go/scanner"
	"go/token"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"

	"github.com/numcache/numcache/memo/internal/store"
)

// sourcesFile is the shared file in which Options.WarnStale remembers what functions
// looked like.
const sourcesFile = "sources.json"

// maxSources bounds what is remembered. One more, and it begins anew: a warning that
// does not come costs less than a file that grows with every version there ever was.
const maxSources = 1000

// warnStale looks whether the text of a function is another than when its results
// under this version were first wanted, and says so in the log. It is an aid: what
// goes wrong is counted as a fault, and where the source is not at hand there is
// nothing to say.
func (c *Cache) warnStale(spec Spec, fn reflect.Value) {
	if !c.options.WarnStale || isStamp(spec.Version) {
		return
	}
	sum, position := sourceOf(fn)
	if sum == "" {
		return
	}
	s, release := c.use()
	defer release()
	if s == nil {
		return
	}
	ctx := context.Background()
	raw, err := readShared(ctx, s, sourcesFile)
	if err == nil {
		folder := segment(spec.Name) + "/" + segment(spec.Version)
		known := parseSources(raw)[folder]
		switch {
		case known == sum:
		case known != "" && hasRecords(ctx, s, callsFolder+"/"+folder):
			c.logger().LogAttrs(ctx, slog.LevelWarn, "numcache: a function has another source than its cached results, and the same version; change Spec.Version, or clear its results",
				slog.String("function", spec.Name), slog.String("version", spec.Version), slog.String("source", position))
		default:
			err = revise(ctx, s, sourcesFile, func(raw []byte) []byte {
				return sourcesBody(remember(parseSources(raw), folder, sum))
			})
		}
	}
	if err != nil && !mayFail(err) && !errors.Is(err, ErrClosed) {
		c.tell(&Event{Kind: Fault, Function: spec.Name, Version: spec.Version, Err: err})
	}
}

// isStamp reports whether a version is one that numcache stamp made, which knows more
// of the function than its text.
func isStamp(version string) bool {
	digits, ok := strings.CutPrefix(version, "v1-")
	b, err := hex.DecodeString(digits)
	return ok && err == nil && len(b) == 16
}

// hasRecords reports whether there are results below a folder, which may be those of
// the text that is remembered.
func hasRecords(ctx context.Context, s store.Store, folder string) bool {
	for info, err := range s.List(ctx, folder) {
		if err != nil {
			return false
		}
		if isRecord(info.Name) {
			return true
		}
	}
	return false
}

// sourcesJSON is the shared file: digests by function and version, as their folders
// are named.
type sourcesJSON struct {
	Format  int               `json:"format"`
	Sources map[string]string `json:"sources"`
}

// parseSources reads the shared file. What is none has no sources.
func parseSources(raw []byte) map[string]string {
	var file sourcesJSON
	if json.Unmarshal(raw, &file) != nil || file.Format != format || file.Sources == nil {
		return map[string]string{}
	}
	return file.Sources
}

// remember adds the text of a function to sources.
func remember(sources map[string]string, folder, sum string) map[string]string {
	if len(sources) >= maxSources {
		clear(sources)
	}
	sources[folder] = sum
	return sources
}

// sourcesBody is the shared file but for the check.
func sourcesBody(sources map[string]string) []byte {
	b, err := json.Marshal(sourcesJSON{format, sources})
	if err != nil {
		panic(err) // there is nothing in it that JSON does not have
	}
	b[len(b)-1] = ',' // the check follows
	return b
}

// maxSource bounds the source files that are read.
const maxSource = 16 << 20

// sourceOf returns a digest of a function's text, and where that stands. It is "" where
// the source is not at hand: for a program that was built with -trimpath or stands on
// another machine, for a function of an interpreter, for the value of a method.
func sourceOf(fn reflect.Value) (sum, position string) {
	f := runtime.FuncForPC(fn.Pointer())
	if f == nil {
		return "", ""
	}
	name, line := f.FileLine(f.Entry())
	if !filepath.IsAbs(name) || filepath.Ext(name) != ".go" {
		return "", ""
	}
	file, err := os.Open(name)
	if err != nil {
		return "", ""
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSource))
	if err != nil {
		return "", ""
	}
	return functionText(text, line, isLiteral(f.Name())), (&token.Position{Filename: name, Line: line}).String()
}

// isLiteral reports whether a function is a literal in another one, by the name that the
// compiler gave it: main.setup.func1.
func isLiteral(name string) bool {
	_, number, found := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ".func")
	return found && number != "" && number[0] >= '0' && number[0] <= '9'
}

// functionText returns the digest of a function in a Go file: of its words, without
// white space and comments. Its code begins in the given line, which is that of func
// or, where there is nothing to do before, of the first statement. It is "" where there
// is none.
func functionText(source []byte, line int, literal bool) string {
	words := wordsOf(source)
	var found []word
	for i, w := range words {
		if w.line > line {
			break
		}
		if w.token != token.FUNC {
			continue
		}
		text := bodied(words[i:])
		if len(text) == 0 || text[len(text)-1].line < line {
			continue
		}
		if found == nil || literal && found[0].line < line {
			found = text // of literals the first in the line, or else the innermost around it
		}
	}
	if found == nil {
		return ""
	}
	h := sha256.New()
	for _, w := range found {
		io.WriteString(h, w.text+"\x00")
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// word is a token of a Go file.
type word struct {
	token token.Token
	text  string
	line  int
}

// wordsOf returns the words of a Go file but for commas and semicolons before a
// closing bracket, which are there or not as lines are broken.
func wordsOf(source []byte) (words []word) {
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, func(token.Position, string) {}, 0)
	for {
		pos, tok, text := s.Scan()
		switch tok {
		case token.EOF:
			return words
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if n := len(words); n > 0 && (words[n-1].token == token.COMMA || words[n-1].token == token.SEMICOLON) {
				words = words[:n-1]
			}
		}
		if !tok.IsLiteral() {
			text = tok.String()
		}
		words = append(words, word{tok, text, file.PositionFor(pos, false).Line})
	}
}

// bodied returns the words of the function that words begin with, none where that is
// only a function's type.
func bodied(words []word) []word {
	depth, inType := 0, -1 // the depth at which a struct or interface began, which is no body
	for i, w := range words {
		switch w.token {
		case token.LPAREN, token.LBRACK:
			depth++
		case token.LBRACE:
			if last := words[max(i-1, 0)].token; inType < 0 && (last == token.STRUCT || last == token.INTERFACE) {
				inType = depth
			}
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
			switch {
			case depth < 0:
				return nil
			case depth == inType:
				inType = -1
			case depth == 0 && w.token == token.RBRACE:
				return words[:i+1]
			}
		case token.COMMA, token.SEMICOLON, token.ASSIGN:
			if depth == 0 {
				return nil
			}
		}
	}
	return nil
}
