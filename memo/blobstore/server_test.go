package blobstore_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/numcache/numcache/memo/blobstore"
	"github.com/numcache/numcache/memo/internal/store"
)

// The credentials of the servers of these tests. They must not be seen anywhere.
const (
	accessKey = "AKTESTNUMCACHE0BLOB"
	secretKey = "s3cretOfTheTests/NumcacheBlobstore"
)

// gateway is the path of a versitygw, empty where there is none; lacking says why.
var gateway, lacking string

// shared is the server that most tests use.
var shared *server

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	// Servers end with the thread that starts them.
	runtime.LockOSThread()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	for _, name := range []string{"AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	folder, err := os.MkdirTemp("", "numcache-blobstore-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	if gateway, err = findGateway(folder); err == nil {
		shared, err = startServer(filepath.Join(folder, "shared"))
	}
	if err != nil {
		lacking = err.Error()
	} else {
		defer shared.kill()
	}
	return m.Run()
}

// findGateway returns the versitygw that NUMCACHE_VERSITYGW names, or builds one.
func findGateway(folder string) (string, error) {
	if path := os.Getenv("NUMCACHE_VERSITYGW"); path != "" {
		return path, nil
	}
	path := filepath.Join(folder, "versitygw")
	build := exec.Command("go", "build", "-modfile=testdata/versitygw.mod", "-o", path, "github.com/versity/versitygw/cmd/versitygw")
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("versitygw cannot be built: %w\n%s", err, out)
	}
	return path, nil
}

// needServer skips a test where there is no server, which in CI is a failure.
func needServer(t testing.TB) *server {
	t.Helper()
	if lacking == "" {
		return shared
	}
	text := "the tests need an S3 server; name a versitygw in NUMCACHE_VERSITYGW, or let go build one: " + lacking
	if os.Getenv("CI") != "" {
		t.Fatal(text)
	}
	t.Skip(text)
	return nil
}

// server is a versitygw that keeps its objects in a folder.
type server struct {
	folder, address string

	mu      sync.Mutex
	process *exec.Cmd
	buckets int
}

// startServer starts a server on a free port.
func startServer(folder string) (*server, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{folder: folder, address: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	return s, s.start()
}

// start starts the server again that was killed.
func (s *server) start() error {
	output := &bytes.Buffer{}
	s.process = exec.Command(gateway, "--quiet", "--port", s.address, "posix", s.folder)
	s.process.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+accessKey, "ROOT_SECRET_KEY="+secretKey)
	s.process.Stdout, s.process.Stderr = output, output
	s.process.SysProcAttr = diesWithUs()
	if err := s.process.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		connection, err := net.Dial("tcp", s.address)
		if err == nil {
			return connection.Close()
		}
		if time.Now().After(deadline) {
			s.kill()
			return fmt.Errorf("versitygw does not listen: %w\n%s", err, output)
		}
		time.Sleep(10 * time.Millisecond) // another process is waited for
	}
}

// kill ends the server as a crash does.
func (s *server) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// bucket makes a bucket, which is a folder of the server's.
func (s *server) bucket(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	s.buckets++
	name := fmt.Sprintf("bucket-%d", s.buckets)
	s.mu.Unlock()
	if err := os.Mkdir(filepath.Join(s.folder, name), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// url returns the address of a store in a bucket, by way of a server or proxy.
func url(address, bucket string, more ...string) string {
	return "s3://" + bucket + "/some/prefix?" + strings.Join(append([]string{"endpoint=http://" + address, "use_path_style=true", "region=us-east-1"}, more...), "&")
}

func openStore(t testing.TB, url string) store.Store {
	t.Helper()
	s, err := store.OpenURL(context.Background(), url, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !isClosed(err) {
			t.Error(err)
		}
	})
	return s
}

func isClosed(err error) bool { return errors.Is(err, os.ErrClosed) }
