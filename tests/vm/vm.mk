# A booted Debian with its own kernel: systemd, logind, user manager, cgroups, AppArmor. The image is made once.
VM := $(abspath $(BUILD))-vm
VM_PACKAGES := qemu-system-x86 mmdebstrap busybox-static cpio e2fsprogs
# What is installed in the guest.
GUEST_PACKAGES := systemd systemd-sysv dbus dbus-user-session libpam-systemd udev kmod login passwd procps iproute2 util-linux \
  linux-image-cloud-amd64 apparmor python3 strace libcap2-bin hostname xdg-dbus-proxy passt
.PHONY: check-vm vm-image
vm-image: PACKAGES := $(BUILD_PACKAGES) $(VM_PACKAGES) python3
vm-image: deps
	$(MAKE) $(PARALLEL) all
	BUILD=$(abspath $(BUILD)) python3 -B tests/system/harness.py
	tests/vm/image $(VM) $(GUEST_PACKAGES)

# What of tests/vm/check is to be run, each in a machine of its own.
VM_PARTS ?= allowed limits refused granted none apparmor
check-vm: vm-image
	BUILD=$(abspath $(BUILD)) VM=$(VM) tests/vm/parts $(VM_PARTS)
