// The bench's own clients, for what wrk cannot do: send at a fixed rate, and hold ten thousand listeners.
//
//	clients rate HOST:PORT WISHES TOKENS PER_SECOND SECONDS    open loop: a slow answer delays no other request
//	clients listen sse|ws HOST:PORT PATH TOKEN COUNT           each line on stdin begins a round; answered when all have heard
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	arguments := os.Args[1:]
	switch {
	case len(arguments) == 6 && arguments[0] == "rate":
		rate(arguments[1], arguments[2], arguments[3], number(arguments[4]), number(arguments[5]))
	case len(arguments) == 6 && arguments[0] == "listen":
		listen(arguments[1], arguments[2], arguments[3], arguments[4], number(arguments[5]))
	default:
		fmt.Fprintln(os.Stderr, "usage: clients rate HOST:PORT WISHES TOKENS PER_SECOND SECONDS | clients listen sse|ws HOST:PORT PATH TOKEN COUNT")
		os.Exit(2)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	must(err)
	return n
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		os.Exit(1)
	}
}
