package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// room is all listeners together: how many have heard since the round began, and when the last one did.
type room struct {
	round, heard, gone int64
	count              int64
	all                chan time.Time
}

func (r *room) hear(seen *int64) {
	now := time.Now()
	round := atomic.LoadInt64(&r.round)
	if *seen == round {
		return
	}
	*seen = round
	if atomic.AddInt64(&r.heard, 1) == r.count {
		r.all <- now
	}
}

// listen connects everybody, says "ready", and then answers each line of stdin with the time in µs at which the last of
// all listeners has heard something new.
func listen(kind, address, path, token string, count int) {
	r := &room{count: int64(count), all: make(chan time.Time, 1)}
	dialling := make(chan struct{}, 64)
	var open sync.WaitGroup
	for i := 0; i < count; i++ {
		open.Add(1)
		dialling <- struct{}{}
		go func() {
			defer func() { <-dialling }()
			connection, err := net.Dial("tcp", address)
			must(err)
			upgrade := "Accept: text/event-stream\r\n"
			if kind == "ws" {
				upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			}
			_, err = fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%s\r\n", path, address, token, upgrade)
			must(err)
			reader := bufio.NewReaderSize(connection, 1024)
			first, err := reader.ReadString('\n')
			if err == nil && !strings.Contains(first, " 200 ") && !strings.Contains(first, " 101 ") {
				err = fmt.Errorf("a listener was answered %s", strings.TrimSpace(first))
			}
			must(err)
			for {
				line, err := reader.ReadSlice('\n')
				must(err)
				if len(line) <= 2 {
					break
				}
			}
			var once sync.Once
			opened := func() { once.Do(open.Done) }
			if kind == "ws" {
				opened()
				go frames(connection, reader, r)
			} else {
				go events(reader, r, opened)
			}
		}()
	}
	open.Wait()
	fmt.Println("ready")
	for stdin := bufio.NewScanner(os.Stdin); stdin.Scan(); {
		atomic.StoreInt64(&r.heard, 0)
		atomic.AddInt64(&r.round, 1)
		fmt.Println("listening")
		select {
		case last := <-r.all:
			fmt.Printf("%d %d\n", last.UnixMicro(), r.count)
		case <-time.After(20 * time.Second):
			fmt.Printf("0 %d\n", atomic.LoadInt64(&r.heard))
		}
	}
}

func events(reader *bufio.Reader, r *room, opened func()) {
	var seen int64
	for {
		line, err := reader.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			atomic.AddInt64(&r.gone, 1)
			return
		}
		if strings.Contains(string(line), "event: board") {
			opened()
			r.hear(&seen)
		}
	}
}

func frames(connection net.Conn, reader *bufio.Reader, r *room) {
	var seen int64
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(reader, head); err != nil {
			atomic.AddInt64(&r.gone, 1)
			return
		}
		size := int(head[1] & 0x7f)
		if size == 126 {
			io.ReadFull(reader, head)
			size = int(head[0])<<8 | int(head[1])
			head[0] = 0x81
		}
		body := make([]byte, size)
		io.ReadFull(reader, body)
		switch head[0] & 0x0f {
		case 1:
			r.hear(&seen)
		case 9: // a ping is answered with what it said, masked by zeros
			connection.Write(append([]byte{0x8a, 0x80 | byte(size), 0, 0, 0, 0}, body...))
		}
	}
}
