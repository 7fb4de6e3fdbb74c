package main

import (
	"fmt"
	"maps"
	"slices"
)

// operations are what is asked of a store, by the names that memo/testdata/requests.txt
// has for them.
type operations map[string]int

// verbs is memo/testdata/requests.txt: what each verb was counted to ask. A test holds
// that it still is.
var verbs = map[string]operations{
	"has, of none":                       {"get": 1},
	"has":                                {"get": 1, "stat": 1},
	"miss":                               {"lock": 1, "get": 2, "put": 1, "put if absent": 1},
	"miss, with an object that is there": {"lock": 1, "get": 2, "open": 1, "read": 2, "put": 1, "put if absent": 1},
	"hit":                                {"get": 1, "open": 1, "read": 2},
	"hit, of 4 MB":                       {"get": 1, "open": 1, "read": 17},
	"hit, of a short text":               {"get": 1},
	"hit, the first for an hour":         {"get": 1, "open": 1, "read": 2, "stat": 1, "freshen": 2},
	"object, of one chunk":               {"open": 2, "read": 6},
	"forget":                             {"delete": 1},
	"statistics, each 10 s and when it is closed":  {"lock": 1, "get": 1, "put": 1},
	"ledger, each hundredth of a limit":            {"lock": 1, "get": 1, "put": 1},
	"entries, for each entry":                      {"listed": 1},
	"records, for each entry":                      {"get": 1, "listed": 1},
	"usage, for each entry":                        {"listed": 2},
	"trim, with nothing to remove, for each entry": {"get": 1, "listed": 4},
	"trim, for each entry removed more":            {"get": 1, "stat": 1, "delete": 2},
	"verify, for each entry":                       {"get": 1, "open": 2, "read": 6, "listed": 2},
}

// requests are what an S3-compatible store is sent, by the two rates that it limits.
type requests struct{ reads, writes float64 }

func (r requests) plus(s requests) requests { return requests{r.reads + s.reads, r.writes + s.writes} }

func (r requests) times(n float64) requests { return requests{n * r.reads, n * r.writes} }

const listPage = 1000 // blobs in an answer

// perOperation is what an operation takes at least. That a blob can be read in parts
// takes its size first, and one that is not to be written twice a look; a time is set by a
// copy onto itself; locks are none of an object store's.
var perOperation = map[string]requests{
	"lock":          {},
	"get":           {reads: 1},
	"open":          {reads: 1},
	"read":          {reads: 1},
	"stat":          {reads: 1},
	"put":           {writes: 1},
	"put if absent": {reads: 1, writes: 1},
	"freshen":       {writes: 1},
	"delete":        {writes: 1},
	"listed":        {reads: 1. / listPage},
}

// asked is what a verb sends.
func asked(verb string) (total requests) {
	ops, ok := verbs[verb]
	if !ok {
		panic("no verb " + verb)
	}
	for _, op := range slices.Sorted(maps.Keys(ops)) {
		total = total.plus(perOperation[op].times(float64(ops[op])))
	}
	return total
}

// Prices of a million requests, in dollars: S3 Standard's in us-east-1. A list costs what
// a write does, and a delete nothing.
const (
	readPrice  = 0.40
	writePrice = 5.00
)

// price is that of a million calls of verbs.
func price(called ...string) (total float64) {
	for _, verb := range called {
		r, listed := asked(verb), float64(verbs[verb]["listed"])/listPage
		total += (r.reads-listed)*readPrice + (r.writes+listed-float64(verbs[verb]["delete"]))*writePrice
	}
	return total
}

func requestTable() table {
	t := table{title: "Requests of each verb", rows: [][]string{{"verb", "reads", "writes", "$ a million"}}}
	for _, verb := range []string{
		"has", "miss", "miss, with an object that is there", "hit", "hit, of 4 MB", "hit, of a short text", "hit, the first for an hour", "object, of one chunk", "forget",
		"statistics, each 10 s and when it is closed", "ledger, each hundredth of a limit",
		"entries, for each entry", "records, for each entry", "usage, for each entry", "verify, for each entry",
		"trim, with nothing to remove, for each entry", "trim, for each entry removed more",
	} {
		r := asked(verb)
		t.rows = append(t.rows, []string{verb, short(r.reads), short(r.writes), fmt.Sprintf("%.2f", price(verb))})
	}
	var worker []string
	for _, step := range taskSteps {
		worker = append(worker, step.verb)
	}
	for _, row := range []struct {
		name  string
		verbs []string
	}{{"a task of one chunk, its worker", worker}, {"a task of one chunk, its submitter", gatherSteps}} {
		var r requests
		for _, verb := range row.verbs {
			r = r.plus(asked(verb))
		}
		t.rows = append(t.rows, []string{row.name, short(r.reads), short(r.writes), fmt.Sprintf("%.2f", price(row.verbs...))})
	}
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
	{verb: "hit, of a short text", hot: true}, // format.json, at the opening
	{verb: "hit, of a short text", hot: true}, // the description
	{verb: "object, of one chunk", hot: true}, // the chunk table
	{verb: "object, of one chunk", hot: true}, // the rows
	{verb: "miss", after: true},
	{verb: "statistics, each 10 s and when it is closed", hot: true, after: true},
}

// gatherSteps is what the submitter does for a chunk: it looks whether the result is
// there, before and after, and reads it.
var gatherSteps = []string{"has, of none", "has", "hit"}
