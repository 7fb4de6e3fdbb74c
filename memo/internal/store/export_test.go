package store

func (d *Dir) folder() *folder { return d.files.(uninterrupted).Files.(*folder) }

// UseRootReader makes d read as it does where there is no openat2.
func (d *Dir) UseRootReader() error {
	f := d.folder()
	err := f.reader.close()
	f.reader = rootReader{f.root}
	return err
}

// ReadsThroughRoot reports whether d reads through os.Root.
func (d *Dir) ReadsThroughRoot() bool {
	_, ok := d.folder().reader.(rootReader)
	return ok
}

// SyncFolders makes the names in a folder and above it durable.
func (d *Dir) SyncFolders(name string) error { return d.syncFolders(name) }

// MaxDurable bounds the folders that are known.
const MaxDurable = maxDurable

// KnowDurable has the name of a folder be known to be durable.
func (d *Dir) KnowDurable(name string) { d.durable.add(map[string]Identity{name: {}}) }

// KnownDurable returns how many are.
func (d *Dir) KnownDurable() int { return len(d.durable.known) }
