# A booted Debian with its own kernel: systemd, logind, user manager, cgroups, AppArmor. The image is made once.
VM := $(abspath $(BUILD))-vm
VM_PACKAGES := qemu-system-x86 mmdebstrap busybox-static cpio e2fsprogs
# What is installed in the guest.
GUEST_PACKAGES := systemd systemd-sysv dbus dbus-user-session libpam-systemd udev kmod login passwd procps iproute2 util-linux \
  linux-image-cloud-amd64 apparmor python3 strace libcap2-bin hostname xdg-dbus-proxy
.PHONY: check-vm vm-image
vm-image: PACKAGES := $(BUILD_PACKAGES) $(VM_PACKAGES) python3
vm-image: deps
	$(MAKE) $(PARALLEL) all
	BUILD=$(abspath $(BUILD)) python3 -B tests/system/harness.py
	tests/vm/image $(VM) $(GUEST_PACKAGES)

check-vm: vm-image
	BUILD=$(abspath $(BUILD)) VM=$(VM) tests/vm/run --root tests/vm/check
