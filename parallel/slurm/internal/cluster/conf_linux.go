package cluster

import (
	"fmt"
	"strings"
)

const (
	host    = "cluster"
	address = "10.77.0.1"
	cpus    = 4 // of each node, whatever the machine has
)

// configuration is the slurm.conf of a cluster in dir. Slurm is made for thousands
// of machines and days: what it waits for takes a few seconds at most here. A node
// that does not answer is down after about five, jobs are scheduled each second,
// which is as often as slurmctld looks, and none is forgotten while a test runs.
func configuration(dir string, port int, nodes []string) string {
	var conf strings.Builder
	for _, line := range []string{
		"ClusterName=numcache",
		"SlurmctldHost=" + host + "(" + address + ")",
		fmt.Sprintf("SlurmctldPort=%d", port),
		"AuthType=auth/munge",
		"AuthInfo=socket=" + dir + "/munge/socket",
		"SlurmUser=root",
		"SlurmdUser=root",
		"StateSaveLocation=" + dir + "/state",
		"SlurmdSpoolDir=" + dir + "/spool/%n",
		"SlurmctldPidFile=" + dir + "/run/slurmctld.pid",
		"SlurmdPidFile=" + dir + "/run/slurmd-%n.pid",
		"SlurmctldLogFile=" + dir + "/log/slurmctld.log",
		"SlurmdLogFile=" + dir + "/log/slurmd-%n.log",
		"ProctrackType=proctrack/linuxproc",
		"TaskPlugin=task/none",
		"SwitchType=switch/none",
		"MpiDefault=none",
		"ReturnToService=2", // a node that was down is up when it registers
		"SlurmctldTimeout=10",
		"SlurmdTimeout=1",
		"InactiveLimit=0",
		"MinJobAge=300",
		"KillWait=1",
		"UnkillableStepTimeout=10",
		"MessageTimeout=2",
		"TCPTimeout=1",
		"Waittime=0",
		"SchedulerType=sched/backfill",
		"SchedulerParameters=bf_interval=1,batch_sched_delay=0,sched_interval=1,sched_min_interval=0",
		"SelectType=select/cons_tres",
		"SelectTypeParameters=CR_Core",
		"AccountingStorageType=accounting_storage/none",
		"JobCompType=jobcomp/none",
		"JobAcctGatherType=jobacct_gather/none",
		"SlurmdParameters=config_overrides",
		"MailProg=/bin/true",
		"SlurmctldDebug=info",
		"SlurmdDebug=info",
	} {
		conf.WriteString(line + "\n")
	}
	for i, node := range nodes {
		fmt.Fprintf(&conf, "NodeName=%s NodeHostname=%s NodeAddr=%s Port=%d CPUs=%d State=UNKNOWN\n", node, host, address, port+1+i, cpus)
	}
	fmt.Fprintf(&conf, "PartitionName=main Nodes=%s Default=YES MaxTime=INFINITE State=UP\n", strings.Join(nodes, ","))
	return conf.String()
}
