package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine is what figures depend on. It says nothing of whose it is.
type machine struct {
	CPU        string            `json:"cpu"`
	Cores      int               `json:"cores"`
	System     string            `json:"system"`
	FileSystem string            `json:"fileSystem"` // of what is stored
	Go         string            `json:"go"`
	Python     map[string]string `json:"python,omitempty"` // versions of it and of its packages
}

func thisMachine(dir string, python map[string]string) machine {
	return machine{CPU: cpuModel(), Cores: runtime.GOMAXPROCS(0), System: runtime.GOOS + "/" + runtime.GOARCH,
		FileSystem: fileSystem(dir), Go: runtime.Version(), Python: python}
}

// cpuModel is what Linux says; elsewhere it is not known.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown CPU"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown CPU"
}

func (m machine) String() string {
	text := fmt.Sprintf("%s, %d cores, %s, %s, %s", m.CPU, m.Cores, m.System, m.FileSystem, m.Go)
	for _, name := range []string{"python", "numpy", "joblib", "diskcache"} {
		if version := m.Python[name]; version != "" {
			text += ", " + name + " " + version
		}
	}
	return text
}
