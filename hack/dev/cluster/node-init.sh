#!/bin/sh
# First process of a cluster's node: runs in process, mount and network
# namespaces of its own (see node.ts). When it ends, or is killed, the kernel
# ends everything in them: kubelet, containerd, shims and containers, the
# mounts, the pods' bridge and the iptables rules. Nothing is left to clean up
# on the machine, however the end came.
#
# $1 is the cluster's folder. node.env in it arrives when the link to the
# machine exists, kubelet.kubeconfig when the API server has its certificate.
set -eu
folder=$1

mount --make-rshared /
# The folders that containerd, CNI and the kubelet insist on.
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /run/lock /run/netns

while [ ! -f "$folder/node.env" ]; do sleep 0.05; done
. "$folder/node.env"

ip link set lo up
ip address add "$NODE_ADDRESS/30" dev eth0
ip link set eth0 up
# No way out but to the machine itself: an image from a registry fails at once, not after a resolver's timeout.
ip route add "$SERVICE_NETWORK" via "$HOST_ADDRESS"
mount --bind "$folder/resolv.conf" /etc/resolv.conf 2>/dev/null || true
echo 1 > /proc/sys/net/ipv4/ip_forward

# In place of kube-proxy: the one Service that every pod uses.
for chain in PREROUTING OUTPUT; do
  iptables -w -t nat -A "$chain" -d "$SERVICE_ADDRESS/32" -p tcp --dport 443 -j DNAT --to-destination "$HOST_ADDRESS:$API_PORT"
done
# Every other Service address answers at once that nobody is there (there is no DNS).
for chain in FORWARD OUTPUT; do
  iptables -w -A "$chain" -d "$SERVICE_NETWORK" -j REJECT
done
# The kubelet believes whoever reaches it, so pods must not.
iptables -w -A INPUT -i cni0 -p tcp --dport 10250 -j REJECT

PATH="$CONTAINERD_FOLDER:$PATH" "$CONTAINERD_FOLDER/containerd" --config "$folder/containerd.toml" > "$folder/logs/containerd.log" 2>&1 &
containerd=$!
while [ ! -f "$folder/kubelet.kubeconfig" ] || [ ! -S /run/containerd/containerd.sock ]; do
  kill -0 $containerd 2>/dev/null || { echo "containerd ended: see containerd.log" >&2; exit 1; }
  sleep 0.05
done
"$KUBELET" --config="$folder/kubelet.json" --kubeconfig="$folder/kubelet.kubeconfig" \
  --root-dir="$folder/kubelet" --cert-dir="$folder/kubelet/pki" --node-ip="$NODE_ADDRESS" \
  --hostname-override="$NODE_NAME" > "$folder/logs/kubelet.log" 2>&1 &
kubelet=$!

# Waiting for the sleep also reaps what the shims leave behind.
while kill -0 $containerd 2>/dev/null && kill -0 $kubelet 2>/dev/null; do
  sleep 1 &
  wait $!
done
echo "kubelet or containerd ended: see kubelet.log and containerd.log" >&2
exit 1
