// The peer of `npm run bench:policy`: decides the requests of the benchmark with the policy engine of MinIO.
//
// That engine (github.com/minio/pkg/v3) is under the AGPL. It runs in this process alone, to be measured; nothing of it
// is copied into Bucketwarden, linked with it or shipped with it.
//
// Usage: policy-peer FILE, FILE as bench/policy-peer.ts writes it. Prints one line with the decisions of each row, then,
// for each line `ROW MILLISECONDS` of standard input, the decisions made in about that much CPU time, and the nanoseconds
// of CPU time that they took.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/minio/pkg/v3/policy"
)

type row struct {
	Policy   json.RawMessage `json:"policy"`
	Requests []request       `json:"requests"`
}

type request struct {
	Account    string              `json:"account"`
	Action     string              `json:"action"`
	Bucket     string              `json:"bucket"`
	Object     string              `json:"object"`
	Conditions map[string][]string `json:"conditions"`
}

type prepared struct {
	policy *policy.Policy
	args   []policy.Args
}

func main() {
	runtime.GOMAXPROCS(1)
	rows, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	decisions := make([][]bool, len(rows))
	for i, each := range rows {
		for _, args := range each.args {
			decisions[i] = append(decisions[i], each.policy.IsAllowed(args))
		}
	}
	line, err := json.Marshal(decisions)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(line))

	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var index, milliseconds int
		if _, err := fmt.Sscanf(input.Text(), "%d %d", &index, &milliseconds); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		count, took := measure(rows[index], time.Duration(milliseconds)*time.Millisecond)
		fmt.Println(count, took.Nanoseconds())
	}
}

func read(path string) ([]prepared, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var rows []row
	if err := json.Unmarshal(bytes, &rows); err != nil {
		return nil, err
	}
	result := make([]prepared, len(rows))
	for i, each := range rows {
		parsed, err := policy.ParseConfig(strings.NewReader(string(each.Policy)))
		if err != nil {
			return nil, err
		}
		result[i].policy = parsed
		for _, asked := range each.Requests {
			result[i].args = append(result[i].args, policy.Args{
				AccountName:     asked.Account,
				Action:          policy.Action(asked.Action),
				BucketName:      asked.Bucket,
				ObjectName:      asked.Object,
				ConditionValues: asked.Conditions,
			})
		}
	}
	return result, nil
}

func measure(each prepared, atLeast time.Duration) (int, time.Duration) {
	count := 0
	start := cpuTime()
	for {
		for _, args := range each.args {
			each.policy.IsAllowed(args)
		}
		count += len(each.args)
		if took := cpuTime() - start; took >= atLeast {
			return count, took
		}
	}
}

// Of the whole process, with its collector.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
