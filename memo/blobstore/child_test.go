package blobstore_test

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// childVariable has a process of these tests race others for keys: it is the URL of the
// cache, the number of keys, and the file that has a line for each computation.
const childVariable = "NUMCACHE_BLOBSTORE_CHILD"

func child() int {
	var address, path string
	var keys int
	if n, err := fmt.Sscan(os.Getenv(childVariable), &address, &keys, &path); n != 3 {
		fmt.Println(err)
		return 2
	}
	if err := race(address, keys, path); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// race asks for all keys, and returns an error where one has another value than it should.
func race(address string, keys int, path string) error {
	c, err := memo.Open(address, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	lines, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer lines.Close()
	fmt.Println("ready")
	var begin string
	if _, err := fmt.Scan(&begin); err != nil {
		return err
	}
	for i := range keys {
		got, err := memo.Do(context.Background(), c, memo.NewKey("raced", "1").Add(i), func(context.Context) (*mat.Dense, error) {
			_, err := lines.WriteString(strconv.Itoa(i) + "\n")
			return wanted(i, 16), err
		})
		if err != nil {
			return err
		}
		if !mat.Equal(got, wanted(i, 16)) {
			return fmt.Errorf("key %d has another value", i)
		}
	}
	if st := c.Stats(); st.Faults > 0 {
		return fmt.Errorf("%d faults", st.Faults)
	}
	return nil
}
