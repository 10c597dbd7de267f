#!/bin/sh
# Stands in for kubectl where scripts/cluster/kubeconfig calls it; notes each call. A TokenRequest's answer as its API has it.
printf '%s\n' "$*" >>"$CALLED"
case $* in
  *'create token loaderd'*) printf '2026-12-27T04:00:00Z head.body.signature' ;;
  *'get configmap kube-root-ca.crt'*) printf 'a certificate\n' ;;
  *'config view'*) printf 'https://10.0.0.1:6443' ;;
  *'get secret loaderd-token'*) [ -n "$WITH_SECRET" ] ;;
  *) exit 1 ;;
esac
