package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/parallel"
)

func (p *program) k8sManifestCommand() *cobra.Command {
	m := manifest{}
	cmd := &cobra.Command{
		Use:   "k8s-manifest KEY",
		Short: "Print a Kubernetes Job for a prepared task (experimental)",
		Long: `Print the manifest of an indexed Kubernetes Job that does a task which a program has
prepared with Executor.Prepare of the package parallel/slurm. KEY and the number of
completions are what Prepare returned. The image holds that program, whose main begins
with parallel.WorkerMain; --command names it where it is not the image's entry point.
Each pod does one chunk and leaves its result in the cache, which all of them reach
under the same name: a URL, or a folder in the volume claim that --claim mounts. A pod
that fails is run again, --retries times for each chunk. When the Job has completed,
the program's own call finds the results in the cache.

This is experimental: the manifest may change with any version.`,
		Example: "  numcache k8s-manifest 3dbbec46d30c9a7ee7f2ef70f3ebc6a1 --completions 157 --image registry/fit:7 --cache s3://bucket/fit | kubectl apply -f -",
		Args:    arguments(1, 1, "one KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m.key = args[0]
			if err := m.check(); err != nil {
				return err
			}
			return m.write(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&m.name, "name", "", "name of the Job (default numcache- and the first 12 digits of KEY)")
	flags.StringVar(&m.image, "image", "", "image of the program")
	flags.StringArrayVar(&m.command, "command", nil, "program in the image; again for each argument")
	flags.StringVar(&m.cache, "cache", "", "folder or URL of the cache, as the pods see it")
	flags.StringVar(&m.claim, "claim", "", "persistent volume claim that has the cache's folder")
	flags.StringVar(&m.mount, "mount", "/cache", "where the claim is mounted")
	flags.IntVar(&m.completions, "completions", 0, "number of chunks")
	flags.IntVar(&m.parallelism, "parallelism", 10, "pods that run at a time")
	flags.IntVar(&m.retries, "retries", 3, "how often a chunk is tried again")
	flags.StringArrayVar(&m.env, "env", nil, "more of the environment, NAME=VALUE; may be given several times")
	flags.StringVar(&m.cpu, "cpu", "", "CPUs of a pod, as Kubernetes writes them")
	flags.StringVar(&m.memory, "memory", "", "memory of a pod, as Kubernetes writes it")
	return cmd
}

// manifest is what an indexed Job says.
type manifest struct {
	key, name, image, cache, claim, mount, cpu, memory string
	command, env                                       []string
	completions, parallelism, retries                  int
}

var (
	jobName     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	quantity    = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([munkMGTPE]|[KMGTPE]i)?$`)
	environment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
)

func (m *manifest) check() error {
	if _, err := array.ParseDigest(m.key); err != nil {
		return usage("%q is no key of a prepared task; Prepare returns its 32 hex digits", m.key)
	}
	if m.name == "" {
		m.name = "numcache-" + m.key[:12]
	}
	switch {
	case m.image == "":
		return usage("say with --image which image has the program")
	case m.cache == "":
		return usage("say with --cache which cache the pods use")
	case m.completions < 1 || m.parallelism < 1 || m.retries < 0:
		return usage("--completions is how many chunks Prepare has made; it and --parallelism are at least 1, --retries at least 0")
	case !jobName.MatchString(m.name):
		return usage("%q is no name for a Job: up to 63 of a-z, 0-9 and -", m.name)
	}
	for _, q := range []string{m.cpu, m.memory} {
		if q != "" && !quantity.MatchString(q) {
			return usage("%q is no quantity, such as 500m or 4Gi", q)
		}
	}
	for _, e := range m.env {
		if !environment.MatchString(e) {
			return usage("--env %q is not NAME=VALUE", e)
		}
	}
	return nil
}

// write writes the manifest. Strings are quoted as JSON, which is YAML too.
func (m *manifest) write(w io.Writer) error {
	var b strings.Builder
	line := func(indent int, format string, args ...any) {
		for i, a := range args {
			if s, ok := a.(string); ok {
				quoted, _ := json.Marshal(s) // which fails for no string
				args[i] = string(quoted)
			}
		}
		fmt.Fprintf(&b, strings.Repeat("  ", indent)+format+"\n", args...)
	}
	line(0, "apiVersion: batch/v1")
	line(0, "kind: Job")
	line(0, "metadata:")
	line(1, "name: %s", m.name)
	line(0, "spec:")
	line(1, "completionMode: Indexed")
	line(1, "completions: %d", m.completions)
	line(1, "parallelism: %d", min(m.parallelism, m.completions))
	line(1, "backoffLimitPerIndex: %d", m.retries)
	line(1, "template:")
	line(2, "spec:")
	line(3, "restartPolicy: Never")
	line(3, "containers:")
	line(3, "- name: worker")
	line(4, "image: %s", m.image)
	if len(m.command) > 0 {
		line(4, "command:")
		for _, c := range m.command {
			line(4, "- %s", c)
		}
	}
	line(4, "env:") // Kubernetes adds JOB_COMPLETION_INDEX
	for _, e := range append([]string{parallel.WorkerVariable + "=slurm", "NUMCACHE_SLURM_CACHE=" + m.cache, "NUMCACHE_SLURM_JOB=" + m.key}, m.env...) {
		name, value, _ := strings.Cut(e, "=")
		line(4, "- name: %s", name)
		line(5, "value: %s", value)
	}
	if m.cpu != "" || m.memory != "" {
		line(4, "resources:")
		line(5, "requests:")
		for _, r := range [][2]string{{"cpu", m.cpu}, {"memory", m.memory}} {
			if r[1] != "" {
				line(6, r[0]+": %s", r[1])
			}
		}
	}
	if m.claim != "" {
		line(4, "volumeMounts:")
		line(4, "- name: cache")
		line(5, "mountPath: %s", m.mount)
		line(3, "volumes:")
		line(3, "- name: cache")
		line(4, "persistentVolumeClaim:")
		line(5, "claimName: %s", m.claim)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
