// gpu-plugin N: tells kubelet of N devices nvidia.com/gpu that are only counted
package main

import (
	"context"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

type plugin struct {
	api.UnimplementedDevicePluginServer
	n int
}

func (p plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p plugin) ListAndWatch(_ *api.Empty, s grpc.ServerStreamingServer[api.ListAndWatchResponse]) error {
	r := &api.ListAndWatchResponse{}
	for i := 0; i < p.n; i++ {
		r.Devices = append(r.Devices, &api.Device{ID: strconv.Itoa(i), Health: api.Healthy})
	}
	if err := s.Send(r); err != nil {
		return err
	}
	<-s.Context().Done()
	return nil
}

func (p plugin) Allocate(_ context.Context, r *api.AllocateRequest) (*api.AllocateResponse, error) {
	a := &api.AllocateResponse{}
	for _, c := range r.ContainerRequests {
		a.ContainerResponses = append(a.ContainerResponses, &api.ContainerAllocateResponse{
			Envs: map[string]string{"NVIDIA_VISIBLE_DEVICES": strings.Join(c.DevicesIds, ",")}})
	}
	return a, nil
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	sock := api.DevicePluginPath + "fake-gpu.sock"
	for { // kubelet empties the folder when it starts: serve and register anew
		os.Remove(sock)
		l, err := net.Listen("unix", sock)
		if err == nil {
			s := grpc.NewServer()
			api.RegisterDevicePluginServer(s, plugin{n: n})
			go s.Serve(l)
			c, _ := grpc.NewClient("unix://"+api.KubeletSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
			_, err = api.NewRegistrationClient(c).Register(context.Background(), &api.RegisterRequest{
				Version: api.Version, Endpoint: "fake-gpu.sock", ResourceName: "nvidia.com/gpu"})
			c.Close()
			for err == nil {
				time.Sleep(time.Second)
				_, err = os.Stat(sock)
			}
			s.Stop()
		}
		log.Print(err)
		time.Sleep(time.Second)
	}
}
