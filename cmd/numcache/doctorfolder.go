package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/numcache/numcache/memo"
)

// checkFolder reports whether there is a folder to look at.
func (d *doctor) checkFolder() bool {
	const other = "name the folder of a cache with --dir or NUMCACHE_DIR"
	info, err := os.Stat(d.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.problem("folder", other+", or make one with numcache demo", "%s is not there", d.dir)
	case err != nil:
		d.problem("folder", "see that you may enter the folders above it", "%s: %s", d.dir, reason(err))
	case !info.IsDir():
		d.problem("folder", other, "%s is not a folder", d.dir)
	default:
		d.ok("folder", "%s", d.dir)
		return true
	}
	return false
}

// checkCache reports whether the folder is a cache that can be used. It is opened for
// reading only, which repairs nothing.
func (d *doctor) checkCache(ctx context.Context) bool {
	const check = "cache"
	if err := checkExisting(d.dir); err != nil {
		d.problem(check, "a folder that memo.Open has made is a cache; name another one with --dir", "%s", reason(err))
		return false
	}
	var fault error
	c, err := memo.Open(d.dir, &memo.Options{
		ReadOnly: true,
		Logger:   slog.New(slog.DiscardHandler),
		OnEvent: func(e memo.Event) {
			if e.Kind == memo.Fault && fault == nil {
				fault = e.Err
			}
		},
	})
	switch {
	case errors.Is(err, memo.ErrFormat):
		d.problem(check, "use a newer numcache, or another folder", "%s", reason(err))
		return false
	case errors.Is(err, memo.ErrUnsafe): // checkOwner says what to do
		d.problem(check, "see to its mode, below", "no program uses it as it is: %s", reason(err))
		return false
	case err != nil:
		d.problem(check, "name another folder with --dir", "%s", reason(err))
		return false
	}
	defer c.Close()
	switch {
	case errors.Is(fault, memo.ErrDamaged):
		d.problem(check, "a command that writes, such as numcache verify, or any program that uses the cache, writes it anew", "its format.json is damaged")
	case fault != nil:
		d.problem(check, "see that you may read it", "%s", reason(fault))
		return false
	default:
		d.ok(check, "%s", formatText(d.dir))
	}
	for _, name := range []string{"calls", "objects", "quarantine", "tmp"} {
		info, err := os.Lstat(filepath.Join(d.dir, name))
		if err == nil && !info.IsDir() {
			d.problem(check, "move it away: the cache follows no links, and computes everything", "%s in it is not a folder", name)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.problem(check, "see that you may read it", "%s in it: %s", name, reason(err))
		}
	}
	d.checkCounts(ctx, c)
	return true
}

// formatText says what the format file does.
func formatText(dir string) string {
	var f struct {
		Format int
		Writer string
	}
	raw, err := os.ReadFile(filepath.Join(dir, "format.json"))
	if err == nil {
		err = json.Unmarshal(raw, &f)
	}
	if err != nil {
		return "its format.json is intact"
	}
	return fmt.Sprintf("format %d, made by %s", f.Format, f.Writer)
}

// checkCounts tells of what processes counted.
func (d *doctor) checkCounts(ctx context.Context, c *memo.Cache) {
	const check = "faults"
	h, err := historyOf(ctx, c)
	faults := h.Total().Faults
	switch {
	case err != nil:
		d.warning(check, "nothing: the counts begin anew with the next calls", "%s", reason(err))
	case faults > 0:
		d.warning(check, "numcache stats says of which functions; the programs' logs say what went wrong", "%d since %s, each a thing that went wrong without failing a call",
			faults, h.Since.Local().Format("2006-01-02"))
	default:
		d.ok(check, "none were counted")
	}
}

// checkOwner reports whether the folder is one that this user may write.
func (d *doctor) checkOwner() bool {
	const check = "permissions"
	info, err := os.Stat(d.dir)
	if err != nil {
		d.problem(check, "see that you may enter the folders above it", "%s", reason(err))
		return false
	}
	owner, group, known := ownerOf(info)
	if !known {
		d.ok(check, "not looked at: this system has other ones than Unix")
		return true
	}
	mode, shared := info.Mode(), isGroups(d.dir)
	who := fmt.Sprintf("mode %s, owner %s, group %s", octal(mode), userName(owner), groupName(group))
	switch {
	case mode&0o002 != 0:
		d.problem(check, "chmod o-w "+shellQuote(d.dir), "everybody may write it, and forge results: %s", who)
	case owner != os.Geteuid() && owner != 0 && !shared: // root may write everything anyway
		d.problem(check, "let that user run the program, chown the folder, or read it with Options.ReadOnly", "it is another user's, and is not shared with a group: %s", who)
		return false
	case mode&0o005 != 0:
		d.warning(check, "chmod o-rwx "+shellQuote(d.dir), "everybody may read the arguments and results in it: %s", who)
	case mode&0o020 != 0 && !shared:
		d.warning(check, "chmod g-w, or chmod 2770 to share it with Options.Group", "the group may write it, but what is made in it may be another group's: %s", who)
	case shared:
		d.ok(check, "shared with a group, whose members are trusted: %s", who)
	default:
		d.ok(check, "%s", who)
	}
	return true
}

// octal writes a mode as chmod takes it.
func octal(mode fs.FileMode) string {
	bits := uint32(mode.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return fmt.Sprintf("%04o", bits)
}

func userName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	return strconv.Itoa(id)
}

func groupName(id int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(id)); err == nil {
		return g.Name
	}
	return strconv.Itoa(id)
}

// checkLeftovers looks for files that nobody needs.
func (d *doctor) checkLeftovers() {
	files, bytes, err := d.filesBefore("tmp")
	switch {
	case err != nil:
		d.warning("leftovers", "see that you may read it", "tmp: %s", reason(err))
	case files > 0:
		d.warning("leftovers", "programs that were killed left them; numcache trim removes what is a day old",
			"%s in tmp from more than an hour ago, %s", count(files, "file"), bytesText(bytes))
	default:
		d.ok("leftovers", "none in tmp")
	}
	files, bytes, err = d.filesBefore("quarantine")
	switch {
	case err != nil:
		d.warning("quarantine", "see that you may read it", "quarantine: %s", reason(err))
	case files > 0:
		d.warning("quarantine", "look whether the disk fails; what is in "+filepath.Join(d.dir, "quarantine")+" may be removed",
			"%s put aside, %s", count(files, "damaged file"), bytesText(bytes))
	default:
		d.ok("quarantine", "no damaged files")
	}
}

// filesBefore counts the files in a folder of the cache; in tmp those of more than an
// hour ago, for others are of programs that run.
func (d *doctor) filesBefore(folder string) (files int, bytes int64, err error) {
	err = filepath.WalkDir(filepath.Join(d.dir, folder), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil && (folder != "tmp" || d.now().Sub(info.ModTime()) > grace) {
			files++
			bytes += info.Size()
		}
		return ignoreMissing(err)
	})
	return files, bytes, ignoreMissing(err)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
