package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/numcache/numcache/memo/python"
)

func (d *doctor) checkVersions(ctx context.Context) {
	d.ok("numcache", "%s", buildText())
	d.ok("go", "%s, %s/%s, %s", runtime.Version(), runtime.GOOS, runtime.GOARCH, count(runtime.NumCPU(), "processor"))
	d.checkPython(ctx)
}

// buildText says which numcache this is.
func buildText() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of an unknown version"
	}
	text := info.Main.Version
	if text == "" || text == "(devel)" {
		text = "built from source"
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			text += ", commit " + shorten(s.Value, 13)
		case s.Key == "vcs.modified" && s.Value == "true":
			text += ", changed since"
		}
	}
	return text
}

// pythonPatience bounds how long Python may take to say what it has.
const pythonPatience = 20 * time.Second

// whatPythonHas prints versions, and where numcache.py would be imported from, without
// importing any of it. The folder that it runs in, whose files would be imported as if
// they were Python's own, is looked at only when nothing more is imported.
const whatPythonHas = `
import sys
path, sys.path = sys.path, [p for p in sys.path if p]
import json, importlib.util, importlib.metadata
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
sys.path = path
found = importlib.util.find_spec("numcache")
print(json.dumps({"python": sys.version.split()[0], "numpy": version("numpy"), "xxhash": version("xxhash"),
    "numcache": found.origin or "" if found else ""}))
`

// pythonAnswer is what it prints.
type pythonAnswer struct{ Python, NumPy, XXHash, Numcache string }

// checkPython asks the Python that NUMCACHE_PYTHON names, or python3, whether it can
// share caches.
func (d *doctor) checkPython(ctx context.Context) {
	const check = "python"
	name := os.Getenv("NUMCACHE_PYTHON")
	if name == "" {
		name = "python3"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		d.ok(check, "there is no %s; only to share caches with Python one is needed", name)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, pythonPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-c", whatPythonHas)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	var has pythonAnswer
	if err == nil {
		err = json.Unmarshal(out, &has)
	}
	if err != nil {
		d.warning(check, "name another one with NUMCACHE_PYTHON, if caches are to be shared with Python", "%s does not say what it has: %s", path, reason(err))
		return
	}
	d.judgePython(path, has)
}

func (d *doctor) judgePython(path string, has pythonAnswer) {
	const check = "python"
	text := fmt.Sprintf("%s, Python %s", path, has.Python)
	var missing []string
	for _, module := range []struct{ name, version string }{{"NumPy", has.NumPy}, {"xxhash", has.XXHash}} {
		if module.version == "" {
			missing = append(missing, module.name)
		} else {
			text += ", " + module.name + " " + module.version
		}
	}
	if has.Numcache == "" {
		d.ok(check, "%s; no numcache.py, which shares caches with Python: numcache python prints it", text)
		return
	}
	source, err := os.ReadFile(has.Numcache)
	text += ", " + has.Numcache
	switch {
	case len(missing) > 0:
		d.warning(check, "python3 -m pip install numpy xxhash, or your system's packages", "%s, which needs %s", text, strings.Join(missing, " and "))
	case err != nil:
		d.warning(check, "see that you may read it", "%s: %s", text, reason(err))
	case string(source) != python.Source:
		d.warning(check, "numcache python > "+shellQuote(has.Numcache), "%s, which is of another version than this numcache", text)
	default:
		d.ok(check, "%s", text)
	}
}
