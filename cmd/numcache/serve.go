package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/cmd/numcache/internal/web"
	"github.com/numcache/numcache/memo"
)

func (p *program) serveCommand() *cobra.Command {
	var s serving
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Show the cache as pages for a browser",
		Long: `Show the cache as pages for a browser on this machine, until interrupted: its
functions, their calls with search and filters, one call with pictures of its arrays
and why it is another than the one most like it, hit rate and time saved, and sizes.
The address is printed on standard output; the port is a free one unless --addr names
one.

Looking changes nothing in the folder. With --allow-delete calls can be removed, one or
all of a function's.

Other users of this machine can open the pages too; with --token only those who have
the token can, and --token random makes one. To be seen from other machines, --addr
with another host than a loopback one, the pages want a token of 16 characters or more.
They are sent unencrypted.`,
		Example: "  numcache serve\n  numcache serve --addr 127.0.0.1:8080 --allow-delete\n  numcache serve --addr 0.0.0.0:8080 --token random",
		Args:    arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := s.check(cmd); err != nil {
				return err
			}
			look, err := p.openAs(cmd, true)
			if err != nil {
				return err
			}
			defer closing(look, &err)
			config := web.Config{
				Cache:   look,
				History: func(ctx context.Context) (memo.History, error) { return historyOf(ctx, look) },
				Reason:  message,
				Host:    s.host,
				Token:   s.token,
			}
			if s.allowDelete {
				if config.Remover, err = p.openExisting(cmd); err != nil {
					return err
				}
				defer closing(config.Remover, &err)
			}
			return s.serve(cmd, config)
		},
	}
	cmd.Flags().StringVar(&s.address, "addr", "127.0.0.1:0", "`HOST:PORT` to listen on; port 0 is a free one")
	cmd.Flags().BoolVar(&s.allowDelete, "allow-delete", false, "let calls be removed")
	cmd.Flags().StringVar(&s.token, "token", "", "`TOKEN` that those must give who look; random makes one")
	return cmd
}

// serving is how the pages are served.
type serving struct {
	address     string
	host        string // of address
	allowDelete bool
	token       string
}

// minToken is how long a token is at least.
const minToken = 16

func (s *serving) check(cmd *cobra.Command) (err error) {
	if s.host, _, err = net.SplitHostPort(s.address); err != nil {
		return usage("--addr is %q; give a host and a port, such as 127.0.0.1:8080", s.address)
	}
	if s.host == "" { // all of this machine's addresses
		s.host = netip.IPv6Unspecified().String()
	}
	switch {
	case s.token == "random":
		s.token = rand.Text()
	case s.token == "" && cmd.Flags().Changed("token"):
		return usage("--token is empty; give one, or random")
	case s.token != "" && len(s.token) < minToken:
		return usage("--token has %d characters; give at least %d, or random", len(s.token), minToken)
	case s.token == "" && !web.IsLoopback(s.host):
		return usage("--addr %s can be reached from other machines; protect the pages with --token random", s.address)
	}
	return nil
}

// url is where the pages are, for a browser on this machine.
func (s *serving) url(listening net.Addr) string {
	host := s.host
	if address, err := netip.ParseAddr(host); err == nil && address.IsUnspecified() {
		host = "127.0.0.1"
	}
	_, port, _ := net.SplitHostPort(listening.String())
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/"}
	if s.token != "" {
		u.RawQuery = url.Values{"token": {s.token}}.Encode()
	}
	return u.String()
}

// shutdownGrace is how long requests that are under way may take once the program is told to
// end.
const shutdownGrace = 5 * time.Second

// noted is how often the counts are noted for the page that shows how they go, which is
// about how often programs tell them.
const noted = 10 * time.Second

// serve answers requests until the command's context ends.
func (s *serving) serve(cmd *cobra.Command, config web.Config) error {
	ctx := cmd.Context()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("--addr %s: %w", s.address, err)
	}
	requests, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	site := web.New(config)
	server := &http.Server{
		Handler:           site,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    1 << 16,
		ErrorLog:          log.New(cmd.ErrOrStderr(), "numcache: ", 0),
	}
	may := "read-only"
	if s.allowDelete {
		may = "with calls to be removed"
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Showing the cache in %s, %s, until interrupted.\n", printable(config.Cache.Dir()), may)
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), s.url(listener.Addr())); err != nil {
		return firstError(err, listener.Close())
	}
	ticker := time.NewTicker(noted)
	defer ticker.Stop()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		site.Watch(requests, ticker.C)
	}()
	defer func() {
		abandon()
		<-watched
	}()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	enough, stop := context.WithTimeout(requests, shutdownGrace)
	defer stop()
	if server.Shutdown(enough) != nil {
		abandon()
		return server.Close()
	}
	return nil
}
