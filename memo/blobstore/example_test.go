package blobstore_test

import (
	"context"
	"fmt"
	"log"

	_ "github.com/numcache/numcache/memo/blobstore" // for s3://

	"github.com/numcache/numcache/memo"
)

// The program of a folder is that of a bucket: only the name differs. Credentials are
// in the environment. (This example needs a server, so it is not run.)
func Example() {
	c, err := memo.Open("s3://results/physics?endpoint=http://127.0.0.1:7070&use_path_style=true&region=us-east-1", nil)
	if err != nil {
		log.Fatal(err) // the URL is wrong; a server that does not answer is no error
	}
	defer c.Close()
	square, err := memo.Func(c, memo.Spec{Name: "square", Version: "1"}, func(ctx context.Context, x float64) (float64, error) {
		return x * x, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	y, err := square.Call(context.Background(), 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y)
}
