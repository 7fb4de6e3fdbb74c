package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/memo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: it returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{}
	root := p.command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	addCompletion(root)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return statusDone
	}
	if ctx.Err() != nil {
		err = errInterrupted
	}
	if text := message(err); text != "" {
		fmt.Fprintln(stderr, "numcache: "+text)
	}
	// Whatever fails before a command begins is in how it was called.
	if !p.began || errors.Is(err, errUsage) {
		return statusUsage
	}
	return statusFailed
}

// program is what the subcommands share.
type program struct {
	dir      string // of the cache, as --dir says
	began    bool   // a subcommand was called rightly and runs
	repaired bool   // the cache's format file was damaged

	secret memo.Secret // that the cache's records must be signed with, nil for any
}

// command returns the root command with all subcommands.
func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "numcache",
		Short: "Memoized functions of numeric arrays: look into their caches",
		Long: `Numcache looks into caches of memoized functions of numeric arrays, and shows
what such a cache does. Begin with: numcache demo

The cache is the folder that --dir names, or else the environment variable
NUMCACHE_DIR, or else the folder numcache in your cache folder.

The exit status is 0 where all was done, 1 where something failed, arrays differ or the
doctor found problems, 2 where the command was called in a wrong way.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return fmt.Errorf("unknown command %q%s", args[0], hint(cmd))
		},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun:  func(*cobra.Command, []string) { p.began = true },
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	root.PersistentFlags().StringVar(&p.dir, "dir", "", "folder of the cache (default $NUMCACHE_DIR, else numcache in your cache folder)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return fmt.Errorf("%w%s", err, hint(cmd)) })
	root.SetHelpCommand(helpCommand())
	root.AddCommand(p.demoCommand(), p.lsCommand(), p.showCommand(), p.statsCommand(), p.verifyCommand(),
		p.trimCommand(), p.forgetCommand(), p.clearCommand(), p.hashCommand(), p.catCommand(), p.headCommand(), p.diffCommand(), p.plotCommand(),
		p.importCommand(), p.exportCommand(), p.stampCommand(), p.pythonCommand(), p.doctorCommand(), p.serveCommand(), p.k8sManifestCommand())
	return root
}

// addCompletion adds cobra's completion command, which keeps the output that root
// has now, and has it refuse a shell that it does not know.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		return // a later cobra may not have it
	}
	completion.Args = arguments(0, 0, "bash, fish, powershell or zsh")
	completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

// helpCommand replaces cobra's own, which takes an unknown command for success.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Tell about a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usage("there is no command %q%s", args[0], hint(cmd.Root()))
			}
			target.InitDefaultHelpFlag()
			return target.Help()
		},
	}
}

// arguments checks how many arguments there are; wanted says which.
func arguments(least, most int, wanted string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fmt.Errorf("%s takes %s, and was given %d arguments%s", cmd.Name(), wanted, len(args), hint(cmd))
		}
		return nil
	}
}

// hint points to the help of a command.
func hint(cmd *cobra.Command) string { return "; see " + cmd.CommandPath() + " --help" }
