package main

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

// rate sends the wishes one by one at their time, each on whichever of 64 connections is free, and counts from the
// time at which it should have been sent: what waits for a slow server is the server's.
func rate(address, wishes, tokens string, perSecond, seconds int) {
	token, requests := lines(tokens), []string{}
	for _, wish := range lines(wishes) {
		parts := strings.SplitN(wish, "\t", 5)
		requests = append(requests, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			parts[1], parts[2], address, token[number(parts[0])-1], key(parts[1]), len(parts[4]), parts[4]))
	}
	type due struct {
		at      time.Time
		request string
	}
	queue, took, bad := make(chan due, 1<<16), []float64{}, 0
	var lock sync.Mutex
	var group sync.WaitGroup
	for i := 0; i < 64; i++ {
		connection, err := net.Dial("tcp", address)
		must(err)
		group.Add(1)
		go func() {
			defer group.Done()
			reader := bufio.NewReader(connection)
			for d := range queue {
				_, err := io.WriteString(connection, d.request)
				var answer *http.Response
				if err == nil {
					answer, err = http.ReadResponse(reader, nil)
				}
				if err == nil {
					io.Copy(io.Discard, answer.Body)
				}
				lock.Lock()
				took = append(took, float64(time.Since(d.at).Microseconds())/1000)
				if err != nil || answer.StatusCode >= 300 {
					bad++
				}
				lock.Unlock()
				if err != nil {
					return
				}
			}
		}()
	}
	began, total := time.Now(), perSecond*seconds
	if total > len(requests) {
		total = len(requests)
	}
	for i := 0; i < total; i++ {
		at := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		time.Sleep(time.Until(at))
		queue <- due{at, requests[i]}
	}
	spent := time.Since(began).Seconds()
	close(queue)
	group.Wait()
	sort.Float64s(took)
	fmt.Printf(`{"requests":%d,"rps":%.1f,"bad":%d,"p50":%.3f,"p99":%.3f}`+"\n", len(took), float64(total)/spent, bad, took[len(took)/2], took[len(took)*99/100])
}

// key is the header of a POST that is never sent twice: each wish is sent once, so each has its key ahead.
func key(method string) string {
	if method != "POST" {
		return ""
	}
	random := make([]byte, 16)
	_, err := rand.Read(random)
	must(err)
	return "Idempotency-Key: " + hex.EncodeToString(random) + "\r\n"
}

func lines(file string) []string {
	text, err := os.ReadFile(file)
	must(err)
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}
