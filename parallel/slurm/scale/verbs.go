package main

import "fmt"

// requests are what an S3-compatible store is sent, by price and by the two rates that it
// limits.
type requests struct {
	gets, lists   float64 // reads; a HEAD is a GET
	puts, deletes float64 // writes; a copy is a PUT
}

func (r requests) plus(s requests) requests {
	return requests{r.gets + s.gets, r.lists + s.lists, r.puts + s.puts, r.deletes + s.deletes}
}

func (r requests) times(n float64) requests {
	return requests{n * r.gets, n * r.lists, n * r.puts, n * r.deletes}
}

func (r requests) reads() float64  { return r.gets + r.lists }
func (r requests) writes() float64 { return r.puts + r.deletes }

// price is in dollars for a million: S3 Standard's in us-east-1. A list costs what a
// write does, and a delete nothing.
func (r requests) price() float64 { return 0.40*r.gets + 5.00*(r.puts+r.lists) }

// counts are numbers by the names of what was counted.
type counts map[string]int

// verbs is memo/blobstore/testdata/requests.txt: the requests of each verb, as a test
// counts them before a server. One that reads or writes an object does so with one of 4 KB.
var verbs = map[string]counts{
	"open":                               {"GET": 1},
	"has, of none":                       {"GET": 1},
	"has":                                {"GET": 1, "HEAD": 1},
	"miss":                               {"GET": 2, "HEAD": 2, "PUT": 3, "DELETE": 1},
	"miss, with an object that is there": {"GET": 3, "HEAD": 2, "PUT": 2, "COPY": 1, "DELETE": 1},
	"hit":                                {"GET": 2},
	"hit, of a short text":               {"GET": 1},
	"hit, the first for an hour":         {"GET": 2, "HEAD": 1, "COPY": 2},
	"object, of one chunk":               {"GET": 2},
	"forget":                             {"HEAD": 1, "DELETE": 1},
	"close, with statistics":             {"GET": 1, "HEAD": 1, "PUT": 2, "DELETE": 1},
}

// everyEntry is of memo/testdata/requests.txt: what the verbs that go through all entries
// ask of a store for each.
var everyEntry = map[string]counts{
	"entries, for each entry":                      {"listed": 1},
	"records, for each entry":                      {"get": 1, "listed": 1},
	"usage, for each entry":                        {"listed": 2},
	"verify, for each entry":                       {"get": 1, "open": 2, "read": 5, "listed": 2},
	"trim, with nothing to remove, for each entry": {"get": 1, "listed": 2},
	"trim, for each entry removed more":            {"get": 1, "stat": 2, "delete": 2},
}

const listPage = 1000 // blobs in an answer

// perCount is what one of something counted sends. What is opened has its first 64 KB
// with it, so that reading a small object sends nothing more; what is deleted is looked at
// before.
var perCount = map[string]requests{
	"GET":    {gets: 1},
	"HEAD":   {gets: 1},
	"PUT":    {puts: 1},
	"COPY":   {puts: 1},
	"DELETE": {deletes: 1},

	"get":    {gets: 1},
	"open":   {gets: 1},
	"read":   {},
	"stat":   {gets: 1},
	"delete": {gets: 1, deletes: 1},
	"listed": {lists: 1. / listPage},
}

// asked is what a verb sends.
func asked(verb string) (total requests) {
	counted := verbs[verb]
	if counted == nil {
		counted = everyEntry[verb]
	}
	if counted == nil {
		panic("no verb " + verb)
	}
	for what, n := range counted {
		total = total.plus(perCount[what].times(float64(n)))
	}
	return total
}

func requestTable() table {
	t := table{title: "Requests of each verb", rows: [][]string{{"verb", "reads", "writes", "$ a million"}}}
	row := func(name string, r requests) {
		t.rows = append(t.rows, []string{name, short(r.reads()), short(r.writes()), fmt.Sprintf("%.2f", r.price())})
	}
	for _, verb := range []string{
		"open", "has", "miss", "miss, with an object that is there", "hit", "hit, of a short text", "hit, the first for an hour", "object, of one chunk", "forget",
		"close, with statistics", "entries, for each entry", "records, for each entry", "usage, for each entry", "verify, for each entry",
		"trim, with nothing to remove, for each entry", "trim, for each entry removed more",
	} {
		row(verb, asked(verb))
	}
	var worker, submitter requests
	for _, step := range taskSteps {
		worker = worker.plus(asked(step.verb))
	}
	for _, verb := range gatherSteps {
		submitter = submitter.plus(asked(verb))
	}
	row("a task of one chunk, its worker", worker)
	row("a task of one chunk, its submitter", submitter)
	return t
}

// taskSteps is what a worker does for a task: it reads what it is to do, and the result
// that may be there; the chunk table of the matrix and the rows that it needs, which
// are read as an object of one chunk is; it stores the result, and what it counted.
var taskSteps = []struct {
	verb string
	// hot is of a blob that every task reads or writes, as the description of the job and
	// the matrix are; another is spread over the store by its digest.
	hot bool
	// after is behind the computation.
	after bool
}{
	{verb: "open", hot: true},
	{verb: "hit, of a short text", hot: true}, // the description
	{verb: "object, of one chunk", hot: true}, // the chunk table
	{verb: "object, of one chunk", hot: true}, // the rows
	{verb: "miss", after: true},
	{verb: "close, with statistics", hot: true, after: true},
}

// gatherSteps is what the submitter does for a chunk: before it submits the chunk it asks
// for the result, in vain, and reads it when the task has ended.
var gatherSteps = []string{"has, of none", "hit"}
