module github.com/numcache/numcache/parallel/slurm

go 1.25.0

replace github.com/numcache/numcache => ../..
