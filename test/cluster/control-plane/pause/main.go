// What holds the namespaces of a pod.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() { // ends at SIGINT/SIGTERM, reaps what a shared PID namespace leaves to it
	c := make(chan os.Signal, 8)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range c {
		if s != syscall.SIGCHLD {
			os.Exit(0)
		}
		for {
			if p, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); p <= 0 && err != syscall.EINTR {
				break
			}
		}
	}
}
