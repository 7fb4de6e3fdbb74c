// Package slurm runs the registered functions of package parallel on a Slurm cluster.
package slurm
