// Package cluster runs a real Slurm cluster of its own for tests, on the machine
// that they run on: munged, slurmctld, and as many slurmd as are asked for.
//
// Slurm wants a network address that is not loopback's, fixed ports, and processes
// that nobody else ends. So [Main] runs the test binary again in new network,
// mount, process and host name namespaces: the tests, the daemons and the jobs are
// all in there, and whatever ends the tests, an exit, a panic, a time-out or a KILL,
// ends the rest with them. Files that they make are in a tmpfs that goes the same
// way. Nothing is left behind.
//
// It needs Linux, root, and what Debian has as slurm-wlm, munge and iproute2. Where
// one of them is lacking, [Start] skips the test and says so; in CI, which is where
// the environment variable CI is not empty, it fails.
package cluster
